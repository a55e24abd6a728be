// SPDX-License-Identifier: GPL-2.0-or-later
/* Images, keys and signatures are those of fixtures/. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bytes.h"
#include "helpers.h"
#include "image.h"
#include "sign.h"

#define FIXTURE(name) TEST_DIR "/fixtures/" name

static bool disk_full;

size_t __real_fwrite(const void *data, size_t size, size_t count, FILE *file);
size_t __wrap_fwrite(const void *data, size_t size, size_t count, FILE *file)
{
	if (!disk_full)
		return __real_fwrite(data, size, count, file);
	errno = ENOSPC;
	return 0;
}

static struct fault f;
static unsigned int fds;

static int setup(void **state)
{
	disk_full = false;
	fds = count_fds();
	return temp_dir_make(state);
}

static int teardown(void **state)
{
	assert_int_equal(count_fds(), fds);
	return temp_dir_remove(state);
}

/* Name of the key that signed the image, which must be whole; "" if none did. */
static const char *signer(const char *path, const char *key)
{
	static char by[KEY_NAME_MAX];
	struct key_ring ring = { .count = 0 };
	struct source src;
	struct image img;

	if ((key && key_ring_add_file(&ring, key, &f) < 0) || source_open(&src, path, &f) < 0 ||
	    image_read(&img, &src, &ring, &f) < 0 || image_verify(&img, &src, NULL, NULL, &f) < 0)
		fail_msg("%s", f.text);
	memcpy(by, img.signed_by, sizeof(by));
	image_free(&img);
	source_close(&src);
	return by;
}

static void expect_same(const char *a, const char *b)
{
	size_t a_len, b_len;
	uint8_t *one = read_file(a, &a_len), *two = read_file(b, &b_len);

	assert_int_equal(a_len, b_len);
	assert_memory_equal(one, two, a_len);
	free(one);
	free(two);
}

static void expect_none(const char *path)
{
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(access(temp_path("%s.part", strrchr(path, '/') + 1), F_OK), -1);
}

static void copy_file(const char *from, const char *to)
{
	size_t len;
	uint8_t *data = read_file(from, &len);

	write_file(to, data, len);
	free(data);
}

static void extracts_the_index(void **state)
{
	size_t len, index_len;
	uint8_t *image = read_file(FIXTURE("one.fwi"), &len), *index;

	assert_int_equal(sign_extract_index(FIXTURE("one.fwi"), temp_path("index"), &f), 0);
	index = read_file(temp_path("index"), &index_len);
	assert_int_equal(index_len, get_le32(image + 12));
	assert_memory_equal(index, image + IMAGE_PREAMBLE_SIZE, index_len);
	free(image);
	free(index);
}

static void extracts_the_same_from_a_signed_image(void **state)
{
	assert_int_equal(sign_insert(FIXTURE("one.fwi"), FIXTURE("one.sig"), NULL,
				     temp_path("signed.fwi"), &f),
			 0);
	assert_int_equal(sign_extract_index(FIXTURE("one.fwi"), temp_path("a"), &f), 0);
	assert_int_equal(sign_extract_index(temp_path("signed.fwi"), temp_path("b"), &f), 0);
	expect_same(temp_path("a"), temp_path("b"));
}

static void extracts_from_no_image(void **state)
{
	assert_int_equal(sign_extract_index(FIXTURE("one.sig"), temp_path("index"), &f), -1);
	assert_fault(&f, FAULT_IMAGE, "one.sig: not a firmware image");
	expect_none(temp_path("index"));
	assert_int_equal(sign_extract_index(temp_path("none"), temp_path("index"), &f), -1);
	assert_fault(&f, FAULT_IMAGE, "none: cannot open");
	assert_int_equal(sign_extract_index(FIXTURE("one.fwi"), temp_path("none/index"), &f), -1);
	assert_fault(&f, FAULT_FAILED, "index.part: cannot create");
	disk_full = true;
	assert_int_equal(sign_extract_index(FIXTURE("one.fwi"), temp_path("index"), &f), -1);
	disk_full = false;
	assert_fault(&f, FAULT_FAILED, "No space left");
	expect_none(temp_path("index"));
}

static const struct {
	const char *signature, *key, *by;
} forms[] = {
	{ FIXTURE("one.sig"), FIXTURE("signify.pub"), "signify.pub" },
	{ FIXTURE("one.minisig"), FIXTURE("minisign.pub"), "minisign.pub" },
	{ FIXTURE("one.legacy.minisig"), FIXTURE("minisign.pub"), "minisign.pub" },
};

static void inserts(void **state)
{
	for (int i = 0; i < 3; i++) {
		size_t was_len, len, sig_len, head;
		uint8_t *was = read_file(FIXTURE("one.fwi"), &was_len), *now, *sig;
		const char *out = temp_path("signed.fwi");

		assert_int_equal(sign_insert(FIXTURE("one.fwi"), forms[i].signature, forms[i].key,
					     out, &f),
				 0);
		assert_string_equal(signer(out, forms[i].key), forms[i].by);
		assert_string_equal(signer(out, NULL), "");
		/* The signature file as it is, and all else as it was. */
		now = read_file(out, &len);
		sig = read_file(forms[i].signature, &sig_len);
		head = IMAGE_PREAMBLE_SIZE + get_le32(was + 12);
		assert_int_equal(len, was_len + sig_len);
		assert_memory_equal(now + IMAGE_PREAMBLE_SIZE, was + IMAGE_PREAMBLE_SIZE,
				    head - IMAGE_PREAMBLE_SIZE);
		assert_memory_equal(now + head, sig, sig_len);
		assert_memory_equal(now + head + sig_len, was + head, was_len - head);
		free(was);
		free(now);
		free(sig);
	}
}

static void inserts_in_place(void **state)
{
	const char *image = temp_path("fw.fwi");

	copy_file(FIXTURE("one.fwi"), image);
	assert_int_equal(sign_insert(image, FIXTURE("one.sig"), FIXTURE("signify.pub"), image, &f),
			 0);
	assert_string_equal(signer(image, FIXTURE("signify.pub")), "signify.pub");
	expect_none(temp_path("fw.fwi.part"));
}

static void replaces_a_signature(void **state)
{
	const char *image = temp_path("fw.fwi"), *direct = temp_path("direct.fwi");

	assert_int_equal(sign_insert(FIXTURE("one.fwi"), FIXTURE("one.sig"), NULL, image, &f), 0);
	assert_int_equal(sign_insert(FIXTURE("one.fwi"), FIXTURE("one.minisig"), NULL, direct, &f),
			 0);
	assert_int_equal(sign_insert(image, FIXTURE("one.minisig"), FIXTURE("minisign.pub"), image,
				     &f),
			 0);
	expect_same(image, direct);
	assert_string_equal(signer(image, FIXTURE("minisign.pub")), "minisign.pub");
}

static void expect_refused(const char *signature, const char *key, enum fault_kind kind,
			   const char *what)
{
	const char *image = temp_path("fw.fwi");

	copy_file(FIXTURE("one.fwi"), image);
	assert_int_equal(sign_insert(image, signature, key, temp_path("out.fwi"), &f), -1);
	assert_fault(&f, kind, what);
	expect_none(temp_path("out.fwi"));
	assert_int_equal(sign_insert(image, signature, key, image, &f), -1);
	expect_same(image, FIXTURE("one.fwi"));
}

static void wrong_keys(void **state)
{
	expect_refused(FIXTURE("one.sig"), FIXTURE("signify-other.pub"), FAULT_IMAGE,
		       "one.sig: signed by a key that is not installed here");
	expect_refused(FIXTURE("one.minisig"), FIXTURE("signify.pub"), FAULT_IMAGE,
		       "one.minisig: signed by a key that is not");
	expect_refused(FIXTURE("one.sig"), FIXTURE("README.md"), FAULT_UNFIT,
		       "README.md: not a public key");
	expect_refused(FIXTURE("one.sig"), temp_path("none.pub"), FAULT_UNFIT,
		       "none.pub: cannot read the public key");
}

static void wrong_signatures(void **state)
{
	char text[IMAGE_SIGNATURE_MAX + 1];

	expect_refused(FIXTURE("two.sig"), FIXTURE("signify.pub"), FAULT_IMAGE,
		       "two.sig: its signature does not verify");
	expect_refused(FIXTURE("signify.pub"), NULL, FAULT_IMAGE,
		       "signify.pub: its signature is not one of signify or minisign");
	expect_refused(temp_path("none.sig"), NULL, FAULT_FAILED, "none.sig: cannot open");
	expect_refused(temp_path("."), NULL, FAULT_FAILED, "cannot read");
	memset(text, 'x', sizeof(text));
	write_file(temp_path("huge.sig"), text, sizeof(text));
	expect_refused(temp_path("huge.sig"), NULL, FAULT_IMAGE,
		       "huge.sig: more than 4096 bytes: not a signature");
	write_file(temp_path("empty.sig"), text, 0);
	expect_refused(temp_path("empty.sig"), NULL, FAULT_IMAGE, "is not one of signify");
}

static void expect_image_refused(const uint8_t *data, size_t len, const char *what)
{
	const char *image = temp_path("bad.fwi");

	write_file(image, data, len);
	assert_int_equal(sign_insert(image, FIXTURE("one.sig"), FIXTURE("signify.pub"),
				     temp_path("out.fwi"), &f),
			 -1);
	assert_fault(&f, FAULT_IMAGE, what);
	expect_none(temp_path("out.fwi"));
}

static void images_that_are_wrong(void **state)
{
	size_t len;
	uint8_t *image = read_file(FIXTURE("one.fwi"), &len);

	expect_image_refused(image, len - 1, "cut short");
	expect_image_refused(image, len + 1, "goes on after byte");
	expect_image_refused(image, 100, "cut short");
	image[IMAGE_PREAMBLE_SIZE + 50] ^= 1;
	expect_image_refused(image, len, "index checksum does not match");
	free(image);
}

static void full_disk(void **state)
{
	disk_full = true;
	assert_int_equal(sign_insert(FIXTURE("one.fwi"), FIXTURE("one.sig"), NULL,
				     temp_path("out.fwi"), &f),
			 -1);
	disk_full = false;
	assert_fault(&f, FAULT_FAILED, "No space left");
	expect_none(temp_path("out.fwi"));
}

#define sign_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		sign_test(extracts_the_index),
		sign_test(extracts_the_same_from_a_signed_image),
		sign_test(extracts_from_no_image),
		sign_test(inserts),
		sign_test(inserts_in_place),
		sign_test(replaces_a_signature),
		sign_test(wrong_keys),
		sign_test(wrong_signatures),
		sign_test(images_that_are_wrong),
		sign_test(full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
