/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's first process: init=/sbin/flashinit, or /init of an initramfs.
 */
#ifndef INIT_FIRST_H
#define INIT_FIRST_H

/*
 * Decides what is done with this boot. A system that is whole is handed over to its real init as the
 * kernel would have started that; else an image is looked for and written. argv and envp are the
 * kernel's. Does not return.
 */
void first_process(char **argv, char **envp) __attribute__((noreturn));

#endif
