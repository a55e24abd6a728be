// SPDX-License-Identifier: GPL-2.0-or-later
#include "status.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <unistd.h>

#include "config.h"
#include "files.h"
#include "journal_status.h"
#include "json.h"
#include "outcome.h"
#include "say.h"

enum {
	TAIL = 64 << 10, /* bytes of a file that are looked at */
	KLOG_READ_ALL = 3,
	KLOG_SIZE = 10, /* syslog(2) */
};

static const char pstore[] = "/sys/fs/pstore";

static bool in_file(struct outcome *o, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char *text;
	bool found;

	if (fd < 0)
		return false;
	(void)lseek(fd, -TAIL, SEEK_END); /* a shorter one is read from its start */
	text = file_read_fd(fd);
	(void)close(fd);
	found = text && outcome_find(o, text);
	free(text);
	return found;
}

/* Of what several files keep, each of the boot before, the latest counts. */
static bool in_folder(struct outcome *o, const char *folder)
{
	DIR *dir = opendir(folder);
	bool found = false;
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		char path[320];
		struct outcome other;

		(void)snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		if (!in_file(&other, path) || (found && strcmp(other.time, o->time) < 0))
			continue;
		*o = other;
		found = true;
	}
	if (dir)
		(void)closedir(dir);
	return found;
}

/* Where it is not mounted it is for us alone: the system stays as it is. */
static bool in_pstore(struct outcome *o)
{
	if (in_folder(o, pstore))
		return true;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("pstore", pstore, "pstore", MS_RDONLY, NULL) < 0)
		return false;
	return in_folder(o, pstore);
}

static bool in_kernel_log(struct outcome *o)
{
	int size = klogctl(KLOG_SIZE, NULL, 0);
	char *text = size > 0 ? calloc(1, (size_t)size + 1) : NULL;
	bool found = text && klogctl(KLOG_READ_ALL, text, size) > 0 && outcome_find(o, text);

	free(text);
	return found;
}

static void tell(const struct outcome *o, const char *where)
{
	char state[JSON_QUOTED(sizeof(o->state))], when[JSON_QUOTED(sizeof(o->time))];
	char text[JSON_QUOTED(sizeof(o->text))], source[JSON_QUOTED(256)];

	if (say_is_json())
		json_event("outcome",
			   "\"code\":%d,\"state\":%s,\"time\":%s,\"message\":%s,\"where\":%s",
			   o->code, json_quote(state, o->state), json_quote(when, o->time),
			   json_quote(text, o->text), json_quote(source, where));
	else
		say("%s at %s: %s (exit code %d, by %s)", o->state, o->time, o->text, o->code,
		    where);
}

static int find(struct outcome *o, const char *file, struct fault *f)
{
	const char *where = NULL;
	struct outcome other;

	if (*file && in_file(o, file))
		where = file;
	/* Later lines may not have got into the file: its system may have been full, or have hung. */
	if (in_pstore(&other) && (!where || strcmp(other.time, o->time) > 0)) {
		*o = other;
		where = pstore;
	}
	/* What this kernel tells of is later than what is kept of boots before. */
	if (in_kernel_log(&other)) {
		*o = other;
		where = "the kernel's log";
	}
	if (!where)
		return fault_set(f, FAULT_FAILED,
				 "no outcome of an update is in %s%s%s and the kernel's log", file,
				 *file ? ", " : "", pstore);
	tell(o, where);
	return 0;
}

/* Where the journal tells of an update, no outcome need be known. */
static int tell_all(const struct config *config, int *code, struct fault *f)
{
	struct outcome o = { .code = FAULT_FAILED };
	struct journal_entry e = { .state = JOURNAL_EMPTY };
	int found = find(&o, config->outcome, f);

	*code = o.code;
	if (*config->journal && journal_status(config, &e, f) < 0)
		return -1;
	if (e.state == JOURNAL_EMPTY)
		return found;
	if (e.state == JOURNAL_BEGUN)
		*code = FAULT_FLASH; /* whatever is told of one before */
	else if (found < 0)
		*code = 0;
	return 0;
}

static int look(const struct status_options *options, int *code, struct fault *f)
{
	struct config config = { .board_count = 0 };

	if (options->outcome && !options->good)
		(void)snprintf(config.outcome, sizeof(config.outcome), "%s", options->outcome);
	else if (config_read(&config, CONFIG_FILE, f) < 0)
		return -1;
	*code = 0;
	return options->good ? journal_say_good(&config, f) : tell_all(&config, code, f);
}

int status(const struct status_options *options)
{
	struct fault f;
	int code;

	if (options->json)
		say_as_json();
	if (look(options, &code, &f) == 0)
		return code;
	(void)say_fault(&f);
	return options->json ? json_end(&f) : (int)f.kind;
}
