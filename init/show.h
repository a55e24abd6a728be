/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Telling what is in an image, on a device or on the host.
 */
#ifndef INIT_SHOW_H
#define INIT_SHOW_H

#include <stdbool.h>

#include "signature.h"

struct show_options {
	const char *image; /* "-" is standard input */
	bool json;
	unsigned int key_count; /* public key files; none: the keys that are installed */
	const char *key[KEYS_MAX];
};

/* The verb info: tells what the image's index says. Returns the exit code. */
int show_info(const struct show_options *o);

/* The verb verify: checks every byte of the image. Returns the exit code. */
int show_verify(const struct show_options *o);

#endif
