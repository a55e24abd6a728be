// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "helpers.h"
#include "source.h"
#include "target_mtd.h"

enum { BLOCKS = 6, SIZE = 16, NUMBER = 5 };

/* A chip whose good eraseblocks hold a, b, c ... in each byte, and whose bad ones hold rubbish. */
static struct target chip;
static bool bad[BLOCKS];
static int fails_at; /* eraseblock; below 0: none */
static bool is_open;
static struct source src;
static struct fault f;

int __real_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st)
{
	int result = __real_fstat(fd, st);

	st->st_mode = S_IFCHR | 0600;
	st->st_rdev = makedev(90, 2 * NUMBER + 1); /* the node for reading only */
	return result;
}

int __wrap_target_open_mtd(struct target **t, const char *name, enum target_mode mode, int *number,
			   struct fault *fault)
{
	assert_string_equal(name, "/dev/mtd5");
	assert_int_equal(mode, TARGET_READ);
	if (fails_at == BLOCKS)
		return fault_set(fault, FAULT_UNFIT, "mtd5 has gone");
	is_open = true;
	*t = &chip;
	return 0;
}

static int is_bad(struct target *t, uint32_t eb, struct fault *fault)
{
	return bad[eb];
}

static int read_block(struct target *t, uint32_t eb, uint32_t offset, void *buf, uint32_t len,
		      struct fault *fault)
{
	char letter = 'a';

	if ((int)eb == fails_at)
		return fault_set(fault, FAULT_FLASH, "eraseblock %u", eb);
	assert_false(bad[eb]);
	assert_true(len > 0 && offset + len <= SIZE);
	for (uint32_t i = 0; i < eb; i++)
		letter = (char)(letter + !bad[i]);
	memset(buf, letter, len);
	return 0;
}

static void close_chip(struct target *t)
{
	assert_true(is_open);
	is_open = false;
}

static int setup(void **state)
{
	static const struct target_ops ops = {
		.is_bad = is_bad,
		.read = read_block,
		.close = close_chip,
	};

	chip = (struct target){ .ops = &ops };
	target_add_region(&chip, BLOCKS, SIZE);
	memset(bad, 0, sizeof(bad));
	fails_at = -1;
	return 0;
}

static int teardown(void **state)
{
	source_close(&src);
	assert_false(is_open);
	source_close(&src); /* once more does nothing */
	return 0;
}

static void expect(const char *text)
{
	char buf[BLOCKS * SIZE + 1];

	assert_int_equal(source_read(&src, buf, strlen(text), &f), 0);
	assert_memory_equal(buf, text, strlen(text));
}

static void skips_bad_ones(void **state)
{
	size_t got;
	char buf[8];

	bad[0] = bad[2] = bad[3] = bad[5] = true;
	assert_int_equal(source_open(&src, "/dev/null", &f), 0);
	assert_true(src.seekable);
	expect("aaa");
	expect("aaaaaaaaaaaaabb");
	assert_int_equal(src.pos, 18);
	assert_int_equal(source_expect_end(&src, &f), 0); /* what follows is nobody's */
	expect("bbbbbbbbbbbbbb");
	assert_int_equal(source_read_some(&src, buf, sizeof(buf), &got, &f), 0);
	assert_int_equal(got, 0);
	assert_int_equal(source_read(&src, buf, sizeof(buf), &f), -1);
	assert_fault(&f, FAULT_IMAGE, "/dev/null: cut short: ends at byte 32");
}

static void goes_back(void **state)
{
	bad[1] = true;
	assert_int_equal(source_open(&src, "/dev/null", &f), 0);
	expect("aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbcccc");
	assert_int_equal(source_back_to(&src, 30, &f), 0);
	assert_int_equal(src.pos, 30);
	expect("bbcccc");
	assert_int_equal(source_back_to(&src, 16, &f), 0);
	expect("bbbb");
	assert_int_equal(source_rewind(&src, &f), 0);
	expect("aaaa");
}

static void nothing_good(void **state)
{
	char byte;

	memset(bad, true, sizeof(bad));
	assert_int_equal(source_open(&src, "/dev/null", &f), 0);
	assert_int_equal(source_read(&src, &byte, 1, &f), -1);
	assert_fault(&f, FAULT_IMAGE, "cut short: ends at byte 0");
}

static void fails(void **state)
{
	char buf[2 * SIZE];

	fails_at = 1;
	assert_int_equal(source_open(&src, "/dev/null", &f), 0);
	assert_int_equal(source_read(&src, buf, sizeof(buf), &f), -1);
	assert_fault(&f, FAULT_IMAGE, "eraseblock 1");
	source_close(&src);
	fails_at = BLOCKS;
	assert_int_equal(source_open(&src, "/dev/null", &f), -1);
	assert_fault(&f, FAULT_IMAGE, "mtd5 has gone");
}

#define chip_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		chip_test(skips_bad_ones),
		chip_test(goes_back),
		chip_test(nothing_good),
		chip_test(fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
