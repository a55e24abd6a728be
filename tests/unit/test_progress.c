// SPDX-License-Identifier: GPL-2.0-or-later
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "helpers.h"
#include "progress.h"

#define MIB (1ull << 20)

static bool terminal;
static uint64_t now_ms;

int __wrap_isatty(int fd)
{
	return terminal;
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *t)
{
	t->tv_sec = (time_t)(now_ms / 1000);
	t->tv_nsec = (long)(now_ms % 1000 * 1000000);
	return 0;
}

static void expect(const char *wanted, bool bar, uint64_t done, uint64_t total, uint64_t elapsed_ms)
{
	char text[160];

	progress_format(text, sizeof(text), "writing", bar, done, total, elapsed_ms);
	assert_string_equal(text, wanted);
}

static void format(void **state)
{
	expect("writing   0%  0.0 of 10.0 MiB  0 KiB/s  0:00 left", false, 0, 10 * MIB, 0);
	expect("writing  50%  5.0 of 10.0 MiB  1024 KiB/s  0:05 left", false, 5 * MIB, 10 * MIB,
	       5000);
	expect("writing 100%  10.0 of 10.0 MiB  2048 KiB/s  0:00 left", false, 10 * MIB, 10 * MIB,
	       5000);
	expect("writing  33%  0.5 of 1.5 MiB  51 KiB/s  0:21 left", false, MIB / 2, 3 * MIB / 2,
	       10000);
	expect("writing   1%  1.0 of 100.0 MiB  10 KiB/s  165:01 left", false, MIB, 100 * MIB,
	       100000);
}

static void format_with_bar(void **state)
{
	expect("writing [                    ]   0%  0.0 of 1.0 MiB  0 KiB/s  0:00 left", true, 0,
	       MIB, 0);
	expect("writing [##########          ]  50%  0.5 of 1.0 MiB  512 KiB/s  0:01 left", true,
	       MIB / 2, MIB, 1000);
	expect("writing [####################] 100%  1.0 of 1.0 MiB  1024 KiB/s  0:00 left", true,
	       MIB, MIB, 1000);
	expect("writing [################### ]  99%  0.9 of 1.0 MiB  1023 KiB/s  0:01 left", true,
	       MIB - 1, MIB, 1000);
}

/* Bad eraseblocks in a payload may make more of it than was expected. */
static void format_beyond_the_total(void **state)
{
	char text[160];

	progress_format(text, sizeof(text), "writing", true, 300 * MIB, 100 * MIB, 1000);
	assert_non_null(strstr(text, "[####################] 100%"));
	assert_non_null(strstr(text, "0:00 left"));
}

static void format_of_nothing_and_much(void **state)
{
	char text[16];

	expect("writing 100%  0.0 of 0.0 MiB  0 KiB/s  0:00 left", false, 0, 0, 0);
	expect("writing  50%  1048576.0 of 2097152.0 MiB  1073741824 KiB/s  0:01 left", false,
	       1ull << 40, 1ull << 41, 1000);
	progress_format(text, sizeof(text), "writing", true, 1, 2, 3);
	assert_int_equal(strlen(text), sizeof(text) - 1);
}

static unsigned int count(const char *text, char c)
{
	unsigned int n = 0;

	for (; *text; text++)
		n += *text == c;
	return n;
}

static void a_line_per_five_percent(void **state)
{
	struct progress p;
	char *text;

	terminal = false;
	now_ms = 5000;
	capture_start(STDOUT_FILENO);
	progress_start(&p, "writing");
	for (uint64_t done = 1; done <= 1000; done++) {
		now_ms += 10;
		progress_show(&p, done * MIB, 1000 * MIB);
	}
	progress_end(&p);
	text = capture_end(STDOUT_FILENO);
	assert_int_equal(count(text, '\n'), 17); /* the first two seconds are quiet */
	assert_int_equal(count(text, '\r'), 0);
	assert_ptr_equal(strstr(text, "flashinit: writing  20%  200.0 of 1000.0 MiB"), text);
	assert_non_null(strstr(text, "\nflashinit: writing  25%  250.0 of"));
	assert_non_null(strstr(text, "\nflashinit: writing 100%  1000.0 of"));
	free(text);
}

/* Work that is over before anybody wonders needs no lines, and long work its last one. */
static void quick_work_is_quiet(void **state)
{
	struct progress p;
	char *text;

	terminal = false;
	now_ms = 5000;
	capture_start(STDOUT_FILENO);
	progress_start(&p, "writing");
	for (uint64_t done = 1; done <= 100; done++) {
		now_ms += 19;
		progress_show(&p, done * MIB, 100 * MIB);
	}
	progress_end(&p);
	text = capture_end(STDOUT_FILENO);
	assert_string_equal(text, "");
	free(text);
	now_ms += 10000;
	capture_start(STDOUT_FILENO);
	progress_show(&p, 100 * MIB, 100 * MIB);
	text = capture_end(STDOUT_FILENO);
	assert_int_equal(count(text, '\n'), 1);
	assert_non_null(strstr(text, "100%"));
	free(text);
}

/* Eraseblocks beyond what was expected: all was said to be done already. */
static void all_done_is_told_once(void **state)
{
	struct progress p;
	char *text;

	for (int i = 0; i < 2; i++) {
		terminal = i;
		now_ms = 1000;
		capture_start(STDOUT_FILENO);
		progress_start(&p, "writing");
		now_ms = 9000;
		progress_show(&p, 1, 2);
		for (int n = 0; n < 100; n++)
			progress_show(&p, 2, 2);
		progress_end(&p);
		text = capture_end(STDOUT_FILENO);
		assert_int_equal(count(text, '%'), 2);
		free(text);
	}
}

static void redrawn_on_a_terminal(void **state)
{
	struct progress p;
	char *text;

	terminal = true;
	now_ms = 1000;
	capture_start(STDOUT_FILENO);
	progress_start(&p, "writing");
	for (uint64_t done = 1; done <= 100; done++) {
		now_ms += 20;
		progress_show(&p, done * MIB, 100 * MIB);
	}
	progress_end(&p);
	progress_end(&p);
	text = capture_end(STDOUT_FILENO);
	assert_int_equal(count(text, '\n'), 1); /* at the very end */
	assert_int_equal(text[strlen(text) - 1], '\n');
	assert_true(count(text, '\r') >= 10 && count(text, '\r') <= 11); /* every 200 ms */
	assert_non_null(strstr(text, "[####################] 100%"));
	free(text);
}

/* A reader that has stopped reading must not stop whoever is at work, on a blocking pipe. */
static void full_pipe_does_not_stop_the_work(void **state)
{
	int ends[2], out = dup(STDOUT_FILENO);
	struct progress p;
	char byte = 'x';

	(void)fflush(NULL);
	assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
	while (write(ends[1], &byte, 1) == 1)
		;
	assert_int_equal(fcntl(ends[1], F_SETFL, 0), 0);
	assert_int_equal(dup2(ends[1], STDOUT_FILENO), STDOUT_FILENO);
	for (int i = 0; i < 2; i++) {
		terminal = i;
		progress_start(&p, "writing");
		now_ms += 10000;
		(void)alarm(10); /* or this would be for ever */
		progress_show(&p, MIB, 2 * MIB);
		progress_show(&p, 2 * MIB, 2 * MIB);
		(void)alarm(0);
		assert_false(p.drawn);
	}
	assert_int_equal(dup2(out, STDOUT_FILENO), STDOUT_FILENO);
	(void)close(out);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

#define file_test(name) cmocka_unit_test_setup_teardown(name, temp_dir_make, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(format),
		cmocka_unit_test(format_with_bar),
		cmocka_unit_test(format_beyond_the_total),
		cmocka_unit_test(format_of_nothing_and_much),
		file_test(a_line_per_five_percent),
		file_test(quick_work_is_quiet),
		file_test(all_done_is_told_once),
		file_test(redrawn_on_a_terminal),
		cmocka_unit_test(full_pipe_does_not_stop_the_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
