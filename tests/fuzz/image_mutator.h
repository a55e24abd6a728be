/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Mutations of whole images that put sizes and checksums right again, so that the mutants are read
 * beyond them; some get chunks that fit their index, and a signature that verifies.
 */
#ifndef TESTS_IMAGE_MUTATOR_H
#define TESTS_IMAGE_MUTATOR_H

#include <stddef.h>
#include <stdint.h>

/* Mutates in place; returns the new size, at most max. */
size_t image_mutate(uint8_t *data, size_t size, size_t max, unsigned int seed);

#endif
