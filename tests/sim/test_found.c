// SPDX-License-Identifier: GPL-2.0-or-later
/* Faults of the engine found and not mended yet: not built until they are. */
#include <errno.h>
#include <stdlib.h>

#include "bench.h"
#include "helpers.h"

enum { EB = 4096 };

static const struct sim_geometry nand = { SIM_NAND, EB, 512, 8, NULL, 0 };
static const struct sim_geometry nor = { SIM_NOR, EB, 1, 5, NULL, 0 };

static struct bench b;
static int left = -1;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
	if (left >= 0 && b.begun && left-- == 0) {
		errno = ENOMEM;
		return NULL;
	}
	return __real_malloc(size);
}

/* The first eraseblock cannot be programmed: half a firmware must not be what a boot finds. */
static void weak_first_block(void **state)
{
	bench_init(&b, EB);
	bench_add(&b, &nand, 4 * EB);
	bench_ready(&b);
	b.chip[0]->weak[0] = true;
	assert_int_equal(bench_run(&b), -1);
	assert_int_equal(b.fault.kind, FAULT_FLASH);
	assert_true(sim_is_blank(b.chip[0], 0));
	bench_free(&b);
}

/* engine.h: after the first change a fault is of kind FAULT_FLASH or FAULT_IMAGE. */
static void no_memory_for_the_second_payload(void **state)
{
	bench_init(&b, EB);
	bench_add(&b, &nand, 4 * EB);
	bench_add(&b, &nor, 2 * EB);
	bench_ready(&b);
	left = 0;
	assert_int_equal(bench_run(&b), -1);
	left = -1;
	assert_true(b.begun);
	if (b.fault.kind != FAULT_FLASH && b.fault.kind != FAULT_IMAGE)
		fail_msg("kind %d: %s", b.fault.kind, b.fault.text);
	bench_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(weak_first_block, temp_dir_make, temp_dir_remove),
		cmocka_unit_test_setup_teardown(no_memory_for_the_second_payload, temp_dir_make,
						temp_dir_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
