/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A /proc with processes, as the kernel would show them, in the test's folder.
 */
#ifndef TESTS_PROC_TREE_H
#define TESTS_PROC_TREE_H

#include <stdbool.h>

/* Adds a process to the test's folder proc; it has nothing open. */
void proc_tree_add(const char *proc, int pid, const char *name, bool kernel_thread);

/* Adds a thread to a process: a process of that number, added before, is what it shows. */
void proc_tree_thread(const char *proc, int pid, int thread);

/* Lets its descriptor fd lead to a path, whatever it led to before. */
void proc_tree_open(const char *proc, int pid, int fd, const char *to);

#endif
