// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The input is a signature file, over a message that is known, for a key that is known. The only
 * signatures that may verify are those that the secret key makes.
 */
#include <string.h>

#include "fuzz.h"

static const char message[] = "an index";
enum { MESSAGE_SIZE = sizeof(message) - 1, LINE_MOST = 1024 };

static uint8_t plain[SIGNATURE_SIZE], prehashed[SIGNATURE_SIZE];

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	uint8_t hash[BLAKE2B_SIZE];

	(void)argc;
	(void)argv;
	blake2b(hash, message, MESSAGE_SIZE);
	test_sign(plain, message, MESSAGE_SIZE);
	test_sign(prehashed, hash, sizeof(hash));
	return 0;
}

static void check_form(const struct signature *sig, const char *text, size_t size)
{
	uint8_t line[2 + KEY_ID_SIZE + SIGNATURE_SIZE] = "Ed";

	if (sig->prehashed)
		line[1] = 'D';
	memcpy(line + 2, sig->id, KEY_ID_SIZE);
	memcpy(line + 2 + KEY_ID_SIZE, sig->bytes, SIGNATURE_SIZE);
	check_base64_line(text, size, 1, line, sizeof(line));
	if (!sig->comment) {
		require(!sig->prehashed && sig->comment_len == 0);
		return;
	}
	require(sig->comment >= text && sig->comment <= text + size);
	require(sig->comment_len <= (size_t)(text + size - sig->comment));
	require(sig->comment_len <= LINE_MOST - strlen("trusted comment: "));
	require(!memchr(sig->comment, '\n', sig->comment_len));
	check_base64_line(text, size, 3, sig->comment_signature, SIGNATURE_SIZE);
}

static int is_right(const struct signature *sig)
{
	uint8_t signed_too[SIGNATURE_SIZE + LINE_MOST], second[SIGNATURE_SIZE];

	if (memcmp(sig->id, test_keys.key[0].id, KEY_ID_SIZE) != 0 ||
	    memcmp(sig->bytes, sig->prehashed ? prehashed : plain, SIGNATURE_SIZE) != 0)
		return 0;
	if (!sig->comment)
		return 1;
	memcpy(signed_too, sig->bytes, SIGNATURE_SIZE);
	memcpy(signed_too + SIGNATURE_SIZE, sig->comment, sig->comment_len);
	test_sign(second, signed_too, SIGNATURE_SIZE + sig->comment_len);
	return memcmp(second, sig->comment_signature, SIGNATURE_SIZE) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const struct public_key *by = NULL;
	struct fault f = { .kind = 0 };
	struct signature sig;
	int verified;

	if (signature_parse(&sig, text, size, "input", &f) < 0) {
		check_refusal(&f, FAULT_IMAGE);
		return 0;
	}
	check_form(&sig, text, size);
	verified = signature_verify(&sig, (const uint8_t *)message, MESSAGE_SIZE, &test_keys, &by,
				    "input", &f) == 0;
	require(verified == is_right(&sig));
	if (verified)
		require(by == &test_keys.key[0]);
	else
		check_refusal(&f, FAULT_IMAGE);
	return 0;
}

/* Now and then a signature that verifies, over a comment that is the input. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	char text[SIGNATURE_FILE_MAX];
	size_t len = 0;

	if (random_below(&seed, 16) == 0)
		len = test_sign_file(text, sizeof(text), (enum form)random_below(&seed, 3), message,
				     MESSAGE_SIZE, (const char *)data, size);
	if (len == 0 || len > max)
		return LLVMFuzzerMutate(data, size, max);
	memcpy(data, text, len);
	return len;
}
