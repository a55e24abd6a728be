// SPDX-License-Identifier: GPL-2.0-or-later
/* What is noted when, in a journal on simulated flash. Where partitions lie is made up. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helpers.h"
#include "journaling.h"
#include "mtd_device.h"
#include "mtd_map.h"
#include "simflash.h"
#include "target_mtd.h"

enum { EB = 4096 };

static const struct sim_geometry nand = { SIM_NAND, EB, 512, 4, NULL, 0 };

static struct sim_board board;
static struct sim_chip *chip;
static unsigned long long
	start; /* of the target mtd0, which has 4 eraseblocks; the journal is at 0 */
static struct journaling j;
static struct journal_entry e;
static struct image img = { .fw_version = "2", .index_size = 1 };
static uint8_t index_bytes[1];
static struct fault f;

int __wrap_target_open_mtd(struct target **t, const char *name, enum target_mode mode, int *number,
			   struct fault *fault)
{
	if (strcmp(name, "journal") != 0)
		return fault_set(fault, FAULT_UNFIT, "no MTD partition is named %s", name);
	*t = &chip->target;
	return 0;
}

int __wrap_mtd_device_find(const char *wanted, int *number, struct fault *fault)
{
	static const char *const known[] = { "a", "journal", "b", "mtd2", "c" };
	static const int numbers[] = { 0, 1, 2, 2, 3 };

	for (int i = 0; i < 5; i++) {
		*number = numbers[i];
		if (strcmp(wanted, known[i]) == 0)
			return 0;
	}
	return fault_set(fault, FAULT_UNFIT, "none is there");
}

int __wrap_mtd_map_read(struct mtd_map *m, const char *sys, struct fault *fault)
{
	memset(m, 0, sizeof(*m));
	m->count = 2;
	for (int i = 0; i < 2; i++) {
		m->place[i].number = i;
		(void)snprintf(m->place[i].path, sizeof(m->place[i].path), "/sys/chip/mtd%d", i);
		m->place[i].chip = strlen("/sys/chip");
		m->place[i].size = 4 * EB;
	}
	m->place[0].start = start;
	return 0;
}

static int setup(void **state)
{
	sim_board_init(&board);
	chip = sim_add_chip(&board, "journal", &nand);
	(void)strcpy(chip->target.device, "mtd1");
	j = (struct journaling){ .partition = "journal" };
	img.index = index_bytes;
	start = 4 * EB;
	return 0;
}

static int teardown(void **state)
{
	journaling_close(&j);
	assert_int_equal(board.breaches, 0);
	sim_board_free(&board);
	return 0;
}

static void expect(enum journal_state state, const char *version, bool good)
{
	struct journal now;

	assert_int_equal(journaling_open(&now, "journal", TARGET_LOOK, &f), 0);
	e = now.last;
	assert_int_equal(e.state, state);
	assert_string_equal(e.version, version);
	assert_int_equal(e.good, good);
	assert_int_equal(e.tries, 0);
}

static void begun_and_done(void **state)
{
	char id[IMAGE_ID_SIZE];

	image_id(&img, id);
	assert_int_equal(journaling_begin(&j, &img, &f), 0);
	expect(JOURNAL_BEGUN, "2", false);
	assert_string_equal(e.id, id);
	assert_int_equal(journaling_end(&j, &img, false, true, &f), 0);
	expect(JOURNAL_DONE, "2", false);
	assert_string_equal(e.id, id);
	assert_int_equal(sim_count(&board, SIM_ERASE), 1); /* it stayed open in between */
	assert_int_equal(journaling_begin(&j, &img, &f), 0);
	assert_int_equal(journaling_end(&j, &img, true, true, &f), 0);
	expect(JOURNAL_DONE, "2", true);
}

/* A later attempt at the same writes nothing; another image in its place is noted. */
static void begun_is_noted_once(void **state)
{
	uint32_t programs;

	assert_int_equal(journaling_begin(&j, &img, &f), 0);
	programs = sim_count(&board, SIM_PROGRAM);
	assert_int_equal(journaling_begin(&j, &img, &f), 0);
	journaling_close(&j);
	assert_int_equal(journaling_begin(&j, &img, &f), 0);
	assert_int_equal(sim_count(&board, SIM_PROGRAM), programs);
	index_bytes[0]++;
	assert_int_equal(journaling_begin(&j, &img, &f), 0);
	assert_int_equal(sim_count(&board, SIM_PROGRAM), programs + 1);
}

static void nothing_was_changed(void **state)
{
	assert_int_equal(journaling_end(&j, &img, true, false, &f), 0);
	expect(JOURNAL_EMPTY, "", false);
	assert_int_equal(sim_count(&board, SIM_ERASE), 0);
	assert_int_equal(journaling_begin(&j, &img, &f), 0);
	journaling_close(&j); /* and then the power went, but all was written */
	assert_int_equal(journaling_end(&j, &img, true, false, &f), 0);
	expect(JOURNAL_DONE, "2", true);
	assert_int_equal(journaling_end(&j, &img, false, false, &f), 0);
	expect(JOURNAL_DONE, "2", true);
}

/* Who has begun, and does not find that in the journal any more, notes the end all the same. */
static void begun_was_lost(void **state)
{
	assert_int_equal(journaling_end(&j, &img, false, true, &f), 0);
	expect(JOURNAL_DONE, "2", false);
}

static void none_is_configured(void **state)
{
	j.partition = "";
	assert_int_equal(journaling_begin(&j, &img, &f), 0);
	assert_int_equal(journaling_end(&j, &img, true, true, &f), 0);
	assert_int_equal(sim_count(&board, SIM_READ), 0);
	j.partition = "gone";
	assert_int_equal(journaling_begin(&j, &img, &f), -1);
	assert_fault(&f, FAULT_UNFIT, "no MTD partition is named gone");
	assert_int_equal(journaling_end(&j, &img, true, true, &f), -1);
	assert_fault(&f, FAULT_FLASH,
		     "is written and proven, but the journal does not say so: no MTD");
}

static void flash_that_fails(void **state)
{
	for (uint32_t eb = 0; eb < nand.blocks; eb++)
		sim_weaken(chip, eb, SIM_ERASE, SIM_REFUSE, SIM_FOR_EVER);
	assert_int_equal(journaling_begin(&j, &img, &f), -1);
	assert_fault(&f, FAULT_UNFIT, "takes a record"); /* no firmware was touched */
	assert_int_equal(journaling_end(&j, &img, true, true, &f), -1);
	assert_fault(&f, FAULT_FLASH, "the journal does not say so: journal: ");
	expect(JOURNAL_EMPTY, "", false);
}

static void good(void **state)
{
	uint32_t programs;

	assert_int_equal(journaling_good("journal", &e, &f), -1);
	assert_fault(
		&f, FAULT_FAILED,
		"the journal tells of no update that was done: nothing can be good (it says: empty)");
	assert_int_equal(journaling_begin(&j, &img, &f), 0);
	assert_int_equal(journaling_good("journal", &e, &f), -1);
	assert_fault(&f, FAULT_FAILED, "nothing can be good (it says: begun)");
	assert_int_equal(journaling_end(&j, &img, false, true, &f), 0);
	assert_int_equal(journaling_good("journal", &e, &f), 0);
	assert_true(e.good);
	expect(JOURNAL_DONE, "2", true);
	programs = sim_count(&board, SIM_PROGRAM);
	assert_int_equal(journaling_good("journal", &e, &f), 0);
	assert_true(e.good);
	assert_int_equal(sim_count(&board, SIM_PROGRAM), programs);
	assert_int_equal(journaling_good("gone", &e, &f), -1);
	assert_fault(&f, FAULT_UNFIT, "named gone");
}

static void place(void **state)
{
	struct targets t = { .count = 1, .device = { "mtd0" } };
	struct finding found = { .figures = 0 };

	assert_int_equal(journaling_look("journal", &t, &found, &f), 0);
	assert_string_equal(found.text,
			    "journal is mtd1: 4 of its 4 eraseblocks are good; it says: empty");
	assert_string_equal(found.part, "journal");
	assert_int_equal(found.figures, 2);
	assert_int_equal(t.count, 2);
	assert_string_equal(t.device[1], "mtd1");
	t.count = 1;
	start = 4 * EB - 1;
	assert_int_equal(journaling_look("journal", &t, &found, &f), -1);
	assert_fault(&f, FAULT_UNFIT,
		     "the journal, journal (mtd1), shares flash with mtd0, which is written");
	assert_int_equal(t.count, 1);
	assert_int_equal(journaling_apart("gone", &t, &f), 0);
	start = 4 * EB;
	(void)strcpy(t.device[0], "mtd1");
	assert_int_equal(journaling_look("journal", &t, &found, &f), -1);
	assert_fault(&f, FAULT_UNFIT, "shares flash with mtd1");
	assert_int_equal(sim_count(&board, SIM_ERASE), 0);
}

static void what_is_guarded(void **state)
{
	struct config c = { .journal = "journal" };
	struct image two = { .payload_count = 2, .payload = { { .part = "a" }, { .part = "b" } } };

	assert_string_equal(journaling_of(&c, &two), "journal");
	c.target_count = 2;
	(void)strcpy(c.target[0], "c");
	(void)strcpy(c.target[1], "d"); /* of a disk, which a and b are not on */
	assert_string_equal(journaling_of(&c, &two), "");
	(void)strcpy(c.target[1], "b");
	assert_string_equal(journaling_of(&c, &two), "journal");
	(void)strcpy(c.target[1], "mtd2"); /* b */
	assert_string_equal(journaling_of(&c, &two), "journal");
	(void)strcpy(c.target[1], "b:volume");
	assert_string_equal(journaling_of(&c, &two), "journal");
	(void)strcpy(c.target[1], "d");
	(void)strcpy(two.payload[1].part, "e"); /* what two are that are no MTD nobody knows */
	assert_string_equal(journaling_of(&c, &two), "journal");
	c.journal[0] = '\0';
	assert_string_equal(journaling_of(&c, &two), "");
}

#define journal_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		journal_test(begun_and_done),
		journal_test(begun_is_noted_once),
		journal_test(nothing_was_changed),
		journal_test(begun_was_lost),
		journal_test(none_is_configured),
		journal_test(flash_that_fails),
		journal_test(good),
		journal_test(place),
		journal_test(what_is_guarded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
