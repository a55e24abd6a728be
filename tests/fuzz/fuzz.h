/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the fuzzers share: libFuzzer's interface, invariants, inputs, and the key they know.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "fault.h"
#include "signature.h"
#include "source.h"

/* What libFuzzer calls: once at the start, for each input, and to make inputs out of others. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed);
/* What libFuzzer offers: its own mutations. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);

/* An invariant: if it does not hold, the input is a crash to libFuzzer. */
#define require(condition) ((condition) ? (void)0 : broken(#condition, __FILE__, __LINE__))
_Noreturn void broken(const char *condition, const char *file, int line);

/* Numbers for mutators, which must be the same for the same seed. */
uint32_t random_below(unsigned int *seed, uint32_t limit);

/* A source that gives these bytes, through a file in memory. There is one at a time. */
struct source source_of(const uint8_t *data, size_t size);

/* The path of that file. Reading and writing it goes by its name, as with any other. */
const char *path_of(const uint8_t *data, size_t size);

/* The input as a string; what follows a zero in it is lost. Free it. */
char *text_of(const uint8_t *data, size_t size);

/* That a refusal is of this kind and has a text, of one line that no terminal can take amiss. */
void check_refusal(const struct fault *f, enum fault_kind kind);

/* Whether text is 1 to limit printable ASCII characters. */
int is_text(const char *text, size_t limit);

/* The key pair that tests/tools/hostile.py signs with: its secret key's seed is 0, 1, ... 31. */
extern const struct key_ring test_keys;

/* Signs with it. */
void test_sign(uint8_t signature[SIGNATURE_SIZE], const void *message, size_t size);

enum { BLAKE2B_SIZE = 64, SIGNATURE_FILE_MAX = 4096 };

/* The hash that minisign signs. */
void blake2b(uint8_t hash[BLAKE2B_SIZE], const void *message, size_t size);

/*
 * Writes a signature file over the message: signify's, minisign's legacy or its prehashed form; the
 * latter two have a comment. Returns its size, 0 if it has no room.
 */
enum form { SIGNIFY, MINISIGN_LEGACY, MINISIGN };
size_t test_sign_file(char *to, size_t room, enum form form, const void *message, size_t size,
		      const char *comment, size_t comment_len);

/* That the text's line (counted from 0) is the base64 of these bytes and nothing else. */
void check_base64_line(const char *text, size_t size, unsigned int line, const uint8_t *bytes,
		       size_t len);

#endif
