// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The verb write from the request to the exit code, on simulated flash. Whether anything uses the
 * flash is what the test says.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config.h"
#include "helpers.h"
#include "images.h"
#include "journaling.h"
#include "lock.h"
#include "memory.h"
#include "mtd_map.h"
#include "signature.h"
#include "simflash.h"
#include "target_open.h"
#include "targets.h"
#include "write.h"

enum { EB = 4096, BLOCKS = 10, ROOTFS = 5 * EB + 100, KERNEL = 2 * EB };

static const struct sim_geometry nand = { SIM_NAND, EB, 512, BLOCKS, NULL, 0 };

static const struct sim_geometry journal_nand = { SIM_NAND, EB, 512, 2, NULL, 0 };

static struct sim_board board;
static struct sim_chip *rootfs, *kernel, *journal;
static const char *journal_name;
static uint8_t new_rootfs[ROOTFS], new_kernel[KERNEL], old[BLOCKS * EB];
static struct sim_snapshot *start;
static struct firmware_request request;
static struct write_options o;
static unsigned int fds;

static const char *used; /* by whom, when looked at first; or NULL */
static const char *used_later;
static unsigned int asked, asked_later, opened;
static const char *grows; /* a file, to the whole new_rootfs, once it was verified */
static bool locked;

int __wrap_lock_take(struct fault *f)
{
	if (locked)
		return fault_set(f, FAULT_BUSY, "another update is running");
	return dup(STDOUT_FILENO);
}

int __wrap_config_read(struct config *c, const char *path, struct fault *f)
{
	memset(c, 0, sizeof(*c));
	c->board_count = 1;
	(void)strcpy(c->board[0], "testboard");
	(void)strcpy(c->journal, journal_name);
	c->tries = 2;
	return 0;
}

int __wrap_target_open_mtd(struct target **t, const char *name, enum target_mode mode, int *number,
			   struct fault *f)
{
	assert_string_equal(name, "journal");
	*t = &journal->target;
	return 0;
}

int __wrap_key_ring_add_folder(struct key_ring *ring, const char *folder, struct fault *f)
{
	return 0;
}

int __wrap_mtd_map_read(struct mtd_map *m, const char *sys, struct fault *f)
{
	m->count = 0;
	return 0;
}

int __wrap_target_open(struct target **t, const struct payload *p, enum target_mode mode,
		       struct fault *f)
{
	struct sim_chip *c = strcmp(p->part, "rootfs") == 0 ? rootfs : kernel;

	if (strcmp(p->part, c->target.name) != 0)
		return fault_set(f, FAULT_UNFIT, "no MTD partition is named %s", p->part);
	opened += mode == TARGET_WRITE;
	*t = &c->target;
	return 0;
}

int __wrap_targets_unused(const struct targets *t, struct fault *f)
{
	asked++;
	assert_int_equal(opened, 0);
	if (grows)
		write_file(grows, new_rootfs, ROOTFS);
	return used ? fault_set(f, FAULT_BUSY, "mtd0 (rootfs) is in use: %s", used) : 0;
}

int __wrap_targets_still_unused(const struct targets *t, struct fault *f)
{
	asked_later++;
	assert_true(asked && opened);
	return used_later ? fault_set(f, FAULT_BUSY, "mtd0 is in use: %s", used_later) : 0;
}

static bool little_memory;
static uint64_t memory_needed;
static int lock_error; /* of mlockall(), or 0 */
static unsigned int locks, protections;

int __wrap_memory_check(const char *meminfo, uint64_t need, uint64_t *have, struct fault *f)
{
	*have = 0;
	assert_string_equal(meminfo, "/proc/meminfo");
	memory_needed = need;
	return little_memory ? fault_set(f, FAULT_UNFIT, "too little memory") : 0;
}

static int held_back; /* times that the setting was put back, less times that it was changed */

void __wrap_memory_hold_nothing_back(const char *vm, char was[MEMORY_SETTING])
{
	assert_string_equal(vm, "/proc/sys/vm");
	(void)strcpy(was, "15000");
	held_back--;
}

void __wrap_memory_hold_back(const char *vm, const char *was)
{
	assert_string_equal(vm, "/proc/sys/vm");
	held_back += strcmp(was, "15000") == 0;
}

int __wrap_mlockall(int flags)
{
	assert_int_equal(flags, MCL_CURRENT);
	assert_int_equal(sim_count(&board, SIM_ERASE), 0);
	locks++;
	errno = lock_error;
	return lock_error ? -1 : 0;
}

int __wrap_file_write(const char *path, const void *data, size_t len)
{
	assert_string_equal(path, "/proc/self/oom_score_adj");
	assert_int_equal(len, 5);
	assert_memory_equal(data, "-1000", 5);
	protections++;
	return -1; /* as it is without the right to */
}

static unsigned int waits;

/* Nobody waits between two attempts. */
int __wrap_poll(struct pollfd *p, nfds_t count, int timeout)
{
	waits += count == 0 && timeout > 0;
	return count ? 1 : 0;
}

static unsigned int until_reboot;

void __wrap_lock_until_reboot(void)
{
	until_reboot++;
}

static int setup(void **state)
{
	struct image_input in[] = { { "rootfs", new_rootfs, ROOTFS },
				    { "kernel", new_kernel, KERNEL } };

	if (temp_dir_make(state) < 0)
		return -1;
	fds = count_fds();
	used = used_later = grows = NULL;
	asked = asked_later = opened = waits = 0;
	locked = little_memory = false;
	lock_error = 0;
	locks = protections = 0;
	fill_random(new_rootfs, ROOTFS, 1);
	fill_random(new_kernel, KERNEL, 2);
	fill_random(old, sizeof(old), 3);
	sim_board_init(&board);
	rootfs = sim_add_chip(&board, "rootfs", &nand);
	kernel = sim_add_chip(&board, "kernel", &nand);
	journal_name = "";
	(void)strcpy(rootfs->target.device, "mtd0");
	(void)strcpy(kernel->target.device, "mtd1");
	sim_factory_fill(rootfs, old, sizeof(old));
	sim_factory_fill(kernel, old, sizeof(old));
	start = sim_save(&board);
	sim_restore(&board, start);
	make_image(temp_path("new.fwi"), in, 2, 5000);
	memset(&request, 0, sizeof(request));
	request.image = temp_path("new.fwi");
	o = (struct write_options){ .firmware = &request };
	return 0;
}

static int teardown(void **state)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	assert_int_equal(count_fds(), fds);
	assert_int_equal(board.breaches, 0);
	sim_snapshot_free(start);
	sim_board_free(&board);
	return temp_dir_remove(state);
}

static char *said; /* by the last run, on standard output and standard error */

/* Runs the verb, and returns its code. */
static int run_it(void)
{
	int own = dup(STDERR_FILENO), result;

	free(said);
	said = NULL;
	capture_start(STDOUT_FILENO);
	assert_int_equal(dup2(STDOUT_FILENO, STDERR_FILENO), STDERR_FILENO);
	result = write_firmware(&o);
	assert_int_equal(dup2(own, STDERR_FILENO), STDERR_FILENO);
	(void)close(own);
	said = capture_end(STDOUT_FILENO);
	return result;
}

/* It must end with this code, and say what. */
static void run(int code, const char *what)
{
	int result = run_it();

	assert_int_equal(held_back, 0);
	if (result != code || !strstr(said, what))
		fail_msg("ended with %d, wanted is %d with \"%s\":\n%s", result, code, what, said);
}

static void expect_said(const char *what)
{
	if (!strstr(said, what))
		fail_msg("\"%s\" was not said:\n%s", what, said);
}

static void expect_new(void)
{
	assert_true(sim_holds(rootfs, new_rootfs, ROOTFS));
	assert_true(sim_holds(kernel, new_kernel, KERNEL));
}

static void expect_old(void)
{
	assert_true(sim_unchanged(rootfs, start));
	assert_true(sim_unchanged(kernel, start));
}

static void writes_an_image(void **state)
{
	run(0, "written and proven in ");
	expect_new();
	expect_said("new.fwi: firmware 2.0, 2 payloads, whole, unsigned");
	expect_said(
		"rootfs is mtd0: 10 of its 10 eraseblocks of 4096 bytes are good, 6 needed, 4 to "
		"spare\n");
	expect_said("kernel is mtd1: 10 of its 10 eraseblocks");
	expect_said("writing; this cannot be interrupted now");
	expect_said(
		"rootfs: 6 eraseblocks written, 0 identical, 4 cleared behind the image, 0 bad");
	expect_said("kernel: 2 eraseblocks written, 0 identical, 8 cleared");
	assert_int_equal(asked, 1);
	assert_int_equal(asked_later, 1);
}

static void nothing_to_do(void **state)
{
	run(0, "");
	sim_power_cycle(&board);
	asked_later = opened = 0;
	run(0, "rootfs: 0 eraseblocks written, 6 identical, 0 cleared");
	assert_null(strstr(said, "cannot be interrupted"));
	assert_int_equal(asked_later, 0);
	assert_int_equal(sim_count(&board, SIM_ERASE), 0);
}

static void dry_run(void **state)
{
	o.dry_run = true;
	run(0, "nothing was changed");
	expect_said("rootfs is mtd0: 10 of its 10 eraseblocks");
	expect_old();
	assert_int_equal(opened, 0);
	assert_int_equal(asked, 1);
	used = "mounted on /";
	run(6, "mtd0 (rootfs) is in use: mounted on /");
}

static void targets_in_use(void **state)
{
	used = "mounted on /data";
	run(6, "mtd0 (rootfs) is in use: mounted on /data");
	expect_old();
	assert_int_equal(opened, 0);
}

/* What came up between the first look and the first erase. */
static void targets_that_come_into_use(void **state)
{
	used_later = "mounted on /mnt";
	run(6, "mtd0 is in use: mounted on /mnt");
	expect_old();
	assert_int_equal(asked_later, 1);
}

static void another_one_runs(void **state)
{
	locked = true;
	run(6, "another update is running");
	expect_old();
}

/* Found out before anything is changed, and kept from then on. */
static void memory(void **state)
{
	little_memory = true;
	run(4, "too little memory");
	assert_int_equal(opened, 0);
	assert_true(memory_needed > (1 << 20) + 6 * EB);
	assert_true(memory_needed < (2 << 20));
	little_memory = false;
	lock_error = ENOMEM;
	run(4, "cannot lock the memory that writing needs; stop some programs: Cannot allocate");
	expect_old();
	assert_int_equal(protections, 0);
	sim_power_cycle(&board);
	opened = asked_later = 0;
	lock_error = EPERM; /* it has to go without */
	run(0, "written and proven in ");
	assert_int_equal(locks, 2);
	assert_int_equal(protections, 1);
}

/* Standard input is the image, by a pipe. */
static void from_standard_input(int cut)
{
	int ends[2], own = dup(STDIN_FILENO), status;
	size_t len;
	uint8_t *image = read_file(temp_path("new.fwi"), &len);
	pid_t pid;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		len -= (size_t)cut;
		_exit(write(ends[1], image, len) == (ssize_t)len ? 0 : 1);
	}
	free(image);
	(void)close(ends[1]);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	(void)close(ends[0]);
	request.image = "-";
	if (cut)
		run(5, "standard input: cut short");
	else
		run(0, "written and proven in ");
	assert_int_equal(dup2(own, STDIN_FILENO), STDIN_FILENO);
	(void)close(own);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void writes_a_stream(void **state)
{
	from_standard_input(0);
	expect_new();
	expect_said("standard input: firmware 2.0, 2 payloads, checked as it comes, unsigned");
}

/* It cannot be known before, and there is no second reading. */
static void stream_that_ends_early(void **state)
{
	from_standard_input(100);
	expect_said("the firmware is incomplete: write it again");
	assert_null(strstr(said, "trying again"));
	assert_true(sim_is_blank(rootfs, 0));
	assert_int_equal(opened, 2);
}

/* A file behind standard input need not stand at its start, and can be read twice. */
static void file_as_standard_input(void **state)
{
	static uint8_t file[300000];
	int own = dup(STDIN_FILENO), fd;
	size_t len;
	uint8_t *image = read_file(temp_path("new.fwi"), &len);

	assert_true(len + 777 <= sizeof(file));
	memcpy(file + 777, image, len);
	free(image);
	write_file(temp_path("behind"), file, len + 777);
	fd = open(temp_path("behind"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(lseek(fd, 777, SEEK_SET), 777);
	assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	(void)close(fd);
	request.image = "-";
	run(0, "standard input: firmware 2.0, 2 payloads, whole");
	assert_int_equal(dup2(own, STDIN_FILENO), STDIN_FILENO);
	(void)close(own);
	expect_new();
}

static void set_raw(int i, const char *part, const uint8_t *data, size_t len)
{
	static char file[2][128];
	struct raw_input *in = &request.raw[i];

	(void)snprintf(file[i], sizeof(file[i]), "%s", temp_path("%s.img", part));
	write_file(file[i], data, len);
	in->file = file[i];
	in->to = (struct payload){ .kind = PAYLOAD_MTD, .tail = TAIL_ERASE, .chunk_size = 8192 };
	(void)strcpy(in->to.part, part);
	request.raw_count = (unsigned int)i + 1;
}

static void writes_plain_images(void **state)
{
	memset(new_rootfs + EB, 0xff, 3 * EB); /* chunks that are not in the stream */
	set_raw(0, "rootfs", new_rootfs, ROOTFS);
	set_raw(1, "kernel", new_kernel, KERNEL);
	run(0, "written and proven in ");
	expect_new();
	expect_said("rootfs.img: 20580 bytes, no checksum to hold it against");
}

/* All bytes that were verified come again, and yet it is not the file that was verified. */
static void plain_image_that_grows(void **state)
{
	set_raw(0, "rootfs", new_rootfs, 4 * EB);
	grows = request.raw[0].file;
	run(5, "rootfs.img: has grown since it was checked");
	expect_said("the firmware is incomplete: write it again");
	assert_true(sim_is_blank(rootfs, 0));
}

static void keeps_the_tail(void **state)
{
	set_raw(0, "kernel", new_kernel, KERNEL);
	request.raw[0].to.tail = TAIL_KEEP;
	run(0, "kernel: 2 eraseblocks written, 0 identical, 0 cleared");
	assert_true(sim_block_holds(kernel, 2, old + 2 * EB, EB));
}

static void refuses_what_the_device_does_not_take(void **state)
{
	struct image_input in[] = { { "rootfs", new_rootfs, ROOTFS } };
	uint8_t *image;
	size_t len;

	image = read_file(temp_path("new.fwi"), &len);
	image[len - 1] ^= 1;
	write_file(temp_path("new.fwi"), image, len);
	free(image);
	run(3, "damaged");
	in[0].part = "nonesuch";
	make_image(temp_path("new.fwi"), in, 1, 5000);
	run(4, "no MTD partition is named nonesuch");
	request.image = "/nonexistent";
	run(3, "/nonexistent: cannot open the image");
	expect_old();
}

/* Two names for one piece of flash. */
static void targets_that_are_one(void **state)
{
	(void)strcpy(kernel->target.device, "mtd0");
	run(4, "the image writes rootfs and kernel, which share some flash");
	expect_old();
}

/* A block device and a volume have no eraseblocks that people count. */
static void other_kinds(void **state)
{
	const struct sim_geometry disk = { SIM_BLOCK, 65536, 512, 4, NULL, 0 };
	const struct sim_geometry volume = { SIM_VOLUME, 8192, 512, 4, NULL, 0 };

	set_raw(0, "rootfs", new_rootfs, ROOTFS);
	set_raw(1, "kernel", new_kernel, KERNEL);
	request.raw[0].to.kind = PAYLOAD_BLOCK;
	request.raw[1].to.kind = PAYLOAD_UBIVOL;
	request.raw[0].to.tail = request.raw[1].to.tail = TAIL_NONE;
	(void)strcpy(request.raw[1].to.volume, "boot");
	request.raw[1].to.volume_type = VOLUME_STATIC;
	rootfs = sim_add_chip(&board, "rootfs", &disk);
	kernel = sim_add_chip(&board, "kernel", &volume);
	(void)strcpy(rootfs->target.device, "mmcblk0p2");
	(void)strcpy(kernel->target.device, "ubi0_1");
	run(0, "written and proven in ");
	expect_said("rootfs is mmcblk0p2: 20580 bytes go into the 262144 bytes that it has\n");
	expect_said(
		"kernel:boot is ubi0_1: 8192 bytes go into the 32768 bytes that it will have\n");
	expect_said("kernel:boot: 1 eraseblocks written");
	assert_memory_equal(sim_cells(kernel, 0), new_kernel, KERNEL);
}

static void tries_again(void **state)
{
	/* An error that is not the eraseblock's own ends an attempt of the engine. */
	sim_weaken_errno(rootfs, 3, SIM_PROGRAM, SIM_REFUSE, 2, ENXIO);
	run(0, "written and proven in ");
	expect_new();
	expect_said("flashinit: rootfs: eraseblock 3: program fails as planned\n");
	expect_said("flashinit: trying again\n");
	assert_int_equal(waits, 2);
	assert_int_equal(opened, 6);
}

static void gives_up(void **state)
{
	sim_weaken_errno(rootfs, 3, SIM_PROGRAM, SIM_REFUSE, 3, ENXIO);
	run(5, "the firmware is incomplete: write it again");
	assert_int_equal(opened, 6);
	assert_true(sim_is_blank(rootfs, 0));
	sim_power_cycle(&board);
	asked_later = opened = 0;
	run(0, "written and proven in ");
	expect_new();
}

/* Plain images come from a child, which is started anew. */
static void tries_plain_images_again(void **state)
{
	set_raw(0, "rootfs", new_rootfs, ROOTFS);
	set_raw(1, "kernel", new_kernel, KERNEL);
	sim_weaken_errno(kernel, 1, SIM_PROGRAM, SIM_REFUSE, 1, ENXIO);
	run(0, "written and proven in ");
	expect_new();
	assert_int_equal(waits, 1);
}

/* A mark that is in RAM only: what is laid out around it would be lost at the next boot. */
static void mark_that_fails(void **state)
{
	until_reboot = 0;
	sim_weaken(rootfs, 3, SIM_PROGRAM, SIM_FAIL, SIM_FOR_EVER);
	sim_weaken(rootfs, 3, SIM_MARK_BAD, SIM_FAIL, SIM_FOR_EVER);
	run(5, "rootfs: eraseblock 3: mark_bad fails as planned");
	assert_int_equal(waits, 0);
	assert_int_equal(until_reboot, 1);
	assert_true(sim_is_blank(rootfs, 0));
}

/* What no target would take is known before the other one loses its start. */
static void ubi_that_is_none(void **state)
{
	set_raw(0, "rootfs", new_rootfs, ROOTFS);
	set_raw(1, "kernel", new_kernel, KERNEL);
	request.raw[1].to.kind = PAYLOAD_UBI;
	request.raw[1].to.tail = TAIL_NONE;
	run(3, "kernel: byte 0 of the image has no UBI header");
	expect_old();
	assert_int_equal(opened, 0);
}

/* Before the first erase an error is final, and everything as it was. */
static void error_before_the_first_erase(void **state)
{
	sim_weaken_errno(rootfs, SIM_EVERY_BLOCK, SIM_IS_BAD, SIM_REFUSE, SIM_FOR_EVER, ENXIO);
	run(4, "rootfs: eraseblock 0: is_bad fails as planned");
	expect_old();
	assert_int_equal(waits, 0);
}

static void signals_cannot_end_it(void **state)
{
	sigset_t mask;

	run(0, "");
	(void)sigprocmask(SIG_BLOCK, NULL, &mask);
	assert_true(sigismember(&mask, SIGINT) && sigismember(&mask, SIGTERM) &&
		    sigismember(&mask, SIGHUP) && sigismember(&mask, SIGQUIT) &&
		    sigismember(&mask, SIGPIPE));
}

/* As long as nothing was changed they do. */
static void signals_can_end_it_before(void **state)
{
	sigset_t mask;

	used_later = "somebody";
	run(6, "somebody");
	(void)sigprocmask(SIG_BLOCK, NULL, &mask);
	assert_false(sigismember(&mask, SIGINT));
}

/* Once it speaks JSON it does for ever: in a child. */
static void run_json(int code)
{
	int status;
	pid_t pid;

	o.json = true;
	free(said);
	capture_start(STDOUT_FILENO);
	pid = fork();
	if (pid == 0)
		_exit(write_firmware(&o));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	said = capture_end(STDOUT_FILENO);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), code);
}

static void events(void **state)
{
	const char *last;

	run_json(0);
	for (const char *line = said; *line; line = strchr(line, '\n') + 1)
		assert_memory_equal(line, "{\"event\":\"", 10);
	expect_said("{\"event\":\"note\",\"message\":\"rootfs is mtd0: 10 of its 10 ");
	expect_said(
		"{\"event\":\"progress\",\"phase\":\"verifying\",\"done\":28772,\"total\":28772}");
	expect_said(
		"{\"event\":\"progress\",\"phase\":\"writing\",\"done\":81920,\"total\":81920}");
	expect_said("{\"event\":\"target\",\"partition\":\"rootfs\",\"volume\":\"\",\"written\":6,"
		    "\"identical\":0,\"cleared\":4,\"bad\":0,\"newly_bad\":0,\"retried\":0,"
		    "\"flips\":0,\"seconds\":0.");
	last = strstr(said, "{\"event\":\"done\"");
	assert_non_null(last);
	assert_string_equal(last, "{\"event\":\"done\",\"code\":0,\"message\":\"\"}\n");
}

static void event_of_a_failure(void **state)
{
	used = "mounted on \"/\"";
	run_json(6);
	assert_non_null(strstr(said,
			       "{\"event\":\"failed\",\"code\":6,\"message\":\"mtd0 (rootfs) is in "
			       "use: mounted on \\\"/\\\"\"}\n"));
}

static void add_journal(void)
{
	sim_snapshot_free(start);
	journal = sim_add_chip(&board, "journal", &journal_nand);
	journal_name = "journal";
	start = sim_save(&board);
	sim_restore(&board, start);
}

static struct journal_entry journal_says(void)
{
	struct journal now;
	struct fault f;

	assert_int_equal(journaling_open(&now, "journal", TARGET_LOOK, &f), 0);
	return now.last;
}

/* Whatever the targets hold between the old and the new, the journal tells that it is not whole. */
static void expect_truth(uint32_t cut)
{
	bool is_new = sim_holds(rootfs, new_rootfs, ROOTFS) &&
		      sim_holds(kernel, new_kernel, KERNEL);
	bool is_old = sim_unchanged(rootfs, start) && sim_unchanged(kernel, start);
	struct journal_entry e = journal_says();

	if (e.state != JOURNAL_BEGUN && !(e.state == JOURNAL_EMPTY ? is_old : is_new))
		fail_msg("cut at %u: the journal says %d of what is neither", cut, (int)e.state);
	assert_false(e.good);
}

/* Cut at each operation in turn; then once more to the end, which needs no second note of its begin. */
static void journal_at_every_cut(void **state)
{
	char image[256];
	uint32_t cut = 0;
	int code = 1;

	add_journal();
	(void)snprintf(image, sizeof(image), "%s", request.image);
	request.image = image;
	for (; code; cut++) {
		sim_restore(&board, start);
		sim_power_cycle(&board);
		sim_plan_fault(&board, cut, cut % 2 ? SIM_CUT : SIM_CUT_AFTER);
		asked = asked_later = opened = 0;
		code = run_it();
		sim_power_cycle(&board);
		expect_truth(cut);
		asked = asked_later = opened = 0;
		run(0, "written and proven in ");
		expect_new();
		assert_int_equal(journal_says().state, JOURNAL_DONE);
	}
	assert_true(cut > 100);
	expect_said("0 eraseblocks written, 6 identical");
}

/* It is noted once that it was begun, whatever it takes; and no success is told without its end. */
static void journal_that_fails(void **state)
{
	add_journal();
	for (uint32_t eb = 0; eb < journal_nand.blocks; eb++)
		sim_weaken(journal, eb, SIM_ERASE, SIM_REFUSE, SIM_FOR_EVER);
	run(4, "journal: no eraseblock takes a record");
	expect_old();
}

#define write_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		write_test(writes_an_image),
		write_test(nothing_to_do),
		write_test(dry_run),
		write_test(targets_in_use),
		write_test(targets_that_come_into_use),
		write_test(another_one_runs),
		write_test(memory),
		write_test(writes_a_stream),
		write_test(stream_that_ends_early),
		write_test(file_as_standard_input),
		write_test(writes_plain_images),
		write_test(plain_image_that_grows),
		write_test(keeps_the_tail),
		write_test(refuses_what_the_device_does_not_take),
		write_test(targets_that_are_one),
		write_test(other_kinds),
		write_test(tries_again),
		write_test(gives_up),
		write_test(mark_that_fails),
		write_test(ubi_that_is_none),
		write_test(tries_plain_images_again),
		write_test(error_before_the_first_erase),
		write_test(signals_cannot_end_it),
		write_test(signals_can_end_it_before),
		write_test(journal_at_every_cut),
		write_test(journal_that_fails),
		write_test(events),
		write_test(event_of_a_failure),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	free(said);
	return failed;
}
