// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The claim of recovery, without a journal: wherever the power goes, however often, and whatever it
 * tears, what the guard boots by the look of the targets' starts is a whole firmware, old or new;
 * and once the power stays, it is the new one.
 */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "bytes.h"
#include "helpers.h"
#include "ubi_image.h"
#include "verdict.h"

enum { EB = 4096, PAGE = 512, OPS_MAX = 4096, CHAINS = 500, CHAIN_MAX = 14 };

static const uint32_t bad[] = { 0, 4 }, first[] = { 0 };
static const struct sim_geometry nand = { SIM_NAND, EB, PAGE, 8, bad, 2 };
static const struct sim_geometry large_nand = { SIM_NAND, EB, PAGE, 40, bad, 2 };
static const struct sim_geometry small_nand = { SIM_NAND, EB, PAGE, 4, first, 1 };
static const struct sim_geometry nor = { SIM_NOR, EB, 1, 5, NULL, 0 };
static const struct sim_geometry small_nor = { SIM_NOR, EB, 1, 2, NULL, 0 };
static const struct sim_geometry word_nor = { SIM_NOR, EB, 16, 4, NULL, 0 };
static const struct sim_geometry first_sector = { SIM_BLOCK, PAGE, PAGE, 1, NULL, 0 };
static const struct sim_geometry ubi_nand = { SIM_NAND, EB, PAGE, 9, bad, 2 };
static const struct ubi_shape ubi_shape = { PAGE, 2 * PAGE };

/* The last of them is what only stamps tell from a whole one. */
static const enum sim_how cuts[] = { SIM_CUT_BEFORE, SIM_CUT_EARLY, SIM_CUT,
				     SIM_CUT_LATE,   SIM_CUT_AFTER, SIM_CUT_WEAK };
enum { CUTS = sizeof(cuts) / sizeof(*cuts) };

static struct bench b;
static uint32_t cut_count, all_cuts, boots_of_old, boots_of_new, found_cut, dice;

static struct weakness {
	unsigned int chip;
	uint32_t nth;
	enum sim_what what;
	enum sim_how how;
} weak[2];
static unsigned int weak_count;

static int setup(void **state)
{
	bench_init(&b, EB);
	weak_count = 0;
	cut_count = 0;
	dice = 1;
	return temp_dir_make(state);
}

static int teardown(void **state)
{
	print_message("%u cuts\n", cut_count);
	all_cuts += cut_count;
	bench_free(&b);
	return temp_dir_remove(state);
}

static uint32_t throw_dice(uint32_t sides)
{
	dice = dice * 1664525 + 1013904223;
	return (dice >> 8) % sides;
}

static void make_weak(unsigned int chip, uint32_t nth, enum sim_what what, enum sim_how how)
{
	weak[weak_count++] = (struct weakness){ chip, nth, what, how };
}

/* The old firmware, on chips that have aged. */
static void restart(void)
{
	bench_restart(&b);
	for (unsigned int i = 0; i < weak_count; i++)
		sim_weaken(b.chip[weak[i].chip], sim_good(b.chip[weak[i].chip], weak[i].nth),
			   weak[i].what, weak[i].how, SIM_FOR_EVER);
}

/* With stamps, not even what reads right only for now. */
static bool is_reliable(unsigned int i)
{
	struct sim_chip *c = b.chip[i];

	if (c->kind != SIM_NAND || b.kind[i] == PAYLOAD_UBI)
		return true;
	for (uint32_t eb = 0; eb < c->target.blocks; eb++)
		if (!c->block[eb].bad && !sim_is_sound(c, eb))
			return false;
	return true;
}

static bool all_old(void)
{
	for (unsigned int i = 0; i < b.count; i++)
		if (!b.judge[i]->is_whole_old(&b, i) || !is_reliable(i))
			return false;
	return true;
}

/* A UBI is whole with one copy of its volume table, of which the kernel makes another. */
static bool all_new(void)
{
	for (unsigned int i = 0; i < b.count; i++) {
		bool whole = b.kind[i] == PAYLOAD_UBI ? b.judge[i]->is_whole_new(&b, i)
						      : b.judge[i]->is_new(&b, i);

		if (!whole || !is_reliable(i))
			return false;
	}
	return true;
}

/* Returns whether it came to its end; nothing but the end of power may be in the way. */
static bool update(void)
{
	int result = bench_run(&b);

	bench_check_rules(&b);
	if (result == 0 && !all_new())
		bench_fail(&b, "an update that is done, and the firmware is not there");
	if (result < 0 && !b.board.off)
		bench_fail(&b, "the update: %s", b.fault.text);
	return result == 0;
}

/* Returns whether there was power for it. */
static bool guard(enum verdict *verdict)
{
	enum start_state start[BENCH_CHIPS];
	char why[VERDICT_WHY];
	struct fault f;

	for (unsigned int i = 0; i < b.count; i++) {
		uint32_t before = b.board.ops;

		if (b.judge[i]->before_run)
			b.judge[i]->before_run(&b, i);
		if (start_look(&b.chip[i]->target, b.kind[i] == PAYLOAD_UBI, &start[i], &f) < 0) {
			if (!b.board.off)
				bench_fail(&b, "looking at a start: %s", f.text);
			return false;
		}
		if (b.board.off)
			return false;
		while (before < b.board.ops)
			assert_false(sim_changes(&b.board.log[before++]));
	}
	*verdict = verdict_of(NULL, start, b.count, 3, why);
	return true;
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
	if (verdict != VERDICT_BOOT) {
		assert_int_equal(verdict, VERDICT_CUT);
		found_cut++;
		return update();
	}
	if (all_new()) {
		boots_of_new++;
		return true;
	}
	if (!all_old())
		bench_fail(&b, "the guard boots what is neither old nor new");
	boots_of_old++;
	return update();
}

/* And the power stays. */
static void settle(void)
{
	enum verdict verdict;

	sim_power_cycle(&b.board);
	if (!switch_on())
		bench_fail(&b, "it has power");
	sim_power_cycle(&b.board);
	if (!guard(&verdict) || verdict != VERDICT_BOOT || !all_new())
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
	enum verdict verdict;

	if (!b.start)
		bench_ready(&b);
	restart();
	if (!guard(&verdict) || verdict != VERDICT_BOOT)
		bench_fail(&b, "the old firmware is whole");
	sim_power_cycle(&b.board);
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

static void cut_in_all_ways(void)
{
	cut_everywhere();
	cut_in_chains(CHAINS);
}

static void add_disk(size_t new_len)
{
	struct sim_chip *c = sim_add_chip(&b.board, "disk", &first_sector);

	sim_add_region(c, 4, EB);
	bench_add_chip(&b, c, new_len);
}

static void one_payload(void **state)
{
	bench_add(&b, &nand, 5 * EB - 100);
	cut_in_all_ways();
}

static void large_chip(void **state)
{
	bench_add(&b, &large_nand, 33 * EB - 100);
	cut_in_all_ways();
}

static void one_block(void **state)
{
	bench_add(&b, &nand, 100);
	cut_in_all_ways();
}

static void from_a_pipe(void **state)
{
	bench_add(&b, &nand, 5 * EB);
	b.from_pipe = true;
	cut_in_all_ways();
}

static void on_nor(void **state)
{
	bench_add(&b, &nor, 3 * EB + 5);
	cut_in_all_ways();
}

/* Which programs 16 bytes at once, or none. */
static void on_nor_with_words(void **state)
{
	bench_add(&b, &word_nor, 3 * EB);
	cut_in_all_ways();
}

static void on_disk(void **state)
{
	add_disk(3 * EB + 100);
	cut_in_all_ways();
}

static void ubi(void **state)
{
	static const uint32_t layouts[][2] = { { 0, 1 }, { 1, 4 }, { 5, 0 } };

	for (size_t i = 0; i < 3; i++) {
		bench_add(&b, &ubi_nand, 4 * EB);
		ubi_bench(&b, 0, &ubi_shape, 4, layouts[i]);
		cut_in_all_ways();
		bench_free(&b);
		bench_init(&b, EB);
	}
}

static void jffs2(void **state)
{
	bench_add(&b, &nand, 2 * EB);
	b.tail[0] = TAIL_JFFS2;
	cut_in_all_ways();
}

/* A JFFS2 in use that has its first eraseblock free: it is blank, but for a marker. */
static void jffs2_with_a_free_start(void **state)
{
	static const uint8_t marker[] = { 0x85, 0x19, 0x03, 0x20, 8, 0, 0, 0 };

	bench_add(&b, &nand, 3 * EB);
	bench_ready(&b);
	sim_factory_block(b.chip[0], sim_good(b.chip[0], 0), NULL, 0);
	memcpy(sim_oob(b.chip[0], sim_good(b.chip[0], 0)), marker, sizeof(marker));
	bench_pack(&b);
	cut_in_all_ways();
}

/* The engine wrote the old one, too, and has stamped it. */
static void old_with_stamps(void **state)
{
	uint8_t *oob;

	bench_add(&b, &nand, 3 * EB);
	bench_ready(&b);
	oob = sim_oob(b.chip[0], sim_good(b.chip[0], 0));
	memcpy(oob, "FIpn", 4);
	memcpy(oob + (size_t)(EB / PAGE - 1) * b.chip[0]->oob_size, "FIdn", 4);
	bench_pack(&b);
	cut_in_all_ways();
}

/* Several targets: all old or all new. */
static void two_payloads(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	bench_add(&b, &nor, 2 * EB + 100);
	cut_in_all_ways();
}

static void two_payloads_nor_first(void **state)
{
	bench_add(&b, &nor, 2 * EB + 100);
	bench_add(&b, &nand, 4 * EB);
	cut_in_all_ways();
}

static void two_payloads_on_nand(void **state)
{
	bench_add(&b, &small_nand, 3 * EB);
	bench_add(&b, &small_nand, 2 * EB);
	cut_in_all_ways();
}

static void same_first_block(void **state)
{
	bench_add(&b, &nand, 5 * EB);
	bench_add(&b, &nor, 3 * EB);
	bench_old_differs_in(&b, 0, 1 << 2 | 1 << 5);
	bench_old_differs_in(&b, 1, 1 << 1);
	cut_in_all_ways();
}

/* Nothing but the starts is touched, and there is no moment with one old and one new. */
static void only_the_first_block_differs(void **state)
{
	bench_add(&b, &nand, 5 * EB);
	bench_add(&b, &nand, 3 * EB);
	bench_old_differs_in(&b, 0, 1);
	bench_old_differs_in(&b, 1, 1);
	cut_in_all_ways();
}

static void one_of_two_differs(void **state)
{
	bench_add(&b, &nand, 3 * EB);
	bench_add(&b, &nor, 3 * EB);
	bench_old_differs_in(&b, 0, 0);
	bench_old_differs_in(&b, 1, 1);
	cut_in_all_ways();
}

static void disk_and_nand(void **state)
{
	add_disk(2 * EB);
	bench_add(&b, &nand, 2 * EB);
	cut_in_all_ways();
}

static void ubi_and_kernel(void **state)
{
	static const uint32_t layout[] = { 3, 1 };

	bench_add(&b, &ubi_nand, 4 * EB);
	bench_add(&b, &small_nand, 2 * EB);
	sim_factory_fill(b.chip[1], b.old[1], b.old_len[1]);
	ubi_bench(&b, 0, &ubi_shape, 4, layout);
	cut_in_all_ways();
}

/* Eraseblocks that go bad meanwhile. */
static void bad_in_the_middle(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	make_weak(0, 2, SIM_PROGRAM, SIM_FAIL);
	cut_in_all_ways();
}

static void start_that_cannot_be_erased(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	make_weak(0, 0, SIM_ERASE, SIM_FAIL);
	cut_in_all_ways();
}

/* It keeps the old firmware's start for as long as it is not marked. */
static void start_that_refuses_to_be_erased(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	make_weak(0, 0, SIM_ERASE, SIM_REFUSE);
	cut_in_all_ways();
}

static void two_starts_that_refuse_to_be_erased(void **state)
{
	bench_add(&b, &nand, 2 * EB);
	make_weak(0, 0, SIM_ERASE, SIM_REFUSE);
	make_weak(0, 1, SIM_ERASE, SIM_REFUSE);
	cut_in_all_ways();
}

static void start_that_cannot_be_committed(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	make_weak(0, 0, SIM_PROGRAM, SIM_FAIL);
	cut_in_all_ways();
}

static void start_that_reads_back_wrong(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	make_weak(0, 0, SIM_PROGRAM, SIM_GARBLE);
	cut_in_all_ways();
}

static void shift_from_a_pipe(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	b.from_pipe = true;
	make_weak(0, 0, SIM_PROGRAM, SIM_FAIL);
	cut_in_all_ways();
}

static void shift_of_the_second_payload(void **state)
{
	bench_add(&b, &nor, 2 * EB);
	bench_add(&b, &nand, 3 * EB);
	make_weak(1, 0, SIM_PROGRAM, SIM_FAIL);
	cut_in_all_ways();
}

static void two_cuts_on_nand(void **state)
{
	bench_add(&b, &small_nand, 2 * EB);
	cut_everywhere_twice();
}

static void two_cuts_on_nor(void **state)
{
	bench_add(&b, &small_nor, EB + 10);
	cut_everywhere_twice();
}

static void two_cuts_on_both(void **state)
{
	bench_add(&b, &small_nand, EB + 10);
	bench_add(&b, &small_nor, EB + 10);
	cut_everywhere_twice();
}

static void two_cuts_of_two_starts(void **state)
{
	bench_add(&b, &small_nand, 2 * EB);
	bench_add(&b, &small_nand, 2 * EB);
	bench_old_differs_in(&b, 0, 1);
	bench_old_differs_in(&b, 1, 1);
	cut_everywhere_twice();
}

static void two_cuts_and_a_start_that_goes_bad(void **state)
{
	bench_add(&b, &nand, EB + 10);
	make_weak(0, 0, SIM_ERASE, SIM_REFUSE);
	cut_everywhere_twice();
}

static void two_cuts_on_disk(void **state)
{
	add_disk(EB + 700);
	cut_everywhere_twice();
}

static void two_cuts_of_ubi(void **state)
{
	static const uint32_t layout[] = { 3, 1 };

	bench_add(&b, &ubi_nand, 3 * EB);
	ubi_bench(&b, 0, &ubi_shape, 3, layout);
	cut_everywhere_twice();
}

/* Chips that cannot have stamps are written all the same, and people are told. */
static void run_unstamped(const char *note)
{
	struct sim_chip *c = b.chip[0];

	bench_ready(&b);
	bench_run_well(&b);
	assert_int_equal(b.notes, 1);
	assert_non_null(strstr(b.note, note));
	assert_int_equal(b.newly_bad[0], 0);
	for (uint32_t eb = 0; eb < c->target.blocks; eb++)
		assert_true(all_ff(sim_oob(c, eb), c->oob_size));
	sim_power_cycle(&b.board);
	bench_run_well(&b);
	assert_false(b.begun);
	assert_int_equal(b.notes, 0);
}

static void no_stamps_on_mlc(void **state)
{
	bench_add(&b, &nand, 3 * EB);
	b.chip[0]->target.one_write = true;
	run_unstamped("several bits to a cell");
	assert_int_equal(sim_count(&b.board, SIM_WRITE_OOB), 0);
}

static void no_stamps_without_room(void **state)
{
	struct sim_chip *c = sim_add_chip(&b.board, "rootfs", &nand);

	sim_set_oob(c, 3);
	bench_add_chip(&b, c, 3 * EB);
	run_unstamped("no free bytes");
}

static void no_stamps_under_ecc(void **state)
{
	bench_add(&b, &nand, 3 * EB);
	b.chip[0]->oob_has_ecc = true;
	run_unstamped("it reads back only so");
}

/* What nandwrite wrote has no stamps, and is not written again for that. */
static void whole_without_stamps(void **state)
{
	enum verdict verdict;

	bench_add(&b, &nand, 3 * EB);
	bench_old_differs_in(&b, 0, 0);
	bench_ready(&b);
	assert_true(guard(&verdict));
	assert_int_equal(verdict, VERDICT_BOOT);
	bench_run_well(&b);
	assert_false(b.begun);
}

static int print_sum(void **state)
{
	print_message("%u cuts in all; the guard found %u, and booted %u times the old firmware, "
		      "%u times the new one\n",
		      all_cuts, found_cut, boots_of_old, boots_of_new);
	return !(found_cut && boots_of_old && boots_of_new);
}

#define sim_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		sim_test(one_payload),
		sim_test(large_chip),
		sim_test(one_block),
		sim_test(from_a_pipe),
		sim_test(on_nor),
		sim_test(on_nor_with_words),
		sim_test(on_disk),
		sim_test(ubi),
		sim_test(jffs2),
		sim_test(jffs2_with_a_free_start),
		sim_test(old_with_stamps),
		sim_test(two_payloads),
		sim_test(two_payloads_nor_first),
		sim_test(two_payloads_on_nand),
		sim_test(same_first_block),
		sim_test(only_the_first_block_differs),
		sim_test(one_of_two_differs),
		sim_test(disk_and_nand),
		sim_test(ubi_and_kernel),
		sim_test(bad_in_the_middle),
		sim_test(start_that_cannot_be_erased),
		sim_test(start_that_refuses_to_be_erased),
		sim_test(two_starts_that_refuse_to_be_erased),
		sim_test(start_that_cannot_be_committed),
		sim_test(start_that_reads_back_wrong),
		sim_test(shift_from_a_pipe),
		sim_test(shift_of_the_second_payload),
		sim_test(two_cuts_on_nand),
		sim_test(two_cuts_on_nor),
		sim_test(two_cuts_on_both),
		sim_test(two_cuts_of_two_starts),
		sim_test(two_cuts_and_a_start_that_goes_bad),
		sim_test(two_cuts_on_disk),
		sim_test(two_cuts_of_ubi),
		sim_test(no_stamps_on_mlc),
		sim_test(no_stamps_without_room),
		sim_test(no_stamps_under_ecc),
		sim_test(whole_without_stamps),
	};

	return cmocka_run_group_tests(tests, NULL, print_sum);
}
