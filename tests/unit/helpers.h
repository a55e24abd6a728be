/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the tests share: a folder of their own, files in it, data, captured output, and faults.
 */
#ifndef TESTS_HELPERS_H
#define TESTS_HELPERS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

#include "fault.h"

/* Setup and teardown of a test or a group that wants a folder; removes all that is in it. */
int temp_dir_make(void **state);
int temp_dir_remove(void **state);

/* A path in that folder. Valid until the eighth call from now. */
const char *temp_path(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Writes a file, making the folders it lies in; whatever fails, fails the test. */
void write_file(const char *path, const void *data, size_t len);
void write_text(const char *path, const char *text);

/* Reads a file whole. The caller frees it; a NUL stands behind its last byte. */
uint8_t *read_file(const char *path, size_t *len);

/* The same bytes for the same seed, and none that compress. */
void fill_random(uint8_t *buf, size_t len, uint32_t seed);

/* Checks a fault's kind, that its text is one line, and that it names what. */
#define assert_fault(f, wanted, what) check_fault(f, wanted, what, __FILE__, __LINE__)
void check_fault(const struct fault *f, enum fault_kind wanted, const char *what, const char *file,
		 int line);

/* Diverts a descriptor into a file, and gives back what came; the caller frees it. */
void capture_start(int fd);
char *capture_end(int fd);

/* Number of descriptors that are open, to prove that none is left behind. */
unsigned int count_fds(void);

#endif
