/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The root that the new firmware brought, mounted as the kernel would have.
 */
#ifndef INIT_NEW_ROOT_H
#define INIT_NEW_ROOT_H

#include "cmdline.h"
#include "fault.h"

#define NEW_ROOT "/newroot"

/* What the kernel looks for where there is no init=, ends with NULL (init/main.c). */
extern const char *const new_root_inits[];

/*
 * Mounts what the plan's root says (see root_find()) on NEW_ROOT, and a devtmpfs below it if the
 * present system had one from the start. It may hold another file system than the old one: that
 * one's type is tried first, then every other that the kernel has. Checks that there is an init in
 * it, and stays in it: to be run in a child. Can take long.
 */
int new_root_mount(const char *root, const struct cmdline *cmdline, int reports, struct fault *f);

/*
 * Mounts what root= says, with its rootfstype=, rootflags= and rw, on NEW_ROOT, once it is there; and a
 * devtmpfs below it, as a kernel does that mounts one by itself. Checks that there is an init in it,
 * the one of init= or another, and stays in it. For the first process, in a child: can take as long
 * as it likes, but tells that it lives.
 */
int new_root_mount_first(const struct cmdline *cmdline, int reports, struct fault *f);

#endif
