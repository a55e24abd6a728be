/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making an initial RAM file system with flashinit as its /init and nothing else that runs, for
 * flashpack: to be loaded beside a kernel, or to be built into one.
 */
#ifndef FLASH_INITRAMFS_H
#define FLASH_INITRAMFS_H

#include <stdint.h>
#include <sys/types.h>

#include "fault.h"
#include "signature.h"

enum { INITRAMFS_DEVICES_MAX = 64 };

struct initramfs_device {
	const char *path;
	int path_len;
	mode_t type; /* S_IFCHR or S_IFBLK */
	uint32_t major_number, minor_number;
};

struct initramfs_options {
	const char *program;       /* flashinit, for the device's CPU */
	const char *config;        /* becomes /etc/flashinit.conf; or NULL */
	const char *key[KEYS_MAX]; /* public keys, to /etc/flashinit.keys */
	unsigned int key_count;
	struct initramfs_device
		device[INITRAMFS_DEVICES_MAX]; /* besides those that are always there */
	unsigned int device_count;
};

/* Takes PATH,TYPE,MAJOR,MINOR, of which TYPE is c or b; the device points into the text. Else FAULT_USAGE. */
int initramfs_take_device(struct initramfs_options *o, const char *text, struct fault *f);

/*
 * Writes it to the file out, which appears there whole or not at all; one whose name ends in .gz is
 * compressed. The same input gives the same bytes. A program that is not static, a key that is
 * none and a configuration that is no text are FAULT_IMAGE.
 */
int initramfs_make(const struct initramfs_options *o, const char *out, struct fault *f);

#endif
