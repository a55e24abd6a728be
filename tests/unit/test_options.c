// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helpers.h"
#include "options.h"
#include "ptrace_regs.h"

static struct options o;
static struct fault f;
static char words[2048];

/* Takes a command line apart at its blanks and parses it. */
static int parse(const char *line)
{
	char *argv[64] = { "flashinit" }, *rest = words, *word;
	int argc = 1, result;

	assert_true(strlen(line) < sizeof(words));
	(void)strcpy(words, line);
	while ((word = strsep(&rest, " ")))
		argv[argc++] = word;
	capture_start(STDERR_FILENO);
	result = options_parse(&o, argc, argv, &f);
	free(capture_end(STDERR_FILENO));
	return result;
}

static void parsed(const char *line, enum verb verb)
{
	if (parse(line) < 0)
		fail_msg("%s: %s", line, f.text);
	assert_int_equal(o.verb, verb);
}

static void refused(const char *line, const char *what)
{
	if (parse(line) == 0)
		fail_msg("%s is fine", line);
	assert_fault(&f, FAULT_USAGE, what);
}

static void verbs(void **state)
{
	static const struct {
		const char *line;
		enum verb verb;
	} lines[] = {
		{ "update a.fwi", VERB_UPDATE }, { "check a.fwi", VERB_CHECK },
		{ "write a.fwi", VERB_WRITE },   { "info a.fwi", VERB_INFO },
		{ "verify a.fwi", VERB_VERIFY },
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		parsed(lines[i].line, lines[i].verb);
		assert_string_equal(o.firmware.image, "a.fwi");
		assert_string_equal(o.show.image, "a.fwi");
		assert_ptr_equal(o.update.firmware, &o.firmware);
		assert_ptr_equal(o.write.firmware, &o.firmware);
		assert_false(o.update.dry_run || o.write.dry_run || o.write.json || o.show.json);
	}
	parsed("write -", VERB_WRITE);
	assert_string_equal(o.firmware.image, "-");
	refused("erase a.fwi", "there is no verb erase");
	refused("Write a.fwi", "there is no verb Write");
	refused("writes a.fwi", "there is no verb writes");
}

static void outcome_and_status(void **state)
{
	parsed("status", VERB_STATUS);
	assert_null(o.status.outcome);
	assert_false(o.status.json);
	parsed("status --json --outcome /data/o", VERB_STATUS);
	assert_string_equal(o.status.outcome, "/data/o");
	assert_true(o.status.json);
	assert_false(o.status.good);
	parsed("status --good --json", VERB_STATUS);
	assert_true(o.status.good && o.status.json);
	refused("update --good a.fwi", "does not go with update");
	refused("status a.fwi", "does not know what to do with a.fwi");
	parsed("update --outcome /data/o a.fwi", VERB_UPDATE);
	assert_string_equal(o.update.outcome, "/data/o");
	parsed("check --outcome=/data/o a.fwi", VERB_CHECK);
	parsed("update a.fwi", VERB_UPDATE);
	assert_null(o.update.outcome);
}

static void methods(void **state)
{
	parsed("update a.fwi", VERB_UPDATE);
	assert_null(o.update.via);
	parsed("check --via busybox a.fwi", VERB_CHECK);
	assert_ptr_equal(o.update.via, &handover_busybox);
#ifndef REGS_UNKNOWN
	parsed("update --via=ptrace a.fwi", VERB_UPDATE);
	assert_ptr_equal(o.update.via, &handover_ptrace);
#endif
	parsed("update --via procd a.fwi", VERB_UPDATE);
	assert_ptr_equal(o.update.via, &handover_procd);
	parsed("update --via systemd a.fwi", VERB_UPDATE);
	assert_ptr_equal(o.update.via, &handover_systemd);
	parsed("update --via auto a.fwi", VERB_UPDATE);
	assert_ptr_equal(o.update.via, &handover_auto);
	refused("update --via magic a.fwi",
		"--via magic: must be auto, busybox, sysvinit, openrc, procd, systemd or ptrace");
	refused("update --via busy a.fwi", "--via busy: must be");
	refused("write --via busybox a.fwi", "does not go with write");
}

static void help_and_version(void **state)
{
	parsed("-h", VERB_HELP);
	parsed("--help", VERB_HELP);
	parsed("write --help", VERB_HELP);
	parsed("--version", VERB_VERSION);
}

static void words_that_are_missing_or_too_many(void **state)
{
	refused("--json", "needs a verb and an image");
	refused("write", "needs a verb and an image");
	refused("write a.fwi b.fwi", "does not know what to do with b.fwi");
	refused("write --raw a=f b.fwi", "does not know what to do with b.fwi");
	refused("--raw a=f", "needs a verb and an image");
}

static void options_of_write(void **state)
{
	parsed("write --json --dry-run --force-board --allow-downgrade a.fwi", VERB_WRITE);
	assert_true(o.write.json && o.write.dry_run);
	assert_true(o.firmware.except.force_board && o.firmware.except.allow_downgrade);
	parsed("write a.fwi --json", VERB_WRITE);
	assert_true(o.write.json);
	assert_false(o.write.dry_run);
}

/* Who asks for events gets the one that says what is wrong, wherever he asks. */
static void events_of_a_wrong_command_line(void **state)
{
	static const char *const wrong[] = {
		"write --json",
		"write --json a.fwi b.fwi",
		"write --wrong --json a.fwi",
		"--json write --key k a.fwi",
		"write --crc32 1 --raw a=f --json",
		"write a.fwi --crc32 1 --help --json",
		"update --json",
		"check --after halt --json a.fwi",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		refused(wrong[i], "");
		if (!o.events)
			fail_msg("%s", wrong[i]);
	}
	refused("write --crc32 1 --sha256 1 --json", "a checksum goes behind its --raw");
	refused("write", "");
	assert_false(o.events);
	refused("info --json", "");
	assert_false(o.events);
	refused("--json", "");
	assert_false(o.events);
}

static void options_of_the_others(void **state)
{
	parsed("update --after=halt --dry-run a.fwi", VERB_UPDATE);
	assert_true(o.update.after_given && o.update.dry_run);
	assert_int_equal(o.update.after.what, AFTER_HALT);
	assert_false(o.update.json);
	parsed("update --json a.fwi", VERB_UPDATE);
	assert_true(o.update.json);
	parsed("check --json a.fwi", VERB_CHECK);
	assert_true(o.update.json);
	parsed("info --json --key one.pub --key two.pub a.fwi", VERB_INFO);
	assert_true(o.show.json);
	assert_int_equal(o.show.key_count, 2);
	assert_string_equal(o.show.key[1], "two.pub");
	refused("update --after sleep a.fwi", "sleep");
	parsed("update --exec /a --include /b --include c=/d", VERB_UPDATE);
	assert_string_equal(o.firmware.exec, "/a");
	assert_null(o.firmware.image);
	assert_int_equal(o.firmware.include_count, 2);
	assert_string_equal(o.firmware.include[1], "c=/d");
	parsed("check --exec /a a.fwi", VERB_CHECK);
	assert_string_equal(o.firmware.image, "a.fwi");
	refused("update --include /a", "needs a verb and an image");
	refused("update --exec a", "--exec a: must begin with /");
	refused("update --exec /a a.fwi b.fwi", "does not know what to do with b.fwi");
	refused("update --exec /a --include 1 --include 2 --include 3 --include 4 --include 5 "
		"--include 6 --include 7 --include 8 --include 9 --include 10 --include 11 "
		"--include 12 --include 13 --include 14 --include 15 --include 16 --include 17",
		"more than 16 --include");
	refused("update --wrong a.fwi", "there is no option --wrong; try flashinit --help");
	refused("update -w a.fwi", "there is no option -w; try flashinit --help");
	refused("update --=halt a.fwi", "there is no option --=halt; try flashinit --help");
	refused("update a.fwi --after", "--after needs a value; try flashinit --help");
	refused("update --dry-run=yes a.fwi", "--dry-run takes no value; try flashinit --help");
	/* a name may be cut short as long as it is one option's only */
	parsed("update --af halt --dry a.fwi", VERB_UPDATE);
	refused("info --verb a.fwi", "there is no option --verb");
	refused("write --f --a a.fwi", "there is no option --a");
	refused("update --in /a --", "needs a verb and an image");
	parsed("update --dry-run -- --after", VERB_UPDATE);
	assert_string_equal(o.firmware.image, "--after");
	parsed("update - --dry-run", VERB_UPDATE);
	assert_string_equal(o.firmware.image, "-");
}

/* Every option with every verb that it does not go with. */
static void options_with_other_verbs(void **state)
{
	static const char *const lines[] = {
		"check --after halt a.fwi",
		"write --after halt a.fwi",
		"info --after halt a.fwi",
		"verify --after halt a.fwi",
		"write --exec /a a.fwi",
		"info --include /a a.fwi",
		"check --dry-run a.fwi",
		"info --dry-run a.fwi",
		"verify --dry-run a.fwi",
		"info --force-board a.fwi",
		"verify --force-board a.fwi",
		"info --allow-downgrade a.fwi",
		"verify --allow-downgrade a.fwi",
		"info --raw a=f",
		"verify --raw a=f",
		"update --key k a.fwi",
		"check --key k a.fwi",
		"write --key k a.fwi",
		"verify --json a.fwi",
		"write --outcome /o a.fwi",
		"info --outcome /o a.fwi",
		"status --after halt",
		"status --key k",
		"status --dry-run",
		"status --raw a=f",
		"write --json --after halt a.fwi",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		refused(lines[i], "an option was given that does not go with ");
}

static void plain_images(void **state)
{
	static const char *const given[] = { "update", "check", "write" };
	static const enum verb wanted[] = { VERB_UPDATE, VERB_CHECK, VERB_WRITE };
	char line[128];

	for (int i = 0; i < 3; i++) {
		(void)snprintf(line, sizeof(line), "%s --raw rootfs=a.img,tail=keep --raw b=c=d",
			       given[i]);
		parsed(line, wanted[i]);
		assert_int_equal(o.firmware.raw_count, 2);
		assert_string_equal(o.firmware.raw[0].to.part, "rootfs");
		assert_string_equal(o.firmware.raw[0].file, "a.img");
		assert_int_equal(o.firmware.raw[0].to.kind, PAYLOAD_MTD);
		assert_int_equal(o.firmware.raw[0].to.tail, TAIL_KEEP);
		assert_int_equal(o.firmware.raw[0].checks, 0);
		assert_string_equal(o.firmware.raw[1].to.part, "b");
		assert_string_equal(o.firmware.raw[1].file, "c=d");
		assert_int_equal(o.firmware.raw[1].to.tail, TAIL_ERASE);
		assert_int_equal(o.firmware.raw[1].to.chunk_size, 128 << 10);
	}
	parsed("write --raw ubi=v.img,kind=ubivol,volume=root,volume-size=8M", VERB_WRITE);
	assert_int_equal(o.firmware.raw[0].to.kind, PAYLOAD_UBIVOL);
	assert_string_equal(o.firmware.raw[0].to.volume, "root");
	assert_int_equal(o.firmware.raw[0].to.volume_size, 8 << 20);
	assert_int_equal(o.firmware.raw[0].to.tail, TAIL_NONE);
	refused("write --raw a", "should be PARTITION=FILE");
	refused("write --raw a=", "should be PARTITION=FILE");
	refused("write --raw a=f,kind=nor", "kind=nor is not known");
}

static void plain_images_for_one_target(void **state)
{
	refused("write --raw a=f --raw b=f --raw a=g", "--raw: a is given twice");
	refused("write --raw u=f,kind=ubivol,volume=v,volume-type=static "
		"--raw u=g,kind=ubivol,volume=v,volume-type=static",
		"--raw: u:v is given twice");
	parsed("write --raw u=f,kind=ubivol,volume=v,volume-type=static "
	       "--raw u=g,kind=ubivol,volume=w,volume-type=static",
	       VERB_WRITE);
	parsed("write --raw a=f --raw ab=f", VERB_WRITE);
}

static void many_plain_images(void **state)
{
	parsed("write --raw a=f --raw b=f --raw c=f --raw d=f --raw e=f --raw f=f --raw g=f "
	       "--raw h=f",
	       VERB_WRITE);
	assert_int_equal(o.firmware.raw_count, 8);
	refused("write --raw a=f --raw b=f --raw c=f --raw d=f --raw e=f --raw f=f --raw g=f "
		"--raw h=f --raw i=f",
		"more than 8 --raw");
}

#define SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void checksums(void **state)
{
	parsed("write --raw a=f --crc32 01020304 --raw b=f --sha256 " SHA256, VERB_WRITE);
	assert_int_equal(o.firmware.raw[0].checks, RAW_CRC32);
	assert_int_equal(o.firmware.raw[0].crc, 0x01020304);
	assert_int_equal(o.firmware.raw[1].checks, RAW_SHA256);
	assert_int_equal(o.firmware.raw[1].sha256[31], 0x55);
	refused("write --crc32 01020304 --raw a=f", "a checksum goes behind its --raw");
	refused("write --raw a=f --sha256 01020304", "is not the right kind of checksum");
	refused("write --raw a=f --crc32 " SHA256, "is not the right kind of checksum");
	refused("write --raw a=f --crc32 01020304 --sha256 " SHA256, "f: has a checksum already");
	refused("write --raw a=f --sha256 " SHA256 " --crc32 01020304",
		"f: has a checksum already");
	refused("write --raw a=f --crc32 01020304 --crc32 01020304", "f: has a checksum already");
	refused("write --raw a=f --crc32 x", "should be 64 (SHA-256) or 8 (CRC-32)");
}

static void many_keys(void **state)
{
	char line[512] = "info a.fwi";

	for (int i = 0; i < KEYS_MAX; i++)
		(void)strcat(line, " --key k");
	parsed(line, VERB_INFO);
	(void)strcat(line, " --key k");
	refused(line, "more than 16 keys");
}

#define options_test(name) cmocka_unit_test_setup_teardown(name, temp_dir_make, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		options_test(verbs),
		options_test(outcome_and_status),
		options_test(methods),
		options_test(help_and_version),
		options_test(words_that_are_missing_or_too_many),
		options_test(options_of_write),
		options_test(events_of_a_wrong_command_line),
		options_test(options_of_the_others),
		options_test(options_with_other_verbs),
		options_test(plain_images),
		options_test(plain_images_for_one_target),
		options_test(many_plain_images),
		options_test(checksums),
		options_test(many_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
