/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Errors as values: what failed, on what, why, and what a person can do.
 *
 * A function that can fail takes a `struct fault *` last, fills it in and returns -1. Whoever
 * calls may add nothing: the text is one full line without a newline, fit for a console. The kinds
 * are numbered as the program's exit codes are, so that a fault decides both line and code.
 */
#ifndef FLASH_FAULT_H
#define FLASH_FAULT_H

enum fault_kind {
	FAULT_FAILED = 1, /* failed, nothing was changed */
	FAULT_USAGE = 2,  /* called the wrong way */
	FAULT_IMAGE = 3,  /* the image is refused */
	FAULT_UNFIT = 4,  /* the device or the running system does not fit */
	FAULT_FLASH = 5,  /* flash failed after the first erase */
	FAULT_BUSY = 6,   /* somebody else holds what is needed */
};

struct fault {
	enum fault_kind kind;
	int err; /* errno, or 0 where no system call was to blame */
	char text[320];
};

/* Fills in a fault from a format; err becomes 0. Returns -1, so that callers can return it. */
int fault_set(struct fault *f, enum fault_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* As fault_set(), and appends the meaning of the present errno, which is kept in err. */
int fault_errno(struct fault *f, enum fault_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
