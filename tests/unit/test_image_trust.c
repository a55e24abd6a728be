// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a reader with public keys takes: the images of fixtures/ with the signatures there, and
 * with everything that somebody without the secret key can make of them.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bytes.h"
#include "chunks.h"
#include "helpers.h"
#include "image.h"
#include "images.h"
#include "index_writer.h"

#define FIXTURE(name) TEST_DIR "/fixtures/" name

struct bytes {
	uint8_t *at;
	size_t size;
};

/* An image's parts, as they lie in its file. */
struct parts {
	struct bytes index, signature, body;
};

static struct bytes one, two; /* the unsigned images */
static struct parts of_one, of_two;
static struct key_ring signify, minisign, both, others, no_keys;
static struct image img;
static struct fault f;

static struct bytes load(const char *path)
{
	struct bytes b;

	b.at = read_file(path, &b.size);
	return b;
}

static struct parts split(struct bytes image)
{
	struct parts p = { { image.at + IMAGE_PREAMBLE_SIZE, get_le32(image.at + 12) },
			   { NULL, 0 },
			   { NULL, 0 } };

	p.body.at = p.index.at + p.index.size;
	p.body.size = image.size - IMAGE_PREAMBLE_SIZE - p.index.size;
	return p;
}

static void add_key(struct key_ring *ring, const char *path)
{
	if (key_ring_add_file(ring, path, &f) < 0)
		fail_msg("%s", f.text);
}

static int load_all(void **state)
{
	one = load(FIXTURE("one.fwi"));
	two = load(FIXTURE("two.fwi"));
	of_one = split(one);
	of_two = split(two);
	add_key(&signify, FIXTURE("signify.pub"));
	add_key(&minisign, FIXTURE("minisign.pub"));
	add_key(&both, FIXTURE("minisign.pub"));
	add_key(&both, FIXTURE("signify.pub"));
	add_key(&others, FIXTURE("signify-other.pub"));
	add_key(&others, FIXTURE("minisign-other.pub"));
	return 0;
}

static int free_all(void **state)
{
	free(one.at);
	free(two.at);
	return 0;
}

/* The image of these parts, with a preamble that fits them. The caller frees it. */
static struct bytes join(const struct parts *p)
{
	struct bytes b = { NULL,
			   IMAGE_PREAMBLE_SIZE + p->index.size + p->signature.size + p->body.size };
	uint8_t *at;

	at = b.at = malloc(b.size);
	assert_non_null(at);
	image_fill_preamble(at, p->index.at, (uint32_t)p->index.size, p->body.size, p->signature.at,
			    (uint32_t)p->signature.size);
	memcpy(at += IMAGE_PREAMBLE_SIZE, p->index.at, p->index.size);
	at += p->index.size;
	if (p->signature.size)
		memcpy(at, p->signature.at, p->signature.size);
	memcpy(at + p->signature.size, p->body.at, p->body.size);
	return b;
}

static struct bytes signed_with(struct parts p, const char *signature)
{
	struct bytes b;

	p.signature = load(signature);
	b = join(&p);
	free(p.signature.at);
	return b;
}

static int file_fd = -1;

static int open_file(void **state)
{
	if (temp_dir_make(state) < 0)
		return -1;
	file_fd = open(temp_path("fw.fwi"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	return file_fd < 0 ? -1 : 0;
}

static int close_file(void **state)
{
	(void)close(file_fd);
	return temp_dir_remove(state);
}

static struct source source_of(const uint8_t *data, size_t size)
{
	struct source src = { .fd = file_fd, .name = "fw.fwi", .seekable = true };

	assert_int_equal(pwrite(file_fd, data, size, 0), size);
	assert_int_equal(ftruncate(file_fd, (off_t)size), 0);
	assert_int_equal(lseek(file_fd, 0, SEEK_SET), 0);
	return src;
}

/* image_read() and image_verify(). img says what was read; free it. */
static int check(const uint8_t *data, size_t size, const struct key_ring *keys)
{
	struct source src = source_of(data, size);
	int result = image_read(&img, &src, keys, &f);

	if (result == 0)
		result = image_verify(&img, &src, NULL, NULL, &f);
	if (result < 0)
		assert_fault(&f, FAULT_IMAGE, "fw.fwi: ");
	return result;
}

static int check_bytes(struct bytes b, const struct key_ring *keys)
{
	return check(b.at, b.size, keys);
}

static void expect(struct bytes b, const struct key_ring *keys, enum image_trust trust,
		   const char *by)
{
	if (check_bytes(b, keys) < 0)
		fail_msg("%s", f.text);
	assert_int_equal(img.trust, trust);
	assert_string_equal(img.signed_by, by);
	image_free(&img);
}

static void expect_refused(struct bytes b, const struct key_ring *keys, const char *why)
{
	assert_int_equal(check_bytes(b, keys), -1);
	image_free(&img);
	assert_fault(&f, FAULT_IMAGE, why);
}

/* All that the image unpacks to, payload after payload. */
static struct bytes unpack(const uint8_t *data, size_t size, const struct key_ring *keys)
{
	struct source src = source_of(data, size);
	struct bytes all = { NULL, 0 };
	uint8_t *to;

	if (image_read(&img, &src, keys, &f) < 0)
		fail_msg("%s", f.text);
	all.size = image_payload_bytes(&img);
	all.at = to = malloc(all.size);
	assert_non_null(to);
	for (unsigned int i = 0; i < img.payload_count; i++) {
		struct chunk_reader r;
		size_t got;

		assert_int_equal(chunk_reader_open(&r, &src, &img.payload[i], &f), 0);
		assert_int_equal(chunk_reader_read(&r, to, img.payload[i].size, &got, &f), 0);
		assert_int_equal(got, img.payload[i].size);
		to += got;
		chunk_reader_close(&r);
	}
	assert_int_equal(source_expect_end(&src, &f), 0);
	image_free(&img);
	return all;
}

static const struct form {
	const char *signature;
	const struct key_ring *keys;
	const char *by;
} forms[] = {
	{ FIXTURE("one.sig"), &signify, "signify.pub" },
	{ FIXTURE("one.minisig"), &minisign, "minisign.pub" },
	{ FIXTURE("one.legacy.minisig"), &minisign, "minisign.pub" },
};

enum { FORMS = sizeof(forms) / sizeof(*forms) };

static void signed_by_the_right_key(void **state)
{
	for (int i = 0; i < FORMS; i++) {
		struct bytes b = signed_with(of_one, forms[i].signature);

		expect(b, forms[i].keys, IMAGE_VERIFIED, forms[i].by);
		expect(b, &both, IMAGE_VERIFIED, forms[i].by);
		expect_refused(b, &others, "signed by a key that is not installed here");
		free(b.at);
	}
}

static void without_keys(void **state)
{
	struct bytes b;

	expect(one, &no_keys, IMAGE_UNSIGNED, "");
	for (int i = 0; i < FORMS; i++) {
		b = signed_with(of_one, forms[i].signature);
		expect(b, &no_keys, IMAGE_NOT_VERIFIED, "");
		free(b.at);
		b = signed_with(of_two, forms[i].signature); /* nobody can tell */
		expect(b, &no_keys, IMAGE_NOT_VERIFIED, "");
		free(b.at);
	}
	b = signed_with(of_one, FIXTURE("signify.pub")); /* but what is none at all is seen */
	expect_refused(b, &no_keys, "its signature is not one of signify or minisign");
	free(b.at);
}

static void unsigned_with_keys(void **state)
{
	expect_refused(one, &signify, "is not signed, and 1 public key is installed");
	expect_refused(one, &both, "is not signed, and 2 public keys are installed");
}

static void wrongly_signed(void **state)
{
	static const char *const of_two_only[FORMS] = { FIXTURE("two.sig"), FIXTURE("two.minisig"),
							FIXTURE("two.legacy.minisig") };

	for (int i = 0; i < FORMS; i++) {
		struct bytes b = signed_with(of_one, of_two_only[i]);

		expect_refused(b, forms[i].keys, "its signature does not verify");
		free(b.at);
		b = signed_with(of_two, of_two_only[i]);
		expect(b, forms[i].keys, IMAGE_VERIFIED, forms[i].by);
		free(b.at);
	}
}

/* Two images that are signed validly, and what can be made of their parts. */
static void indexes_swapped(void **state)
{
	struct parts p = of_one;
	struct bytes b;

	p.index = of_two.index;
	b = signed_with(p, FIXTURE("one.sig"));
	expect_refused(b, &signify, "its signature does not verify");
	free(b.at);
	b = signed_with(p, FIXTURE("two.sig")); /* index and signature fit, the data do not */
	expect_refused(b, &signify, "damaged: rootfs chunk 0 of 3");
	free(b.at);
}

static void payload_data_swapped(void **state)
{
	size_t kernel = 86; /* bytes of the last payload's only chunk in both of them */
	struct parts p = of_one;
	uint8_t body[2048];
	struct bytes b;

	assert_int_equal(of_one.body.size, of_two.body.size);
	p.body = of_two.body;
	b = signed_with(p, FIXTURE("one.sig"));
	expect_refused(b, &signify, "damaged: rootfs chunk 0 of 3");
	free(b.at);
	/* one payload's alone */
	p.body.at = body;
	memcpy(body, of_one.body.at, p.body.size - kernel);
	memcpy(body + p.body.size - kernel, of_two.body.at + p.body.size - kernel, kernel);
	b = signed_with(p, FIXTURE("one.sig"));
	expect_refused(b, &signify, "damaged: kernel chunk 0 of 1 fails its checksum");
	free(b.at);
	memcpy(body + p.body.size - kernel, of_one.body.at + p.body.size - kernel, kernel);
	b = signed_with(p, FIXTURE("one.sig"));
	expect(b, &signify, IMAGE_VERIFIED, "signify.pub");
	free(b.at);
}

/* An index that nobody vouches for is not even parsed. */
static void signature_comes_before_the_index(void **state)
{
	static uint8_t nonsense[] = "this is no index";
	struct parts p = of_one;
	struct bytes b;

	p.index = (struct bytes){ nonsense, sizeof(nonsense) };
	b = signed_with(p, FIXTURE("one.sig"));
	expect_refused(b, &signify, "its signature does not verify");
	free(b.at);
	b = join(&p);
	expect_refused(b, &signify, "is not signed");
	free(b.at);
}

/* The border between index and signature, or signature and chunks, lies elsewhere. */
static void borders_moved(void **state)
{
	struct bytes b = signed_with(of_one, FIXTURE("one.sig"));
	uint8_t *all = b.at + IMAGE_PREAMBLE_SIZE;
	size_t index = of_one.index.size, signature = get_le32(b.at + 16);

	for (int move = -20; move <= 20; move++) {
		for (int both_borders = 0; both_borders < 2; both_borders++) {
			size_t first = index + (size_t)move;
			size_t second = index + signature + (both_borders ? (size_t)move : 0);
			struct parts p = { { all, first },
					   { all + first, second - first },
					   { all + second,
					     b.size - IMAGE_PREAMBLE_SIZE - second } };
			struct bytes moved = join(&p);

			assert_int_equal(moved.size, b.size);
			if (move)
				expect_refused(moved, &signify, "");
			else
				expect(moved, &signify, IMAGE_VERIFIED, "signify.pub");
			free(moved.at);
		}
	}
	free(b.at);
}

static void every_truncation(void **state)
{
	for (int i = 0; i < FORMS; i++) {
		struct bytes b = signed_with(of_one, forms[i].signature);

		for (size_t cut = 0; cut < b.size; cut++) {
			assert_int_equal(check(b.at, cut, forms[i].keys), -1);
			image_free(&img);
			assert_non_null(strstr(f.text, "cut short"));
		}
		free(b.at);
	}
}

/* As if somebody had changed a byte, and put the preamble's checksums right, too, or not. */
struct sweep {
	struct bytes image, plain; /* as it is, and what it unpacks to */
	const struct form *form;
	bool sealed;
	unsigned int checked, harmless;
};

static void seal(uint8_t *image, size_t index, size_t signature, uint64_t body)
{
	uint8_t *at = image + IMAGE_PREAMBLE_SIZE;

	image_fill_preamble(image, at, (uint32_t)index, body, at + index, (uint32_t)signature);
}

/* What is taken must be what was signed, bit for bit when unpacked, and known as such. */
static void check_changed(struct sweep *s, size_t at, size_t signature)
{
	size_t index = of_one.index.size;
	bool in_comment = at >= IMAGE_PREAMBLE_SIZE + index + strlen("untrusted comment: ") &&
			  at < IMAGE_PREAMBLE_SIZE + index + signature;
	struct bytes plain;

	if (check_bytes(s->image, s->form->keys) < 0) {
		image_free(&img);
		return;
	}
	assert_int_equal(img.trust, IMAGE_VERIFIED);
	assert_string_equal(img.signed_by, s->form->by);
	assert_string_equal(img.fw_version, "one");
	assert_int_equal(img.rollback, 7);
	image_free(&img);
	if (!s->sealed || !in_comment)
		fail_msg("byte %zu may be 0x%02x", at, s->image.at[at]);
	plain = unpack(s->image.at, s->image.size, s->form->keys);
	assert_int_equal(plain.size, s->plain.size);
	assert_memory_equal(plain.at, s->plain.at, plain.size);
	free(plain.at);
	s->harmless++;
}

static void sweep(struct sweep *s)
{
	size_t signature = get_le32(s->image.at + 16), body = s->image.size - of_one.body.size;
	uint8_t preamble[IMAGE_PREAMBLE_SIZE];

	memcpy(preamble, s->image.at, sizeof(preamble));
	s->plain = unpack(s->image.at, s->image.size, s->form->keys);
	for (size_t at = 0; at < s->image.size; at++) {
		uint8_t was = s->image.at[at];

		for (int bit = 0; bit <= 8; bit++) {
			/* The chunks have no checksum in the preamble, and no form of signature. */
			if (at >= body && (s->sealed || s->form != forms) && bit != (int)(at % 9))
				continue;
			s->checked++;
			s->image.at[at] = was ^ (bit == 8 ? 0xff : (uint8_t)(1 << bit));
			if (s->sealed && at >= sizeof(preamble))
				seal(s->image.at, of_one.index.size, signature, of_one.body.size);
			else if (s->sealed && at < sizeof(preamble) - 4)
				forge_seal(s->image.at);
			check_changed(s, at, signature);
			memcpy(s->image.at, preamble, sizeof(preamble));
			s->image.at[at] = was;
		}
	}
	assert_int_equal(check_bytes(s->image, s->form->keys), 0);
	image_free(&img);
	assert_true(s->checked >= 9 * body + of_one.body.size);
	free(s->plain.at);
}

/* One byte of the file is another one. */
static void every_change(void **state)
{
	for (int i = 0; i < FORMS; i++) {
		struct sweep s = { .image = signed_with(of_one, forms[i].signature),
				   .form = &forms[i] };

		sweep(&s);
		assert_int_equal(s.harmless, 0);
		free(s.image.at);
	}
}

/* Somebody who puts the checksums right can change the untrusted comment, too, which is nothing. */
static void every_change_with_right_checksums(void **state)
{
	for (int i = 0; i < FORMS; i++) {
		struct sweep s = { .image = signed_with(of_one, forms[i].signature),
				   .form = &forms[i],
				   .sealed = true };

		sweep(&s);
		assert_true(s.harmless > 100 && s.harmless < 400);
		free(s.image.at);
	}
}

#define trust_test(name) cmocka_unit_test_setup_teardown(name, open_file, close_file)

int main(void)
{
	const struct CMUnitTest tests[] = {
		trust_test(signed_by_the_right_key),
		trust_test(without_keys),
		trust_test(unsigned_with_keys),
		trust_test(wrongly_signed),
		trust_test(indexes_swapped),
		trust_test(payload_data_swapped),
		trust_test(signature_comes_before_the_index),
		trust_test(borders_moved),
		trust_test(every_truncation),
		trust_test(every_change),
		trust_test(every_change_with_right_checksums),
	};

	return cmocka_run_group_tests(tests, load_all, free_all);
}
