// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The journal while the power goes: what is read afterwards is the last entry that was appended, or
 * the one that was being appended, and nothing else; and the next one can be appended.
 */
#include <stdlib.h>
#include <string.h>

#include "helpers.h"
#include "journal.h"
#include "simflash.h"

enum { EB = 2048, PAGE = 512, OPS_MAX = 512, MANY = 3000 };

static const uint32_t middle[] = { 1 };
static const struct sim_geometry one_nand = { SIM_NAND, EB, PAGE, 1, NULL, 0 };
static const struct sim_geometry two_nand = { SIM_NAND, EB, PAGE, 2, NULL, 0 };
static const struct sim_geometry bad_nand = { SIM_NAND, EB, PAGE, 4, middle, 1 };
static const struct sim_geometry one_nor = { SIM_NOR, EB, 1, 1, NULL, 0 };
static const struct sim_geometry two_nor = { SIM_NOR, EB, 1, 2, NULL, 0 };
static const struct sim_geometry many_nand = { SIM_NAND, EB, PAGE, 16, middle, 1 };
static const struct sim_geometry many_nor = { SIM_NOR, EB, 1, 5, NULL, 0 };

static const enum sim_how cuts[] = { SIM_CUT_BEFORE, SIM_CUT_EARLY, SIM_CUT, SIM_CUT_LATE,
				     SIM_CUT_AFTER };
enum { CUTS = sizeof(cuts) / sizeof(*cuts) };

static struct sim_board board;
static struct sim_chip *chip;
static struct journal journal;
static uint32_t cut_count;

/* Entries are numbered from 1 on. The last one is the newest that may be there, or one before. */
static uint32_t newest;
static bool newest_is_sure;
static bool may_be_lost; /* by a journal of one eraseblock: while it is erased there is nothing */
static bool may_go_back; /* the other eraseblock may still have what it had, and be of no use */

static int setup(void **state)
{
	sim_board_init(&board);
	chip = sim_add_chip(&board, "journal", *state);
	may_be_lost = chip->target.blocks == 1;
	may_go_back = false;
	newest = cut_count = 0;
	newest_is_sure = true;
	return 0;
}

static int teardown(void **state)
{
	print_message("%u cuts\n", cut_count);
	sim_board_free(&board);
	return 0;
}

static struct journal_entry entry_of(uint32_t number)
{
	struct journal_entry e = {
		.state = number % 3 ? JOURNAL_DONE : JOURNAL_BEGUN,
		.good = number & 1,
		.tries = number,
	};

	if (number == 0)
		return (struct journal_entry){ .state = JOURNAL_EMPTY };
	memset(e.id, 'a' + (int)(number % 26), sizeof(e.id) - 1);
	memset(e.version, '0' + (int)(number % 10), number % sizeof(e.version));
	return e;
}

/* No power is the only excuse. */
static bool no_power(const struct fault *f)
{
	if (!board.off)
		fail_msg("%s", f->text);
	return false;
}

static void check_last(void)
{
	uint32_t number = journal.last.tries;
	struct journal_entry e = entry_of(number);

	if (board.breaches)
		fail_msg("%s", board.breach);
	assert_int_equal(journal.last.state, e.state);
	assert_int_equal(journal.last.good, e.good);
	assert_string_equal(journal.last.id, e.id);
	assert_string_equal(journal.last.version, e.version);
	if ((number == 0 && may_be_lost) || (number < newest && may_go_back))
		return;
	assert_in_range(number, newest - (newest_is_sure ? 0 : 1), newest);
}

static bool read_journal(void)
{
	struct fault f;

	if (journal_read(&journal, &chip->target, &f) < 0)
		return no_power(&f);
	check_last();
	newest_is_sure = newest == journal.last.tries;
	return true;
}

/* One run of the program, which appends so many entries. Returns whether it came to its end. */
static bool run(uint32_t entries)
{
	struct fault f;

	if (!read_journal())
		return false;
	if (journal.last.tries || !may_be_lost)
		newest = journal.last.tries;
	newest_is_sure = true;
	for (uint32_t n = 0; n < entries; n++) {
		struct journal_entry e = entry_of(++newest);

		newest_is_sure = false;
		if (journal_append(&journal, &e, &f) < 0)
			return no_power(&f);
		newest_is_sure = true;
	}
	return !board.off; /* which may go while an eraseblock is marked that was not needed */
}

static void settle(void)
{
	sim_power_cycle(&board);
	assert_true(run(1));
	sim_power_cycle(&board);
	assert_true(read_journal());
	assert_true(newest_is_sure);
	assert_true(journal.last.tries > 0);
}

/* What is in the chip, and what is known of it. */
struct state {
	struct sim_snapshot *chip;
	uint32_t newest;
	bool sure;
};

static struct state save(void)
{
	return (struct state){ sim_save(&board), newest, newest_is_sure };
}

static void restore(const struct state *s)
{
	sim_restore(&board, s->chip);
	newest = s->newest;
	newest_is_sure = s->sure;
}

struct plan {
	uint32_t ops;
	bool changes[OPS_MAX];
};

static struct plan plan_of(const struct state *s, uint32_t entries)
{
	struct plan p;

	restore(s);
	assert_true(run(entries));
	p.ops = board.ops;
	assert_true(p.ops <= OPS_MAX);
	for (uint32_t op = 0; op < p.ops; op++)
		p.changes[op] = sim_changes(&board.log[op]);
	return p;
}

/*
 * Each cut of a run that appends so many entries to what is there now, in each way; and after each
 * of these, as often as again says, each cut of a run that appends one more.
 */
static void cut_everywhere(uint32_t entries, unsigned int again)
{
	struct state before = save();
	struct plan p = plan_of(&before, entries);

	for (uint32_t op = 0; op < p.ops; op++)
		for (size_t how = 0; how < (p.changes[op] ? CUTS : 1); how++) {
			restore(&before);
			sim_plan_fault(&board, op, cuts[how]);
			assert_false(run(entries));
			cut_count++;
			if (again)
				cut_everywhere(1, again - 1);
			else
				settle();
		}
	restore(&before);
	sim_snapshot_free(before.chip);
}

/* From a blank journal on, until its last eraseblock was left for the first one. */
static void cut_from_any_record_on(void **state)
{
	uint32_t last = chip->target.blocks * (chip->kind == SIM_NAND ? 1 : EB / 256) + 2;

	for (uint32_t n = 0; n < last; n++) {
		cut_everywhere(2, 1);
		sim_power_cycle(&board);
		assert_true(run(1));
	}
}

static void cut_three_times(void **state)
{
	assert_true(run(3));
	cut_everywhere(1, 2);
}

/* More entries in one run than an eraseblock has room for. */
static void cut_a_long_run(void **state)
{
	assert_true(run(1));
	cut_everywhere(EB / 256 + 2, 0);
}

/* Whatever fails in one of the eraseblocks, on top of that. Two others are enough, as ever. */
static void cut_with_a_weak_eraseblock(void **state)
{
	static const struct {
		enum sim_what what;
		enum sim_how how;
	} faults[] = {
		{ SIM_ERASE, SIM_FAIL },     { SIM_ERASE, SIM_REFUSE },
		{ SIM_ERASE, SIM_GARBLE },   { SIM_PROGRAM, SIM_FAIL },
		{ SIM_PROGRAM, SIM_REFUSE }, { SIM_PROGRAM, SIM_GARBLE },
		{ SIM_READ, SIM_FAIL },      { SIM_MARK_BAD, SIM_REFUSE },
	};
	struct state blank = save();

	may_be_lost = may_go_back = chip->target.blocks == 2;
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++)
		for (uint32_t records = 0; records < 3; records++) {
			restore(&blank);
			for (uint32_t n = 0; n < records; n++) {
				assert_true(run(1));
				sim_power_cycle(&board);
			}
			if (faults[i].what == SIM_READ && records && journal.eb == 0)
				continue; /* the last record, which nobody could bring back */
			sim_weaken(chip, 0, faults[i].what, faults[i].how, SIM_FOR_EVER);
			if (faults[i].what == SIM_MARK_BAD)
				sim_weaken(chip, 0, SIM_ERASE, SIM_FAIL, SIM_FOR_EVER);
			cut_everywhere(2, 1);
		}
	sim_snapshot_free(blank.chip);
}

/* As often as the others, bad ones apart. */
static void wears_all_alike(void **state)
{
	uint32_t erased[JOURNAL_BLOCKS_MAX] = { 0 }, least = UINT32_MAX, most = 0;

	for (uint32_t n = 0; n < MANY; n++) {
		assert_true(run(1 + n % 3));
		for (uint32_t eb = 0; eb < chip->target.blocks; eb++)
			erased[eb] += chip->block[eb].erased;
		sim_power_cycle(&board);
	}
	for (uint32_t eb = 0; eb < chip->target.blocks; eb++) {
		if (chip->block[eb].bad)
			continue;
		least = erased[eb] < least ? erased[eb] : least;
		most = erased[eb] > most ? erased[eb] : most;
	}
	assert_true(least > MANY / 30);
	assert_true(most - least <= 1);
}

#define journal_test(name, g)                                                  \
	{                                                                      \
#name " " #g, name, setup, teardown, (void *)(uintptr_t) & (g) \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		journal_test(cut_from_any_record_on, one_nand),
		journal_test(cut_from_any_record_on, two_nand),
		journal_test(cut_from_any_record_on, bad_nand),
		journal_test(cut_from_any_record_on, one_nor),
		journal_test(cut_from_any_record_on, two_nor),
		journal_test(cut_three_times, two_nand),
		journal_test(cut_three_times, two_nor),
		journal_test(cut_a_long_run, one_nand),
		journal_test(cut_a_long_run, two_nand),
		journal_test(cut_a_long_run, bad_nand),
		journal_test(cut_a_long_run, one_nor),
		journal_test(cut_a_long_run, two_nor),
		journal_test(cut_with_a_weak_eraseblock, two_nand),
		journal_test(cut_with_a_weak_eraseblock, bad_nand),
		journal_test(cut_with_a_weak_eraseblock, two_nor),
		journal_test(wears_all_alike, two_nand),
		journal_test(wears_all_alike, many_nand),
		journal_test(wears_all_alike, many_nor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
