// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "eraseblock.h"
#include "helpers.h"
#include "simflash.h"

enum { EB = 8192, PAGE = 512 };

static const struct sim_geometry nand = { SIM_NAND, EB, PAGE, 3, NULL, 0 };
static const struct sim_geometry nor = { SIM_NOR, EB, 1, 3, NULL, 0 };

static bool no_memory;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
	if (!no_memory)
		return __real_malloc(size);
	errno = ENOMEM;
	return NULL;
}

static struct sim_board board;
static struct sim_chip *chip;
static struct target *t;
static struct block_buffers buffers;
static uint8_t data[EB];
static struct fault f;

static int setup(void **state)
{
	sim_board_init(&board);
	chip = sim_add_chip(&board, "chip", &nand);
	t = &chip->target;
	fill_random(data, sizeof(data), 1);
	sim_factory_fill(chip, data, EB);
	return block_buffers_init(&buffers, EB);
}

static int teardown(void **state)
{
	block_buffers_free(&buffers);
	assert_int_equal(board.breaches, 0);
	sim_board_free(&board);
	return 0;
}

static void use_nor(void)
{
	chip = sim_add_chip(&board, "nor", &nor);
	t = &chip->target;
}

static int erase_and_program(void)
{
	if (block_erase(t, 1, &buffers, &f) < 0)
		return -1;
	return block_program(t, 1, data, t->eraseblock, &buffers, &f);
}

static void buffers_without_memory(void **state)
{
	struct block_buffers b;

	no_memory = true;
	assert_int_equal(block_buffers_init(&b, EB), -1);
	no_memory = false;
	assert_int_equal(errno, ENOMEM);
	block_buffers_free(&b);
}

static void holds(void **state)
{
	assert_int_equal(block_holds(t, 0, data, EB, &buffers, &f), 1);
	assert_int_equal(block_holds(t, 1, data, EB, &buffers, &f), 0);
	for (uint32_t at = 0; at < EB; at += 100) {
		data[at] ^= 1;
		assert_int_equal(block_holds(t, 0, data, EB, &buffers, &f), 0);
		data[at] ^= 1;
	}
	data[EB - 1] ^= 0x80;
	assert_int_equal(block_holds(t, 0, data, EB, &buffers, &f), 0);
}

/* A difference at the start costs one small read, and one at the end costs no more than a match. */
static void stops_at_the_first_difference(void **state)
{
	uint32_t bytes = 0;

	data[0] ^= 1;
	assert_int_equal(block_holds(t, 0, data, EB, &buffers, &f), 0);
	assert_int_equal(sim_count(&board, SIM_READ), 1);
	for (uint32_t i = 0; i < board.ops; i++)
		if (board.log[i].what == SIM_READ)
			bytes += board.log[i].len;
	assert_int_equal(bytes, PAGE);
	data[0] ^= 1;
	sim_power_cycle(&board);
	assert_int_equal(block_holds(t, 0, data, EB, &buffers, &f), 1);
	assert_true(sim_count(&board, SIM_READ) <= 6);
}

static void uncorrectable_is_not_held(void **state)
{
	/* The first read comes after a look at the statistics; here the bytes are right after all. */
	for (uint32_t op = 1; op < 5; op++) {
		sim_power_cycle(&board);
		sim_plan_fault(&board, op, SIM_GARBLE);
		assert_int_equal(block_holds(t, 0, data, EB, &buffers, &f), 0);
		assert_true(sim_faults_happened(&board));
	}
	assert_int_equal(block_holds(t, 0, data, EB, &buffers, &f), 1);
}

/* Data that reads right, while ECC says that it could not be corrected, is not to be trusted. */
static int quiet_read(struct target *target, uint32_t eb, uint32_t offset, void *buf, uint32_t len,
		      struct fault *fault)
{
	memcpy(buf, sim_cells(chip, eb) + offset, len);
	chip->ecc.failed++;
	return 0;
}

static void ecc_counts_though_the_bytes_are_right(void **state)
{
	struct target_ops ops = *t->ops;

	ops.read = quiet_read;
	t->ops = &ops;
	assert_int_equal(block_holds(t, 0, data, EB, &buffers, &f), 0);
	assert_int_equal(block_program(t, 1, data, EB, &buffers, &f), -1);
	assert_fault(&f, FAULT_FLASH, "chip: eraseblock 1 reads back with");
	assert_fault(&f, FAULT_FLASH, "uncorrectable pages");
	assert_int_equal(block_erase(t, 2, &buffers, &f), -1);
	assert_fault(&f, FAULT_FLASH, "eraseblock 2");
}

static void unreadable_is_not_held(void **state)
{
	for (uint32_t op = 0; op < 7; op++) {
		sim_power_cycle(&board);
		sim_plan_fault(&board, op, SIM_FAIL);
		assert_int_equal(block_holds(t, 0, data, EB, &buffers, &f), 0);
	}
}

static void counts_corrected_bits(void **state)
{
	sim_plan_fault(&board, 1, SIM_CORRECT);
	sim_plan_fault(&board, 2, SIM_CORRECT);
	assert_int_equal(block_holds(t, 0, data, EB, &buffers, &f), 1);
	assert_int_equal(buffers.corrected, 2);
	chip->ecc.corrected =
		UINT32_MAX; /* the kernel's counter may overflow: only differences count */
	sim_power_cycle(&board);
	sim_plan_fault(&board, 1, SIM_CORRECT);
	assert_int_equal(block_holds(t, 0, data, EB, &buffers, &f), 1);
	assert_int_equal(buffers.corrected, 3);
}

static void erases(void **state)
{
	assert_int_equal(block_erase(t, 0, &buffers, &f), 0);
	assert_true(sim_is_blank(chip, 0));
}

static void erase_fails(void **state)
{
	sim_plan_fault(&board, 0, SIM_FAIL);
	assert_int_equal(block_erase(t, 0, &buffers, &f), -1);
	assert_fault(&f, FAULT_FLASH, "eraseblock 0: erase fails");
}

static void erase_is_proven(void **state)
{
	sim_plan_fault(&board, 0, SIM_GARBLE);
	assert_int_equal(block_erase(t, 0, &buffers, &f), -1);
	assert_fault(&f, FAULT_FLASH, "eraseblock 0 reads back wrong near byte");
}

static void programs(void **state)
{
	assert_int_equal(block_program(t, 1, data, EB, &buffers, &f), 0);
	assert_memory_equal(sim_cells(chip, 1), data, EB);
	assert_int_equal(sim_count(&board, SIM_PROGRAM), 1);
	assert_int_equal(sim_count(&board, SIM_ERASE), 0);
}

static void program_is_proven(void **state)
{
	sim_plan_fault(&board, 0, SIM_GARBLE);
	assert_int_equal(block_program(t, 1, data, EB, &buffers, &f), -1);
	assert_fault(&f, FAULT_FLASH, "eraseblock 1 reads back wrong near byte");
}

/* The bits of blank say which pages are all 0xFF: every pattern, by the fewest programs. */
static void leaves_blank_pages_out(void **state)
{
	for (uint32_t blank = 0; blank < 1 << 16; blank += blank < 256 ? 1 : 251) {
		uint32_t runs = 0;

		fill_random(data, EB, 2);
		for (uint32_t page = 0; page < 16; page++) {
			if (blank >> page & 1)
				memset(data + page * PAGE, 0xff, PAGE);
			else
				runs += page == 0 || blank >> (page - 1) & 1;
		}
		sim_power_cycle(&board);
		assert_int_equal(erase_and_program(), 0);
		assert_int_equal(sim_count(&board, SIM_PROGRAM), runs);
		assert_memory_equal(sim_cells(chip, 1), data, EB);
	}
}

/* NOR takes single bytes: holes shorter than 512 bytes are not worth two calls. */
static void nor_runs(void **state)
{
	use_nor();
	memset(data + 100, 0xff, 400);
	memset(data + 1024, 0xff, 1024);
	memset(data + EB - 512, 0xff, 512);
	assert_int_equal(erase_and_program(), 0);
	assert_memory_equal(sim_cells(chip, 1), data, EB);
	assert_int_equal(sim_count(&board, SIM_PROGRAM), 2);
}

static void odd_geometry(void **state)
{
	static const struct sim_geometry odd = { SIM_NOR, 1536 + 192, 192, 2, NULL, 0 };

	chip = sim_add_chip(&board, "odd", &odd);
	t = &chip->target;
	memset(data + 192, 0xff, 192);
	assert_int_equal(erase_and_program(), 0);
	assert_memory_equal(sim_cells(chip, 1), data, odd.eraseblock);
	assert_int_equal(block_holds(t, 1, data, odd.eraseblock, &buffers, &f), 1);
}

static void write_fails_at_each_step(void **state)
{
	uint32_t ops;

	assert_int_equal(erase_and_program(), 0);
	ops = board.ops;
	for (uint32_t op = 0; op < ops; op++) {
		sim_power_cycle(&board);
		sim_plan_fault(&board, op, SIM_FAIL);
		assert_int_equal(erase_and_program(), -1);
		/* what the driver's statistics do is not the eraseblock's doing */
		assert_int_equal(f.kind,
				 board.log[op].what == SIM_ECC ? FAULT_FAILED : FAULT_FLASH);
	}
	sim_power_cycle(&board);
	assert_int_equal(erase_and_program(), 0);
}

/* On NOR the first byte comes when all the rest is proven; in the wrong order it fails. */
static void commit_ends_with_the_start(void **state)
{
	uint32_t last = 0;

	use_nor();
	assert_int_equal(block_commit(t, 1, data, EB, &buffers, &f), 0);
	assert_memory_equal(sim_cells(chip, 1), data, EB);
	for (uint32_t i = 0; i < board.ops; i++)
		if (board.log[i].what == SIM_PROGRAM)
			last = i;
	assert_int_equal(board.log[last].offset, 0);
	assert_int_equal(board.log[last].len, 1);
	assert_int_equal(board.log[last - 1].what, SIM_ECC); /* the end of the proof before it */
	for (uint32_t op = 0; op < last; op++) {
		assert_int_equal(block_erase(t, 1, &buffers, &f), 0);
		sim_power_cycle(&board);
		sim_plan_fault(&board, op, SIM_FAIL);
		assert_int_equal(block_commit(t, 1, data, EB, &buffers, &f), -1);
		assert_int_equal(sim_cells(chip, 1)[0], 0xff);
		sim_power_cycle(&board);
	}
}

static void commit_of_a_short_start(void **state)
{
	static const struct sim_geometry small = { SIM_NOR, 256, 1, 2, NULL, 0 };

	chip = sim_add_chip(&board, "small", &small);
	t = &chip->target;
	assert_int_equal(block_commit(t, 1, data, 256, &buffers, &f), 0);
	assert_memory_equal(sim_cells(chip, 1), data, 256);
}

/* NAND has to be programmed from its first page on. */
static void commit_on_nand_is_in_order(void **state)
{
	assert_int_equal(block_commit(t, 1, data, EB, &buffers, &f), 0);
	assert_int_equal(sim_count(&board, SIM_PROGRAM), 1);
	assert_memory_equal(sim_cells(chip, 1), data, EB);
}

static void torture_of_a_sound_one(void **state)
{
	assert_int_equal(block_torture(t, 0, &buffers, &f), 0);
	assert_true(sim_is_blank(chip, 0));
	assert_int_equal(sim_count(&board, SIM_ERASE), 4);
	assert_int_equal(sim_count(&board, SIM_PROGRAM), 3);
}

/* Whatever goes wrong in it, an eraseblock does not pass; but corrected bits are fine. */
static void torture_finds_out(void **state)
{
	static const enum sim_how ways[] = { SIM_FAIL, SIM_REFUSE, SIM_GARBLE, SIM_FLIP };
	uint32_t ops;

	assert_int_equal(block_torture(t, 0, &buffers, &f), 0);
	ops = board.ops;
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		for (uint32_t op = 0; op < ops; op++) {
			int result;

			sim_power_cycle(&board);
			sim_plan_fault(&board, op, ways[i]);
			result = block_torture(t, 0, &buffers, &f);
			assert_int_equal(result, sim_faults_happened(&board) ? -1 : 0);
		}
	sim_power_cycle(&board);
	for (uint32_t op = 0; op < SIM_FAULTS_MAX; op++)
		sim_plan_fault(&board, op, SIM_CORRECT);
	assert_int_equal(block_torture(t, 0, &buffers, &f), 0);
	sim_power_cycle(&board);
}

#define block_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		block_test(buffers_without_memory),
		block_test(holds),
		block_test(stops_at_the_first_difference),
		block_test(uncorrectable_is_not_held),
		block_test(ecc_counts_though_the_bytes_are_right),
		block_test(unreadable_is_not_held),
		block_test(counts_corrected_bits),
		block_test(erases),
		block_test(erase_fails),
		block_test(erase_is_proven),
		block_test(programs),
		block_test(program_is_proven),
		block_test(leaves_blank_pages_out),
		block_test(nor_runs),
		block_test(odd_geometry),
		block_test(write_fails_at_each_step),
		block_test(commit_ends_with_the_start),
		block_test(commit_of_a_short_start),
		block_test(commit_on_nand_is_in_order),
		block_test(torture_of_a_sound_one),
		block_test(torture_finds_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
