// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "helpers.h"

static struct config c;
static struct fault f;

static int read_config(const char *text)
{
	write_text(temp_path("conf"), text);
	return config_read(&c, temp_path("conf"), &f);
}

static void fine(const char *text)
{
	if (read_config(text) < 0)
		fail_msg("%s", f.text);
}

static void refused(const char *text, const char *what)
{
	assert_int_equal(read_config(text), -1);
	assert_fault(&f, FAULT_UNFIT, "/conf line ");
	assert_fault(&f, FAULT_UNFIT, what);
}

static void expect_defaults(void)
{
	assert_int_equal(c.board_count, 0);
	assert_int_equal(c.rollback, 0);
	assert_int_equal(c.after.what, AFTER_REBOOT);
}

static void no_file(void **state)
{
	memset(&c, 'x', sizeof(c));
	assert_int_equal(config_read(&c, temp_path("none"), &f), 0);
	expect_defaults();
}

static void nothing_in_it(void **state)
{
	static const char *const texts[] = {
		"",  "\n",       "\n\n  \n\t\n", "# board = x\n", "  # rollback-number = 9",
		"#", "\r\n#\r\n"
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		memset(&c, 'x', sizeof(c));
		fine(texts[i]);
		expect_defaults();
	}
}

static void all_keys(void **state)
{
	fine("# this device\nboard = acme,router\n\nboard=other board\n"
	     "\trollback-number\t= 4294967295\r\nafter =poweroff  \noutcome = /data/last outcome\n"
	     "via = busybox\n");
	assert_ptr_equal(c.via, &handover_busybox);
	assert_string_equal(c.outcome, "/data/last outcome");
	assert_int_equal(c.board_count, 2);
	assert_string_equal(c.board[0], "acme,router");
	assert_string_equal(c.board[1], "other board");
	assert_int_equal(c.rollback, 4294967295);
	assert_int_equal(c.after.what, AFTER_POWEROFF);
	fine("after = halt"); /* without a newline; and nothing is left of the last time */
	assert_int_equal(c.after.what, AFTER_HALT);
	assert_string_equal(c.outcome, "");
	assert_null(c.via);
	assert_int_equal(c.board_count, 0);
	assert_int_equal(c.rollback, 0);
	fine("board = a = b #c\n"); /* a comment is a line */
	assert_string_equal(c.board[0], "a = b #c");
}

static void lines_that_make_no_sense(void **state)
{
	refused("board = a\nnonsense\n", "line 2: \"nonsense\" should be KEY = VALUE");
	refused("\n\n# x\nspeed = high", "line 4: there is no key \"speed\"");
	refused("Board = a\n", "line 1: there is no key \"Board\"");
	refused("= a\n", "line 1: there is no key \"\"");
	refused("board =\n", "line 1: \"board\" has no value");
	refused("board =  \t\r\n", "line 1: \"board\" has no value");
	refused("rollback-number = 1 # why\n", "line 1: \"1 # why\" is not a number");
	refused("after = never\n", "line 1: ");
	assert_fault(&f, FAULT_UNFIT, "must be reboot, poweroff, halt, boot or");
	refused("via = magic\n",
		"line 1: --via magic: must be auto, busybox, sysvinit, openrc, procd, systemd or ptrace");
	refused("board = a\nafter = Halt\nrollback-number = 3\n", "line 2: ");
}

/* For who must go on: all that makes sense is taken, and it is known whether limits are missing. */
static void lines_behind_them(void **state)
{
	static const char *const limits[] = { "board\n", "boards = a\n", "rollback = 1\n",
					      "rollback-number = x\n" };

	refused("trys = 3\nspeed = high\njournal = journal\nboard = a\n", "line 1: there is no");
	assert_string_equal(c.journal, "journal");
	assert_int_equal(c.board_count, 1);
	assert_false(c.unsure);
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		refused(limits[i], "line 1: ");
		assert_true(c.unsure);
	}
	fine("board = a\nrollback-number = 1\n");
	assert_false(c.unsure);
}

static void numbers(void **state)
{
	static const char *const wrong[] = {
		"-1",  "+1",  "4294967296", "99999999999", "0x10",
		"1.5", "one", "1k",         "4294967295a", "18446744073709551616"
	};
	uint32_t number;
	char text[80];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		(void)snprintf(text, sizeof(text), "rollback-number = %s\n", wrong[i]);
		refused(text, "is not a number");
		assert_false(number_parse(wrong[i], &number));
	}
	assert_false(number_parse("", &number));
	assert_false(number_parse(" 1", &number));
	assert_true(number_parse("0", &number));
	assert_int_equal(number, 0);
	assert_true(number_parse("010", &number));
	assert_int_equal(number, 10);
	fine("rollback-number = 0\n");
	assert_int_equal(c.rollback, 0);
}

static void number_and_length_of_boards(void **state)
{
	char text[1024] = "", name[65];

	for (int i = 0; i < CONFIG_BOARDS_MAX; i++)
		(void)strcat(text, "board = a\n");
	fine(text);
	assert_int_equal(c.board_count, CONFIG_BOARDS_MAX);
	(void)strcat(text, "board = a\n");
	refused(text, "line 9: more than 8 of these");
	memset(name, 'b', 64);
	name[64] = '\0';
	(void)snprintf(text, sizeof(text), "board = %s\n", name);
	refused(text, "\" has more than 63 characters");
	(void)snprintf(text, sizeof(text), "board = %s\n", name + 1);
	fine(text);
	assert_string_equal(c.board[0], name + 1);
}

static void what_the_first_process_does(void **state)
{
	fine("");
	assert_int_equal(c.mode, MODE_GUARD);
	assert_int_equal(c.tries, 0);
	fine("mode = recover\ninit = /sbin/init\nroot = mtd:rootfs\nrootfstype = jffs2\n"
	     "rootflags = compr=none\ntarget = rootfs\ntarget = kernel\nsource = mtd:spare\n"
	     "source = file:fw-*.fwi\njournal = journal\ntries = 3\nwait = 5\n");
	assert_int_equal(c.mode, MODE_RECOVER);
	assert_string_equal(c.init, "/sbin/init");
	assert_string_equal(c.root, "mtd:rootfs");
	assert_string_equal(c.rootfstype, "jffs2");
	assert_string_equal(c.rootflags, "compr=none");
	assert_int_equal(c.target_count, 2);
	assert_string_equal(c.target[1], "kernel");
	assert_int_equal(c.source_count, 2);
	assert_string_equal(c.source[0], "mtd:spare");
	assert_string_equal(c.source[1], "file:fw-*.fwi");
	assert_string_equal(c.journal, "journal");
	assert_int_equal(c.tries, 3);
	assert_int_equal(c.wait, 5);
	refused("mode = update\n", "line 1: mode is guard, recover or pass, not \"update\"");
	refused("source = spare\n", "line 1: \"spare\" is neither mtd:PARTITION nor file:PATTERN");
	refused("tries = few\n", "line 1: \"few\" is not a number");
	refused("journal = 0123456789012345678901234567890123456789012345678901234567890123\n",
		"\" has more than 63 characters");
}

static void words_of_the_kernel(void **state)
{
	fine("mode = recover\nsource = mtd:a\nsource = mtd:b\nboard = x\ntries = 1\n");
	assert_int_equal(config_take_words(&c,
					   "root=/dev/mtdblock0 flashinit.mode=pass quiet "
					   "flashinit.source=file:*.fwi flashinit.tries=2\n",
					   &f),
			 0);
	assert_int_equal(c.mode, MODE_PASS);
	assert_int_equal(c.source_count, 1); /* in place of the file's */
	assert_string_equal(c.source[0], "file:*.fwi");
	assert_int_equal(c.board_count, 1);
	assert_int_equal(c.tries, 2);
	/* What makes no sense does not keep the rest from being taken. */
	assert_int_equal(config_take_words(&c, "flashinit.fly=1 x flashinit.mode=guard", &f), -1);
	assert_fault(&f, FAULT_UNFIT, "kernel command line: flashinit.fly");
	assert_fault(&f, FAULT_UNFIT, "there is no key \"fly\"");
	assert_int_equal(c.mode, MODE_GUARD);
}

/* A device whose limits are unreadable must not be without limits. */
static void unreadable_files(void **state)
{
	size_t len = 2 << 20;
	char *text = malloc(len);

	assert_int_equal(mkdir(temp_path("folder"), 0700), 0);
	assert_int_equal(config_read(&c, temp_path("folder"), &f), -1);
	assert_fault(&f, FAULT_UNFIT, "folder: cannot read: Is a directory");
	assert_true(c.unsure);
	assert_int_equal(symlink("loop", temp_path("loop")), 0);
	assert_int_equal(config_read(&c, temp_path("loop"), &f), -1);
	assert_fault(&f, FAULT_UNFIT, "loop: cannot read");
	assert_non_null(text);
	memset(text, '\n', len);
	write_file(temp_path("huge"), text, len);
	free(text);
	assert_int_equal(config_read(&c, temp_path("huge"), &f), -1);
	assert_fault(&f, FAULT_UNFIT, "huge: cannot read: File too large");
	/* a partition that is not mounted, say */
	assert_int_equal(symlink("nowhere", temp_path("dangling")), 0);
	assert_int_equal(config_read(&c, temp_path("dangling"), &f), -1);
	assert_fault(&f, FAULT_UNFIT, "dangling: cannot read: No such file");
}

static void given_twice(void **state)
{
	refused("rollback-number = 5\nrollback-number = 0\n", "line 2: a second rollback-number");
	refused("after = halt\n\nafter = reboot\n", "line 3: a second after");
	refused("outcome = /a\nboard = b\noutcome = /a\n", "line 3: a second outcome");
}

static void long_lines(void **state)
{
	char text[2000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	refused(text, "line 1: \"xxxx");
	memcpy(text, "after = ", 8);
	refused(text, "line 1: ");
	memcpy(text, "outcome = /", 11);
	refused(text, "line 1: \"/xxx");
	text[10 + sizeof(c.outcome)] = '\0'; /* one too long */
	refused(text, "line 1: ");
	text[9 + sizeof(c.outcome)] = '\0';
	fine(text);
	assert_int_equal(strlen(c.outcome), sizeof(c.outcome) - 1);
	refused("outcome = data\n", "is not a path from / on");
}

#define file_test(name) cmocka_unit_test_setup_teardown(name, temp_dir_make, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		file_test(no_file),
		file_test(nothing_in_it),
		file_test(all_keys),
		file_test(lines_that_make_no_sense),
		file_test(lines_behind_them),
		file_test(numbers),
		file_test(what_the_first_process_does),
		file_test(words_of_the_kernel),
		file_test(number_and_length_of_boards),
		file_test(unreadable_files),
		file_test(long_lines),
		file_test(given_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
