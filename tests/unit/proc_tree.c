// SPDX-License-Identifier: GPL-2.0-or-later
#include "proc_tree.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helpers.h"

void proc_tree_add(const char *proc, int pid, const char *name, bool kernel_thread)
{
	char stat[256];

	(void)snprintf(stat, sizeof(stat), "%d (%s) S 1 %d %d 0 -1 %u 0 0 0 0\n", pid, name, pid,
		       pid, kernel_thread ? 69238848u : 4194560u);
	write_text(temp_path("%s/%d/stat", proc, pid), stat);
	assert_int_equal(mkdir(temp_path("%s/%d/fd", proc, pid), 0700), 0);
	proc_tree_thread(proc, pid, pid);
}

void proc_tree_thread(const char *proc, int pid, int thread)
{
	char to[32];

	(void)snprintf(to, sizeof(to), "../../%d", thread);
	(void)mkdir(temp_path("%s/%d/task", proc, pid), 0700); /* by the first one */
	assert_int_equal(symlink(to, temp_path("%s/%d/task/%d", proc, pid, thread)), 0);
}

void proc_tree_open(const char *proc, int pid, int fd, const char *to)
{
	const char *path = temp_path("%s/%d/fd/%d", proc, pid, fd);

	(void)unlink(path);
	assert_int_equal(symlink(to, path), 0);
}
