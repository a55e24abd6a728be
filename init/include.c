// SPDX-License-Identifier: GPL-2.0-or-later
#include "include.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "interpreter.h"
#include "files.h"
#include "mounts.h"
#include "ramroot.h"

enum { PAGE = 4096 };

/* A path in the RAM root that is neither ours nor the kernel's. */
static bool is_place(const char *to)
{
	static const char *const taken[] = { "/dev", "/proc", "/sys", "/oldroot", "/newroot" };

	for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++)
		if (path_below(to, taken[i]))
			return false;
	return to[0] == '/' && to[1];
}

/* Takes "//", "/./" and "/x/.." out of an absolute path. */
static void clean(char *path)
{
	char *to = path;

	for (const char *at = path; *at;) {
		size_t len = 1 + strcspn(at + 1, "/");

		if (len == 3 && memcmp(at, "/..", len) == 0) {
			while (to > path && *--to != '/')
				;
		} else if (len > 1 && !(len == 2 && at[1] == '.')) {
			memmove(to, at, len);
			to += len;
		}
		at += len;
	}
	*to = '\0';
}

static const struct included *find(const struct includes *in, const char *to)
{
	for (unsigned int i = 0; i < in->count; i++)
		if (strcmp(in->file[i].to, to) == 0)
			return &in->file[i];
	return NULL;
}

int includes_check_program(const struct includes *in, const char *command, struct fault *f)
{
	const struct included *one;
	char path[INCLUDE_PATH];

	if (!*command)
		return 0;
	(void)snprintf(path, sizeof(path), "%.*s", (int)strcspn(command, " \t"), command);
	if (strcmp(path, RAMROOT_INIT) == 0)
		return 0;
	one = find(in, path);
	if (one && access(one->from, X_OK) == 0)
		return 0;
	errno = one ? errno : ENOENT;
	return fault_errno(f, FAULT_UNFIT, "%s in the RAM root (--include takes it along)", path);
}

static int add(struct includes *in, const char *from, const char *to, bool asked_for,
	       struct fault *f)
{
	char real[PATH_MAX], place[INCLUDE_PATH];
	const struct included *one;
	struct included *new;
	struct stat st;

	if (file_real_path(real, sizeof(real), from) < 0 || stat(real, &st) < 0)
		return fault_errno(f, FAULT_UNFIT, "--include: %s", from);
	if (!S_ISREG(st.st_mode))
		return fault_set(f, FAULT_UNFIT, "--include: %s is not a file", from);
	(void)snprintf(place, sizeof(place), "%s", to);
	if (*place == '/')
		clean(place);
	one = find(in, place);
	if (one && strcmp(one->from, real) != 0)
		return fault_set(f, FAULT_UNFIT, "--include: %s and %s cannot both be %s",
				 one->from, real, place);
	if (one)
		return 0;
	if (!is_place(place) || strlen(to) >= INCLUDE_PATH || strlen(real) >= INCLUDE_PATH)
		return fault_set(f, FAULT_UNFIT, "--include: %s cannot be placed at %s", from, to);
	if (in->count == INCLUDES_MAX)
		return fault_set(f, FAULT_UNFIT, "--include: more than %d files", INCLUDES_MAX);
	new = &in->file[in->count++];
	memcpy(new->from, real, strlen(real) + 1);
	memcpy(new->to, place, sizeof(place));
	new->asked_for = asked_for;
	in->bytes += ((uint64_t)st.st_size + PAGE - 1) / PAGE * PAGE;
	return 0;
}

/* By --list a loader tells what it would load, and starts nothing: glibc's and musl's do. */
static void exec_loader(const char *root, const char *loader, const char *program, int out)
{
	char *const argv[] = { (char *)(uintptr_t)loader, (char *)"--list",
			       (char *)(uintptr_t)program, NULL };
	char *const env[] = { NULL };

	if (dup2(out, STDOUT_FILENO) >= 0 && dup2(out, STDERR_FILENO) >= 0 && chroot(root) == 0 &&
	    chdir("/") == 0)
		(void)execve(loader, argv, env);
	_exit(127);
}

/* Its list, which the caller frees; NULL where it cannot be had. *status is its exit status. */
static char *run_loader(const char *root, const char *loader, const char *program, int *status)
{
	char *text = NULL;
	int ends[2];
	pid_t pid;

	if (pipe(ends) < 0)
		return NULL;
	pid = fork();
	if (pid == 0)
		exec_loader(root, loader, program, ends[1]);
	(void)close(ends[1]);
	if (pid > 0)
		text = file_read_fd(ends[0]);
	(void)close(ends[0]);
	while (pid > 0 && waitpid(pid, status, 0) < 0)
		if (errno != EINTR)
			break;
	return text;
}

/* "libc.so.6 => /lib/libc.so.6 (0x7f...)", "/lib/ld.so (0x7f...)", "libx.so => not found" */
static int take_line(struct includes *in, char *line, struct fault *f)
{
	char *path = strstr(line, "=> /");

	path = path ? path + 3 : line + strspn(line, " \t");
	path[strcspn(path, " ")] = '\0';
	return *path == '/' ? add(in, path, path, false, f) : 0;
}

/* The line that says what is wrong, without what is around it; NULL: nothing is. */
static const char *complaint(char *text, int status)
{
	char *at = strstr(text, status ? "rror" : "not found");

	if (!at && !status)
		return NULL;
	at = at ? at : text;
	at[strcspn(at, "\n")] = '\0';
	while (at > text && at[-1] != '\n' && at[-1] != '\t')
		at--;
	return at;
}

/* Takes what the loader lists, with root as the root, or only sees whether it finds everything. */
static int take_libraries(struct includes *in, const char *root, const char *loader,
			  const char *program, struct fault *f)
{
	int status = -1, result = 0;
	char *text = run_loader(root, loader, program, &status), *rest = text, *line;
	const char *wrong = text && *text ? complaint(text, status) : "nothing";

	if (wrong)
		result = fault_set(f, FAULT_UNFIT, "--include: %s: %s says: %s%s", program, loader,
				   wrong, in ? "" : " (in the RAM root)");
	while (result == 0 && in && (line = strsep(&rest, "\n")))
		result = take_line(in, line, f);
	free(text);
	return result;
}

static bool is_script(const char *path)
{
	char start[3];

	return file_read_line(path, start, sizeof(start)) == 0 && strcmp(start, "#!") == 0;
}

static int interpreter_of(const char *path, char *to, size_t size, struct fault *f)
{
	int result = interpreter_find(path, to, size);

	return result < 0 ? fault_errno(f, FAULT_UNFIT, "--include: %s", path) : result;
}

static int find_one(struct includes *in, const char *word, struct fault *f)
{
	const char *equals = strchr(word, '='), *to = equals ? equals + 1 : word;
	char from[PATH_MAX], loader[INCLUDE_PATH];
	int result;

	(void)snprintf(from, sizeof(from), "%.*s",
		       (int)(equals ? (size_t)(equals - word) : strlen(word)), word);
	if (add(in, from, to, true, f) < 0)
		return -1;
	result = interpreter_of(from, loader, sizeof(loader), f);
	if (result <= 0 || is_script(from))
		return result < 0 ? -1 : 0;
	if (add(in, loader, loader, false, f) < 0)
		return -1;
	return take_libraries(in, "/", loader, find(in, to)->from, f);
}

int includes_find(struct includes *in, const char *const *words, unsigned int count,
		  struct fault *f)
{
	memset(in, 0, sizeof(*in));
	for (unsigned int i = 0; i < count; i++)
		if (find_one(in, words[i], f) < 0)
			return -1;
	return 0;
}

static int copy(const struct included *one, const char *dir, struct fault *f)
{
	char path[PATH_MAX];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s%s", dir, one->to);
	if (file_make_folders(path, strlen(dir)) < 0)
		return fault_errno(f, FAULT_FAILED, "%s: cannot make", path);
	if (stat(one->from, &st) < 0 || file_copy(one->from, path, st.st_mode & 0777) < 0)
		return fault_errno(f, FAULT_UNFIT, "--include: cannot copy %s to %s", one->from,
				   one->to);
	return 0;
}

static int check(const struct included *one, const char *dir, struct fault *f)
{
	char path[PATH_MAX], interpreter[INCLUDE_PATH];
	int result;

	(void)snprintf(path, sizeof(path), "%s%s", dir, one->to);
	result = interpreter_of(path, interpreter, sizeof(interpreter), f);
	if (result <= 0)
		return result;
	if (!is_script(path))
		return take_libraries(NULL, dir, interpreter, one->to, f);
	(void)snprintf(path, sizeof(path), "%s%s", dir, interpreter);
	if (access(path, X_OK) == 0)
		return 0;
	return fault_set(f, FAULT_UNFIT, "--include: %s needs %s, which is not included", one->from,
			 interpreter);
}

int includes_copy(const struct includes *in, const char *dir, struct fault *f)
{
	for (unsigned int i = 0; i < in->count; i++)
		if (copy(&in->file[i], dir, f) < 0)
			return -1;
	for (unsigned int i = 0; i < in->count; i++)
		if (in->file[i].asked_for && check(&in->file[i], dir, f) < 0)
			return -1;
	return 0;
}
