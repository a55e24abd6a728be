// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>

#include "helpers.h"

static void set_formats(void **state)
{
	struct fault f;

	assert_int_equal(fault_set(&f, FAULT_IMAGE, "%s: chunk %d", "fw", 3), -1);
	assert_int_equal(f.kind, FAULT_IMAGE);
	assert_int_equal(f.err, 0);
	assert_string_equal(f.text, "fw: chunk 3");
}

static void errno_is_kept_and_told(void **state)
{
	struct fault f;

	errno = ENOSPC;
	assert_int_equal(fault_errno(&f, FAULT_FAILED, "%s: cannot write", "/x"), -1);
	assert_int_equal(f.err, ENOSPC);
	assert_string_equal(f.text, "/x: cannot write: No space left on device");
}

static void no_errno_no_success(void **state)
{
	struct fault f;

	errno = 0;
	assert_int_equal(fault_errno(&f, FAULT_FAILED, "odd"), -1);
	assert_string_equal(f.text, "odd");
}

static void long_text_is_cut(void **state)
{
	char text[1000];
	struct fault f;

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	errno = EIO;
	assert_int_equal(fault_errno(&f, FAULT_FLASH, "%s", text), -1);
	assert_int_equal(strlen(f.text), sizeof(f.text) - 1);
	assert_int_equal(f.kind, FAULT_FLASH);
	(void)fault_errno(&f, FAULT_FLASH, "%.310s", text);
	assert_int_equal(strlen(f.text), sizeof(f.text) - 1);
	assert_memory_equal(f.text + 310, ": Input/o", 9);
}

static void kinds_are_exit_codes(void **state)
{
	assert_int_equal(FAULT_FAILED, 1);
	assert_int_equal(FAULT_USAGE, 2);
	assert_int_equal(FAULT_IMAGE, 3);
	assert_int_equal(FAULT_UNFIT, 4);
	assert_int_equal(FAULT_FLASH, 5);
	assert_int_equal(FAULT_BUSY, 6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_formats),          cmocka_unit_test(errno_is_kept_and_told),
		cmocka_unit_test(no_errno_no_success),  cmocka_unit_test(long_text_is_cut),
		cmocka_unit_test(kinds_are_exit_codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
