// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "helpers.h"
#include "report.h"

static int ends[2];

static int setup(void **state)
{
	(void)signal(SIGPIPE, SIG_IGN);
	return pipe2(ends, O_CLOEXEC | O_NONBLOCK);
}

static int teardown(void **state)
{
	(void)close(ends[0]);
	(void)close(ends[1]);
	return 0;
}

static void there_and_back(void **state)
{
	struct report sent, got;

	memset(&sent, 0, sizeof(sent));
	sent.kind = REPORT_FAULT;
	sent.done = 1ull << 40;
	sent.total = UINT64_MAX;
	(void)fault_set(&sent.fault, FAULT_FLASH, "eraseblock 3");
	assert_int_equal(report_send(ends[1], &sent), 0);
	assert_int_equal(report_text(ends[1], REPORT_SAY, "%u of %u", 3u, 4u), 0);
	assert_int_equal(read(ends[0], &got, sizeof(got)), sizeof(got));
	assert_memory_equal(&got, &sent, sizeof(got));
	assert_int_equal(read(ends[0], &got, sizeof(got)), sizeof(got));
	assert_int_equal(got.kind, REPORT_SAY);
	assert_string_equal(got.text, "3 of 4");
}

static void long_text_is_cut(void **state)
{
	struct report got;

	assert_int_equal(report_text(ends[1], REPORT_ALIVE, "%01000d", 7), 0);
	assert_int_equal(read(ends[0], &got, sizeof(got)), sizeof(got));
	assert_int_equal(strlen(got.text), sizeof(got.text) - 1);
}

/* A pipe that is full takes all of a report or nothing. */
static void never_torn(void **state)
{
	struct report got;
	unsigned int sent = 0;

	while (report_text(ends[1], REPORT_ALIVE, "number %u", sent) == 0)
		sent++;
	assert_int_equal(errno, EAGAIN);
	assert_true(sent > 10);
	for (unsigned int i = 0; i < sent; i++)
		assert_int_equal(read(ends[0], &got, sizeof(got)), sizeof(got));
	assert_int_equal(read(ends[0], &got, sizeof(got)), -1);
}

static void nobody_listens(void **state)
{
	(void)close(ends[0]);
	assert_int_equal(report_text(ends[1], REPORT_BEGIN, "erasing"), -1);
	assert_int_equal(errno, EPIPE);
}

#define report_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		report_test(there_and_back),
		report_test(long_text_is_cut),
		report_test(never_torn),
		report_test(nobody_listens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
