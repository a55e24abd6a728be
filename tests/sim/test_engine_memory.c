// SPDX-License-Identifier: GPL-2.0-or-later
/* The engine where memory runs out: every allocation fails in turn. */
#include <errno.h>
#include <stdlib.h>

#include "bench.h"
#include "helpers.h"

enum { EB = 4096 };

static const struct sim_geometry nand = { SIM_NAND, EB, 512, 8, NULL, 0 };
static const struct sim_geometry nor = { SIM_NOR, EB, 1, 5, NULL, 0 };

static const struct key_ring no_keys;
static struct bench b;
static int left = -1; /* allocations until one fails; below 0: none does */

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
	if (left >= 0 && left-- == 0) {
		errno = ENOMEM;
		return NULL;
	}
	return __real_malloc(size);
}

/* The engine and the simulated flash share the process: only the engine's malloc() is counted. */
static int run_with(int allocations, struct target *const *targets, struct source *src,
		    struct image *img)
{
	struct engine_events none = { .ctx = NULL };
	int result;

	left = allocations;
	result = engine_run(img, src, targets, &none, b.counts, &b.begun, &b.fault);
	left = -1;
	return result;
}

static void every_allocation_fails(void **state)
{
	struct target *targets[2];
	unsigned int failures = 0, after_begin = 0;
	int result;

	bench_init(&b, EB);
	bench_add(&b, &nand, 4 * EB);
	bench_add(&b, &nor, 2 * EB);
	bench_ready(&b);
	targets[0] = &b.chip[0]->target;
	targets[1] = &b.chip[1]->target;
	do {
		struct source src;
		struct image img;

		bench_restart(&b);
		assert_int_equal(source_open(&src, temp_path("%s", b.image), &b.fault), 0);
		assert_int_equal(image_read(&img, &src, &no_keys, &b.fault), 0);
		result = run_with((int)failures, targets, &src, &img);
		if (result < 0) {
			assert_non_null(b.fault.text[0] ? b.fault.text : NULL);
			if (b.begun) {
				assert_int_equal(b.fault.kind, FAULT_FLASH);
				after_begin++;
			} else {
				assert_int_not_equal(b.fault.kind, FAULT_FLASH);
				assert_int_equal(sim_count(&b.board, SIM_ERASE), 0);
			}
			bench_check_not_bootable(&b);
			failures++;
		}
		bench_check_rules(&b);
		image_free(&img);
		source_close(&src);
	} while (result < 0);
	assert_true(bench_all_new(&b));
	assert_true(failures >= 8);
	assert_int_equal(after_begin, 0); /* all memory is there before the first erase */
	bench_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_allocation_fails, temp_dir_make,
						temp_dir_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
