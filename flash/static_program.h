/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef FLASH_STATIC_PROGRAM_H
#define FLASH_STATIC_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "fault.h"

/*
 * Checks that a file's bytes are a whole program for Linux that needs no other file to run: an ELF
 * executable, of whatever CPU, that names no interpreter. Anything else is FAULT_IMAGE; name is for messages.
 */
int static_program_check(const uint8_t *bytes, size_t size, const char *name, struct fault *f);

#endif
