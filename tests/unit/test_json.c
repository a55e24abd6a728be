// SPDX-License-Identifier: GPL-2.0-or-later
/* Once standard output speaks JSON there is no way back, so all of that is tested here. */
#include <fcntl.h>
#include <poll.h>
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

static unsigned int polls;

/* Nobody waits for a reader who does not come, but it is asked for him. */
int __real_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	polls++;
	return __real_poll(fds, count, 0);
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
	char quoted[JSON_QUOTED(8)];

	capture_start(STDOUT_FILENO);
	json_event("note", "\"message\":%s", json_quote(quoted, "\"100%\""));
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

/* A text of nothing but what has to be escaped. */
static void longest_notes_still_end(void **state)
{
	char wanted[1200] = "{\"event\":\"note\",\"message\":\"", many[600];

	memset(many, '"', sizeof(many) - 1);
	many[sizeof(many) - 1] = '\0';
	for (int i = 0; i < 511; i++)
		(void)strcat(wanted, "\\\"");
	(void)strcat(wanted, "\"}\n");
	capture_start(STDOUT_FILENO);
	say("%s", many);
	expect_said(STDOUT_FILENO, wanted);
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

/* On a pipe that blocks, as those of a shell do. Lines come whole or not at all. */
static void full_pipe_does_not_hang(void **state)
{
	static char got[200000];
	int ends[2], out = dup(STDOUT_FILENO);
	ssize_t len;
	char *end;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(dup2(ends[1], STDOUT_FILENO), STDOUT_FILENO);
	(void)close(ends[1]);
	polls = 0;
	(void)alarm(10); /* or this would be for ever */
	for (int i = 0; i < 2000; i++)
		say("%0100d", i);
	(void)alarm(0);
	assert_int_equal(polls, 2000);
	assert_int_equal(dup2(out, STDOUT_FILENO), STDOUT_FILENO);
	(void)close(out);
	len = read(ends[0], got, sizeof(got) - 1);
	(void)close(ends[0]);
	assert_true(len > 1000);
	assert_memory_equal(got + len - 3, "\"}\n", 3);
	for (char *line = got; *line; line = end + 1) {
		end = strchr(line, '\n');
		assert_memory_equal(line, "{\"event\":\"note\"", 15);
		assert_memory_equal(end - 2, "\"}", 2);
	}
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
		json_test(longest_notes_still_end),
		json_test(progress_events),
		cmocka_unit_test(full_pipe_does_not_hang),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
