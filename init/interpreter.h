/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INIT_INTERPRETER_H
#define INIT_INTERPRETER_H

#include <stddef.h>

/*
 * Reads who interprets an executable file: the loader that an ELF program names in PT_INTERP, or the
 * program behind a script's #!. Returns 1 with its path, 0: none, or it is no program at all, or -1
 * with errno; ENOEXEC: it is damaged, or
 * not of the class of ELF that we are.
 */
int interpreter_find(const char *path, char *interpreter, size_t size);

#endif
