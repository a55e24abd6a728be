/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Public keys and detached signatures of signify and minisign, which share one form: lines of text
 * with base64 in it, Ed25519, and a key id that tells which key to use. The cryptography is
 * libsodium's.
 */
#ifndef FLASH_SIGNATURE_H
#define FLASH_SIGNATURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fault.h"

enum {
	KEYS_MAX = 16,
	KEY_NAME_MAX = 64,
	KEY_ID_SIZE = 8,
	KEY_SIZE = 32,
	SIGNATURE_SIZE = 64,
};

struct public_key {
	char name[KEY_NAME_MAX]; /* of its file, for people */
	uint8_t id[KEY_ID_SIZE];
	uint8_t key[KEY_SIZE];
};

struct key_ring {
	unsigned int count;
	struct public_key key[KEYS_MAX];
};

struct signature {
	bool prehashed; /* made over the message's BLAKE2b, not over the message itself */
	uint8_t id[KEY_ID_SIZE];
	uint8_t bytes[SIGNATURE_SIZE];
	const char *comment; /* minisign's trusted comment inside the text, or NULL */
	size_t comment_len;
	uint8_t comment_signature[SIGNATURE_SIZE];
};

/*
 * Adds the key in a public key file. A file that cannot be read or is none is FAULT_UNFIT: a
 * device whose key is damaged must refuse all images, not take unsigned ones.
 */
int key_ring_add_file(struct key_ring *ring, const char *path, struct fault *f);

/* Whether a file of that name in a key folder counts as a key: *.pub. */
bool key_file_name(const char *name);

/* Adds all keys in a folder, its files *.pub. No such folder: no keys. */
int key_ring_add_folder(struct key_ring *ring, const char *folder, struct fault *f);

/* Takes a public key file's text apart. name is for messages. */
int public_key_parse(struct public_key *key, const char *text, size_t size, const char *name,
		     struct fault *f);

/*
 * Takes a signature file's text apart; sig->comment points into it. Anything that is not exactly
 * a signature is FAULT_IMAGE. name is the image's, for messages.
 */
int signature_parse(struct signature *sig, const char *text, size_t size, const char *name,
		    struct fault *f);

/*
 * Verifies that a key of the ring made the signature over the message, and points *by to it. No
 * such key, or a signature that does not verify, is FAULT_IMAGE.
 */
int signature_verify(const struct signature *sig, const uint8_t *message, size_t size,
		     const struct key_ring *ring, const struct public_key **by, const char *name,
		     struct fault *f);

#endif
