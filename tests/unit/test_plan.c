// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helpers.h"
#include "plan.h"

static struct plan plan;
static struct fault f;

static int read_text(const char *text)
{
	write_text(temp_path("plan"), text);
	return plan_read(&plan, temp_path("plan"), &f);
}

static void words(void **state)
{
	struct after after = { .what = AFTER_REBOOT };

	assert_int_equal(plan_take_after("reboot", &after, &f), 0);
	assert_int_equal(after.what, AFTER_REBOOT);
	assert_int_equal(plan_take_after("poweroff", &after, &f), 0);
	assert_int_equal(after.what, AFTER_POWEROFF);
	assert_int_equal(plan_take_after("halt", &after, &f), 0);
	assert_int_equal(after.what, AFTER_HALT);
	assert_int_equal(plan_take_after("", &after, &f), -1);
	assert_int_equal(plan_take_after("Halt", &after, &f), -1);
	assert_int_equal(plan_take_after("halt ", &after, &f), -1);
	assert_fault(&f, FAULT_USAGE, "--after halt : must be reboot, poweroff, halt, boot or");
	assert_int_equal(after.what, AFTER_HALT);
	assert_int_equal(plan_take_after("boot", &after, &f), 0);
	assert_int_equal(after.what, AFTER_BOOT);
}

static void programs(void **state)
{
	struct after after = { .what = AFTER_REBOOT };
	struct plan written = { .image = "/a" };
	char longest[sizeof(after.program) + 8];

	assert_int_equal(plan_take_after("exec:", &after, &f), -1);
	assert_int_equal(plan_take_after("exec:sh", &after, &f), -1);
	assert_int_equal(plan_take_after("exec:/bin/a b", &after, &f),
			 -1); /* it takes no arguments */
	assert_int_equal(plan_take_after("exec:/bin/a", &after, &f), 0);
	assert_int_equal(after.what, AFTER_EXEC);
	assert_string_equal(after.program, "/bin/a");
	written.after = after;
	assert_int_equal(plan_write(&written, temp_path("plan"), &f), 0);
	assert_int_equal(plan_read(&plan, temp_path("plan"), &f), 0);
	assert_int_equal(plan.after.what, AFTER_EXEC);
	assert_string_equal(plan.after.program, "/bin/a");
	assert_int_equal(plan_take_after("reboot", &after, &f), 0); /* nothing is left of it */
	assert_string_equal(after.program, "");
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "exec:/", 6);
	longest[5 + sizeof(after.program)] = '\0';
	assert_int_equal(plan_take_after(longest, &after, &f), -1);
	longest[4 + sizeof(after.program)] = '\0';
	assert_int_equal(plan_take_after(longest, &after, &f), 0);
	assert_int_equal(plan_take_after("exec:/a\nb", &after, &f), 0);
	written.after = after;
	assert_int_equal(plan_write(&written, temp_path("plan"), &f), -1);
	assert_fault(&f, FAULT_UNFIT, "after has a line end in it");
}

static void there_and_back(void **state)
{
	struct plan written = { .after.what = AFTER_POWEROFF, .watchdogs = "watchdog0 watchdog1" };

	for (size_t len = 1; len < sizeof(written.image); len += 127) {
		memset(written.image, 'i', len);
		written.image[0] = '/';
		assert_int_equal(plan_write(&written, temp_path("plan"), &f), 0);
		assert_int_equal(plan_read(&plan, temp_path("plan"), &f), 0);
		assert_string_equal(plan.image, written.image);
		assert_int_equal(plan.after.what, AFTER_POWEROFF);
		assert_string_equal(plan.watchdogs, "watchdog0 watchdog1");
		written.after.what = len % 2 ? AFTER_HALT : AFTER_REBOOT;
		assert_int_equal(plan_write(&written, temp_path("plan"), &f), 0);
		assert_int_equal(plan_read(&plan, temp_path("plan"), &f), 0);
		assert_int_equal(plan.after.what, written.after.what);
		written.after.what = AFTER_POWEROFF;
	}
}

static void journals(void **state)
{
	struct plan written = { .image = "/a" };
	char text[200];

	plan_take_journal(&written, "a log", UINT32_MAX);
	assert_int_equal(plan_write(&written, temp_path("plan"), &f), 0);
	assert_int_equal(plan_read(&plan, temp_path("plan"), &f), 0);
	assert_string_equal(plan.journal, "a log");
	assert_string_equal(plan.tries, "4294967295");
	memset(&written.tries, 0, sizeof(written.tries));
	plan_take_journal(&written, "a log", 0); /* it is good as soon as it is written */
	assert_string_equal(written.tries, "");
	plan_take_journal(&written, "", 3);
	assert_string_equal(written.tries, "");
	assert_int_equal(read_text("image = /a\n"), 0);
	assert_string_equal(plan.journal, "");
	assert_string_equal(plan.tries, "");
	(void)snprintf(text, sizeof(text), "image = /a\njournal = %064d\n", 1);
	assert_int_equal(read_text(text), -1);
	assert_fault(&f, FAULT_FAILED, "cannot make sense of \"journal\"");
}

static void recoveries(void **state)
{
	struct plan written = { .recover = "an update was cut", .wanted = "12ab" };

	assert_int_equal(plan_write(&written, temp_path("plan"), &f), 0);
	assert_int_equal(plan_read(&plan, temp_path("plan"), &f), 0);
	assert_string_equal(plan.recover, "an update was cut");
	assert_string_equal(plan.wanted, "12ab");
	assert_string_equal(plan.not_image, "");
	assert_string_equal(plan.image, "");
	assert_int_equal(read_text("recover = why\nnot_image = 34\n"), 0);
	assert_string_equal(plan.not_image, "34");
	assert_int_equal(read_text("not_image = 34\nwanted = 12\n"), -1);
	assert_fault(&f, FAULT_FAILED, "names no image");
}

static void odd_image_names(void **state)
{
	assert_int_equal(read_text("image = /a = b c\n\nafter = halt"), 0);
	assert_string_equal(plan.image, "/a = b c");
	assert_int_equal(plan.after.what, AFTER_HALT);
}

static void wrong_plans(void **state)
{
	char text[400];

	assert_int_equal(read_text(""), -1);
	assert_fault(&f, FAULT_FAILED, "plan: names no image");
	assert_int_equal(read_text("after = halt\n"), -1);
	assert_fault(&f, FAULT_FAILED, "names no image");
	assert_int_equal(read_text("image = /x\nafter = never\n"), -1);
	assert_int_equal(read_text("image = /x\nspeed = high\n"), -1);
	assert_fault(&f, FAULT_FAILED, "cannot make sense of \"speed\"");
	assert_int_equal(read_text("image=/x\n"), -1);
	assert_fault(&f, FAULT_FAILED, "cannot make sense of \"image=/x\"");
	memset(text, 'x', sizeof(text));
	memcpy(text, "image = /", 9);
	text[8 + sizeof(plan.image)] = '\0'; /* one too long */
	assert_int_equal(read_text(text), -1);
	text[7 + sizeof(plan.image)] = '\0';
	assert_int_equal(read_text(text), 0);
}

static void line_ends(void **state)
{
	struct plan written = { .image = "/a\nafter = halt" };

	assert_int_equal(plan_write(&written, temp_path("plan"), &f), -1);
	assert_fault(&f, FAULT_UNFIT, "image has a line end in it");
	assert_int_equal(access(temp_path("plan"), F_OK), -1);
}

static void full_disk(void **state)
{
	struct plan written = { .image = "/a" };

	assert_int_equal(plan_write(&written, "/dev/full", &f), -1);
	assert_fault(&f, FAULT_FAILED, "/dev/full: cannot write: No space");
}

static void no_file(void **state)
{
	assert_int_equal(plan_read(&plan, temp_path("none"), &f), -1);
	assert_fault(&f, FAULT_FAILED, "none: cannot read: No such file");
	memset(&plan, 0, sizeof(plan));
	assert_int_equal(plan_write(&plan, temp_path("none/plan"), &f), -1);
	assert_fault(&f, FAULT_FAILED, "none/plan: cannot create: No such file");
}

#define file_test(name) cmocka_unit_test_setup_teardown(name, temp_dir_make, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),     file_test(programs),    file_test(there_and_back),
		file_test(odd_image_names),  file_test(wrong_plans), file_test(line_ends),
		cmocka_unit_test(full_disk), file_test(no_file),     file_test(journals),
		file_test(recoveries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
