// SPDX-License-Identifier: GPL-2.0-or-later
/* small/ beside the C library's own functions. */
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helpers.h"

int small_snprintf(char *text, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int small_dprintf(int fd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Into buffers of all sizes up to one that is too large: same text, same result, nothing behind it. */
#define same(...)                                                                 \
	do {                                                                      \
		char want[64], got[64];                                           \
                                                                                  \
		for (size_t size = 0; size <= sizeof(got); size++) {              \
			memset(want, '@', sizeof(want));                          \
			memset(got, '@', sizeof(got));                            \
			assert_int_equal(snprintf(want, size, __VA_ARGS__),       \
					 small_snprintf(got, size, __VA_ARGS__)); \
			assert_memory_equal(want, got, sizeof(got));              \
		}                                                                 \
	} while (0)

char *small_strstr(const char *text, const char *part);

static void parts_of_a_text(void **state)
{
	static const char *const texts[] = { "",    "a",    "aa",   "ab",
					     "aab", "aaab", "abab", "root=ubi0:rootfs ro" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		for (size_t j = 0; j < sizeof(texts) / sizeof(*texts); j++)
			assert_ptr_equal(small_strstr(texts[i], texts[j]),
					 strstr(texts[i], texts[j]));
	assert_ptr_equal(small_strstr(texts[7], "rootfs"), texts[7] + 10);
}

static void text(void **state)
{
	const char unended[] = { 'a', 'b', 'c' };

	same("%s", "");
	same("nothing to convert");
	same("%s and %s", "one", "another");
	same("%12s|%2s", "right", "long");
	same("%.3s|%.9s|%.0s", "cut short", "whole", "none");
	same("%.*s", 3, unended);
	same("%7.*s", 2, unended);
	same("%c%c", 'x', '%');
	same("100 %%, %s", "yes");
	same("%s", "a text that is a good deal longer than all of the buffers are");
}

static void numbers(void **state)
{
	static const long long values[] = {
		0,  1,   9,       10,      15,       16,        255,       4096,
		-1, -10, INT_MAX, INT_MIN, UINT_MAX, LLONG_MAX, LLONG_MIN,
	};

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		long long v = values[i];

		same("%d %i %u %x %X", (int)v, (int)v, (unsigned int)v, (unsigned int)v,
		     (unsigned int)v);
		same("%ld %lu %lx", (long)v, (unsigned long)v, (unsigned long)v);
		same("%lld %llu %llX", v, (unsigned long long)v, (unsigned long long)v);
		same("%zu %zd", (size_t)v, (ssize_t)v);
		same("%jd %ju", (intmax_t)v, (uintmax_t)v);
		same("%" PRId64 " %" PRIu64 " %" PRIu32, (int64_t)v, (uint64_t)v, (uint32_t)v);
		same("%04x %02u %08X %3u %5d", (unsigned int)v, (unsigned int)v, (unsigned int)v,
		     (unsigned int)v, (int)v);
		if ((unsigned int)v)
			same("%#x", (unsigned int)v);
	}
}

static void goes_on_behind_each(void **state)
{
	same("%s %d %llu %c %x %s %lu", "a", -5, 1ULL << 40, 'c', 0xbeefu, "b", 7ul);
	/* more than fit into registers */
	same("%d%d%d%d%d%d%d%d%d", 1, 2, 3, 4, 5, 6, 7, 8, 9);
}

static void files(void **state)
{
	static char longer[3000], got[4000];
	int ends[2];
	ssize_t n;

	memset(longer, 'x', sizeof(longer) - 1);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(small_dprintf(ends[1], "%s, %d%%", "half", 50), 9);
	assert_int_equal(read(ends[0], got, sizeof(got)), 9);
	assert_memory_equal(got, "half, 50%", 9);
	assert_int_equal(small_dprintf(ends[1], "%s%d.", longer, 12), (int)sizeof(longer) - 1 + 3);
	n = read(ends[0], got, sizeof(got));
	assert_int_equal(n, sizeof(longer) - 1 + 3);
	assert_memory_equal(got, longer, sizeof(longer) - 1);
	assert_memory_equal(got + sizeof(longer) - 1, "12.", 3);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

static void a_file_that_is_full(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(small_dprintf(fd, "lost"), -1);
	(void)close(fd);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(text),
		cmocka_unit_test(numbers),
		cmocka_unit_test(goes_on_behind_each),
		cmocka_unit_test(files),
		cmocka_unit_test(a_file_that_is_full),
		cmocka_unit_test(parts_of_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
