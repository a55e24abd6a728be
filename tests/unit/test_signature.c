// SPDX-License-Identifier: GPL-2.0-or-later
/* Keys and signatures in fixtures/ were made by the stock programs: fixtures/README.md. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bytes.h"
#include "helpers.h"
#include "image.h"
#include "signature.h"

#define FIXTURE(name) TEST_DIR "/fixtures/" name

enum { FORMS = 3 };

static const struct form {
	const char *file, *key;
	bool prehashed, comment;
} forms[FORMS] = {
	{ FIXTURE("one.sig"), FIXTURE("signify.pub"), false, false },
	{ FIXTURE("one.minisig"), FIXTURE("minisign.pub"), true, true },
	{ FIXTURE("one.legacy.minisig"), FIXTURE("minisign.pub"), false, true },
};

static uint8_t *message; /* what was signed: the index of one.fwi */
static size_t message_size;
static struct signature sig;
static struct fault f;

static int read_message(void **state)
{
	size_t len;
	uint8_t *image = read_file(FIXTURE("one.fwi"), &len);

	message_size = get_le32(image + 12);
	message = malloc(message_size);
	assert_non_null(message);
	memcpy(message, image + IMAGE_PREAMBLE_SIZE, message_size);
	free(image);
	return 0;
}

static int free_message(void **state)
{
	free(message);
	return 0;
}

static struct key_ring ring_of(const char *one, const char *two)
{
	struct key_ring ring = { .count = 0 };

	if (key_ring_add_file(&ring, one, &f) < 0 || (two && key_ring_add_file(&ring, two, &f) < 0))
		fail_msg("%s", f.text);
	return ring;
}

/*
 * Parses a copy that ends where its memory ends, and verifies it. 0, or -1 with the fault, which is
 * then one of an image.
 */
static int check(const char *text, size_t len, const struct key_ring *ring)
{
	const struct public_key *by;
	char *copy = malloc(len ? len : 1);
	int result;

	assert_non_null(copy);
	memcpy(copy, text, len);
	result = signature_parse(&sig, copy, len, "fw.fwi", &f);
	if (result == 0)
		result = signature_verify(&sig, message, message_size, ring, &by, "fw.fwi", &f);
	free(copy);
	if (result < 0)
		assert_fault(&f, FAULT_IMAGE, "fw.fwi: ");
	return result;
}

static void right_key(void **state)
{
	for (int i = 0; i < FORMS; i++) {
		struct key_ring ring = ring_of(forms[i].key, NULL);
		const struct public_key *by = NULL;
		size_t len;
		char *text = (char *)read_file(forms[i].file, &len);

		assert_int_equal(signature_parse(&sig, text, len, "fw.fwi", &f), 0);
		assert_int_equal(sig.prehashed, forms[i].prehashed);
		assert_int_equal(sig.comment != NULL, forms[i].comment);
		assert_memory_equal(sig.id, ring.key[0].id, KEY_ID_SIZE);
		if (sig.comment) {
			assert_int_equal(sig.comment_len,
					 strlen("timestamp:1700000000 file:one.index"));
			assert_memory_equal(sig.comment, "timestamp:1700000000 file:one.index",
					    sig.comment_len);
		}
		assert_int_equal(signature_verify(&sig, message, message_size, &ring, &by, "fw.fwi",
						  &f),
				 0);
		assert_ptr_equal(by, &ring.key[0]);
		free(text);
	}
}

static void wrong_key(void **state)
{
	for (int i = 0; i < FORMS; i++) {
		struct key_ring ring = ring_of(forms[i].key, NULL);
		struct key_ring others =
			ring_of(FIXTURE("signify-other.pub"), FIXTURE("minisign-other.pub"));
		static const struct key_ring none;
		size_t len;
		char *text = (char *)read_file(forms[i].file, &len);

		assert_int_equal(check(text, len, &others), -1);
		assert_fault(&f, FAULT_IMAGE, "signed by a key that is not installed here");
		assert_int_equal(check(text, len, &none), -1);
		assert_fault(&f, FAULT_IMAGE, "signed by a key that is not installed here");
		/* another key with the same id */
		memcpy(others.key[1].id, ring.key[0].id, KEY_ID_SIZE);
		assert_int_equal(check(text, len, &others), -1);
		assert_fault(&f, FAULT_IMAGE, "its signature does not verify");
		/* the right key with another id */
		for (int at = 0; at < KEY_ID_SIZE; at++) {
			ring.key[0].id[at] ^= 1;
			assert_int_equal(check(text, len, &ring), -1);
			assert_fault(&f, FAULT_IMAGE, "not installed here");
			ring.key[0].id[at] ^= 1;
		}
		assert_int_equal(check(text, len, &ring), 0);
		free(text);
	}
}

/* Each of several keys with one id is tried. */
static void right_key_among_others(void **state)
{
	for (int i = 0; i < FORMS; i++) {
		struct key_ring ring = ring_of(FIXTURE("signify-other.pub"), forms[i].key);
		const struct public_key *by = NULL;
		size_t len;
		char *text = (char *)read_file(forms[i].file, &len);

		for (unsigned int same_id = 0; same_id < 2; same_id++) {
			assert_int_equal(signature_parse(&sig, text, len, "fw.fwi", &f), 0);
			assert_int_equal(signature_verify(&sig, message, message_size, &ring, &by,
							  "fw.fwi", &f),
					 0);
			assert_ptr_equal(by, &ring.key[1]);
			assert_string_equal(by->name, strrchr(forms[i].key, '/') + 1);
			memcpy(ring.key[0].id, ring.key[1].id, KEY_ID_SIZE);
		}
		free(text);
	}
}

static void every_change_of_the_message(void **state)
{
	for (int i = 0; i < FORMS; i++) {
		struct key_ring ring = ring_of(forms[i].key, NULL);
		size_t len;
		char *text = (char *)read_file(forms[i].file, &len);

		for (size_t at = 0; at < message_size; at++) {
			message[at] ^= (uint8_t)(1 << at % 8);
			assert_int_equal(check(text, len, &ring), -1);
			message[at] ^= (uint8_t)(1 << at % 8);
		}
		message_size--;
		assert_int_equal(check(text, len, &ring), -1);
		message_size++;
		assert_int_equal(check(text, len, &ring), 0);
		free(text);
	}
}

/* Where line n (from 0) of a text starts, or, for the number of its lines, its end. */
static size_t line_start(const char *text, unsigned int n)
{
	const char *at = text;

	while (n--)
		at = strchr(at, '\n') + 1;
	return (size_t)(at - text);
}

/*
 * The last newline may be missing. Line 2 of a legacy signature of minisign is a whole one of
 * signify: it is the comment that is lost then. All else is cut short.
 */
static void truncated_at_every_byte(void **state)
{
	for (int i = 0; i < FORMS; i++) {
		struct key_ring ring = ring_of(forms[i].key, NULL);
		bool legacy = forms[i].comment && !forms[i].prehashed;
		size_t len, two;
		char *text = (char *)read_file(forms[i].file, &len);

		two = line_start(text, 2);
		for (size_t cut = 0; cut <= len; cut++) {
			bool whole = cut >= len - 1 || (legacy && (cut == two || cut == two - 1));

			if (check(text, cut, &ring) != (whole ? 0 : -1))
				fail_msg("%s, cut at %zu: %s", forms[i].file, cut, f.text);
		}
		free(text);
	}
}

static void change_line(const char *text, size_t len, unsigned int n, const struct key_ring *ring)
{
	size_t start = line_start(text, n), end = line_start(text, n + 1) - 1;
	char *copy = malloc(len);

	assert_non_null(copy);
	memcpy(copy, text, len);
	assert_true(end - start == 100 || end - start == 88);
	for (size_t at = start; at < end; at++) {
		for (int flip = 1; flip < 256; flip++) {
			copy[at] = (char)(text[at] ^ flip);
			if (check(copy, len, ring) == 0)
				fail_msg("byte %zu may be 0x%02x", at, (unsigned char)copy[at]);
		}
		copy[at] = text[at];
	}
	free(copy);
}

static void every_change_of_base64_signify(void **state)
{
	struct key_ring ring = ring_of(forms[0].key, NULL);
	size_t len;
	char *text = (char *)read_file(forms[0].file, &len);

	change_line(text, len, 1, &ring);
	free(text);
}

static void every_change_of_base64_minisign(void **state)
{
	for (int i = 1; i < FORMS; i++) {
		struct key_ring ring = ring_of(forms[i].key, NULL);
		size_t len;
		char *text = (char *)read_file(forms[i].file, &len);

		change_line(text, len, 1, &ring);
		change_line(text, len, 3, &ring);
		free(text);
	}
}

/* The words before it must be there; what the comment says is nobody's affair, but for a newline. */
static void every_change_of_the_untrusted_comment(void **state)
{
	for (int i = 0; i < FORMS; i++) {
		struct key_ring ring = ring_of(forms[i].key, NULL);
		size_t len, end, start = strlen("untrusted comment: ");
		char *text = (char *)read_file(forms[i].file, &len);

		end = line_start(text, 1) - 1;
		for (size_t at = 0; at <= end; at++) {
			char was = text[at];

			for (int bit = 0; bit < 8; bit++) {
				bool fine;

				text[at] = (char)(was ^ 1 << bit);
				fine = at >= start && at < end && text[at] != '\n';
				assert_int_equal(check(text, len, &ring), fine ? 0 : -1);
			}
			text[at] = was;
		}
		free(text);
	}
}

static void every_change_of_the_trusted_comment(void **state)
{
	for (int i = 1; i < FORMS; i++) {
		struct key_ring ring = ring_of(forms[i].key, NULL);
		size_t len, start, end;
		char *text = (char *)read_file(forms[i].file, &len);

		start = line_start(text, 2);
		end = line_start(text, 3);
		for (size_t at = start; at < end; at++) {
			char was = text[at];

			for (int bit = 0; bit < 8; bit++) {
				text[at] = (char)(was ^ 1 << bit);
				assert_int_equal(check(text, len, &ring), -1);
			}
			text[at] = was;
		}
		free(text);
	}
}

/* A trusted comment with its signature belongs to the signature before it. */
static void comment_of_another_signature(void **state)
{
	struct key_ring ring = ring_of(FIXTURE("minisign.pub"), NULL);
	size_t one_len, two_len, head;
	char *one = (char *)read_file(FIXTURE("one.minisig"), &one_len);
	char *two = (char *)read_file(FIXTURE("two.minisig"), &two_len);

	assert_int_equal(one_len, two_len);
	head = line_start(one, 2);
	memcpy(one + head, two + head, one_len - head);
	assert_int_equal(check(one, one_len, &ring), -1);
	assert_fault(&f, FAULT_IMAGE, "does not verify");
	free(one);
	free(two);
}

/* line, with what stands behind it. */
static int check_lines(const char *one, const char *two, const char *rest)
{
	struct key_ring ring = ring_of(FIXTURE("signify.pub"), NULL);
	char text[4096];
	int len = snprintf(text, sizeof(text), "%s\n%s\n%s", one, two, rest);

	assert_true(len > 0 && len < (int)sizeof(text));
	return check(text, (size_t)len, &ring);
}

static void lines_that_are_not_a_signature(void **state)
{
	static const char malformed[] = "not one of signify or minisign, or is damaged";
	static const char *const rests[] = { "\n", "\n\n", "x", " ", "untrusted comment: x\n" };
	char comment[1100] = "untrusted comment: ", *line, changed[128];
	size_t len, start;
	char *text = (char *)read_file(FIXTURE("one.sig"), &len);

	text[len - 1] = '\0';
	line = text + line_start(text, 1);
	for (size_t i = 0; i < sizeof(rests) / sizeof(*rests); i++) {
		assert_int_equal(check_lines("untrusted comment: x", line, rests[i]), -1);
		assert_fault(&f, FAULT_IMAGE, malformed);
	}
	assert_int_equal(check_lines("untrusted comment:", line, ""), -1);
	assert_fault(&f, FAULT_IMAGE, malformed);
	assert_int_equal(check_lines("untrusted comment: ", line, ""), 0);
	start = strlen(comment);
	memset(comment + start, 'x', 1024 - start);
	assert_int_equal(check_lines(comment, line, ""), 0);
	comment[1024] = 'x'; /* a line of 1025 bytes */
	assert_int_equal(check_lines(comment, line, ""), -1);
	assert_fault(&f, FAULT_IMAGE, malformed);
	(void)snprintf(changed, sizeof(changed), "R0%s", line + 2);
	assert_int_equal(check_lines("untrusted comment: x", changed, ""), -1);
	assert_fault(&f, FAULT_IMAGE, "signed with an unknown algorithm");
	(void)snprintf(changed, sizeof(changed), "RU%s", line + 2); /* "ED" in place of "Ed" */
	assert_int_equal(check_lines("untrusted comment: x", changed, ""), -1);
	assert_fault(&f, FAULT_IMAGE, malformed); /* which takes four lines */
	free(text);
}

static const char *const keys[] = { FIXTURE("signify.pub"), FIXTURE("signify-other.pub"),
				    FIXTURE("minisign.pub"), FIXTURE("minisign-other.pub") };

static int parse_key(struct public_key *key, const char *text, size_t len)
{
	char *copy = malloc(len ? len : 1);
	int result;

	assert_non_null(copy);
	memcpy(copy, text, len);
	result = public_key_parse(key, copy, len, "/etc/keys/a.pub", &f);
	free(copy);
	if (result < 0)
		assert_fault(&f, FAULT_UNFIT, "a.pub: ");
	return result;
}

static void key_files(void **state)
{
	struct public_key key;

	for (size_t i = 0; i < 4; i++) {
		size_t len;
		char *text = (char *)read_file(keys[i], &len);

		for (size_t cut = 0; cut <= len; cut++)
			assert_int_equal(parse_key(&key, text, cut), cut >= len - 1 ? 0 : -1);
		assert_string_equal(key.name, "a.pub");
		free(text);
	}
}

/* A changed byte makes it no key, or the key of somebody else. */
static void every_change_of_a_key_file(void **state)
{
	for (size_t i = 0; i < 2; i++) {
		size_t len, at, sig_len;
		char *text = (char *)read_file(forms[i].key, &len);
		char *signature = (char *)read_file(forms[i].file, &sig_len);
		struct key_ring ring = { .count = 1 };

		for (at = line_start(text, 1); at < len - 1; at++) {
			char was = text[at];

			for (int bit = 0; bit < 8; bit++) {
				text[at] = (char)(was ^ 1 << bit);
				if (parse_key(&ring.key[0], text, len) == 0)
					assert_int_equal(check(signature, sig_len, &ring), -1);
			}
			text[at] = was;
		}
		assert_int_equal(parse_key(&ring.key[0], text, len), 0);
		assert_int_equal(check(signature, sig_len, &ring), 0);
		free(text);
		free(signature);
	}
}

static void key_files_that_are_none(void **state)
{
	struct key_ring ring = { .count = 0 };
	char text[3000];
	size_t len;
	char *good = (char *)read_file(keys[0], &len);

	(void)snprintf(text, sizeof(text), "%s%s", good, strchr(good, '\n') + 1);
	write_text(temp_path("long.pub"), text); /* a line too many */
	assert_int_equal(key_ring_add_file(&ring, temp_path("long.pub"), &f), -1);
	assert_fault(&f, FAULT_UNFIT, "long.pub: not a public key of signify or minisign");
	memcpy(strchr(good, '\n') + 1, "RUQ", 3); /* the algorithm "ED", which no key has */
	write_text(temp_path("ed.pub"), good);
	assert_int_equal(key_ring_add_file(&ring, temp_path("ed.pub"), &f), -1);
	assert_fault(&f, FAULT_UNFIT, "ed.pub: a key of an unknown algorithm");
	assert_int_equal(key_ring_add_file(&ring, FIXTURE("one.sig"), &f), -1);
	assert_fault(&f, FAULT_UNFIT, "one.sig: not a public key");
	assert_int_equal(key_ring_add_file(&ring, temp_path("none.pub"), &f), -1);
	assert_fault(&f, FAULT_UNFIT, "none.pub: cannot read the public key: No such file");
	assert_int_equal(key_ring_add_file(&ring, temp_path("."), &f), -1);
	assert_fault(&f, FAULT_UNFIT, "cannot read the public key: Is a directory");
	memset(text, 'x', sizeof(text));
	write_file(temp_path("huge.pub"), text, sizeof(text));
	assert_int_equal(key_ring_add_file(&ring, temp_path("huge.pub"), &f), -1);
	assert_fault(&f, FAULT_UNFIT, "huge.pub: cannot read the public key: File too large");
	assert_int_equal(ring.count, 0);
	free(good);
}

static void copy_key(const char *from, const char *to)
{
	size_t len;
	uint8_t *text = read_file(from, &len);

	write_file(to, text, len);
	free(text);
}

static void folders_of_keys(void **state)
{
	struct key_ring ring = { .count = 0 };
	unsigned int fds = count_fds();

	assert_int_equal(key_ring_add_folder(&ring, temp_path("none"), &f), 0);
	assert_int_equal(symlink("nowhere", temp_path("dangling")), 0); /* keys out of reach */
	assert_int_equal(key_ring_add_folder(&ring, temp_path("dangling"), &f), -1);
	assert_fault(&f, FAULT_UNFIT, "dangling: cannot look for public keys");
	assert_int_equal(ring.count, 0);
	copy_key(keys[0], temp_path("keys/a.pub"));
	copy_key(keys[2], temp_path("keys/b.b.pub"));
	write_text(temp_path("keys/README"), "not a key");
	write_text(temp_path("keys/pub"), "not a key");
	write_text(temp_path("keys/a.pub.bak"), "not a key");
	write_text(temp_path("keys/.hidden.pub"), "not a key");
	assert_int_equal(key_ring_add_folder(&ring, temp_path("keys"), &f), 0);
	assert_int_equal(ring.count, 2);
	assert_int_equal(key_ring_add_file(&ring, keys[1], &f), 0);
	assert_int_equal(ring.count, 3);
	assert_string_equal(ring.key[2].name, "signify-other.pub");
	assert_int_equal(count_fds(), fds);
}

/* A device whose key is damaged takes nothing: without the key it would take what is unsigned. */
static void folders_with_a_damaged_key(void **state)
{
	struct key_ring ring = { .count = 0 };
	size_t len;
	uint8_t *text = read_file(keys[2], &len);

	copy_key(keys[0], temp_path("keys/a.pub"));
	for (size_t cut = 0; cut < len - 1; cut++) {
		ring.count = 0;
		write_file(temp_path("keys/b.pub"), text, cut);
		assert_int_equal(key_ring_add_folder(&ring, temp_path("keys"), &f), -1);
		assert_fault(&f, FAULT_UNFIT, "keys/b.pub: ");
	}
	free(text);
	assert_int_equal(unlink(temp_path("keys/b.pub")), 0);
	assert_int_equal(symlink("nowhere", temp_path("keys/c.pub")), 0);
	ring.count = 0;
	assert_int_equal(key_ring_add_folder(&ring, temp_path("keys"), &f), -1);
	assert_fault(&f, FAULT_UNFIT, "keys/c.pub: cannot read the public key");
	assert_int_equal(unlink(temp_path("keys/c.pub")), 0);
	assert_int_equal(mkdir(temp_path("keys/d.pub"), 0700), 0);
	assert_int_equal(key_ring_add_folder(&ring, temp_path("keys"), &f), -1);
	assert_fault(&f, FAULT_UNFIT, "keys/d.pub: cannot read the public key");
	write_text(temp_path("file"), "");
	assert_int_equal(key_ring_add_folder(&ring, temp_path("file"), &f), -1);
	assert_fault(&f, FAULT_UNFIT, "file: cannot look for public keys: Not a directory");
}

static void number_of_keys(void **state)
{
	struct key_ring ring = { .count = 0 };

	for (int i = 0; i < KEYS_MAX; i++)
		copy_key(keys[i % 4], temp_path("keys/%d.pub", i));
	assert_int_equal(key_ring_add_folder(&ring, temp_path("keys"), &f), 0);
	assert_int_equal(ring.count, KEYS_MAX);
	assert_int_equal(key_ring_add_file(&ring, keys[0], &f), -1);
	assert_fault(&f, FAULT_UNFIT, "more than 16 public keys");
	copy_key(keys[0], temp_path("keys/one-more.pub"));
	ring.count = 0;
	assert_int_equal(key_ring_add_folder(&ring, temp_path("keys"), &f), -1);
	assert_fault(&f, FAULT_UNFIT, "more than 16 public keys");
}

static void long_names_of_keys(void **state)
{
	struct key_ring ring = { .count = 0 };
	char name[101];

	memset(name, 'k', 100);
	name[100] = '\0';
	copy_key(keys[0], temp_path("keys/%s.pub", name));
	assert_int_equal(key_ring_add_folder(&ring, temp_path("keys"), &f), 0);
	assert_int_equal(strlen(ring.key[0].name), KEY_NAME_MAX - 1);
	memset(name, 'k', 100);
	assert_memory_equal(ring.key[0].name, name, KEY_NAME_MAX - 1);
}

#define file_test(name) cmocka_unit_test_setup_teardown(name, temp_dir_make, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_key),
		cmocka_unit_test(wrong_key),
		cmocka_unit_test(right_key_among_others),
		cmocka_unit_test(every_change_of_the_message),
		cmocka_unit_test(truncated_at_every_byte),
		cmocka_unit_test(every_change_of_base64_signify),
		cmocka_unit_test(every_change_of_base64_minisign),
		cmocka_unit_test(every_change_of_the_untrusted_comment),
		cmocka_unit_test(every_change_of_the_trusted_comment),
		cmocka_unit_test(comment_of_another_signature),
		cmocka_unit_test(lines_that_are_not_a_signature),
		cmocka_unit_test(key_files),
		cmocka_unit_test(every_change_of_a_key_file),
		file_test(key_files_that_are_none),
		file_test(folders_of_keys),
		file_test(folders_with_a_damaged_key),
		file_test(number_of_keys),
		file_test(long_names_of_keys),
	};

	return cmocka_run_group_tests(tests, read_message, free_message);
}
