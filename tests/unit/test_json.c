// SPDX-License-Identifier: GPL-2.0-or-later
/* Once standard output speaks JSON there is no way back, so all of that is tested here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "helpers.h"
#include "json.h"
#include "progress.h"
#include "say.h"

static uint64_t now_ms;

int __wrap_clock_gettime(clockid_t clock, struct timespec *t)
{
	t->tv_sec = (time_t)(now_ms / 1000);
	t->tv_nsec = (long)(now_ms % 1000 * 1000000);
	return 0;
}

static void expect_said(int fd, const char *wanted)
{
	char *text = capture_end(fd);

	assert_string_equal(text, wanted);
	free(text);
}

static void strings(void **state)
{
	capture_start(STDOUT_FILENO);
	json_string("");
	json_string("a \"quoted\" \\ one");
	json_string("tab\there, \303\274 and \177");
	expect_said(STDOUT_FILENO, "\"\"\"a \\\"quoted\\\" \\\\ one\"\"tab?here, ?? and ?\"");
}

static void events(void **state)
{
	capture_start(STDOUT_FILENO);
	json_event("note", "\"100%\"");
	expect_said(STDOUT_FILENO, "{\"event\":\"note\",\"message\":\"\\\"100%\\\"\"}\n");
}

static void lines_become_notes(void **state)
{
	assert_false(say_is_json());
	say_as_json();
	assert_true(say_is_json());
	capture_start(STDOUT_FILENO);
	say("%s is %d%%", "this", 100);
	expect_said(STDOUT_FILENO, "{\"event\":\"note\",\"message\":\"this is 100%\"}\n");
}

/* What is wrong is for people, whoever reads the events. */
static void errors_stay_lines(void **state)
{
	struct fault f;

	(void)fault_set(&f, FAULT_BUSY, "\"busy\"");
	capture_start(STDERR_FILENO);
	say_error("oh");
	assert_int_equal(say_fault(&f), 6);
	expect_said(STDERR_FILENO, "flashinit: oh\nflashinit: \"busy\"\n");
}

static void long_notes_still_end(void **state)
{
	char *text;

	capture_start(STDOUT_FILENO);
	say("%01000d", 1);
	text = capture_end(STDOUT_FILENO);
	assert_true(strlen(text) > 400 && strlen(text) < 600);
	assert_string_equal(text + strlen(text) - 3, "\"}\n");
	free(text);
}

static void progress_events(void **state)
{
	struct progress p;

	now_ms = 1000;
	capture_start(STDOUT_FILENO);
	progress_start(&p, "verifying");
	for (uint64_t done = 1; done <= 10; done++) {
		now_ms += 70;
		progress_show(&p, done, 10);
	}
	progress_end(&p);
	expect_said(STDOUT_FILENO,
		    "{\"event\":\"progress\",\"phase\":\"verifying\",\"done\":1,\"total\":10}\n"
		    "{\"event\":\"progress\",\"phase\":\"verifying\",\"done\":4,\"total\":10}\n"
		    "{\"event\":\"progress\",\"phase\":\"verifying\",\"done\":7,\"total\":10}\n"
		    "{\"event\":\"progress\",\"phase\":\"verifying\",\"done\":10,\"total\":10}\n");
}

#define json_test(name) cmocka_unit_test_setup_teardown(name, temp_dir_make, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		json_test(strings),
		json_test(events),
		json_test(lines_become_notes),
		json_test(errors_stay_lines),
		json_test(long_notes_still_end),
		json_test(progress_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
