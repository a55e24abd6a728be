// SPDX-License-Identifier: GPL-2.0-or-later
/* Images, keys and signatures are those of fixtures/. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "helpers.h"
#include "image_file.h"
#include "sign.h"

#define FIXTURE(name) TEST_DIR "/fixtures/" name

static unsigned int installed_looks; /* for keys that are installed */

/* What is installed in this machine is what the test says it is: its folder keys. */
static const char *redirected(const char *path)
{
	size_t len = strlen(CONFIG_KEYS);

	return strncmp(path, CONFIG_KEYS, len) == 0 ? temp_path("keys%s", path + len) : path;
}

DIR *__real_opendir(const char *path);
DIR *__wrap_opendir(const char *path)
{
	installed_looks += strcmp(path, CONFIG_KEYS) == 0;
	return __real_opendir(redirected(path));
}

int __real_open(const char *path, int flags, mode_t mode);
int __wrap_open(const char *path, int flags, mode_t mode)
{
	return __real_open(redirected(path), flags, mode);
}

static struct image_file file;
static struct fault f;
static unsigned int fds;

static int setup(void **state)
{
	installed_looks = 0;
	fds = count_fds();
	return temp_dir_make(state);
}

static int teardown(void **state)
{
	assert_int_equal(count_fds(), fds);
	return temp_dir_remove(state);
}

static void install_key(const char *from)
{
	size_t len;
	uint8_t *text = read_file(from, &len);

	write_file(temp_path("keys/vendor.pub"), text, len);
	free(text);
}

static const char *signed_image(void)
{
	const char *path = temp_path("signed.fwi");

	if (sign_insert(FIXTURE("one.fwi"), FIXTURE("one.sig"), NULL, path, &f) < 0)
		fail_msg("%s", f.text);
	return path;
}

/* Opens and verifies, without a word on standard output: work this short needs none. */
static int verify(const char *path, const struct key_ring *keys)
{
	char *said;
	int result;

	capture_start(STDOUT_FILENO);
	result = image_file_open(&file, path, keys, &f);
	if (result == 0)
		result = image_file_verify(&file, "verifying", &f);
	said = capture_end(STDOUT_FILENO);
	assert_string_equal(said, "");
	free(said);
	return result;
}

static void fine(const char *path, const struct key_ring *keys, enum image_trust trust)
{
	if (verify(path, keys) < 0)
		fail_msg("%s", f.text);
	assert_int_equal(file.image.trust, trust);
	assert_string_equal(file.image.fw_version, "one");
	assert_string_equal(file.image.board[0], "testboard");
	assert_string_equal(file.source.name, path);
	assert_true(file.source.seekable);
	image_file_close(&file);
	image_file_close(&file); /* twice does no harm */
}

static void refused(const char *path, const struct key_ring *keys, enum fault_kind kind,
		    const char *what)
{
	assert_int_equal(verify(path, keys), -1);
	image_file_close(&file);
	assert_fault(&f, kind, what);
}

static void no_keys_installed(void **state)
{
	fine(FIXTURE("one.fwi"), NULL, IMAGE_UNSIGNED);
	fine(signed_image(), NULL, IMAGE_NOT_VERIFIED);
	assert_int_equal(mkdir(temp_path("keys"), 0700), 0);
	fine(FIXTURE("one.fwi"), NULL, IMAGE_UNSIGNED);
	assert_int_equal(installed_looks, 3);
}

static void key_installed(void **state)
{
	install_key(FIXTURE("signify.pub"));
	fine(signed_image(), NULL, IMAGE_VERIFIED);
	refused(FIXTURE("one.fwi"), NULL, FAULT_IMAGE, "is not signed");
	install_key(FIXTURE("minisign.pub"));
	refused(signed_image(), NULL, FAULT_IMAGE, "signed by a key that is not installed here");
}

/* Before the image is even looked at. */
static void damaged_key_installed(void **state)
{
	write_text(temp_path("keys/vendor.pub"), "");
	refused(FIXTURE("one.fwi"), NULL, FAULT_UNFIT, "vendor.pub: not a public key");
	refused(temp_path("none.fwi"), NULL, FAULT_UNFIT, "vendor.pub: not a public key");
}

/* Keys that the caller gives are all that count. */
static void keys_of_the_caller(void **state)
{
	struct key_ring ring = { .count = 0 };

	install_key(FIXTURE("minisign.pub"));
	fine(FIXTURE("one.fwi"), &ring, IMAGE_UNSIGNED);
	assert_int_equal(key_ring_add_file(&ring, FIXTURE("signify.pub"), &f), 0);
	fine(signed_image(), &ring, IMAGE_VERIFIED);
	assert_string_equal(file.image.signed_by, "");
	assert_int_equal(installed_looks, 0);
}

static void images_that_are_wrong(void **state)
{
	size_t len;
	uint8_t *image = read_file(FIXTURE("one.fwi"), &len);

	refused(temp_path("none.fwi"), NULL, FAULT_IMAGE, "none.fwi: cannot open the image");
	refused(temp_path("."), NULL, FAULT_IMAGE, "is a directory");
	write_file(temp_path("bad.fwi"), image, len - 1);
	refused(temp_path("bad.fwi"), NULL, FAULT_IMAGE, "cut short");
	write_file(temp_path("bad.fwi"), image, len + 1);
	refused(temp_path("bad.fwi"), NULL, FAULT_IMAGE, "goes on after byte");
	image[len - 1] ^= 1;
	write_file(temp_path("bad.fwi"), image, len);
	refused(temp_path("bad.fwi"), NULL, FAULT_IMAGE, "damaged: kernel chunk 0 of 1");
	free(image);
}

#define image_file_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		image_file_test(no_keys_installed),     image_file_test(key_installed),
		image_file_test(damaged_key_installed), image_file_test(keys_of_the_caller),
		image_file_test(images_that_are_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
