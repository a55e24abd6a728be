// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "helpers.h"
#include "pack.h"
#include "payload_spec.h"

static struct pack_payload p;
static struct fault f;

static int parse(const char *spec)
{
	static char word[1024];

	assert_true(strlen(spec) < sizeof(word));
	memset(&p, 0, sizeof(p));
	p.to = (struct payload){ .kind = PAYLOAD_MTD, .tail = TAIL_ERASE, .chunk_size = 128 << 10 };
	(void)strcpy(word, spec);
	return payload_spec_parse(&p.to, &p.file, word, &f);
}

static void parsed(const char *spec)
{
	if (parse(spec) < 0)
		fail_msg("%s: %s", spec, f.text);
}

static void refused(const char *spec, const char *what)
{
	if (parse(spec) == 0)
		fail_msg("%s is fine", spec);
	assert_fault(&f, FAULT_USAGE, what);
}

static void name_and_file(void **state)
{
	parsed("rootfs=out/rootfs.jffs2");
	assert_string_equal(p.to.part, "rootfs");
	assert_string_equal(p.file, "out/rootfs.jffs2");
	assert_int_equal(p.to.kind, PAYLOAD_MTD);
	assert_int_equal(p.to.tail, TAIL_ERASE);
	assert_int_equal(p.to.chunk_size, 128 << 10);
	assert_string_equal(p.to.volume, "");
	parsed("root fs=a file=with,tail=keep"); /* the first = is the one that counts */
	assert_string_equal(p.to.part, "root fs");
	assert_string_equal(p.file, "a file=with");
}

static void options_of_mtd(void **state)
{
	static const enum tail_policy tails[] = { TAIL_ERASE, TAIL_KEEP, TAIL_JFFS2 };
	static const char *const specs[] = { "a=f,tail=erase", "a=f,tail=keep", "a=f,tail=jffs2" };

	for (int i = 0; i < 3; i++) {
		parsed(specs[i]);
		assert_int_equal(p.to.tail, tails[i]);
	}
	parsed("a=f,chunk-size=4k,tail=keep,kind=mtd");
	assert_int_equal(p.to.chunk_size, 4096);
	assert_int_equal(p.to.tail, TAIL_KEEP);
	parsed("a=f,chunk-size=1M");
	assert_int_equal(p.to.chunk_size, 1 << 20);
	parsed("a=f,chunk-size=5000");
	assert_int_equal(p.to.chunk_size, 5000);
}

static void other_kinds(void **state)
{
	parsed("a=f,kind=ubi");
	assert_int_equal(p.to.kind, PAYLOAD_UBI);
	assert_int_equal(p.to.tail, TAIL_NONE);
	parsed("a=f,kind=block");
	assert_int_equal(p.to.kind, PAYLOAD_BLOCK);
	assert_int_equal(p.to.tail, TAIL_NONE);
	parsed("ubi=f,kind=ubivol,volume=rootfs");
	assert_int_equal(p.to.kind, PAYLOAD_UBIVOL);
	assert_int_equal(p.to.tail, TAIL_NONE);
	assert_string_equal(p.to.volume, "rootfs");
	assert_int_equal(p.to.volume_type, VOLUME_DYNAMIC);
	assert_int_equal(p.to.volume_size, 0);
	parsed("ubi=f,volume-type=static,volume=rootfs,volume-size=8M,kind=ubivol");
	assert_int_equal(p.to.volume_type, VOLUME_STATIC);
	assert_int_equal(p.to.volume_size, 8 << 20);
	parsed("ubi=f,volume-type=dynamic,volume=rootfs,volume-size=0,kind=ubivol");
	assert_int_equal(p.to.volume_type, VOLUME_DYNAMIC);
}

static void options_that_do_not_go_together(void **state)
{
	refused("a=f,kind=ubi,tail=erase", "a: tail goes with kind=mtd only");
	refused("a=f,tail=keep,kind=block", "a: tail goes with kind=mtd only");
	refused("a=f,kind=ubivol,volume=v,tail=erase", "a: tail goes with kind=mtd only");
	refused("a=f,kind=ubivol", "a: kind=ubivol needs volume=NAME");
	refused("a=f,kind=ubivol,volume-size=1M", "a: kind=ubivol needs volume=NAME");
	refused("a=f,volume=v", "a: volume options go with kind=ubivol only");
	refused("a=f,kind=ubi,volume-size=1M", "a: volume options go with kind=ubivol only");
	refused("a=f,volume-type=static", "a: volume options go with kind=ubivol only");
}

static void malformed_words(void **state)
{
	static const char *const specs[] = { "", "a", "a=", "a=,tail=keep" };

	for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++)
		refused(specs[i], "should be PARTITION=FILE[,OPTION=VALUE]...");
	refused("=f", "a partition name has 0 bytes, allowed are 1 to 63");
	refused("a=f,", "a: \"\" should be OPTION=VALUE");
	refused("a=f,tail", "a: \"tail\" should be OPTION=VALUE");
	refused("a=f,tail=", "tail= is not known");
	refused("a=f,tail=Keep", "tail=Keep is not known");
	refused("a=f,kind=nand", "kind=nand is not known");
	refused("a=f,kind=ubivol,volume=v,volume-type=x", "volume-type=x is not known");
	refused("a=f,speed=9", "a: there is no option speed for a payload");
	refused("a=f,=9", "a: there is no option  for a payload");
}

static void names(void **state)
{
	char spec[128];

	memset(spec, 'n', sizeof(spec));
	memcpy(spec + 63, "=f", 3);
	parsed(spec);
	assert_int_equal(strlen(p.to.part), 63);
	memset(spec, 'n', 64);
	memcpy(spec + 64, "=f", 3);
	refused(spec, "has 64 bytes, allowed are 1 to 63");
	refused("../mtd=f", "a partition name is \"../mtd\", which looks like a path");
	refused(".=f", "looks like a path");
	refused("..=f", "looks like a path");
	refused("a\tb=f", "only printable ASCII is allowed");
	refused("m\303\274ll=f", "only printable ASCII is allowed");
	refused("a\177=f", "only printable ASCII is allowed");
	refused("a=f,kind=ubivol,volume=a/b", "a volume name is \"a/b\", which looks like a path");
	refused("a=f,kind=ubivol,volume=", "a volume name has 0 bytes");
}

static void chunk_sizes(void **state)
{
	refused("a=f,chunk-size=4095", "chunk-size=4095: must be 4k to 1M");
	refused("a=f,chunk-size=1048577", "must be 4k to 1M");
	refused("a=f,chunk-size=2M", "must be 4k to 1M");
	refused("a=f,chunk-size=0", "must be 4k to 1M");
	refused("a=f,chunk-size=4294971392", "must be 4k to 1M"); /* 4096 in 32 bits */
	refused("a=f,chunk-size=", "chunk-size=: not a number of bytes");
	refused("a=f,chunk-size=-4096", "not a number of bytes");
}

static void expect_size(const char *text, uint64_t wanted)
{
	uint64_t size;

	assert_int_equal(size_parse(text, "size", &size, &f), 0);
	assert_true(size == wanted);
}

static void sizes(void **state)
{
	static const char *const wrong[] = {
		"",
		"k",
		"-1",
		"+1",
		" 1",
		"1 ",
		"1kk",
		"1K",
		"1m",
		"1.5M",
		"0x10",
		"1T",
		"x",
		"1kB",
		"18446744073709551615",
		"18446744073709551616",
		"18014398509481984k",
		"17179869184G",
	};
	uint64_t size;

	expect_size("0", 0);
	expect_size("1", 1);
	expect_size("64k", 64 << 10);
	expect_size("8M", 8 << 20);
	expect_size("3G", 3ull << 30);
	expect_size("18446744073709551614", UINT64_MAX - 1);
	expect_size("17179869183G", 17179869183ull << 30);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_int_equal(size_parse(wrong[i], "size", &size, &f), -1);
		assert_fault(&f, FAULT_USAGE, "not a number of bytes (64k, 8M)");
	}
}

static void texts(void **state)
{
	char text[65];

	memset(text, 't', 64);
	text[63] = '\0';
	assert_int_equal(text_check(text, "version", &f), 0);
	assert_int_equal(text_check("a/b ~", "board", &f), 0);
	text[63] = 't';
	text[64] = '\0';
	assert_int_equal(text_check(text, "version", &f), -1);
	assert_fault(&f, FAULT_USAGE, "version \"tttt");
	assert_int_equal(text_check("", "version", &f), -1);
	assert_int_equal(text_check("\033[2J", "board", &f), -1);
	assert_int_equal(f.kind, FAULT_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(name_and_file),
		cmocka_unit_test(options_of_mtd),
		cmocka_unit_test(other_kinds),
		cmocka_unit_test(options_that_do_not_go_together),
		cmocka_unit_test(malformed_words),
		cmocka_unit_test(names),
		cmocka_unit_test(chunk_sizes),
		cmocka_unit_test(sizes),
		cmocka_unit_test(texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
