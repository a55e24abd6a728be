// SPDX-License-Identifier: GPL-2.0-or-later
#include "signature.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium/crypto_generichash_blake2b.h>
#include <sodium/crypto_sign_ed25519.h>
#include <sodium/utils.h>

/*
 * sodium_init() is not called: it chooses faster variants of functions, none of which are built,
 * and readies a source of random numbers, which checking does not need.
 */

enum {
	LINE_MAX_BYTES = 1024,
	KEY_FILE_MAX = 2 * LINE_MAX_BYTES + 2,
	HEAD_SIZE = 2 + KEY_ID_SIZE, /* algorithm and key id, before key or signature */
	PREHASH_SIZE = 64,
};

static const char untrusted[] = "untrusted comment: ";
static const char trusted[] = "trusted comment: ";

struct text {
	const char *at;
	size_t left;
};

/* Takes the next line, without its end. False if there is none, or it is too long. */
static bool next_line(struct text *t, const char **line, size_t *len)
{
	const char *end = memchr(t->at, '\n', t->left);

	*line = t->at;
	*len = end ? (size_t)(end - t->at) : t->left;
	if (t->left == 0 || *len > LINE_MAX_BYTES)
		return false;
	t->at += *len + (end ? 1 : 0);
	t->left -= *len + (end ? 1 : 0);
	return true;
}

/* Takes a line that starts so; comment gets what comes behind. */
static bool take_comment(struct text *t, const char *start, const char **comment, size_t *len)
{
	size_t skip = strlen(start);

	if (!next_line(t, comment, len) || *len < skip || memcmp(*comment, start, skip) != 0)
		return false;
	*comment += skip;
	*len -= skip;
	return true;
}

/* libsodium's decoder takes some bytes above 0x7f for what they are without their highest bit. */
static bool is_ascii(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] > 0x7f)
			return false;
	return true;
}

/* Takes a line that is base64 of exactly size bytes, and nothing else. */
static bool take_bytes(struct text *t, uint8_t *bytes, size_t size)
{
	const char *line, *end;
	size_t len, got;

	return next_line(t, &line, &len) && is_ascii(line, len) &&
	       sodium_base642bin(bytes, size, line, len, NULL, &got, &end,
				 sodium_base64_VARIANT_ORIGINAL) == 0 &&
	       got == size && end == line + len;
}

int public_key_parse(struct public_key *key, const char *text, size_t size, const char *name,
		     struct fault *f)
{
	struct text t = { text, size };
	uint8_t bytes[HEAD_SIZE + KEY_SIZE];
	const char *comment, *base;
	size_t len;

	if (!take_comment(&t, untrusted, &comment, &len) || !take_bytes(&t, bytes, sizeof(bytes)) ||
	    t.left)
		return fault_set(f, FAULT_UNFIT, "%s: not a public key of signify or minisign",
				 name);
	if (memcmp(bytes, "Ed", 2) != 0)
		return fault_set(f, FAULT_UNFIT, "%s: a key of an unknown algorithm", name);
	base = strrchr(name, '/');
	(void)snprintf(key->name, sizeof(key->name), "%s", base ? base + 1 : name);
	memcpy(key->id, bytes + 2, KEY_ID_SIZE);
	memcpy(key->key, bytes + HEAD_SIZE, KEY_SIZE);
	return 0;
}

/* Reads a small file. Returns its size, or -1 with errno; one that is larger is EFBIG. */
static ssize_t read_small(const char *path, char *text, size_t room)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t used = 0;
	ssize_t n = -1;

	if (fd < 0)
		return -1;
	while (used < room && (n = read(fd, text + used, room - used)) > 0)
		used += (size_t)n;
	if (n > 0)
		errno = EFBIG;
	(void)close(fd); /* read-only; keeps errno if it succeeds, as it does */
	return n == 0 ? (ssize_t)used : -1;
}

int key_ring_add_file(struct key_ring *ring, const char *path, struct fault *f)
{
	char text[KEY_FILE_MAX + 1];
	ssize_t size;

	if (ring->count == KEYS_MAX)
		return fault_set(f, FAULT_UNFIT, "%s: more than %d public keys", path, KEYS_MAX);
	size = read_small(path, text, sizeof(text));
	if (size < 0)
		return fault_errno(f, FAULT_UNFIT, "%s: cannot read the public key", path);
	if (public_key_parse(&ring->key[ring->count], text, (size_t)size, path, f) < 0)
		return -1;
	ring->count++;
	return 0;
}

bool key_file_name(const char *name)
{
	const char *dot = strrchr(name, '.');

	return name[0] != '.' && dot && strcmp(dot, ".pub") == 0;
}

int key_ring_add_folder(struct key_ring *ring, const char *folder, struct fault *f)
{
	DIR *dir = opendir(folder);
	struct dirent *e;
	struct stat st;
	int result = 0;

	/* A symbolic link that leads nowhere is keys that are out of reach, not no keys. */
	if (!dir && errno == ENOENT && lstat(folder, &st) < 0 && errno == ENOENT)
		return 0;
	if (!dir)
		return fault_errno(f, FAULT_UNFIT, "%s: cannot look for public keys", folder);
	while (result == 0 && (errno = 0, e = readdir(dir))) {
		char path[512];

		if (!key_file_name(e->d_name))
			continue;
		(void)snprintf(path, sizeof(path), "%.255s/%.250s", folder, e->d_name);
		result = key_ring_add_file(ring, path, f);
	}
	if (result == 0 && errno)
		result = fault_errno(f, FAULT_UNFIT, "%s: cannot look for public keys", folder);
	(void)closedir(dir);
	return result;
}

static int malformed(const char *name, struct fault *f)
{
	return fault_set(f, FAULT_IMAGE,
			 "%s: its signature is not one of signify or minisign, or is damaged",
			 name);
}

int signature_parse(struct signature *sig, const char *text, size_t size, const char *name,
		    struct fault *f)
{
	struct text t = { text, size };
	uint8_t bytes[HEAD_SIZE + SIGNATURE_SIZE];
	const char *comment;
	size_t len;

	memset(sig, 0, sizeof(*sig));
	if (!take_comment(&t, untrusted, &comment, &len) || !take_bytes(&t, bytes, sizeof(bytes)))
		return malformed(name, f);
	if (t.left &&
	    (!take_comment(&t, trusted, &sig->comment, &sig->comment_len) ||
	     !take_bytes(&t, sig->comment_signature, sizeof(sig->comment_signature)) || t.left))
		return malformed(name, f);
	sig->prehashed = memcmp(bytes, "ED", 2) == 0;
	if (!sig->prehashed && memcmp(bytes, "Ed", 2) != 0)
		return fault_set(f, FAULT_IMAGE, "%s: signed with an unknown algorithm", name);
	if (sig->prehashed && !sig->comment)
		return malformed(name, f);
	memcpy(sig->id, bytes + 2, KEY_ID_SIZE);
	memcpy(sig->bytes, bytes + HEAD_SIZE, SIGNATURE_SIZE);
	return 0;
}

static bool verify(const uint8_t *signature, const uint8_t *message, size_t size,
		   const struct public_key *key)
{
	return crypto_sign_ed25519_verify_detached(signature, message, size, key->key) == 0;
}

/* The trusted comment is signed together with the signature before it. */
static bool verify_comment(const struct signature *sig, const struct public_key *key)
{
	uint8_t message[SIGNATURE_SIZE + LINE_MAX_BYTES];

	memcpy(message, sig->bytes, SIGNATURE_SIZE);
	memcpy(message + SIGNATURE_SIZE, sig->comment, sig->comment_len);
	return verify(sig->comment_signature, message, SIGNATURE_SIZE + sig->comment_len, key);
}

static bool verify_with(const struct signature *sig, const uint8_t *message, size_t size,
			const struct public_key *key)
{
	uint8_t hash[PREHASH_SIZE];

	if (sig->comment && !verify_comment(sig, key))
		return false;
	if (!sig->prehashed)
		return verify(sig->bytes, message, size, key);
	return crypto_generichash_blake2b(hash, sizeof(hash), message, size, NULL, 0) == 0 &&
	       verify(sig->bytes, hash, sizeof(hash), key);
}

int signature_verify(const struct signature *sig, const uint8_t *message, size_t size,
		     const struct key_ring *ring, const struct public_key **by, const char *name,
		     struct fault *f)
{
	bool known = false;

	for (unsigned int i = 0; i < ring->count; i++) {
		const struct public_key *key = &ring->key[i];

		if (memcmp(key->id, sig->id, KEY_ID_SIZE) != 0)
			continue;
		known = true;
		if (verify_with(sig, message, size, key)) {
			*by = key;
			return 0;
		}
	}
	if (known)
		return fault_set(f, FAULT_IMAGE,
				 "%s: its signature does not verify: the image was changed, or "
				 "the signature is not its own",
				 name);
	return fault_set(f, FAULT_IMAGE, "%s: signed by a key that is not installed here", name);
}
