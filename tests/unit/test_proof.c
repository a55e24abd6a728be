// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "helpers.h"
#include "mtd_tree.h"
#include "proc_tree.h"
#include "proof.h"

static struct mount_table mounts;
static char swaps[128], sys[128], dev[128];
static struct proof_view view;
static struct fault f;

static const char *taken; /* the end of the path of a block device that somebody has */
static unsigned int tries;

int __real_open(const char *path, int flags, mode_t mode);
int __wrap_open(const char *path, int flags, mode_t mode)
{
	size_t len = strlen(path), end = taken ? strlen(taken) : 0;

	if (!(flags & O_EXCL))
		return __real_open(path, flags, mode);
	tries++;
	assert_int_equal(flags & O_ACCMODE, O_RDONLY);
	if (!taken || len < end || strcmp(path + len - end, taken) != 0)
		return __real_open(path, flags, mode);
	errno = EBUSY;
	return -1;
}

static int waited_ms, ends_after_ms; /* how long a process has the node open; 0: for ever */

int __wrap_poll(struct pollfd *fds, nfds_t count, int ms)
{
	assert_int_equal(count, 0);
	assert_in_range(ms, 1, 500);
	waited_ms += ms;
	if (ends_after_ms && waited_ms >= ends_after_ms)
		proc_tree_open("proc", 42, 5, "/dev/null");
	return 0;
}

/* What /proc/42/fd/6 leads to, if it is a node. */
static mode_t node_mode;
static dev_t node_number;

int __real_stat_cached(const char *path, struct stat *st);
int __wrap_stat_cached(const char *path, struct stat *st)
{
	size_t len = strlen(path), end = strlen("/proc/42/fd/6");

	if (!node_mode || len < end || strcmp(path + len - end, "/proc/42/fd/6") != 0)
		return __real_stat_cached(path, st);
	memset(st, 0, sizeof(*st));
	st->st_mode = node_mode;
	st->st_rdev = node_number;
	return 0;
}

static const char ram_root[] = "1 0 0:1 / / rw - tmpfs flashinit rw\n"
			       "2 1 0:6 / /proc rw - proc proc rw\n";
static const char no_swaps[] = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n";

static void set_mounts(const char *text)
{
	mounts_free(&mounts);
	if (mounts_parse(&mounts, strdup(text), &f) < 0)
		fail_msg("%s", f.text);
}

/* A system in which nothing uses the flash: mtd3 (rootfs), and others beside it. */
static int setup(void **state)
{
	if (temp_dir_make(state) < 0)
		return -1;
	taken = NULL;
	tries = 0;
	waited_ms = ends_after_ms = 0;
	node_mode = 0;
	(void)snprintf(swaps, sizeof(swaps), "%s", temp_path("swaps"));
	(void)snprintf(sys, sizeof(sys), "%s", temp_path("sys"));
	(void)snprintf(dev, sizeof(dev), "%s", temp_path("dev"));
	set_mounts(ram_root);
	write_text(swaps, no_swaps);
	write_text(temp_path("sys/block/loop0/size"), "0\n");
	write_text(temp_path("sys/block/mtdblock3/size"), "8192\n");
	write_text(temp_path("sys/class/ubi/version"), "1\n");
	mtd_tree_add("sys", "platform/nand/mtd", 3, "rootfs", 0x100000, 0x100000);
	mtd_tree_add("sys", "platform/nand/mtd", 4, "data", 0x200000, 0x100000);
	mtd_tree_add("sys", "platform/nand/mtd", 30, "boot", 0, 0x100000);
	write_text(temp_path("dev/mtdblock3"), "");
	write_text(temp_path("dev/mtdblock4"), "");
	view = (struct proof_view){ &mounts, swaps, sys, dev, NULL, NULL };
	return 0;
}

static int teardown(void **state)
{
	mounts_free(&mounts);
	return temp_dir_remove(state);
}

static void expect_free(void)
{
	if (proof_target_free(&view, 3, &f) < 0)
		fail_msg("%s", f.text);
}

static void expect_used(const char *what)
{
	assert_int_equal(proof_target_free(&view, 3, &f), -1);
	assert_fault(&f, FAULT_BUSY, "mtd3 (rootfs) is in use: ");
	assert_fault(&f, FAULT_BUSY, what);
}

/* One more line in the mount table. */
static void mounted(const char *line)
{
	char text[512];

	(void)snprintf(text, sizeof(text), "%s%s\n", ram_root, line);
	set_mounts(text);
}

static void nothing_uses_it(void **state)
{
	expect_free();
}

static void kernel_without_swap_loop_and_ubi(void **state)
{
	assert_int_equal(unlink(swaps), 0);
	(void)snprintf(sys, sizeof(sys), "%s", temp_path("other-sys"));
	mtd_tree_add("other-sys", "platform/nand/mtd", 3, "rootfs", 0, 0x100000);
	assert_int_equal(unlink(temp_path("dev/mtdblock3")), 0);
	expect_free();
}

static void mounted_by_device_number(void **state)
{
	mounted("9 1 31:3 / /oldroot rw - jffs2 whatever rw");
	expect_used("mounted on /oldroot (jffs2, whatever); \"umount\" ends that");
	mounted("9 1 31:3 / / ro - squashfs /dev/root ro");
	expect_used("mounted on / (squashfs, /dev/root)");
	assert_null(strstr(f.text, "umount")); /* that would not help */
}

static void other_device_numbers(void **state)
{
	mounted("9 1 31:4 / /data rw - jffs2 mtd:data rw");
	expect_free();
	mounted("9 1 8:3 / /data rw - ext4 /dev/sda3 rw");
	expect_free();
	mounted("9 1 31:33 / /data rw - jffs2 mtd:data rw");
	expect_free();
}

static void mounted_by_name(void **state)
{
	mounted("9 1 0:20 / /a rw - jffs2 mtd:rootfs rw");
	expect_used("(jffs2, mtd:rootfs)");
	mounted("9 1 0:20 / /a rw - jffs2 mtd:rootfs2 rw");
	expect_free();
	mounted("9 1 0:20 / /a rw - jffs2 rootfs rw");
	expect_free();
}

static void mounted_by_number_in_words(void **state)
{
	static const char *const sources[] = { "mtd3", "/dev/mtd3", "/dev/mtdblock3",
					       "/dev/mtdblock/mtdblock3", "mtdblock3" };
	static const char *const others[] = { "mtd30",         "/dev/mtd13", "/dev/mtdblock30",
					      "/dev/mtdblock", "/dev/xmtd3", "tmpfs" };
	char line[128];

	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
		(void)snprintf(line, sizeof(line), "9 1 0:20 / /a rw - cramfs %s rw", sources[i]);
		mounted(line);
		expect_used(sources[i]);
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		(void)snprintf(line, sizeof(line), "9 1 0:20 / /a rw - cramfs %s rw", others[i]);
		mounted(line);
		expect_free();
	}
}

/* What a take-over will end does not count; a mount that it cannot reach does. */
static void look_ahead(void **state)
{
	struct mount_table reachable;

	mounted("9 1 31:3 / / rw - jffs2 mtd:rootfs rw");
	if (mounts_parse(&reachable, strdup("9 1 31:3 / / rw - jffs2 mtd:rootfs rw\n"), &f) < 0)
		fail_msg("%s", f.text);
	taken = "/mtdblock3";
	write_text(swaps, "Filename\n/dev/mtdblock3 partition\n");
	write_text(temp_path("sys/block/loop0/loop/backing_file"), "/dev/mtdblock3\n");
	write_text(temp_path("sys/class/ubi/ubi1/mtd_num"), "3\n");
	view.will_go = &reachable;
	expect_free();
	mounted("9 1 31:3 / / rw - jffs2 mtd:rootfs rw\n10 1 0:30 / /ro ro - cramfs mtd:rootfs ro");
	expect_used("mounted on /ro");
	mounts_free(&reachable);
}

/* Lazily unmounted: in no table any more, but the block device cannot be had. */
static void taken_by_somebody(void **state)
{
	taken = "/mtdblock3";
	expect_used("something has taken ");
	expect_used("dev/mtdblock3 for itself");
	assert_true(tries > 0);
	view.dev = NULL;
	tries = 0;
	expect_free();
	assert_int_equal(tries, 0);
	view.dev = dev;
	taken = "/mtdblock4";
	expect_free();
	taken = NULL;
	/* A device without a node cannot be asked; where there is no such device, all is well. */
	assert_int_equal(unlink(temp_path("dev/mtdblock3")), 0);
	assert_int_equal(proof_target_free(&view, 3, &f), -1);
	assert_fault(&f, FAULT_UNFIT, "dev/mtdblock3: cannot tell whether it is in use");
	assert_int_equal(rename(temp_path("sys/block/mtdblock3"), temp_path("gone")), 0);
	expect_free();
}

static int readings_left = -1;

struct dirent *__real_readdir(DIR *dir);
struct dirent *__wrap_readdir(DIR *dir)
{
	if (readings_left < 0 || readings_left-- > 0)
		return __real_readdir(dir);
	errno = EIO;
	return NULL;
}

/* Whichever folder of sysfs cannot be read to its end, and wherever: that is no proof. */
static void broken_lists_prove_nothing(void **state)
{
	int broken = 0, result = -1;

	for (; result < 0; broken++) {
		readings_left = broken;
		result = proof_target_free(&view, 3, &f);
		if (result < 0)
			assert_fault(&f, f.kind, "cannot list");
	}
	assert_int_not_equal(readings_left, -1); /* it went through without a break */
	assert_true(broken > 10);
	readings_left = -1;
}

static void swapped_to(void **state)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		       "%s/dev/zram0  partition 65532 0 100\n"
		       "/dev/mtdblock3  partition\t65532\t0\t-2\n",
		       no_swaps);
	write_text(swaps, text);
	expect_used("swap on /dev/mtdblock3; \"swapoff\" ends that");
	(void)snprintf(text, sizeof(text), "%s/dev/mtdswap3  partition 65532 0 -2\n", no_swaps);
	write_text(swaps, text);
	expect_used("swap on /dev/mtdswap3");
	(void)snprintf(text, sizeof(text), "%s/dev/mtdblock33  partition 65532 0 -2\n", no_swaps);
	write_text(swaps, text);
	expect_free();
}

static void unreadable_swaps_prove_nothing(void **state)
{
	assert_int_equal(unlink(swaps), 0);
	assert_int_equal(mkdir(swaps, 0700), 0);
	assert_int_equal(proof_target_free(&view, 3, &f), -1);
	assert_fault(&f, FAULT_FAILED, "swaps: cannot read");
}

static void loop_device(void **state)
{
	write_text(temp_path("sys/block/loop1/loop/backing_file"), "/root/disk.img\n");
	expect_free();
	write_text(temp_path("sys/block/loop2/loop/backing_file"), "/dev/mtdblock3\n");
	expect_used("loop2 holds it; \"losetup -d\" ends that");
}

static void ubi_device(void **state)
{
	write_text(temp_path("sys/class/ubi/ubi0/mtd_num"), "30\n");
	write_text(temp_path("sys/class/ubi/ubi0_0/name"), "rootfs\n");
	expect_free();
	write_text(temp_path("sys/class/ubi/ubi1/mtd_num"), "3\n");
	expect_used("ubi1 holds it; \"ubidetach -p /dev/mtd3\" ends that");
}

/* A process that has a node open, whatever the flash is to it. */
static void opened_by_a_process(void **state)
{
	static const char *const nodes[] = { "/dev/mtd3", "/dev/mtd3ro", "/dev/mtdblock3",
					     "/chroot/dev/mtd3", "/dev/mtd3 (deleted)" };
	static const char *const others[] = { "/dev/mtd30", "/dev/mtd",   "/dev/mtd4",
					      "/tmp/mtd3",  "socket:[3]", "/dev/mtd:rootfs" };
	char proc[128];

	proc_tree_add("proc", 7, "kworker/0:1", true);
	proc_tree_add("proc", 41, "sh", false);
	(void)snprintf(proc, sizeof(proc), "%s", temp_path("proc"));
	view.proc = proc;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		proc_tree_open("proc", 41, (int)i, others[i]);
	expect_free();
	proc_tree_add("proc", 42, "dd", false);
	for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++) {
		proc_tree_open("proc", 42, 5, nodes[i]);
		expect_used("process 42 (dd) has ");
		expect_used(nodes[i]);
		expect_used(" open (fd/5)");
	}
	assert_int_equal(proof_target_free(&view, 3, &f), -1);
	view.proc = NULL;
	expect_free();
}

/* The number decides where the name tells nothing. */
static void opened_by_another_name(void **state)
{
	char proc[128];

	(void)snprintf(proc, sizeof(proc), "%s", temp_path("proc"));
	view.proc = proc;
	proc_tree_add("proc", 42, "dd", false);
	proc_tree_open("proc", 42, 6, "/tmp/node (deleted)");
	expect_free();
	node_mode = S_IFCHR;
	for (unsigned int number = 0; number < 10; number++) {
		node_number = makedev(90, number);
		if (number == 6 || number == 7)
			expect_used("process 42 (dd) has /tmp/node (deleted) open (fd/6)");
		else
			expect_free();
	}
	node_number = makedev(31, 3);
	expect_free();
	node_mode = S_IFBLK;
	expect_used("process 42 (dd) has /tmp/node (deleted) open (fd/6)");
	node_number = makedev(31, 4);
	expect_free();
	node_number = makedev(90, 6);
	expect_free();
	node_mode = S_IFREG;
	node_number = makedev(31, 3);
	expect_free();
}

/* As udev has for a moment what somebody has written to. */
static void opened_for_a_moment(void **state)
{
	char proc[128];

	(void)snprintf(proc, sizeof(proc), "%s", temp_path("proc"));
	view.proc = proc;
	proc_tree_add("proc", 42, "(udev-worker)", false);
	expect_free();
	assert_int_equal(waited_ms, 0);
	proc_tree_open("proc", 42, 5, "/dev/mtdblock3");
	ends_after_ms = 1500;
	expect_free();
	assert_int_equal(waited_ms, 1500);
	proc_tree_open("proc", 42, 5, "/dev/mtdblock3");
	waited_ms = ends_after_ms = 0;
	expect_used("process 42 ((udev-worker)) has /dev/mtdblock3 open");
	assert_in_range(waited_ms, 1500, 2000);
}

/* What a process has open and does not show may be the target. */
static void process_that_cannot_be_looked_at(void **state)
{
	char proc[128];

	(void)snprintf(proc, sizeof(proc), "%s", temp_path("proc"));
	view.proc = proc;
	proc_tree_add("proc", 41, "sh", false);
	assert_int_equal(rmdir(temp_path("proc/41/fd")), 0);
	expect_free(); /* it has ended meanwhile */
	write_text(temp_path("proc/41/fd"), "");
	assert_int_equal(proof_target_free(&view, 3, &f), -1);
	assert_fault(&f, FAULT_UNFIT, "cannot see what process 41 (sh) has open: Not a directory");
}

/* Without a list of the processes nobody knows. */
static void no_processes_to_ask(void **state)
{
	view.proc = "/nonexistent";
	assert_int_equal(proof_target_free(&view, 3, &f), -1);
	assert_fault(&f, FAULT_UNFIT, "/nonexistent: cannot list the processes");
}

static void unreadable_folder_proves_nothing(void **state)
{
	(void)snprintf(sys, sizeof(sys), "%s", temp_path("bad-sys"));
	mtd_tree_add("bad-sys", "platform/nand/mtd", 3, "rootfs", 0, 0x100000);
	write_text(temp_path("bad-sys/block"), "a file where a folder should be");
	assert_int_equal(proof_target_free(&view, 3, &f), -1);
	assert_fault(&f, FAULT_FAILED, "block: cannot list: Not a directory");
}

static void deleted_nodes(void **state)
{
	write_text(temp_path("sys/block/loop0/loop/backing_file"), "/dev/mtdblock33 (deleted)\n");
	expect_free();
	write_text(temp_path("sys/block/loop0/loop/backing_file"), "/dev/mtdblock3 (deleted\n");
	expect_free();
	write_text(temp_path("sys/block/loop0/loop/backing_file"), "/dev/mtdblock3 (deleted)\n");
	expect_used("loop0 holds it");
}

static void no_such_flash(void **state)
{
	assert_int_equal(proof_target_free(&view, 5, &f), -1);
	assert_fault(&f, FAULT_UNFIT, "mtd5 has gone");
	(void)snprintf(sys, sizeof(sys), "%s", temp_path("none"));
	assert_int_equal(proof_target_free(&view, 3, &f), -1);
	assert_fault(&f, FAULT_UNFIT, "cannot list the flash");
}

static void expect_used_as(int number, const char *what)
{
	assert_int_equal(proof_target_free(&view, number, &f), -1);
	assert_fault(&f, FAULT_BUSY, what);
}

/* Whoever uses a part of the flash under another name uses it. */
static void overlapping_partitions(void **state)
{
	mtd_tree_add("sys", "platform/nand/mtd", 5, "firmware", 0, 0x200000);
	mounted("9 1 31:5 / /a rw - jffs2 mtd:firmware rw");
	expect_used_as(3, "mtd5 (firmware) is in use: mounted on /a");
	expect_used_as(30, "mtd5 (firmware) is in use: mounted on /a");
	assert_int_equal(proof_target_free(&view, 4, &f), 0);
	mounted("9 1 0:9 / /a rw - jffs2 mtd:boot rw");
	expect_used_as(5, "mtd30 (boot) is in use: mounted on /a");
	expect_free();
	set_mounts(ram_root);
	write_text(temp_path("sys/class/ubi/ubi0/mtd_num"), "5\n");
	expect_used_as(3, "mtd5 (firmware) is in use: ubi0 holds it");
	write_text(temp_path("sys/class/ubi/ubi0/mtd_num"), "4\n");
	expect_free();
	write_text(temp_path("sys/block/loop0/loop/backing_file"), "/dev/mtdblock5\n");
	expect_used_as(3, "mtd5 (firmware) is in use: loop0 holds it");
	write_text(temp_path("sys/block/loop0/loop/backing_file"), "/dev/mtdblock4\n");
	taken = "/mtdblock5";
	expect_used_as(3, "mtd5 (firmware) is in use: something has taken");
}

static void partitioned_master(void **state)
{
	mtd_tree_add("sys", "platform/spi/mtd", 6, "spi", NO_OFFSET, 0x400000);
	mtd_tree_add("sys", "platform/spi/mtd/mtd6", 7, "one", 0, 0x200000);
	mtd_tree_add("sys", "platform/spi/mtd/mtd6", 8, "two", 0x200000, 0x200000);
	mounted("9 1 31:6 / /a rw - jffs2 mtd6 rw");
	expect_used_as(7, "mtd6 (spi) is in use: mounted on /a");
	expect_used_as(8, "mtd6 (spi) is in use: mounted on /a");
	expect_free();
	mounted("9 1 31:8 / /a rw - jffs2 mtd:two rw");
	expect_used_as(6, "mtd8 (two) is in use: mounted on /a");
	assert_int_equal(proof_target_free(&view, 7, &f), 0);
}

static void nothing_below(void **state)
{
	mounted("9 1 0:20 / /oldroots rw - tmpfs tmpfs rw");
	assert_int_equal(proof_nothing_below(&mounts, "/oldroot", &f), 0);
	mounted("9 1 0:20 / /oldroot/mnt/usb rw - vfat /dev/sda1 rw");
	assert_int_equal(proof_nothing_below(&mounts, "/oldroot", &f), -1);
	assert_fault(&f, FAULT_BUSY, "/dev/sda1 (vfat) is still mounted on /oldroot/mnt/usb");
	mounted("9 1 31:3 / /oldroot rw - jffs2 mtd:rootfs rw");
	assert_int_equal(proof_nothing_below(&mounts, "/oldroot", &f), -1);
}

#define proof_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		proof_test(nothing_uses_it),
		proof_test(kernel_without_swap_loop_and_ubi),
		proof_test(mounted_by_device_number),
		proof_test(other_device_numbers),
		proof_test(mounted_by_name),
		proof_test(mounted_by_number_in_words),
		proof_test(look_ahead),
		proof_test(taken_by_somebody),
		proof_test(broken_lists_prove_nothing),
		proof_test(swapped_to),
		proof_test(unreadable_swaps_prove_nothing),
		proof_test(loop_device),
		proof_test(ubi_device),
		proof_test(opened_by_a_process),
		proof_test(opened_by_another_name),
		proof_test(opened_for_a_moment),
		proof_test(process_that_cannot_be_looked_at),
		proof_test(no_processes_to_ask),
		proof_test(unreadable_folder_proves_nothing),
		proof_test(deleted_nodes),
		proof_test(no_such_flash),
		proof_test(overlapping_partitions),
		proof_test(partitioned_master),
		proof_test(nothing_below),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
