/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kinds of stragglers have in common.
 */
#ifndef STRAGGLER_H
#define STRAGGLER_H

struct kind {
	const char *name;
	void (*run)(void); /* may end: then what is left behind is the straggler */
	const char *what;
};

extern const struct kind process_kinds[], holder_kinds[], namespace_kinds[], mount_kinds[],
	fuse_kinds[], unkillable_kinds[];

/* Ends the straggler and says why, unless the call went well. Returns what the call did. */
int must(int result, const char *what);

/* A path below the old root; one of the last four such calls. */
const char *in_root(const char *name);

/* A new folder, or empty file, in the old root's /tmp. */
const char *new_folder(const char *name);
const char *new_file(const char *name);

/* Opens a file that every old root has. */
int open_file(void);

/* Ignores and blocks all that can be. */
void be_deaf(void);

/* The straggler stands: whoever started it may go on. */
void ready(void);

void sleep_forever(void) __attribute__((noreturn));

#endif
