// SPDX-License-Identifier: GPL-2.0-or-later
/* The program itself, as a shell starts it. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helpers.h"

/* Starts flashinit with these words, and that signal ignored. */
static pid_t start(int ignored, char *const *argv)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)signal(SIGPIPE, SIG_DFL);
		(void)signal(ignored, SIG_IGN);
		(void)execv(FLASHINIT, argv);
		_exit(127);
	}
	assert_true(pid > 0);
	return pid;
}

static int end_of(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* The signals that a process ignores, one bit each. */
static unsigned long long ignored_by(pid_t pid)
{
	char path[64], text[4096];
	const char *line;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	(void)fclose(file);
	line = strstr(text, "SigIgn:");
	assert_non_null(line);
	return strtoull(line + 7, NULL, 16);
}

static bool ignores(unsigned long long set, int sig)
{
	return set >> (sig - 1) & 1;
}

/* "flashinit write ... | true" must go on, and children must be there to be waited for. */
static void inherited_signals(void **state)
{
	char fifo[128];
	char *argv[] = { "flashinit", "info", fifo, NULL };
	unsigned long long set;
	int out;
	pid_t pid;

	(void)snprintf(fifo, sizeof(fifo), "%s", temp_path("fifo"));
	assert_int_equal(mkfifo(fifo, 0600), 0);
	pid = start(SIGCHLD, argv);
	out = open(fifo, O_WRONLY | O_CLOEXEC); /* once it has come to the image */
	set = ignored_by(pid);
	(void)close(out);
	assert_int_equal(end_of(pid), 3);
	assert_true(ignores(set, SIGPIPE));
	assert_false(ignores(set, SIGCHLD));
}

static void expect_usage(char *const *argv, const char *said)
{
	char *text;

	capture_start(STDOUT_FILENO);
	assert_int_equal(end_of(start(SIGUSR1, argv)), 2);
	text = capture_end(STDOUT_FILENO);
	assert_string_equal(text, said);
	free(text);
}

/* Whoever reads events learns of it there, too. */
static void event_of_a_usage_error(void **state)
{
	char *late[] = { "flashinit", "write", "--crc32", "1", "a.fwi", "--json", NULL };
	char *info[] = { "flashinit", "info", "--json", NULL };
	char *plain[] = { "flashinit", "write", NULL };

	expect_usage(late,
		     "{\"event\":\"failed\",\"code\":2,\"message\":\"a checksum goes behind its "
		     "--raw\"}\n");
	expect_usage(info, "");
	expect_usage(plain, "");
}

/* Each option of a plain image that the parser takes is in the help. */
static void help_names_the_options(void **state)
{
	static const char *const options[] = { "kind",   "tail",        "chunk-size",
					       "volume", "volume-size", "volume-type" };
	char *argv[] = { "flashinit", "--help", NULL };
	char *text;

	capture_start(STDOUT_FILENO);
	assert_int_equal(end_of(start(SIGUSR1, argv)), 0);
	text = capture_end(STDOUT_FILENO);
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		assert_non_null(strstr(text, options[i]));
	free(text);
}

#define program_test(name) cmocka_unit_test_setup_teardown(name, temp_dir_make, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		program_test(inherited_signals),
		program_test(event_of_a_usage_error),
		program_test(help_names_the_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
