/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What flashinit tells people, a line at a time. Never blocks for long and never fails: nobody
 * may be listening, and an update must not depend on it.
 */
#ifndef INIT_SAY_H
#define INIT_SAY_H

#include <stdbool.h>
#include <stddef.h>

#include "fault.h"

/* Says one line on standard output. */
void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The last line that say() or say_error() said in words, without its prefix; cut at 191 bytes. */
const char *say_last(void);

/* Says one line on standard error. */
void say_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Says what failed on standard error; returns the exit code that goes with it. */
int say_fault(const struct fault *f);

/*
 * Opens /dev/null as those of descriptors 0 to 2 that are closed: what is said goes to 1 and 2, and
 * whatever file or pipe got such a number would receive it.
 */
void say_somewhere(void);

/*
 * Writes bytes as they are to a descriptor that may be dead, full or a stopped terminal, blocking or
 * not: what is not taken within a moment is dropped. Up to PIPE_BUF bytes go into a pipe whole or not
 * at all.
 */
void say_raw(int fd, const char *text, size_t len);

/* From now on say() prints events: {"event":"note","message":"..."} */
void say_as_json(void);
bool say_is_json(void);

/* From now on every line of say() and say_error() goes to the kernel log, too. */
void say_to_kernel_log(void);

#endif
