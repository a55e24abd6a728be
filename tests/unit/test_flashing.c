// SPDX-License-Identifier: GPL-2.0-or-later
/* What is opened and closed around the engine; that is made up, as the targets are. */
#include <string.h>

#include "flashing.h"
#include "helpers.h"
#include "target_open.h"

static const char *devices[2]; /* as they are now; NULL: cannot be opened */
static struct target target[2];
static int is_open, runs;
static struct fault f;

static void close_target(struct target *t)
{
	is_open--;
}

static const struct target_ops ops = { .close = close_target };

int __wrap_target_open(struct target **t, const struct payload *p, enum target_mode mode,
		       struct fault *fault)
{
	int i = p->part[0] - 'a';

	assert_int_equal(mode, TARGET_WRITE);
	if (!devices[i])
		return fault_set(fault, FAULT_BUSY, "in use");
	target[i].ops = &ops;
	(void)strcpy(target[i].device, devices[i]);
	*t = &target[i];
	is_open++;
	return 0;
}

int __wrap_engine_run(const struct image *img, struct source *src, struct target *const *targets,
		      const struct engine_events *events, struct engine_counts *counts, bool *begun,
		      struct fault *fault)
{
	assert_int_equal(is_open, 2);
	assert_ptr_equal(targets[0], &target[0]);
	assert_ptr_equal(targets[1], &target[1]);
	*begun = true;
	runs++;
	return 0;
}

/* Returns what the run does when those were looked at. */
static int run(const char *one, const char *two)
{
	struct image img = { .payload_count = 2, .payload = { { .part = "a" }, { .part = "b" } } };
	struct targets looked_at = { .count = 2 };
	int before = runs, result;
	bool begun = true;

	(void)strcpy(looked_at.device[0], one);
	(void)strcpy(looked_at.device[1], two);
	result = flashing_run(&looked_at, &img, NULL, NULL, NULL, &begun, &f);
	assert_int_equal(is_open, 0);
	assert_int_equal(begun, result == 0);
	assert_int_equal(runs - before, result == 0);
	return result;
}

static void what_was_looked_at_is_written(void **state)
{
	devices[0] = "mtd3";
	devices[1] = "ubi0_1";
	assert_int_equal(run("mtd3", "ubi0_1"), 0);
	assert_int_equal(run("", ""), -1);
	devices[1] = NULL;
	assert_int_equal(run("mtd3", "ubi0_1"), -1);
	assert_fault(&f, FAULT_BUSY, "in use");
}

static void names_that_mean_something_else_by_now(void **state)
{
	static const char *const others[] = { "mtd3", "mtd33",   "ubi0_2", "ubi1_1",  "ubi1",
					      "ubi",  "ubi00_1", "sda",    "ubi0_11", "ubi0_" };

	devices[0] = "mtd3";
	devices[1] = "ubi0_1";
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		if (run("mtd3", others[i]) == 0)
			fail_msg("%s", others[i]);
		assert_fault(&f, FAULT_UNFIT, "b is ubi0_1 now, and was ");
	}
	assert_int_equal(run("mtd4", "ubi0_1"), -1);
	assert_fault(&f, FAULT_UNFIT, "a is mtd3 now, and was mtd4 when it was looked at");
	devices[0] = "sda_1";
	assert_int_equal(run("sda", "ubi0_1"), -1);
}

/* An attempt before this one has made the volume, or removed it to make it anew. */
static void volume_that_came_or_went(void **state)
{
	devices[0] = "mtd3";
	devices[1] = "ubi0_1";
	assert_int_equal(run("mtd3", "ubi0"), 0);
	devices[1] = "ubi0";
	assert_int_equal(run("mtd3", "ubi0_1"), 0);
	assert_int_equal(run("mtd3", "ubi1_1"), -1);
}

/* It was verified, and reading it a second time takes as long as that. */
static void data_that_nobody_asks_for(void **state)
{
	const struct image img = { .payload_count = 2,
				   .payload = { { .part = "a" }, { .part = "b" } } };

	devices[0] = devices[1] = NULL;
	assert_int_equal(flashing_check_data(&img, NULL, &f), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_looked_at_is_written),
		cmocka_unit_test(names_that_mean_something_else_by_now),
		cmocka_unit_test(volume_that_came_or_went),
		cmocka_unit_test(data_that_nobody_asks_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
