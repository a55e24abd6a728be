// SPDX-License-Identifier: GPL-2.0-or-later
#include "watchdog.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "child.h"
#include "files.h"
#include "procs.h"
#include "say.h"

enum {
	MISC_MAJOR = 10,
	WATCHDOG_MINOR = 130,
	LOOK_MS = 5000, /* less than what most of them wait for */
};

struct search {
	const char *sys, *proc;
	char *names;
	struct finding *found;
	unsigned int count;
	int err; /* why the last process that cannot be looked at cannot */
};

static bool listed(const char *names, const char *name)
{
	size_t len = strlen(name);

	while (*names) {
		size_t next = strcspn(names, " ");

		if (next == len && memcmp(names, name, len) == 0)
			return true;
		names += next + (names[next] == ' ');
	}
	return false;
}

static void attribute(char *text, size_t size, const struct search *s, const char *name,
		      const char *what)
{
	char path[512];

	(void)snprintf(path, sizeof(path), "%.400s/class/watchdog/%.32s/%s", s->sys, name, what);
	if (file_read_line(path, text, size) < 0)
		text[0] = '\0'; /* a kernel may be built without them */
}

/* More than fit into names do not exist. */
static void add(struct search *s, const char *name, const char *feeder)
{
	size_t used = strlen(s->names), len;
	char timeout[16];

	if (listed(s->names, name))
		return;
	s->count++;
	(void)snprintf(s->names + used, WATCHDOG_NAMES - used, "%s%s", used ? " " : "", name);
	attribute(timeout, sizeof(timeout), s, name, "timeout");
	if (!used)
		s->found->text[0] = '\0';
	len = strlen(s->found->text);
	(void)snprintf(s->found->text + len, sizeof(s->found->text) - len,
		       "%s%s runs, timeout %s%s, fed by %s", used ? "; " : "", name,
		       timeout[0] ? timeout : "unknown", timeout[0] ? " s" : "", feeder);
}

static bool is_first(const struct search *s, const struct process *p, const char *what)
{
	char path[128];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%.64s/%d/%.32s", s->proc, (int)p->pid, what);
	return stat_cached(path, &st) == 0 && S_ISCHR(st.st_mode) &&
	       st.st_rdev == makedev(MISC_MAJOR, WATCHDOG_MINOR);
}

static void look_at_link(void *ctx, const struct process *p, const char *what, const char *to)
{
	struct search *s = ctx;
	char feeder[64], has_first[16], name[16];

	if (strncmp(what, "fd/", 3) != 0 || *to != '/')
		return;
	if (strncmp(to, "/dev/watchdog", 13) == 0)
		to += sizeof("/dev");
	else if (is_first(s, p, what))
		to = "watchdog"; /* whatever its node is called */
	else
		return;
	(void)snprintf(name, sizeof(name), "%.*s", (int)strcspn(to, " "), to); /* "… (deleted)" */
	/* The first one has two nodes; before Linux 3.5 there was no other. */
	attribute(has_first, sizeof(has_first), s, "watchdog0", "dev");
	if (strcmp(name, "watchdog") == 0 && has_first[0])
		memcpy(name, "watchdog0", sizeof("watchdog0"));
	(void)snprintf(feeder, sizeof(feeder), "process %d (%s)", (int)p->pid, p->name);
	add(s, name, feeder);
}

static void look_for_feeder(void *ctx, const struct process *p)
{
	struct search *s = ctx;

	if (!p->kernel_thread && process_links_each(s->proc, p, look_at_link, ctx) < 0)
		s->err = errno;
}

/* Those that run though nobody has them open: their feeder has ended. */
static int find_active(struct search *s, struct fault *f)
{
	char path[512], state[16];
	struct dirent *e;
	int err = 0;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%.400s/class/watchdog", s->sys);
	dir = opendir(path);
	while (dir && (errno = 0, e = readdir(dir))) {
		attribute(state, sizeof(state), s, e->d_name, "state");
		if (strcmp(state, "active") == 0)
			add(s, e->d_name, "nobody");
	}
	err = errno;
	if (dir)
		(void)closedir(dir); /* a kernel without watchdogs has no such folder */
	errno = err;
	return dir && err ? fault_errno(f, FAULT_UNFIT, "%s: cannot list", path) : 0;
}

int watchdog_find(char names[WATCHDOG_NAMES], struct finding *found, const char *sys,
		  const char *proc, struct fault *f)
{
	struct search s = { .sys = sys, .proc = proc, .names = names, .found = found };

	names[0] = '\0';
	if (processes_each(proc, look_for_feeder, &s) < 0)
		return fault_errno(f, FAULT_UNFIT, "%s: cannot list the processes", proc);
	errno = s.err;
	if (s.err)
		return fault_errno(f, FAULT_UNFIT,
				   "%s: cannot see whether a process feeds a watchdog", proc);
	if (find_active(&s, f) < 0)
		return -1;
	finding_figure(found, "running", s.count);
	return 0;
}

static int look_again(void *ctx, int reports, struct fault *f)
{
	struct search *s = ctx;

	if (find_active(s, f) < 0)
		return -1;
	return report_text(reports, REPORT_SAY, "%s", s->names);
}

/* Behind them is a NUL, whatever the child has sent. */
static void take_names(void *ctx, const struct report *r)
{
	memcpy(ctx, r->text, WATCHDOG_NAMES - 1);
}

void watchdog_find_more(char names[WATCHDOG_NAMES], const char *sys)
{
	struct finding found = { .figures = 0 };
	struct search s = { .sys = sys, .names = names, .found = &found };
	const struct child_work work = {
		.name = "looking for watchdogs",
		.run = look_again,
		.ctx = &s,
		.stall_ms = LOOK_MS,
		.on_report = take_names,
		.report_ctx = names,
	};
	struct fault f;

	names[WATCHDOG_NAMES - 1] = '\0';
	if (child_run(&work, &f) != CHILD_SUCCEEDED)
		(void)say_fault(&f);
}
