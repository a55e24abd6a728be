/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process table, as far as clearing it needs: who is there, and in what state.
 */
#ifndef INIT_PROCS_H
#define INIT_PROCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct process {
	pid_t pid;
	char name[32];
	char state; /* R, S, D, T, Z, ... as in /proc/PID/stat */
	bool kernel_thread;
};

/* Parses the text of /proc/PID/stat. False if it makes no sense. */
bool process_parse(struct process *p, const char *stat);

/*
 * The hexadecimal number that /proc/PID/status has behind a name and its colon; unknown if there is none.
 * proc_pid is that folder.
 */
uint64_t process_status(const char *proc_pid, const char *name, uint64_t unknown);

/*
 * Calls each for every thread of a process, with the thread's own number, name and state; the first
 * one may be a zombie while others live. One that has gone has none. Returns as processes_each().
 */
int threads_each(const char *proc, const struct process *p,
		 void (*each)(void *ctx, const struct process *thread), void *ctx);

/*
 * Calls each for everything that a process holds by name: what is its "cwd", "root", "exe", "fd/N" or
 * "map_files/FROM-TO", to is the path. Each thread may have its own: p is the thread then. What has
 * gone meanwhile is passed over. Returns 0, or -1 with errno if something could not be read: then
 * there may be more.
 */
int process_links_each(const char *proc, const struct process *p,
		       void (*each)(void *ctx, const struct process *p, const char *what,
				    const char *to),
		       void *ctx);

/*
 * Calls each for every process that /proc (mounted at proc) lists, kernel threads and zombies
 * included. Returns 0, or -1 with errno if there is no /proc, if its list broke off, or if it does
 * not show some process.
 */
int processes_each(const char *proc, void (*each)(void *ctx, const struct process *p), void *ctx);

#endif
