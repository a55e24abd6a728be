/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INIT_SHOW_H
#define INIT_SHOW_H

/* The verb info: tells what the image's index says. Returns the exit code. */
int show_info(const char *image);

/* The verb verify: checks every byte of the image. Returns the exit code. */
int show_verify(const char *image);

#endif
