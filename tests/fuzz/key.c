// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The input is a public key file. Only the right key may verify a signature.
 */
#include <string.h>

#include "fuzz.h"

static const char message[] = "an index";
enum { MESSAGE_SIZE = sizeof(message) - 1 };

static struct signature sig;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	memcpy(sig.id, test_keys.key[0].id, KEY_ID_SIZE);
	test_sign(sig.bytes, message, MESSAGE_SIZE);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct public_key *right = &test_keys.key[0], *by;
	struct key_ring ring = { .count = 1 };
	struct public_key *key = &ring.key[0];
	uint8_t line[2 + KEY_ID_SIZE + KEY_SIZE] = "Ed";
	struct fault f = { .kind = 0 };
	int good;

	if (public_key_parse(key, (const char *)data, size, "keys/input.pub", &f) < 0) {
		check_refusal(&f, FAULT_UNFIT);
		return 0;
	}
	require(strcmp(key->name, "input.pub") == 0);
	memcpy(line + 2, key->id, KEY_ID_SIZE);
	memcpy(line + 2 + KEY_ID_SIZE, key->key, KEY_SIZE);
	check_base64_line((const char *)data, size, 1, line, sizeof(line));

	/* Whatever its id is: the key must not verify what another made. */
	good = memcmp(key->key, right->key, KEY_SIZE) == 0;
	memcpy(key->id, right->id, KEY_ID_SIZE);
	require((signature_verify(&sig, (const uint8_t *)message, MESSAGE_SIZE, &ring, &by, "input",
				  &f) == 0) == good);
	return 0;
}
