// SPDX-License-Identifier: GPL-2.0-or-later
/* The engine on flash that fails: every operation of an update goes wrong in turn, once or for long. */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "helpers.h"

enum { EB = 4096, PAGE = 512, BLOCKS = 8 };

static const uint32_t start_and_middle[] = { 0, 4 }, middle_and_end[] = { 3, 7 }, start[] = { 0 };
static const struct sim_geometry nand = { SIM_NAND, EB, PAGE, BLOCKS, start_and_middle, 2 };
static const struct sim_geometry other_nand = { SIM_NAND, EB, PAGE, BLOCKS, middle_and_end, 2 };
static const struct sim_geometry small_nand = { SIM_NAND, EB, PAGE, 5, start, 1 };
static const struct sim_geometry nor = { SIM_NOR, EB, 1, 5, NULL, 0 };
static const struct sim_geometry nor_start = { SIM_NOR, 1024, 1, 4, NULL, 0 };

static struct bench b;

static int setup(void **state)
{
	bench_init(&b, EB);
	return temp_dir_make(state);
}

static int teardown(void **state)
{
	print_message("%u runs\n", b.runs);
	bench_free(&b);
	return temp_dir_remove(state);
}

static const char *const way_names[] = { "fails", "is refused",   "garbles",
					 "flips", "is corrected", "is doubted" };

/* How many operations met the fault, how many runs failed, and how many marked something bad. */
struct tally {
	uint32_t met, failures, marked;
};

/*
 * What is tried again if it fails. What only the driver can tell, it either tells or not: whether an
 * eraseblock is bad, how often ECC failed, and, beforehand, whether there is room in OOB.
 */
static bool is_tried_again(const struct sim_op *op)
{
	return op->what != SIM_IS_BAD && op->what != SIM_ECC &&
	       (op->what != SIM_READ_OOB || b.begun);
}

/* The run goes wrong at an operation. */
static void run_with_fault(struct tally *tally, uint32_t op, enum sim_how how, uint32_t times)
{
	bool happened;
	int result;

	bench_restart(&b);
	bench_at(&b, "operation %u %s %u times", op, way_names[how], times);
	sim_plan_weakness(&b.board, op, how, times);
	result = bench_run(&b);
	happened = sim_faults_happened(&b.board);
	bench_check_outcome(&b, result);
	if (result < 0 && (!happened || (times == 1 && is_tried_again(&b.board.log[op]))))
		bench_fail(&b, "there was no need to fail");
	tally->met += happened;
	tally->failures += result < 0;
	tally->marked += b.newly_bad[0] + b.newly_bad[1] > 0;
	if (result < 0)
		bench_check_mended(&b);
}

static struct tally sweep(enum sim_how how, uint32_t times, uint32_t ops)
{
	struct tally tally = { 0 };

	for (uint32_t op = 0; op < ops; op++)
		run_with_fault(&tally, op, how, times);
	return tally;
}

struct census {
	uint32_t all, reads, reads_with_ecc, oob_reads, changes;
};

/* What there was in the clean run that can go wrong. */
static struct census take_census(void)
{
	struct census c = { .all = b.board.ops };

	for (uint32_t i = 0; i < b.board.ops; i++) {
		const struct sim_op *op = &b.board.log[i];

		c.reads += op->what == SIM_READ;
		c.reads_with_ecc += op->what == SIM_READ && b.chip[op->chip]->kind == SIM_NAND;
		c.oob_reads += op->what == SIM_READ_OOB;
		c.changes += sim_changes(op);
	}
	return c;
}

/* One fault, and all is well with the operation when it is tried again. */
static void once(const struct census *c, enum sim_how how, uint32_t want_met)
{
	struct tally tally = sweep(how, 1, c->all);

	bench_at(&b, "an operation %s once", way_names[how]);
	if (tally.met != want_met || tally.marked || (tally.failures && how > SIM_REFUSE))
		bench_fail(&b, "%u faults of %u, %u failures, %u runs marked bad ones", tally.met,
			   want_met, tally.failures, tally.marked);
}

static void every_operation_once(void)
{
	struct census c = take_census();

	once(&c, SIM_FAIL, c.all);
	once(&c, SIM_REFUSE, c.all);
	once(&c, SIM_GARBLE, c.reads_with_ecc + c.changes);
	once(&c, SIM_FLIP, c.reads + c.oob_reads);
	once(&c, SIM_CORRECT, c.reads_with_ecc);
	once(&c, SIM_DOUBT, c.reads_with_ecc);
}

/* The same operation on the same eraseblock goes wrong again, a few times or every time. */
static void every_operation_weak(bool marks)
{
	static const uint32_t times[] = { 2, 3, 4, 7, SIM_FOR_EVER };
	struct census c = take_census();
	uint32_t marked = 0;

	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++)
		for (enum sim_how how = SIM_FAIL; how <= SIM_DOUBT; how++)
			if (how != SIM_CORRECT)
				marked += sweep(how, times[i], c.all).marked;
	if (marks != (marked > 0))
		bench_fail(&b, "%u runs marked bad ones", marked);
}

static void clean_run(void)
{
	bench_restart(&b);
	bench_run_well(&b);
}

static void every_operation(bool marks)
{
	bench_ready(&b);
	clean_run();
	every_operation_once();
	clean_run();
	every_operation_weak(marks);
}

static void bad_at_the_start_and_in_the_middle(void **state)
{
	bench_add(&b, &nand, 4 * EB - 100);
	every_operation(true);
}

static void bad_in_the_middle_and_at_the_end(void **state)
{
	bench_add(&b, &other_nand, 4 * EB);
	every_operation(true);
}

static void nothing_to_spare(void **state)
{
	bench_add(&b, &small_nand, 4 * EB - 10);
	every_operation(false);
}

static void on_nor(void **state)
{
	bench_add(&b, &nor, 3 * EB + 5);
	every_operation(false);
}

static void on_nor_with_regions(void **state)
{
	struct sim_chip *c = sim_add_chip(&b.board, "rootfs", &nor_start);

	sim_add_region(c, 3, EB);
	bench_add_chip(&b, c, 4 * 1024 + EB + 700);
	every_operation(false);
}

static void two_payloads(void **state)
{
	bench_add(&b, &small_nand, 2 * EB);
	bench_add(&b, &nor, 2 * EB + 100);
	every_operation(true);
}

static void two_payloads_on_nand(void **state)
{
	bench_add(&b, &small_nand, 2 * EB);
	bench_add(&b, &small_nand, EB + 100);
	every_operation(true);
}

static void small_difference(void **state)
{
	bench_add(&b, &nand, 5 * EB);
	bench_add(&b, &nor, 3 * EB);
	bench_old_differs_in(&b, 0, 1 << 2);
	bench_old_differs_in(&b, 1, 1 << 1);
	every_operation(true);
}

static void identical_firmware(void **state)
{
	bench_add(&b, &nand, 5 * EB);
	bench_old_differs_in(&b, 0, 0);
	every_operation(true);
}

static void kept_tail(void **state)
{
	bench_add(&b, &nand, 2 * EB);
	b.tail[0] = TAIL_KEEP;
	every_operation(true);
}

static void cleanmarkers(void **state)
{
	bench_add(&b, &nand, 2 * EB);
	b.tail[0] = TAIL_JFFS2;
	every_operation(true);
}

static void cleanmarkers_on_nor(void **state)
{
	bench_add(&b, &nor, 2 * EB);
	b.tail[0] = TAIL_JFFS2;
	every_operation(false);
}

/* From a pipe nothing can be read again; the verdict is the same. */
static void from_a_pipe(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	b.from_pipe = true;
	every_operation(true);
}

/* Each eraseblock in turn cannot be relied on, and to mark it fails as well, once or every time. */
static void marking_fails(void **state)
{
	static const enum sim_what kinds[] = { SIM_ERASE, SIM_PROGRAM, SIM_READ };
	uint32_t failures = 0;

	bench_add(&b, &nand, 4 * EB - 100);
	bench_ready(&b);
	for (uint32_t n = 0; n < 3 * 4 * 2 * 2 * BLOCKS; n++) {
		enum sim_what what = kinds[n % 3];
		enum sim_how how = n / 3 % 4, mark_how = n / 12 % 2;
		uint32_t times = n / 24 % 2 ? SIM_FOR_EVER : 1, eb = n / 48;
		int result;

		bench_restart(&b);
		bench_at(&b, "run %u", n);
		sim_weaken(b.chip[0], eb, what, how, SIM_FOR_EVER);
		sim_weaken(b.chip[0], eb, SIM_MARK_BAD, mark_how, times);
		result = bench_run(&b);
		bench_check_outcome(&b, result);
		failures += result < 0;
		if (result < 0)
			bench_check_mended(&b);
	}
	assert_true(failures > 0);
}

/* Bytes that are right by chance are not proven: the eraseblock is written again, or given up. */
static void doubt_is_no_proof(void **state)
{
	bench_add(&b, &nand, 4 * EB);
	bench_ready(&b);
	for (uint32_t nth = 0; nth < 6; nth++) {
		bench_restart(&b);
		sim_weaken(b.chip[0], sim_good(b.chip[0], nth), SIM_READ, SIM_DOUBT, SIM_FOR_EVER);
		bench_run_well(&b);
		assert_int_equal(b.newly_bad[0], 1);
	}
}

static void counts_retries_and_corrections(void **state)
{
	uint32_t op = 0;

	bench_add(&b, &nand, 4 * EB);
	bench_ready(&b);
	clean_run();
	while (b.board.log[op].what != SIM_PROGRAM)
		op++;
	bench_restart(&b);
	sim_plan_fault(&b.board, op, SIM_FAIL);
	bench_run_well(&b);
	assert_int_equal(b.counts[0].retried, 1);
	assert_int_equal(b.counts[0].flips, 0);
	bench_restart(&b);
	while (b.board.log[op].what != SIM_READ)
		op++;
	sim_plan_fault(&b.board, op, SIM_CORRECT);
	bench_run_well(&b);
	assert_int_equal(b.counts[0].retried, 0);
	assert_int_equal(b.counts[0].flips, 1);
}

#define sim_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		sim_test(bad_at_the_start_and_in_the_middle),
		sim_test(bad_in_the_middle_and_at_the_end),
		sim_test(nothing_to_spare),
		sim_test(on_nor),
		sim_test(on_nor_with_regions),
		sim_test(two_payloads),
		sim_test(two_payloads_on_nand),
		sim_test(small_difference),
		sim_test(identical_firmware),
		sim_test(kept_tail),
		sim_test(cleanmarkers),
		sim_test(cleanmarkers_on_nor),
		sim_test(from_a_pipe),
		sim_test(marking_fails),
		sim_test(doubt_is_no_proof),
		sim_test(counts_retries_and_corrections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
