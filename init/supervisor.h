/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INIT_SUPERVISOR_H
#define INIT_SUPERVISOR_H

/* flashinit as PID 1. Does not return: if PID 1 ended, the kernel would panic. */
void supervise(void) __attribute__((noreturn));

#endif
