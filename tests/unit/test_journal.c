// SPDX-License-Identifier: GPL-2.0-or-later
/* The journal: what it takes, what it gives back, and what it does with flash that fails. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "bytes.h"
#include "helpers.h"
#include "journal.h"
#include "simflash.h"

enum { EB = 4096, PAGE = 512, SLOTS = EB / PAGE };

static const uint32_t middle[] = { 1 };
static const struct sim_geometry nand = { SIM_NAND, EB, PAGE, 2, NULL, 0 };
static const struct sim_geometry three = { SIM_NAND, EB, PAGE, 3, middle, 1 };
static const struct sim_geometry one = { SIM_NAND, EB, PAGE, 1, NULL, 0 };
static const struct sim_geometry nor = { SIM_NOR, EB, 1, 2, NULL, 0 };

static struct sim_board board;
static struct sim_chip *chip;
static struct journal j;
static struct fault f;

static int setup(void **state)
{
	sim_board_init(&board);
	return 0;
}

static int teardown(void **state)
{
	sim_board_free(&board);
	return 0;
}

static void add(const struct sim_geometry *g)
{
	chip = sim_add_chip(&board, "journal", g);
}

static struct journal_entry entry(enum journal_state state, uint32_t tries)
{
	struct journal_entry e = { .state = state, .tries = tries, .version = "2.0 beta" };

	memset(e.id, 'a', sizeof(e.id) - 1);
	return e;
}

static void check_last(const struct journal_entry *e)
{
	assert_int_equal(j.last.state, e->state);
	assert_int_equal(j.last.good, e->good);
	assert_int_equal(j.last.tries, e->tries);
	assert_string_equal(j.last.id, e->id);
	assert_string_equal(j.last.version, e->version);
}

/* A new run of the program. */
static void read_again(void)
{
	sim_power_cycle(&board);
	if (journal_read(&j, &chip->target, &f) < 0)
		fail_msg("%s", f.text);
	assert_int_equal(sim_count(&board, SIM_ERASE) + sim_count(&board, SIM_PROGRAM), 0);
}

static void check_rules(void)
{
	if (board.breaches)
		fail_msg("%s", board.breach);
}

static void append(const struct journal_entry *e)
{
	if (journal_append(&j, e, &f) < 0)
		fail_msg("%s", f.text);
	check_last(e);
	check_rules();
}

static void append_and_read(const struct journal_entry *e)
{
	append(e);
	read_again();
	check_last(e);
}

static void starts_empty(void **state)
{
	const struct journal_entry none = { 0 };

	add(&nand);
	read_again();
	check_last(&none);
}

static void rubbish_is_empty(void **state)
{
	struct journal_entry e = { 0 };
	uint8_t rubbish[2 * EB];

	add(&nand);
	fill_random(rubbish, sizeof(rubbish), 1);
	sim_factory_fill(chip, rubbish, sizeof(rubbish));
	read_again();
	check_last(&e);
	e = entry(JOURNAL_BEGUN, 0);
	append_and_read(&e);
}

static void gives_back_what_it_was_given(void **state)
{
	struct journal_entry e = entry(JOURNAL_BEGUN, 0);

	add(*state);
	read_again();
	append_and_read(&e);
	e.state = JOURNAL_DONE;
	append_and_read(&e);
	e.tries = 0x12345678;
	append_and_read(&e);
	e.good = true;
	memset(e.version, '~', sizeof(e.version) - 1);
	append_and_read(&e);
	e = (struct journal_entry){ .state = JOURNAL_BEGUN };
	append_and_read(&e);
}

/* The format is for ever: a newer flashinit finds what an older one has written. */
static void record_is_as_ever(void **state)
{
	struct journal_entry e = entry(JOURNAL_DONE, 0x0a0b);
	const uint8_t head[] = { 'f', 'i', 'J', '1', 0x36, 0, 0, 0, 2, 1, 0, 0, 0x0b, 0x0a, 0, 0 };
	const uint8_t *record;

	add(&nand);
	read_again();
	e.good = true;
	append(&e);
	record = sim_cells(chip, 0);
	assert_memory_equal(record, head, sizeof(head));
	assert_string_equal((const char *)record + 16, e.id);
	assert_string_equal((const char *)record + 84, e.version);
	assert_int_equal(get_le32(record + 148), crc32(0, record, 148));
	assert_true(all_ff(record + 152, PAGE - 152));
}

static void same_again_is_not_written(void **state)
{
	struct journal_entry e = entry(JOURNAL_BEGUN, 0);

	add(&nand);
	read_again();
	append_and_read(&e);
	append(&e);
	assert_int_equal(sim_count(&board, SIM_PROGRAM), 0);
	e.version[0] = '3';
	append(&e);
	assert_int_equal(sim_count(&board, SIM_PROGRAM), 1);
}

/* A run of the program goes on in its own eraseblock of NAND, and never in another's. */
static void each_run_takes_an_eraseblock_of_nand(void **state)
{
	struct journal_entry e = entry(JOURNAL_DONE, 0);

	add(&nand);
	for (uint32_t n = 0; n < 5; n++) {
		read_again();
		for (int i = 0; i < 2; i++) {
			e.tries++;
			append(&e);
			assert_int_equal(j.eb, n % 2);
		}
		assert_int_equal(sim_count(&board, SIM_ERASE), 1);
	}
}

static void nor_is_filled_before_the_next_is_erased(void **state)
{
	struct journal_entry e = entry(JOURNAL_DONE, 0);

	add(&nor);
	for (uint32_t n = 0; n < 3 * EB / 256; n++) {
		read_again();
		e.tries++;
		append(&e);
		assert_int_equal(sim_count(&board, SIM_ERASE), n % (EB / 256) == 0);
		assert_int_equal(j.eb, n / (EB / 256) % 2);
	}
}

static void damaged_record_does_not_count(void **state)
{
	struct journal_entry before = entry(JOURNAL_BEGUN, 0), after = entry(JOURNAL_DONE, 0);
	uint8_t *record;

	add(&nand);
	read_again();
	append(&before);
	append(&after);
	record = sim_cells(chip, 0) + PAGE;
	for (unsigned int i = 0; i < 152; i++) {
		record[i] ^= 0x10;
		read_again();
		check_last(&before);
		record[i] ^= 0x10;
	}
	read_again();
	check_last(&after);
}

/* A checksum is no proof of good will. */
static void forged_record_does_not_count(void **state)
{
	static const struct {
		unsigned int at;
		uint8_t byte;
	} lies[] = { { 7, 0x80 }, { 8, 3 }, { 20, '\n' }, { 16 + 64, 'a' }, { 84, 0x1b } };
	struct journal_entry e = entry(JOURNAL_BEGUN, 0), none = { 0 };
	uint8_t *record;

	add(&nor);
	read_again();
	append(&e);
	record = sim_cells(chip, 0);
	for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
		uint8_t was = record[lies[i].at];

		record[lies[i].at] = lies[i].byte;
		put_le32(record + 148, (uint32_t)crc32(0, record, 148));
		read_again();
		check_last(&none);
		record[lies[i].at] = was;
	}
}

/* Slots that look blank in what an erase has left half-way are none. */
static void half_erased_nor_is_not_trusted(void **state)
{
	static const struct sim_geometry four_slots = { SIM_NOR, 1024, 1, 1, NULL, 0 };
	struct journal_entry e = entry(JOURNAL_DONE, 0);

	add(&four_slots);
	for (; e.tries < 3; e.tries++) {
		read_again();
		append(&e);
	}
	read_again();
	sim_weaken(chip, 0, SIM_PROGRAM, SIM_REFUSE, 1);
	sim_weaken(chip, 0, SIM_ERASE, SIM_CUT, 1);
	assert_int_equal(journal_append(&j, &e, &f), -1);
	read_again();
	assert_int_equal(j.last.tries, 2);
	append_and_read(&e);
}

/* Nor is a record that blank slots hide until the next ones are written. */
static void hidden_record_is_not_uncovered(void **state)
{
	struct journal_entry e = entry(JOURNAL_DONE, 0);
	uint8_t hidden[256];

	add(&nor);
	read_again();
	for (; e.tries < 4; e.tries++)
		append(&e);
	memcpy(hidden, sim_cells(chip, 0) + 3 * 256, 256);
	put_le32(hidden + 4, 100000);
	put_le32(hidden + 148, (uint32_t)crc32(0, hidden, 148));
	memset(sim_cells(chip, 0) + 256, 0xff, 3 * 256);
	memcpy(sim_cells(chip, 0) + 12 * 256, hidden, 256);
	for (e.tries = 10; e.tries < 20; e.tries++) {
		read_again();
		append_and_read(&e);
	}
}

static void refuses_what_it_cannot_hold(void **state)
{
	struct journal_entry e = entry(JOURNAL_BEGUN, 0);

	add(&nand);
	read_again();
	e.version[1] = '\033';
	assert_int_equal(journal_append(&j, &e, &f), -1);
	assert_int_equal(f.kind, FAULT_UNFIT);
	assert_int_equal(sim_count(&board, SIM_ERASE), 0);
}

static void passes_over_bad_eraseblocks(void **state)
{
	struct journal_entry e = entry(JOURNAL_DONE, 0);

	add(&three);
	for (uint32_t n = 0; n < 6; n++) {
		read_again();
		e.tries++;
		append_and_read(&e);
		assert_int_equal(j.eb, n % 2 * 2);
	}
}

/* The byte that a garbled program changes is within the record on NOR, and behind it on NAND. */
static void tries_the_next_slot(void **state)
{
	static const struct sim_geometry *const chips[] = { &nand, &nor };
	struct journal_entry e = entry(JOURNAL_DONE, 0);

	for (int how = SIM_FAIL; how <= SIM_GARBLE; how++) {
		sim_board_free(&board);
		add(chips[how == SIM_GARBLE]);
		read_again();
		sim_weaken(chip, 0, SIM_PROGRAM, how, 2);
		append(&e);
		assert_int_equal(sim_count(&board, SIM_PROGRAM), 3);
		assert_int_equal(sim_count(&board, SIM_ERASE), 1);
		read_again();
		check_last(&e);
	}
}

/* What reads well but for ECC, which cannot tell, will not do so for long. */
static void believes_the_ecc(void **state)
{
	struct journal_entry e = entry(JOURNAL_DONE, 0);

	add(&nand);
	read_again();
	sim_weaken(chip, 0, SIM_READ, SIM_DOUBT, 2); /* before and after the program */
	append(&e);
	assert_int_equal(j.slot, 2);
	read_again();
	check_last(&e);
}

static void leaves_out_what_an_erase_has_left(void **state)
{
	struct journal_entry e = entry(JOURNAL_DONE, 0);

	add(&nand);
	read_again();
	sim_weaken(chip, 0, SIM_ERASE, SIM_GARBLE, 1);
	for (uint32_t n = 0; n < SLOTS / 2 + 1; n++) {
		e.tries++;
		append(&e);
	}
	assert_int_equal(j.slot, SLOTS / 2 + 2);
	assert_int_equal(sim_count(&board, SIM_PROGRAM), SLOTS / 2 + 1);
	read_again();
	check_last(&e);
}

static void tries_the_next_eraseblock(void **state)
{
	struct journal_entry e = entry(JOURNAL_DONE, 0);

	add(&nand);
	sim_weaken(chip, 0, SIM_PROGRAM, SIM_FAIL, SIM_FOR_EVER);
	read_again();
	for (int n = 0; n < 3; n++) {
		e.tries++;
		append_and_read(&e);
		assert_int_equal(j.eb, 1);
	}
	assert_int_equal(sim_count(&board, SIM_MARK_BAD), 0);
}

static void marks_what_cannot_be_erased(void **state)
{
	struct journal_entry e = entry(JOURNAL_DONE, 0);

	add(&nand);
	sim_weaken(chip, 0, SIM_ERASE, SIM_FAIL, SIM_FOR_EVER);
	read_again();
	append(&e);
	assert_true(chip->block[0].bad);
	assert_false(chip->block[1].bad);
	read_again();
	check_last(&e);
	e.tries++;
	append_and_read(&e);
}

/* A chip that is write-protected is not a bad one. */
static void marks_nothing_where_nothing_can_be_erased(void **state)
{
	struct journal_entry e = entry(JOURNAL_DONE, 0), later = entry(JOURNAL_BEGUN, 0);

	add(&nand);
	read_again();
	append_and_read(&e);
	sim_weaken(chip, SIM_EVERY_BLOCK, SIM_ERASE, SIM_REFUSE, SIM_FOR_EVER);
	assert_int_equal(journal_append(&j, &later, &f), -1);
	assert_int_equal(f.kind, FAULT_FLASH);
	assert_int_equal(sim_count(&board, SIM_MARK_BAD), 0);
	check_last(&e);
	read_again();
	check_last(&e);
}

/* What is not the eraseblock's fault is nothing to go on after. */
static void gives_up_where_the_device_is_gone(void **state)
{
	struct journal_entry e = entry(JOURNAL_DONE, 0);
	struct sim_snapshot *blank;
	uint32_t ops;

	add(&nand);
	blank = sim_save(&board);
	read_again();
	append(&e);
	ops = board.ops;
	for (uint32_t op = 0; op < ops; op++) {
		sim_restore(&board, blank);
		sim_plan_errno(&board, op, SIM_REFUSE, ENODEV);
		assert_true(journal_read(&j, &chip->target, &f) < 0 ||
			    journal_append(&j, &e, &f) < 0);
		assert_int_equal(f.kind, FAULT_FLASH);
		assert_int_equal(f.err, ENODEV);
		assert_int_equal(board.ops, op + 1);
	}
	sim_snapshot_free(blank);
}

/* Without a record there is nothing that says the same. */
static void knows_that_the_record_may_be_lost(void **state)
{
	struct journal_entry e = entry(JOURNAL_DONE, 0), later = entry(JOURNAL_BEGUN, 0);

	add(&one);
	read_again();
	append_and_read(&e);
	sim_weaken(chip, 0, SIM_PROGRAM, SIM_FAIL, 3);
	assert_int_equal(journal_append(&j, &later, &f), -1);
	append_and_read(&e);
}

/* What would be believed for ever, where the journal is worn. */
static void forgets(void **state)
{
	static const struct sim_geometry *const all[] = { &nand, &nor };
	struct journal_entry e = entry(JOURNAL_BEGUN, 0), none = { 0 };

	for (size_t i = 0; i < 4; i++) {
		chip = sim_add_chip(&board, i ? "again" : "journal", all[i % 2]);
		read_again();
		append_and_read(&e);
		e.tries++;
		append_and_read(&e);
		if (i >= 2)
			sim_weaken(chip, SIM_EVERY_BLOCK, SIM_ERASE, SIM_FAIL, SIM_FOR_EVER);
		assert_int_equal(journal_forget(&j, &f), 0);
		assert_int_equal(j.last.state, JOURNAL_EMPTY);
		if (i == 2) { /* every eraseblock is marked bad: there is no journal */
			assert_int_equal(journal_read(&j, &chip->target, &f), -1);
			assert_fault(&f, FAULT_UNFIT, "no good eraseblock");
			continue;
		}
		read_again();
		check_last(&none);
	}
}

/* While an update goes on, the only eraseblock is not erased for as long as it has free slots. */
static void keeps_the_only_record_of_what_goes_on(void **state)
{
	struct journal_entry e = entry(JOURNAL_BEGUN, 0);

	add(&one);
	read_again();
	append_and_read(&e);
	for (uint32_t slot = 2; slot < SLOTS; slot += 2) {
		e.id[0]++;
		append_and_read(&e);
		assert_int_equal(sim_count(&board, SIM_ERASE), 0);
		assert_int_equal(j.slot, slot + 1);
	}
	e.id[0]++;
	append(&e);
	assert_int_equal(sim_count(&board, SIM_ERASE), 1);
	read_again();
	e.state = JOURNAL_DONE;
	append(&e);
	assert_int_equal(sim_count(&board, SIM_ERASE), 1);
}

/* A partition that is not small is somebody's file system. */
static void checks_what_it_is_to_be_in(void **state)
{
	static const struct {
		struct sim_geometry g;
		bool fit;
	} cases[] = {
		{ { SIM_NAND, EB, PAGE, 16, NULL, 0 }, true },
		{ { SIM_NAND, EB, PAGE, 17, NULL, 0 }, false },
		{ { SIM_NAND, EB, PAGE, 2, middle, 1 }, true },
		{ { SIM_NOR, EB, 1, 1, NULL, 0 }, true },
		{ { SIM_BLOCK, EB, PAGE, 2, NULL, 0 }, false },
		{ { SIM_VOLUME, EB, PAGE, 2, NULL, 0 }, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		sim_board_free(&board);
		add(&cases[i].g);
		assert_int_equal(journal_check(&chip->target, &f), cases[i].fit ? 0 : -1);
		assert_int_equal(journal_read(&j, &chip->target, &f), cases[i].fit ? 0 : -1);
		if (!cases[i].fit)
			assert_int_equal(f.kind, FAULT_UNFIT);
	}
	sim_board_free(&board);
	add(&one);
	chip->block[0].bad = true;
	assert_int_equal(journal_check(&chip->target, &f), -1);
	assert_int_equal(f.kind, FAULT_UNFIT);
}

/* Guard has 50 ms: a journal of the largest size is read in few pages. */
static void is_read_in_few_operations(void **state)
{
	static const struct sim_geometry large = { SIM_NAND, 131072, 2048, 16, NULL, 0 };
	struct journal_entry e = entry(JOURNAL_DONE, 0);

	add(&large);
	for (int n = 0; n < 20; n++) {
		read_again();
		e.tries++;
		append(&e);
	}
	read_again();
	check_last(&e);
	assert_in_range(sim_count(&board, SIM_READ), 16, 16 * 6);
}

#define journal_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define journal_test_on(name, g)                                     \
	{                                                            \
#name " " #g, name, setup_on, teardown, (void *)&(g) \
	}

static int setup_on(void **state)
{
	return setup(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		journal_test(starts_empty),
		journal_test(rubbish_is_empty),
		journal_test_on(gives_back_what_it_was_given, nand),
		journal_test_on(gives_back_what_it_was_given, nor),
		journal_test_on(gives_back_what_it_was_given, one),
		journal_test(record_is_as_ever),
		journal_test(same_again_is_not_written),
		journal_test(each_run_takes_an_eraseblock_of_nand),
		journal_test(nor_is_filled_before_the_next_is_erased),
		journal_test(damaged_record_does_not_count),
		journal_test(forged_record_does_not_count),
		journal_test(half_erased_nor_is_not_trusted),
		journal_test(hidden_record_is_not_uncovered),
		journal_test(refuses_what_it_cannot_hold),
		journal_test(passes_over_bad_eraseblocks),
		journal_test(tries_the_next_slot),
		journal_test(believes_the_ecc),
		journal_test(leaves_out_what_an_erase_has_left),
		journal_test(tries_the_next_eraseblock),
		journal_test(marks_what_cannot_be_erased),
		journal_test(marks_nothing_where_nothing_can_be_erased),
		journal_test(gives_up_where_the_device_is_gone),
		journal_test(knows_that_the_record_may_be_lost),
		journal_test(forgets),
		journal_test(keeps_the_only_record_of_what_goes_on),
		journal_test(checks_what_it_is_to_be_in),
		journal_test(is_read_in_few_operations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
