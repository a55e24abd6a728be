// SPDX-License-Identifier: GPL-2.0-or-later
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sodium/crypto_generichash_blake2b.h>
#include <sodium/crypto_sign_ed25519.h>
#include <sodium/utils.h>

#define KEY_ID "testkey1"
/* clang-format off */
#define PUBLIC_KEY \
	0x03, 0xa1, 0x07, 0xbf, 0xf3, 0xce, 0x10, 0xbe, 0x1d, 0x70, 0xdd, 0x18, 0xe7, 0x4b, 0xc0, \
	0x99, 0x67, 0xe4, 0xd6, 0x30, 0x9b, 0xa5, 0x0d, 0x5f, 0x1d, 0xdc, 0x86, 0x64, 0x12, 0x55, \
	0x31, 0xb8
/* clang-format on */

const struct key_ring test_keys = {
	.count = 1,
	.key = { { .name = "test.pub", .id = KEY_ID, .key = { PUBLIC_KEY } } },
};

void broken(const char *condition, const char *file, int line)
{
	(void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, condition);
	abort();
}

uint32_t random_below(unsigned int *seed, uint32_t limit)
{
	*seed = *seed * 1664525u + 1013904223u;
	return limit ? (*seed >> 8) % limit : 0;
}

/* The file's path, or its descriptor, made at the first call. */
static int memory_file(const char **path)
{
	static char name[64];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("input", MFD_CLOEXEC);
		require(fd >= 0);
		(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	}
	*path = name;
	return fd;
}

struct source source_of(const uint8_t *data, size_t size)
{
	struct source src = { .name = "input", .seekable = true };
	const char *path;

	src.fd = memory_file(&path);
	require(ftruncate(src.fd, 0) == 0);
	require(pwrite(src.fd, data, size, 0) == (ssize_t)size);
	require(lseek(src.fd, 0, SEEK_SET) == 0);
	return src;
}

const char *path_of(const uint8_t *data, size_t size)
{
	const char *path;

	(void)source_of(data, size);
	(void)memory_file(&path);
	return path;
}

char *text_of(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	require(text);
	memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

int is_text(const char *text, size_t limit)
{
	size_t len = strnlen(text, limit + 1);

	for (size_t i = 0; i < len; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			return 0;
	return len >= 1 && len <= limit;
}

void check_refusal(const struct fault *f, enum fault_kind kind)
{
	require(f->kind == kind);
	require(is_text(f->text, sizeof(f->text) - 1));
}

void test_sign(uint8_t signature[SIGNATURE_SIZE], const void *message, size_t size)
{
	static const uint8_t public[] = { PUBLIC_KEY };
	uint8_t secret[crypto_sign_ed25519_SECRETKEYBYTES];

	for (uint8_t i = 0; i < 32; i++)
		secret[i] = i;
	memcpy(secret + 32, public, sizeof(public));
	require(crypto_sign_ed25519_detached(signature, NULL, message, size, secret) == 0);
}

void blake2b(uint8_t hash[BLAKE2B_SIZE], const void *message, size_t size)
{
	require(crypto_generichash_blake2b(hash, BLAKE2B_SIZE, message, size, NULL, 0) == 0);
}

static void base64(char *text, size_t room, const uint8_t *bytes, size_t len)
{
	require(sodium_bin2base64(text, room, bytes, len, sodium_base64_VARIANT_ORIGINAL));
}

size_t test_sign_file(char *to, size_t room, enum form form, const void *message, size_t size,
		      const char *comment, size_t comment_len)
{
	uint8_t line[2 + KEY_ID_SIZE + SIGNATURE_SIZE] = "Ed" KEY_ID, hash[BLAKE2B_SIZE];
	uint8_t signed_too[SIGNATURE_SIZE + SIGNATURE_FILE_MAX], second[SIGNATURE_SIZE];
	uint8_t *first = line + 2 + KEY_ID_SIZE;
	char text[256];
	int len;

	if (form == MINISIGN) {
		line[1] = 'D';
		blake2b(hash, message, size);
		test_sign(first, hash, sizeof(hash));
	} else {
		test_sign(first, message, size);
	}
	base64(text, sizeof(text), line, sizeof(line));
	len = snprintf(to, room, "untrusted comment: x\n%s\n", text);
	if (len < 0 || (size_t)len >= room || form == SIGNIFY)
		return len > 0 && (size_t)len < room ? (size_t)len : 0;
	if (comment_len > SIGNATURE_FILE_MAX)
		return 0;
	memcpy(signed_too, first, SIGNATURE_SIZE);
	memcpy(signed_too + SIGNATURE_SIZE, comment, comment_len);
	test_sign(second, signed_too, SIGNATURE_SIZE + comment_len);
	base64(text, sizeof(text), second, sizeof(second));
	to += len;
	room -= (size_t)len;
	if (room < 17 + comment_len + 1 + strlen(text) + 2)
		return 0;
	memcpy(to, "trusted comment: ", 17);
	memcpy(to + 17, comment, comment_len);
	(void)snprintf(to + 17 + comment_len, room - 17 - comment_len, "\n%s\n", text);
	return (size_t)len + 17 + comment_len + 1 + strlen(text) + 1;
}

void check_base64_line(const char *text, size_t size, unsigned int line, const uint8_t *bytes,
		       size_t len)
{
	const char *end = text + size;
	char right[256];

	base64(right, sizeof(right), bytes, len);
	for (; line > 0; line--) {
		text = memchr(text, '\n', (size_t)(end - text));
		require(text);
		text++;
	}
	require((size_t)(end - text) >= strlen(right));
	require(memcmp(text, right, strlen(right)) == 0);
	text += strlen(right);
	require(text == end || *text == '\n');
}
