// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <unistd.h>

#include "helpers.h"
#include "memory.h"

static struct fault f;
static uint64_t have;

static const char meminfo[] = "MemTotal:         126044 kB\n"
			      "MemFree:           80320 kB\n"
			      "MemAvailable:     100000 kB\n"
			      "Buffers:            1234 kB\n";

static int check(const char *text, uint64_t need)
{
	write_text(temp_path("meminfo"), text);
	return memory_check(temp_path("meminfo"), need, &have, &f);
}

static void enough(void **state)
{
	assert_int_equal(check(meminfo, 0), 0);
	assert_int_equal(check(meminfo, 100000 * 1024), 0);
	assert_int_equal(have, 100000 * 1024);
}

static void too_little(void **state)
{
	assert_int_equal(check(meminfo, 100000 * 1024 + 1024), -1);
	assert_fault(&f, FAULT_UNFIT, "needs 100001 KiB, 100000 KiB are available");
	assert_int_equal(check(meminfo, 100000 * 1024 + 1), -1);
	assert_int_equal(check(meminfo, UINT64_MAX), -1);
}

static void more_than_4_gib(void **state)
{
	assert_int_equal(check("MemAvailable:     8000000 kB\n", 7000000ull * 1024), 0);
}

/* Kernels before 3.14 do not tell. */
static void not_told(void **state)
{
	assert_int_equal(check("MemTotal: 126044 kB\nMemFree: 80320 kB\n", 1), -1);
	assert_fault(&f, FAULT_UNFIT, "no MemAvailable: in");
	assert_int_equal(memory_check(temp_path("none"), 1, &have, &f), -1);
	assert_fault(&f, FAULT_UNFIT, "cannot tell how much memory is free");
}

static void assert_setting(const char *name, const char *wanted)
{
	size_t len;
	char *text = (char *)read_file(temp_path("vm/%s", name), &len);

	assert_string_equal(text, wanted);
	free(text);
}

static void nothing_is_held_back(void **state)
{
	char was[MEMORY_SETTING];

	write_text(temp_path("vm/watermark_boost_factor"), "15000\n");
	write_text(temp_path("vm/watermark_scale_factor"), "10\n");
	memory_hold_nothing_back(temp_path("vm"), was);
	assert_setting("watermark_boost_factor", "0");
	assert_setting("watermark_scale_factor", "10"); /* what matters is that it is written */
	memory_hold_back(temp_path("vm"), was);
	assert_setting("watermark_boost_factor", "15000");
}

/* Kernels before 5.0. */
static void no_such_setting(void **state)
{
	char was[MEMORY_SETTING] = "7";

	write_text(temp_path("vm/watermark_scale_factor"), "10\n");
	memory_hold_nothing_back(temp_path("vm"), was);
	assert_string_equal(was, "");
	memory_hold_back(temp_path("vm"), was);
	assert_int_equal(access(temp_path("vm/watermark_boost_factor"), F_OK), -1);
}

#define file_test(name) cmocka_unit_test_setup_teardown(name, temp_dir_make, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		file_test(enough),   file_test(too_little),           file_test(more_than_4_gib),
		file_test(not_told), file_test(nothing_is_held_back), file_test(no_such_setting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
