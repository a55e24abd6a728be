// SPDX-License-Identifier: GPL-2.0-or-later
#include "program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"
#include "pid1.h"
#include "say.h"
#include "stragglers.h"
#include "watchdog.h"

enum {
	ATTEMPTS = 3,
	STALL_MS = 1800000, /* many flashers say nothing until they are done */
	STRAGGLERS_MS = 30000,
	LOOK_MS = 200,
	ARGS_MAX = 128, /* a plan has no room for more words */
};

struct program {
	const char *command, *image;
};

static void exec_program(const struct program *p, int out)
{
	char command[512], image[320], *rest = command, *argv[ARGS_MAX + 1], *word;
	char *env[] = { (char *)"HOME=/", (char *)"TERM=linux",
			(char *)"PATH=/sbin:/usr/sbin:/bin:/usr/bin", *p->image ? image : NULL,
			NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), count = 0;

	(void)snprintf(command, sizeof(command), "%s", p->command);
	(void)snprintf(image, sizeof(image), "FLASHINIT_IMAGE=%s", p->image);
	while (count < ARGS_MAX && (word = strsep(&rest, " \t")))
		if (*word)
			argv[count++] = word;
	argv[count] = NULL;
	pid1_default_signals();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* whoever comes next must not meet this one */
	if (count > 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
	    dup2(out, STDERR_FILENO) >= 0)
		(void)execve(argv[0], argv, env);
	_exit(127); /* as a shell says it */
}

struct line {
	char text[240];
	size_t len;
};

/* A line for people; one that is to be overwritten by the next only shows that it goes on. */
static void take_output(struct line *line, const char *text, size_t len, int reports)
{
	for (; len > 0; text++, len--) {
		bool ends = *text == '\n' || *text == '\r';

		if (!ends)
			line->text[line->len++] = *text;
		if (!ends && line->len < sizeof(line->text))
			continue;
		if (line->len > 0)
			(void)report_text(reports, *text == '\r' ? REPORT_ALIVE : REPORT_SAY,
					  "%.*s", (int)line->len, line->text);
		line->len = 0;
	}
}

/* Until the program has ended and all that it has said is told. What it started may live on. */
static int relay(pid_t pid, int from, int reports)
{
	struct pollfd p = { .fd = from, .events = POLLIN };
	struct line line = { .len = 0 };
	bool ended = false;
	int status = 0;

	for (;;) {
		char text[512];
		ssize_t n = 0;

		if (poll(&p, 1, LOOK_MS) > 0) {
			n = read(from, text, sizeof(text));
			if (n > 0)
				take_output(&line, text, (size_t)n, reports);
			else
				p.fd = -1; /* closed: there is but its end to wait for */
		}
		if (ended && n <= 0)
			break;
		ended = ended || waitpid(pid, &status, WNOHANG) == pid;
	}
	take_output(&line, "\n", 1, reports);
	return status;
}

static int run_program(void *ctx, int reports, struct fault *f)
{
	const struct program *p = ctx;
	int ends[2], status;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return fault_errno(f, FAULT_FLASH, "cannot make a pipe");
	pid = fork();
	if (pid == 0)
		exec_program(p, ends[1]);
	(void)close(ends[1]);
	if (pid < 0)
		return fault_errno(f, FAULT_FLASH, "cannot fork");
	status = relay(pid, ends[0], reports);
	if (status == 0)
		return 0;
	return fault_set(f, FAULT_FLASH, "%s: %s %d", p->command,
			 WIFSIGNALED(status) ? "killed by signal" : "exit code",
			 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static void on_report(void *ctx, const struct report *r)
{
	(void)ctx;
	if (r->kind == REPORT_SAY)
		say("%s", r->text);
}

bool program_run(const char *command, const char *image)
{
	struct program p = { .command = command, .image = image };
	const struct child_work work = {
		.name = "the program",
		.run = run_program,
		.ctx = &p,
		.stall_ms = STALL_MS,
		.on_report = on_report,
		.alone = true,
	};
	unsigned int wait_s = 1;
	struct fault f;

	for (int attempt = 1; attempt <= ATTEMPTS; attempt++, wait_s *= 4) {
		bool succeeded;

		say("running %s", command);
		succeeded = child_run(&work, &f) == CHILD_SUCCEEDED;
		if (!succeeded)
			(void)say_fault(&f);
		/* What it has started may still write: two at a time would undo each other's work. */
		if (stragglers_kill(STRAGGLERS_MS) > 0)
			return false;
		if (succeeded)
			return true;
		if (attempt < ATTEMPTS)
			(void)watchdog_poll(NULL, 0, wait_s * 1000);
	}
	return false;
}
