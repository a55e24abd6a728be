// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The claim of recovery, with a journal: wherever the power goes, however often, what the guard
 * boots is a whole firmware, old or new; and once the power stays, it is the new one.
 *
 * A machine is a board with the targets' chips and the journal's. An update reads the journal, notes
 * in it that it begins, runs the engine, and notes that it is done. Whenever the power comes back, the
 * guard decides: it boots what is there, or has the same update run again. All that is one count of
 * operations, any of which the power may go at.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "helpers.h"
#include "journal.h"
#include "ubi_image.h"
#include "verdict.h"

enum {
	EB = 4096,
	PAGE = 512,
	LEB = 3968,
	OPS_MAX = 4096,
	CHAINS = 400,
	CHAIN_MAX = 12,
	TRIES = 50
};

static const uint32_t bad[] = { 0, 4 }, first[] = { 0 }, second[] = { 1 };
static const struct sim_geometry nand = { SIM_NAND, EB, PAGE, 8, bad, 2 };
static const struct sim_geometry small_nand = { SIM_NAND, EB, PAGE, 4, first, 1 };
static const struct sim_geometry nor = { SIM_NOR, EB, 1, 5, NULL, 0 };
static const struct sim_geometry small_nor = { SIM_NOR, EB, 1, 2, NULL, 0 };
static const struct sim_geometry volume = { SIM_VOLUME, LEB, 128, 5, NULL, 0 };
static const struct sim_geometry first_sector = { SIM_BLOCK, PAGE, PAGE, 1, NULL, 0 };
static const struct sim_geometry large_nand = { SIM_NAND, EB, PAGE, 32, bad, 2 };
static const struct sim_geometry large_nor = { SIM_NOR, EB, 1, 16, NULL, 0 };
static const struct sim_geometry ubi_nand = { SIM_NAND, EB, PAGE, 9, bad, 2 };
static const struct ubi_shape ubi_shape = { PAGE, 2 * PAGE };

/* What the journal is in. */
static const struct sim_geometry on_nand = { SIM_NAND, EB, PAGE, 2, NULL, 0 };
static const struct sim_geometry on_three = { SIM_NAND, EB, PAGE, 3, second, 1 };
static const struct sim_geometry on_one = { SIM_NAND, EB, PAGE, 1, NULL, 0 };
static const struct sim_geometry on_nor = { SIM_NOR, 1024, 1, 2, NULL, 0 }; /* soon full */

static const enum sim_how cuts[] = { SIM_CUT_BEFORE, SIM_CUT_EARLY, SIM_CUT, SIM_CUT_LATE,
				     SIM_CUT_AFTER };
enum { CUTS = sizeof(cuts) / sizeof(*cuts) };

static struct bench b;
static struct sim_chip *log_chip;
static struct journal journal;
static uint32_t cut_count, all_cuts, dice;

/* What cannot be relied on, and what is wrong with it. */
static struct weakness {
	struct sim_chip *chip;
	uint32_t eb;
	enum sim_what what;
	enum sim_how how;
} weak[4];
static unsigned int weak_count;

/* The image that is written, and another one, where there is one. */
struct version {
	const char *image, *name;
	uint8_t *data[BENCH_CHIPS];
};
static struct version written, other;

static int note(enum journal_state state, struct fault *f)
{
	struct journal_entry e = { .state = state, .id = "the image's", .version = "2" };

	e.version[0] = *written.name;
	return journal_append(&journal, &e, f);
}

static int note_begun(struct fault *f)
{
	return note(JOURNAL_BEGUN, f);
}

static int setup(void **state)
{
	bench_init(&b, EB);
	b.at_begin = note_begun;
	weak_count = 0;
	cut_count = 0;
	dice = 1;
	written = (struct version){ .name = "2" };
	other = (struct version){ .name = "3" };
	return temp_dir_make(state);
}

static int teardown(void **state)
{
	print_message("%u cuts\n", cut_count);
	all_cuts += cut_count;
	for (unsigned int i = 0; i < b.count; i++)
		free(other.data[i]);
	bench_free(&b);
	return temp_dir_remove(state);
}

static uint32_t throw_dice(uint32_t sides)
{
	dice = dice * 1664525 + 1013904223;
	return (dice >> 8) % sides;
}

static void make_weak(struct sim_chip *chip, uint32_t eb, enum sim_what what, enum sim_how how)
{
	weak[weak_count++] = (struct weakness){ chip, eb, what, how };
}

/* The old firmware, on chips that have aged. */
static void restart(void)
{
	bench_restart(&b);
	for (unsigned int i = 0; i < weak_count; i++)
		sim_weaken(weak[i].chip, weak[i].eb, weak[i].what, weak[i].how, SIM_FOR_EVER);
}

/* Adds the journal's chip, with so many records of earlier updates, behind those of the targets. */
static void add_journal(const struct sim_geometry *g, uint32_t records)
{
	struct journal_entry e = { .state = JOURNAL_DONE, .good = true, .version = "1" };
	struct fault f;

	log_chip = sim_add_chip(&b.board, "journal", g);
	for (; e.tries < records; e.tries++) {
		if (journal_read(&journal, &log_chip->target, &f) < 0 ||
		    journal_append(&journal, &e, &f) < 0)
			fail_msg("%s", f.text);
	}
}

/* Nothing but the end of power may be in the way. */
static bool power_is_gone(const char *what, const struct fault *f)
{
	bench_check_rules(&b);
	if (!b.board.off)
		bench_fail(&b, "%s: %s", what, f->text);
	return true;
}

/* Returns whether it came to its end. */
static bool update(void)
{
	struct fault f = { .err = 0 };

	if (journal_read(&journal, &log_chip->target, &f) < 0)
		return !power_is_gone("reading the journal", &f);
	if (bench_run(&b) < 0)
		return !power_is_gone("the update", &b.fault);
	if (note(JOURNAL_DONE, &f) < 0)
		return !power_is_gone("the journal's last record", &f);
	bench_check_rules(&b);
	if (!bench_all_new(&b))
		bench_fail(&b, "an update that is done, and the firmware is not there");
	return true;
}

/* A new firmware has to be said to be good, which nobody does here. */
static bool count_boot(struct fault *f)
{
	struct journal_entry now = journal.last;

	if (now.state != JOURNAL_DONE || now.good)
		return true;
	now.tries++;
	return journal_append(&journal, &now, f) == 0;
}

/* Returns whether there was power for it. */
static bool guard(enum verdict *verdict)
{
	enum start_state start[BENCH_CHIPS];
	char why[VERDICT_WHY];
	struct fault f = { .err = 0 };

	if (journal_read(&journal, &log_chip->target, &f) < 0)
		return !power_is_gone("reading the journal", &f);
	for (unsigned int i = 0; i < b.count; i++) {
		start[i] = START_WHOLE; /* of a volume: it is the UBI's, which has not changed */
		if (b.judge[i]->before_run)
			b.judge[i]->before_run(&b, i);
		if (b.chip[i]->kind != SIM_VOLUME &&
		    start_look(&b.chip[i]->target, b.kind[i] == PAYLOAD_UBI, &start[i], &f) < 0)
			return !power_is_gone("looking at a start", &f);
	}
	*verdict = verdict_of(&journal.last, start, b.count, TRIES, why);
	if (*verdict == VERDICT_BOOT && !count_boot(&f))
		return !power_is_gone("counting the boot", &f);
	return true;
}

static bool all_old(void)
{
	for (unsigned int i = 0; i < b.count; i++)
		if (!b.judge[i]->is_whole_old(&b, i))
			return false;
	return true;
}

/* From here on the other image is what is written, and what is new. */
static void take_the_other(void)
{
	struct version was = written;

	written = other;
	other = was;
	b.image = written.image;
	memcpy(b.new, written.data, sizeof(b.new));
}

static bool all_of_the_other(void)
{
	bool all;

	if (!other.image)
		return false;
	take_the_other();
	all = bench_all_new(&b);
	take_the_other();
	return all;
}

static void check_booted(void)
{
	if (!all_old() && !bench_all_new(&b) && !all_of_the_other())
		bench_fail(&b,
			   "the guard boots what is neither old nor new, with a journal that "
			   "says %d",
			   journal.last.state);
}

/*
 * The machine is switched on. What the guard boots must be whole; if it is the old firmware, its
 * user tries again. Returns whether the power stayed, and then it has the new one.
 */
static bool switch_on(void)
{
	enum verdict verdict;

	if (!guard(&verdict))
		return false;
	if (verdict == VERDICT_FAILED_BOOTS)
		bench_fail(&b, "nobody has booted anything yet");
	if (verdict == VERDICT_CUT)
		return update();
	check_booted();
	return bench_all_new(&b) || update();
}

/* And the power stays. */
static void settle(void)
{
	enum verdict verdict;

	sim_power_cycle(&b.board);
	if (!switch_on())
		bench_fail(&b, "it has power");
	sim_power_cycle(&b.board);
	if (!guard(&verdict) || verdict != VERDICT_BOOT || !bench_all_new(&b))
		bench_fail(&b, "it does not end with the new firmware");
}

/* Which operations of the last run are worth a cut, and in which ways. */
struct plan {
	uint32_t ops;
	bool changes[OPS_MAX];
};

static void take_plan(struct plan *p)
{
	p->ops = b.board.ops;
	assert_true(p->ops <= OPS_MAX);
	for (uint32_t i = 0; i < p->ops; i++)
		p->changes[i] = sim_changes(&b.board.log[i]) || b.board.log[i].what == SIM_SYNC;
}

static void plan_cut(uint32_t op, size_t how)
{
	sim_plan_fault(&b.board, op, cuts[how]);
	b.board.loss = op % 3; /* of a disk's sectors: all, none, some */
	cut_count++;
}

static void ready(void)
{
	if (!b.start)
		bench_ready(&b);
	restart();
	if (!update())
		bench_fail(&b, "it has power");
}

/* An operation that changes nothing need be cut in one way only. */
static void cut_everywhere(void)
{
	struct plan p;

	ready();
	take_plan(&p);
	for (uint32_t op = 0; op < p.ops; op++)
		for (size_t how = 0; how < (p.changes[op] ? CUTS : 1); how++) {
			restart();
			bench_at(&b, "cut %zu at operation %u", how, op);
			plan_cut(op, how);
			assert_false(update());
			settle();
		}
}

/* Every cut of what follows a first one, which has left the chips as they are now. */
static void cut_what_follows(uint32_t one, size_t how_one)
{
	struct sim_snapshot *after_one = sim_save(&b.board);
	struct plan p;

	sim_power_cycle(&b.board);
	assert_true(switch_on());
	take_plan(&p);
	for (uint32_t op = 0; op < p.ops; op++)
		for (size_t how = 0; p.changes[op] && how < CUTS; how++) {
			sim_restore(&b.board, after_one);
			bench_at(&b, "cut %zu at operation %u, then %zu at %u", how_one, one, how,
				 op);
			plan_cut(op, how);
			assert_false(switch_on());
			settle();
		}
	sim_snapshot_free(after_one);
}

static void cut_everywhere_twice(void)
{
	struct plan p;

	ready();
	take_plan(&p);
	for (uint32_t op = 0; op < p.ops; op++)
		for (size_t how = 0; p.changes[op] && how < CUTS; how++) {
			restart();
			plan_cut(op, how);
			assert_false(update());
			cut_what_follows(op, how);
		}
}

/* One cut after the other at random, the same ones every time; late ones as likely as early ones. */
static void cut_in_chains(uint32_t samples)
{
	struct plan p;

	ready();
	take_plan(&p);
	for (uint32_t n = 0; n < samples; n++) {
		bool running;

		restart();
		bench_at(&b, "chain %u", n);
		plan_cut(throw_dice(p.ops), throw_dice(CUTS));
		running = update();
		for (uint32_t left = throw_dice(CHAIN_MAX); left > 0 && !running; left--) {
			sim_power_cycle(&b.board);
			plan_cut(throw_dice(p.ops + p.ops / 8), throw_dice(CUTS));
			running = switch_on();
		}
		settle();
	}
}

static void one_payload(void **state)
{
	bench_add(&b, &nand, 5 * EB - 100);
	add_journal(*state, 0);
	cut_everywhere();
	cut_in_chains(CHAINS);
}

static void on_nor_flash(void **state)
{
	bench_add(&b, &nor, 3 * EB + 5);
	add_journal(*state, 3);
	cut_everywhere();
	cut_in_chains(CHAINS);
}

static void large_payloads(void **state)
{
	bench_add(&b, &large_nor, 11 * EB + 77);
	bench_add(&b, &large_nand, 25 * EB + 1);
	add_journal(*state, 5);
	make_weak(b.chip[1], sim_good(b.chip[1], 9), SIM_ERASE, SIM_FAIL);
	make_weak(b.chip[1], sim_good(b.chip[1], 17), SIM_PROGRAM, SIM_GARBLE);
	cut_everywhere();
	cut_in_chains(CHAINS);
}

static void two_payloads(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	bench_add(&b, &nor, 2 * EB + 100);
	add_journal(*state, 5);
	cut_everywhere();
	cut_in_chains(CHAINS);
}

static void same_first_block(void **state)
{
	bench_add(&b, &nand, 5 * EB);
	bench_add(&b, &nor, 3 * EB);
	bench_old_differs_in(&b, 0, 1 << 2 | 1 << 5);
	bench_old_differs_in(&b, 1, 1 << 1);
	add_journal(*state, 1);
	cut_everywhere();
	cut_in_chains(CHAINS);
}

static void jffs2(void **state)
{
	bench_add(&b, &nand, 2 * EB);
	b.tail[0] = TAIL_JFFS2;
	add_journal(*state, 1);
	cut_everywhere();
	cut_in_chains(CHAINS);
}

static void two_volumes(void **state)
{
	bench_add(&b, &volume, 3 * LEB + 9);
	bench_add(&b, &volume, 2 * LEB);
	add_journal(*state, 1);
	cut_everywhere();
	cut_in_chains(CHAINS);
}

static void kernel_and_volume(void **state)
{
	bench_add(&b, &nand, 2 * EB);
	bench_add(&b, &volume, 2 * LEB);
	add_journal(*state, 1);
	cut_everywhere();
	cut_in_chains(CHAINS);
}

static void disk(void **state)
{
	struct sim_chip *c = sim_add_chip(&b.board, "disk", &first_sector);

	sim_add_region(c, 4, EB);
	bench_add_chip(&b, c, 3 * EB + 100);
	add_journal(*state, 1);
	cut_everywhere();
	cut_in_chains(CHAINS);
}

static void ubi(void **state)
{
	static const uint32_t layout[] = { 1, 4 };

	bench_add(&b, &ubi_nand, 4 * EB);
	add_journal(*state, 2);
	ubi_bench(&b, 0, &ubi_shape, 4, layout);
	cut_everywhere();
	cut_in_chains(CHAINS);
}

/* What goes bad meanwhile: in a target's middle, ... */
static void bad_in_the_middle(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	add_journal(*state, 1);
	make_weak(b.chip[0], sim_good(b.chip[0], 2), SIM_PROGRAM, SIM_FAIL);
	cut_everywhere();
	cut_in_chains(CHAINS);
}

/* ... its start, which moves all that follows, ... */
static void bad_at_the_start(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	add_journal(*state, 1);
	make_weak(b.chip[0], sim_good(b.chip[0], 0), SIM_PROGRAM, SIM_GARBLE);
	cut_everywhere();
	cut_in_chains(CHAINS);
}

static void start_that_refuses_to_be_erased(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	add_journal(*state, 1);
	make_weak(b.chip[0], sim_good(b.chip[0], 0), SIM_ERASE, SIM_REFUSE);
	cut_everywhere();
	cut_in_chains(CHAINS);
}

/* ... or in the journal. */
static void journal_that_cannot_be_erased(void **state)
{
	bench_add(&b, &nand, 3 * EB);
	add_journal(*state, 1);
	make_weak(log_chip, 1, SIM_ERASE, SIM_FAIL);
	cut_everywhere();
	cut_in_chains(CHAINS);
}

static void journal_that_fails_to_be_programmed(void **state)
{
	bench_add(&b, &nand, 3 * EB);
	add_journal(*state, 1);
	make_weak(log_chip, 1, SIM_PROGRAM, SIM_FAIL);
	cut_everywhere();
	cut_in_chains(CHAINS);
}

/* Packs another image, with as many bytes, some of which are the same. */
static void pack_another(void)
{
	for (unsigned int i = 0; i < b.count; i++) {
		other.data[i] = malloc(b.new_len[i]);
		assert_non_null(other.data[i]);
		fill_random(other.data[i], b.new_len[i], 300 + i);
		memcpy(other.data[i], b.new[i], b.new_len[i] / 3);
	}
	memcpy(written.data, b.new, sizeof(written.data));
	memcpy(b.new, other.data, sizeof(b.new));
	bench_ready(&b);
	assert_int_equal(rename(temp_path("new.fwi"), temp_path("other.fwi")), 0);
	memcpy(b.new, written.data, sizeof(b.new));
	bench_pack(&b);
	written.image = "new.fwi";
	other.image = "other.fwi";
}

/*
 * An update is cut, and what is found then is another image. A single eraseblock of NAND has to be
 * trusted for once in that, and not twice in a row: see renew_home() in flash/journal.c.
 */
static void cut_and_take_another(void)
{
	bool twice = log_chip->target.blocks > 1;
	struct plan p;

	pack_another();
	take_the_other();
	ready();
	take_plan(&p);
	for (uint32_t op = 0; op < p.ops; op++)
		for (size_t how = 0; p.changes[op] && how < CUTS; how++) {
			restart();
			bench_at(&b, "cut %zu at operation %u", how, op);
			plan_cut(op, how);
			assert_false(update());
			take_the_other();
			if (twice)
				cut_what_follows(op, how);
			else
				settle();
			take_the_other();
		}
	take_the_other();
}

static void another_image_on_nand(void **state)
{
	bench_add(&b, &small_nand, 2 * EB);
	add_journal(*state, 2);
	cut_and_take_another();
}

static void another_image_on_both(void **state)
{
	bench_add(&b, &small_nor, EB + 10);
	bench_add(&b, &small_nand, EB + 10);
	add_journal(*state, 2);
	cut_and_take_another();
}

static void two_cuts_on_nand(void **state)
{
	bench_add(&b, &small_nand, 2 * EB);
	add_journal(*state, 1);
	cut_everywhere_twice();
}

static void two_cuts_on_nor(void **state)
{
	bench_add(&b, &small_nor, EB + 10);
	add_journal(*state, 3);
	cut_everywhere_twice();
}

static void two_cuts_on_both(void **state)
{
	bench_add(&b, &small_nand, EB + 10);
	bench_add(&b, &small_nor, EB);
	add_journal(*state, 1);
	cut_everywhere_twice();
}

/* The first update of all, and a UBI's volume. */
static void two_cuts_with_a_blank_journal(void **state)
{
	bench_add(&b, &volume, 2 * LEB);
	add_journal(*state, 0);
	cut_everywhere_twice();
}

static int print_sum(void **state)
{
	print_message("%u cuts in all\n", all_cuts);
	return 0;
}

#define journal_test(name, g)                                                  \
	{                                                                      \
#name " " #g, name, setup, teardown, (void *)(uintptr_t) & (g) \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		journal_test(one_payload, on_nand),
		journal_test(one_payload, on_three),
		journal_test(one_payload, on_one),
		journal_test(one_payload, on_nor),
		journal_test(on_nor_flash, on_nor),
		journal_test(two_payloads, on_nand),
		journal_test(two_payloads, on_one),
		journal_test(two_payloads, on_nor),
		journal_test(large_payloads, on_three),
		journal_test(same_first_block, on_nor),
		journal_test(jffs2, on_nand),
		journal_test(two_volumes, on_nand),
		journal_test(kernel_and_volume, on_three),
		journal_test(disk, on_nor),
		journal_test(ubi, on_nand),
		journal_test(bad_in_the_middle, on_nand),
		journal_test(bad_at_the_start, on_nor),
		journal_test(start_that_refuses_to_be_erased, on_nand),
		journal_test(journal_that_cannot_be_erased, on_nand),
		journal_test(journal_that_fails_to_be_programmed, on_nand),
		journal_test(another_image_on_nand, on_nand),
		journal_test(another_image_on_nand, on_one),
		journal_test(another_image_on_nand, on_nor),
		journal_test(another_image_on_both, on_three),
		journal_test(two_cuts_on_nand, on_nand),
		journal_test(two_cuts_on_nand, on_one),
		journal_test(two_cuts_on_nand, on_nor),
		journal_test(two_cuts_on_nor, on_nor),
		journal_test(two_cuts_on_both, on_nand),
		journal_test(two_cuts_on_both, on_nor),
		journal_test(two_cuts_with_a_blank_journal, on_nand),
	};

	return cmocka_run_group_tests(tests, NULL, print_sum);
}
