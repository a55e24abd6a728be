// SPDX-License-Identifier: GPL-2.0-or-later
/* The machine is made up: which devices there are, who is root, and what is mounted. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helpers.h"
#include "mounts.h"
#include "mtd_map.h"
#include "obstacles.h"
#include "proof.h"
#include "simflash.h"
#include "target_open.h"
#include "targets.h"

static uid_t user;
static bool container;
static const char *partition; /* what there is in sysfs: mmcblk0/mmcblk0p1/partition */
static const char *own_mounts, *all_mounts, *others_mounts;
static char types[32];
static char asked[1024]; /* what the proofs were asked, and of which root */
static const char *busy; /* of these questions the one with this answer */
static bool lazy;
static struct sim_board board;
static struct targets t;
static struct fault f;

uid_t __wrap_geteuid(void)
{
	return user;
}

bool __wrap_pid_namespace_is_first(void)
{
	return !container;
}

int __real_access(const char *path, int mode);
int __wrap_access(const char *path, int mode)
{
	if (strncmp(path, "/sys/class/block/", 17) != 0)
		return __real_access(path, mode);
	errno = ENOENT;
	return partition && path_below(partition, path + 17) ? 0 : -1;
}

static int table(struct mount_table *m, const char *root)
{
	char *text;

	if (!root)
		return fault_set(&f, FAULT_FAILED, "cannot read the mount table");
	assert_true(asprintf(&text, "1 0 0:1 / / rw - %s root rw\n", root) > 0);
	return mounts_parse(m, text, &f);
}

int __wrap_mounts_read(struct mount_table *m, const char *path, struct fault *fault)
{
	assert_string_equal(path, "/proc/self/mountinfo");
	return table(m, own_mounts);
}

int __wrap_mounts_read_all(struct mount_table *m, struct fault *fault)
{
	return table(m, all_mounts);
}

/* Whatever was there is kept, and the proofs are shown that others' are with it. */
int __wrap_mounts_add_others(struct mount_table *m, const char *proc, struct fault *fault)
{
	assert_string_equal(proc, "/proc");
	assert_int_equal(m->count, 1);
	if (!others_mounts)
		return fault_set(&f, FAULT_UNFIT, "cannot see what is mounted");
	(void)snprintf(types, sizeof(types), "%s+%s", m->mount[0].type, others_mounts);
	m->mount[0].type = types;
	return 0;
}

/* One question: what kind of proof, of what, over which mounts, and whether by trying, too. */
static int ask(const struct proof_view *view, const char *kind, const char *what,
	       struct fault *fault)
{
	char question[128];

	(void)snprintf(question, sizeof(question), "%s %s %s%s%s; ", kind, what,
		       view->mounts->mount[0].type, view->dev ? " dev" : "",
		       view->proc ? " proc" : "");
	(void)strcat(asked, question);
	assert_string_equal(view->sys, "/sys");
	assert_string_equal(view->swaps, "/proc/swaps");
	return busy && strstr(question, busy) ? fault_set(fault, FAULT_BUSY, "in use") : 0;
}

int __wrap_proof_target_free(const struct proof_view *view, int number, struct fault *fault)
{
	char what[16];

	(void)snprintf(what, sizeof(what), "%d", number);
	return ask(view, "mtd", what, fault);
}

int __wrap_proof_volume_free(const struct proof_view *view, const char *device, struct fault *fault)
{
	return ask(view, "volume", device, fault);
}

int __wrap_proof_disk_free(const struct proof_view *view, const char *device, struct fault *fault)
{
	return ask(view, "disk", device, fault);
}

int __wrap_obstacles_lazy(const struct mount_table *all, int number, const char *sys,
			  const char *proc, struct fault *fault)
{
	assert_string_equal(sys, "/sys");
	assert_string_equal(proc, "/proc");
	return lazy ? fault_set(fault, FAULT_UNFIT, "mtd%d was unmounted lazily", number) : 0;
}

static int under_ubi0; /* the number of the MTD that UBI device 0 is on */

int __wrap_mtd_under(const char *device, const char *sys)
{
	assert_string_equal(sys, "/sys");
	return strncmp(device, "ubi0", 4) == 0 ? under_ubi0 : mtd_number(device);
}

/* mtd0 and mtd1 stand side by side, mtd2 covers both. */
int __wrap_mtd_map_read(struct mtd_map *m, const char *sys, struct fault *fault)
{
	m->count = 3;
	for (int i = 0; i < 3; i++) {
		struct mtd_place *p = &m->place[i];

		p->number = i;
		(void)snprintf(p->path, sizeof(p->path), "/sys/devices/chip/mtd%d", i);
		p->chip = strlen("/sys/devices/chip");
		p->start = i == 1 ? 0x10000 : 0;
		p->size = i == 2 ? 0x20000 : 0x10000;
	}
	return 0;
}

int __wrap_target_open(struct target **target, const struct payload *p, enum target_mode mode,
		       struct fault *fault)
{
	assert_int_equal(mode, TARGET_LOOK);
	for (unsigned int i = 0; i < board.chips; i++) {
		*target = &board.chip[i]->target;
		if (strcmp((*target)->name, p->part) == 0)
			return 0;
	}
	return fault_set(fault, FAULT_UNFIT, "no MTD partition is named %s", p->part);
}

static int setup(void **state)
{
	if (temp_dir_make(state) < 0)
		return -1;
	user = 0;
	container = false;
	partition = busy = NULL;
	own_mounts = "own";
	all_mounts = "all";
	others_mounts = "others";
	asked[0] = '\0';
	lazy = false;
	under_ubi0 = -1;
	memset(&t, 0, sizeof(t));
	sim_board_init(&board);
	return 0;
}

static int teardown(void **state)
{
	sim_board_free(&board);
	return temp_dir_remove(state);
}

static void add(const char *device)
{
	(void)snprintf(t.device[t.count++], sizeof(t.device[0]), "%s", device);
}

static void expect_unused(const char *questions)
{
	asked[0] = '\0';
	if (targets_unused(&t, &f) < 0)
		fail_msg("%s", f.text);
	assert_string_equal(asked, questions);
}

static void each_kind_has_its_proof(void **state)
{
	add("mtd7");
	add("ubi0_1");
	add("mmcblk0p2");
	add("ubi1");
	expect_unused("mtd 7 all+others dev proc; volume ubi0_1 all+others dev proc; "
		      "disk mmcblk0p2 all+others dev proc; volume ubi1 all+others dev proc; ");
}

/* Whatever we have opened by then cannot be asked about by trying to open it. */
static void once_more_when_they_are_open(void **state)
{
	add("mtd7");
	add("ubi0_1");
	add("mmcblk0p2");
	assert_int_equal(targets_still_unused(&t, &f), 0);
	assert_string_equal(asked, "mtd 7 all+others; ");
	busy = "mtd 7 all";
	assert_int_equal(targets_still_unused(&t, &f), -1);
	assert_fault(&f, FAULT_BUSY, "in use");
}

static void the_first_use_counts(void **state)
{
	static const char *const answers[] = { "mtd 7 all", "volume ubi0_1 all" };

	add("mtd7");
	add("ubi0_1");
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		busy = answers[i];
		assert_int_equal(targets_unused(&t, &f), -1);
		assert_fault(&f, FAULT_BUSY, "in use");
	}
}

/* Nothing lies below the initial ramfs, and to look there fails. */
static void root_is_the_initial_ramfs(void **state)
{
	add("mtd7");
	own_mounts = "rootfs";
	all_mounts = NULL;
	expect_unused("mtd 7 rootfs+others dev proc; ");
}

static void unreadable_mounts_prove_nothing(void **state)
{
	add("mtd7");
	all_mounts = NULL;
	assert_int_equal(targets_unused(&t, &f), -1);
	all_mounts = "all";
	others_mounts = NULL;
	assert_int_equal(targets_unused(&t, &f), -1);
	others_mounts = "others";
	own_mounts = NULL;
	assert_int_equal(targets_unused(&t, &f), -1);
}

static void lazily_unmounted(void **state)
{
	add("mtd7");
	lazy = true;
	assert_int_equal(targets_unused(&t, &f), -1);
	assert_fault(&f, FAULT_BUSY, "mtd7 was unmounted lazily");
}

static void only_root_sees_it(void **state)
{
	user = 1000;
	add("mtd7");
	assert_int_equal(targets_unused(&t, &f), -1);
	assert_fault(&f, FAULT_UNFIT, "must be run as root");
	assert_string_equal(asked, "");
}

/* There /proc lists but the processes of the container. */
static void in_a_container(void **state)
{
	container = true;
	add("mtd7");
	assert_int_equal(targets_unused(&t, &f), -1);
	assert_fault(&f, FAULT_UNFIT, "runs in a container");
	assert_int_equal(targets_still_unused(&t, &f), -1);
	assert_fault(&f, FAULT_UNFIT, "runs in a container");
	assert_string_equal(asked, "");
}

static const char *volumes[2] = { "", "" };

/* Two payloads and the devices that they are for. Returns what targets_look() does. */
static int look(const char *one, const char *two, uint32_t eraseblock)
{
	const struct sim_geometry g = { SIM_NOR, 4096, 1, 4, NULL, 0 };
	const struct sim_geometry h = { SIM_NAND, eraseblock, 512, 4, NULL, 0 };
	struct image img = { .payload_count = 2 };
	int result;

	sim_board_free(&board);
	sim_board_init(&board);
	(void)strcpy(sim_add_chip(&board, "a", &g)->target.device, one);
	(void)strcpy(sim_add_chip(&board, "b", &h)->target.device, two);
	for (int i = 0; i < 2; i++) {
		img.payload[i] = (struct payload){ .kind = PAYLOAD_MTD, .tail = TAIL_ERASE };
		img.payload[i].part[0] = (char)('a' + i);
		img.payload[i].size = 5000;
		(void)strcpy(img.payload[i].volume, volumes[i]);
	}
	capture_start(STDOUT_FILENO);
	result = targets_look(&t, &img, &f);
	free(capture_end(STDOUT_FILENO));
	return result;
}

static void expect_apart(const char *one, const char *two)
{
	if (look(one, two, 8192) < 0)
		fail_msg("%s, %s: %s", one, two, f.text);
	assert_int_equal(t.count, 2);
	assert_string_equal(t.device[0], one);
	assert_string_equal(t.device[1], two);
	assert_int_equal(t.eraseblock, 8192);
}

static void expect_shared(const char *one, const char *two)
{
	if (look(one, two, 8192) == 0 || look(two, one, 8192) == 0)
		fail_msg("%s, %s", one, two);
	assert_fault(&f, FAULT_UNFIT, "the image writes a and b, which share some flash");
}

static void targets_that_share_flash(void **state)
{
	expect_apart("mtd0", "mtd1");
	expect_shared("mtd0", "mtd2");
	expect_shared("mtd1", "mtd2");
	expect_shared("mtd1", "mtd1");
	expect_apart("ubi0_1", "ubi0_2");
	expect_apart("mtd0", "ubi0_1");
	expect_apart("mtd0", "sda");
	expect_apart("sda", "sdb");
	expect_shared("sda", "sda");
	expect_apart("mmcblk0", "mmcblk1p1");
	partition = "mmcblk0/mmcblk0p1/partition";
	expect_shared("mmcblk0", "mmcblk0p1");
	expect_apart("mmcblk0p1", "mmcblk0p2");
	partition = "mmcblk0/mmcblk0boot0/size"; /* flash of its own, though it lies below */
	expect_apart("mmcblk0", "mmcblk0boot0");
}

/* Under two names of the partition, ubi and mtd3; a volume that is not there has the device of its UBI. */
static void one_volume_twice(void **state)
{
	volumes[0] = volumes[1] = "data";
	expect_shared("ubi0_1", "ubi0_1");
	expect_shared("ubi0", "ubi0");
	expect_apart("ubi0", "ubi1");
	expect_apart("ubi0_1", "ubi1_1");
	volumes[1] = "more";
	expect_apart("ubi0", "ubi0");
	expect_apart("ubi0_1", "ubi0");
	expect_apart("mtd0", "ubi0");
	volumes[0] = volumes[1] = "";
}

/* Whether it is there already or not: mtd2 covers mtd0. */
static void volume_and_what_its_ubi_is_on(void **state)
{
	under_ubi0 = 0;
	expect_shared("mtd0", "ubi0_1");
	expect_shared("mtd2", "ubi0");
	expect_apart("mtd1", "ubi0_1");
	expect_apart("mtd0", "ubi1_1");
	expect_apart("sda", "ubi0_1");
}

/* Though it tries nothing, it asks about volumes and disks, too. */
static void look_ahead(void **state)
{
	struct mount_table mounts;
	const struct proof_view view = {
		.mounts = &mounts, .swaps = "/proc/swaps", .sys = "/sys", .will_go = &mounts
	};

	assert_int_equal(table(&mounts, "all"), 0);
	assert_int_equal(target_unused(&view, "mtd7", &f), 0);
	assert_int_equal(target_unused(&view, "ubi0_1", &f), 0);
	assert_int_equal(target_unused(&view, "sda", &f), 0);
	mounts_free(&mounts);
	assert_string_equal(asked, "mtd 7 all; volume ubi0_1 all; disk sda all; ");
}

static void only_their_devices(void **state)
{
	struct targets given = { .count = 3, .device = { "mtd0", "ubi0_1", "mmcblk0p2" } };
	char names[TARGETS_NAMES];

	targets_to_names(names, &given);
	assert_string_equal(names, "mtd0 ubi0_1 mmcblk0p2");
	targets_from_names(&t, names);
	assert_memory_equal(&t, &given, sizeof(t));
	given.count = 0;
	targets_to_names(names, &given);
	assert_string_equal(names, "");
	targets_from_names(&t, names);
	assert_int_equal(t.count, 0);
	memset(&given, 'x', sizeof(given));
	given.count = TARGETS_MAX;
	for (int i = 0; i < TARGETS_MAX; i++)
		given.device[i][31] = '\0';
	targets_to_names(names, &given);
	targets_from_names(&t, names);
	assert_int_equal(t.count, TARGETS_MAX);
	assert_string_equal(t.device[TARGETS_MAX - 1], given.device[0]);
	targets_from_names(&t, "a b c d e f g h i j k l m n o p q r s");
	assert_int_equal(t.count, TARGETS_MAX);
}

static void targets_that_do_not_fit(void **state)
{
	assert_int_equal(look("mtd0", "mtd1", 1024), -1);
	assert_fault(&f, FAULT_UNFIT, "b: ");
	assert_int_equal(look("mtd0", "mtd1", 8192), 0);
	sim_board_free(&board);
	sim_board_init(&board);
}

#define targets_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		targets_test(each_kind_has_its_proof),
		targets_test(once_more_when_they_are_open),
		targets_test(the_first_use_counts),
		targets_test(root_is_the_initial_ramfs),
		targets_test(unreadable_mounts_prove_nothing),
		targets_test(lazily_unmounted),
		targets_test(only_root_sees_it),
		targets_test(in_a_container),
		targets_test(targets_that_share_flash),
		targets_test(one_volume_twice),
		targets_test(volume_and_what_its_ubi_is_on),
		targets_test(look_ahead),
		targets_test(only_their_devices),
		targets_test(targets_that_do_not_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
