// SPDX-License-Identifier: GPL-2.0-or-later
#include "helpers.h"
#include "number.h"

static void read_one(const char *text, unsigned int base, uint64_t number, const char *rest)
{
	const char *end;

	assert_int_equal(number_read(text, base, &end), number);
	assert_string_equal(end, rest);
	assert_int_equal(number_read(text, base, NULL), number);
}

static void decimal(void **state)
{
	read_one("0", 10, 0, "");
	read_one("7\n", 10, 7, "\n");
	read_one("31:0", 10, 31, ":0");
	read_one("0123", 10, 123, "");
	read_one("0x12", 10, 0, "x12");
	read_one("\t  12345 kB", 10, 12345, " kB");
	read_one("12a", 10, 12, "a");
	assert_int_equal(number_at(" 42 43"), 42);
	assert_int_equal(number_at("x"), 0);
}

static void hexadecimal(void **state)
{
	read_one("00000000280b2603", 16, 0x280b2603, "");
	read_one("fF0g", 16, 0xff0, "g");
	read_one("0x400", 0, 0x400, "");
	read_one("400", 0, 400, "");
	read_one("0400", 0, 400, "");
}

static void nothing(void **state)
{
	read_one("", 10, 0, "");
	read_one("-1", 10, 0, "-1");
	read_one("+1", 10, 0, "+1");
	read_one(" x", 10, 0, " x");
	read_one("0x", 0, 0, "0x");
	read_one("`@/:gG", 16, 0, "`@/:gG");
}

static void limits(void **state)
{
	read_one("18446744073709551614", 10, UINT64_MAX - 1, "");
	read_one("18446744073709551615", 10, UINT64_MAX, "");
	read_one("18446744073709551616", 10, UINT64_MAX, "");
	read_one("184467440737095516140", 10, UINT64_MAX, "");
	read_one("99999999999999999999999", 10, UINT64_MAX, "");
	read_one("ffffffffffffffff", 16, UINT64_MAX, "");
	read_one("fffffffffffffffe", 16, UINT64_MAX - 1, "");
	read_one("10000000000000000", 16, UINT64_MAX, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decimal),
		cmocka_unit_test(hexadecimal),
		cmocka_unit_test(nothing),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
