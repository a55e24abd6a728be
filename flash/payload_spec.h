/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A payload as it is written on command lines and in Makefiles:
 *	PARTITION=FILE[,OPTION=VALUE]...
 */
#ifndef FLASH_PAYLOAD_SPEC_H
#define FLASH_PAYLOAD_SPEC_H

#include <stdint.h>

#include "fault.h"
#include "image.h"

/*
 * Takes the word apart in place; *file points into it. *to holds the defaults for what the word does
 * not say. What makes no sense is FAULT_USAGE and names the word.
 */
int payload_spec_parse(struct payload *to, const char **file, char *word, struct fault *f);

/*
 * Checks that what begins with these len bytes is of the payload's kind: UBI's headers, written as
 * they are, would end a chip's wear levelling, and leave a guard nothing to know a cut update by.
 * FAULT_USAGE names the file and the remedy.
 */
int payload_check_start(const struct payload *p, const char *file, const void *bytes, size_t len,
			struct fault *f);

/* Takes a number of bytes with k, M or G behind it. what is for the message. */
int size_parse(const char *text, const char *what, uint64_t *size, struct fault *f);

/* As size_parse(), and within the limits of a chunk. */
int chunk_size_parse(const char *text, uint32_t *size, struct fault *f);

/* Takes erase, keep or jffs2. */
int tail_parse(const char *text, enum tail_policy *tail, struct fault *f);

/* Checks that text can stand in an index as a board or version. */
int text_check(const char *text, const char *what, struct fault *f);

#endif
