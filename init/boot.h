/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PID 1 becomes another program: the new root's init, or one in the RAM root.
 */
#ifndef INIT_BOOT_H
#define INIT_BOOT_H

#include "fault.h"

/*
 * Mounts what the plan's root says, makes that the root in the RAM root's place, and execs its init,
 * all as the kernel would have: mounts, arguments, environment, descriptors, signals. Returns only if
 * that cannot be done: then there is nothing but to reboot, since PID 1 may be anywhere.
 */
void boot_new_root(const char *root, struct fault *f);

/* Execs a program in the RAM root, with what the kernel would have given to init but for the mounts. */
void boot_program(const char *program, struct fault *f);

/* Opens /dev/console as the kernel does for init: descriptors 0 to 2. They stay where there is none. */
void boot_open_console(void);

#endif
