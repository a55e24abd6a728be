// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "helpers.h"
#include "inittab.h"

static bool no_memory;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
	if (!no_memory)
		return __real_malloc(size);
	errno = ENOMEM;
	return NULL;
}

static struct fault f;

static void rewritten(const char *old, const char *wanted)
{
	char *text = inittab_rewrite(old, "/sbin/flashinit");

	assert_non_null(text);
	assert_string_equal(text, wanted);
	free(text);
}

#define OURS "::restart:/sbin/flashinit\n"

static void no_restart_line(void **state)
{
	rewritten("::sysinit:/etc/rcS\nttyS0::respawn:/sbin/getty -L ttyS0\n",
		  "::sysinit:/etc/rcS\nttyS0::respawn:/sbin/getty -L ttyS0\n" OURS);
}

static void one_restart_line(void **state)
{
	rewritten("::sysinit:/etc/rcS\n::restart:/sbin/init\n::respawn:sh\n",
		  "::sysinit:/etc/rcS\n::respawn:sh\n" OURS);
}

static void several_restart_lines(void **state)
{
	rewritten("::restart:/sbin/init\n::sysinit:x\n::restart:/bin/other\n::restart:/third\n",
		  "::sysinit:x\n" OURS);
}

static void restart_line_with_tty_and_runlevel(void **state)
{
	rewritten("tty1::restart:/sbin/init\n:12:restart:/sbin/init\ntty2:3:restart:x y:z\n", OURS);
}

static void only_the_action_counts(void **state)
{
	static const char old[] = "::respawn:/bin/restart:now\n"
				  "::restarted:/bin/x\n"
				  "::restar:/bin/x\n"
				  "restart::once:/bin/restart\n"
				  ":restart:once:/bin/y\n"
				  "::once:/bin/z ::restart:/bin/z\n"
				  "::RESTART:/bin/q\n"
				  "restart:/sbin/init\n"
				  "::restart\n"
				  ":restart:\n";
	char wanted[sizeof(old) + sizeof(OURS)];

	(void)strcpy(wanted, old);
	(void)strcat(wanted, OURS);
	rewritten(old, wanted);
}

static void comments_and_blank_lines_stay(void **state)
{
	rewritten(
		"# the restart: line below\n\n#restart\n::once:x\n\n# ::restart is not here\n",
		"# the restart: line below\n\n#restart\n::once:x\n\n# ::restart is not here\n" OURS);
	rewritten("#::restart:/sbin/init\n", "#::restart:/sbin/init\n" OURS);
}

static void no_newline_at_the_end(void **state)
{
	rewritten("::once:x", "::once:x\n" OURS);
	rewritten("::once:x\n::restart:/sbin/init", "::once:x\n" OURS);
}

/* BusyBox joins a line that ends in a backslash with the next one: it must not be ours. */
static void ends_in_a_backslash(void **state)
{
	char *text = inittab_rewrite("::sysinit:x\n# the end \\\n", "/sbin/flashinit"), *ours;

	assert_non_null(text);
	ours = strstr(text, OURS);
	assert_non_null(ours);
	assert_string_equal(ours, OURS);
	assert_true(ours >= text + 2 && ours[-1] == '\n' && ours[-2] != '\\');
	free(text);
	rewritten("::once:x\\", "::once:x\\\n#\n" OURS);
	rewritten("::once:x\\\\", "::once:x\\\\\n#\n" OURS);
	rewritten("::once:x\n::restart:/a \\\n", "::once:x\n" OURS);
}

/* A word in a line that goes on is no entry, and an entry that goes on goes as a whole. */
static void lines_that_go_on(void **state)
{
	rewritten("::once:a \\\n::restart:b\n::restart:c \\\nd \\\ne\n::once:f\n",
		  "::once:a \\\n::restart:b\n::once:f\n" OURS);
	rewritten("::restar\\\nt:/sbin/init\n::once:f\n", "::once:f\n" OURS);
}

static void empty_file(void **state)
{
	rewritten("", OURS);
	rewritten("\n", "\n" OURS);
}

/* What BusyBox has built in must be written out, or reading our file would drop it. */
static void no_file_means_the_defaults(void **state)
{
	char *text = inittab_rewrite(NULL, "/sbin/flashinit");

	assert_non_null(text);
	assert_non_null(strstr(text, "::sysinit:/etc/init.d/rcS\n"));
	assert_non_null(strstr(text, "\n::askfirst:-/bin/sh\n"));
	assert_non_null(strstr(text, "\ntty2::askfirst:-/bin/sh\n"));
	assert_non_null(strstr(text, "\ntty4::askfirst:-/bin/sh\n"));
	assert_non_null(strstr(text, "\n::ctrlaltdel:reboot\n"));
	assert_non_null(strstr(text, "\n::shutdown:umount -a -r\n"));
	assert_string_equal(text + strlen(text) - strlen(OURS), OURS);
	free(text);
}

/* Our own file, read again, stays as it is. */
static void rewriting_twice_changes_nothing(void **state)
{
	char *once = inittab_rewrite("::once:x\n::restart:y\n", "/sbin/flashinit");

	assert_non_null(once);
	rewritten(once, once);
	free(once);
}

static void without_memory(void **state)
{
	no_memory = true;
	assert_null(inittab_rewrite("::once:x\n", "/sbin/flashinit"));
	no_memory = false;
	assert_int_equal(errno, ENOMEM);
}

static void expect_file(const char *path, const char *wanted)
{
	size_t len;
	char *text = (char *)read_file(path, &len);

	assert_string_equal(text, wanted);
	free(text);
}

static void replaces_a_file(void **state)
{
	write_text(temp_path("old"), "::once:x\n::restart:y\n");
	write_text(temp_path("new"), "something longer that was here before and must go\n");
	assert_int_equal(inittab_replace(temp_path("old"), temp_path("new"), "/sbin/flashinit", &f),
			 0);
	expect_file(temp_path("new"), "::once:x\n" OURS);
	expect_file(temp_path("old"), "::once:x\n::restart:y\n");
}

static void absent_file_is_fine(void **state)
{
	size_t len;
	char *text;

	assert_int_equal(inittab_replace(temp_path("none"), temp_path("new"), "/x", &f), 0);
	text = (char *)read_file(temp_path("new"), &len);
	assert_non_null(strstr(text, "::sysinit:/etc/init.d/rcS\n"));
	assert_non_null(strstr(text, "\n::restart:/x\n"));
	free(text);
}

static void unreadable_file_is_not(void **state)
{
	assert_int_equal(mkdir(temp_path("folder"), 0700), 0);
	assert_int_equal(inittab_replace(temp_path("folder"), temp_path("new"), "/x", &f), -1);
	assert_fault(&f, FAULT_FAILED, "folder: cannot read");
}

static void no_place_for_the_new_one(void **state)
{
	write_text(temp_path("old"), "::once:x\n");
	assert_int_equal(inittab_replace(temp_path("old"), temp_path("none/new"), "/x", &f), -1);
	assert_fault(&f, FAULT_FAILED, "none/new: cannot write: No such file");
}

#define file_test(name) cmocka_unit_test_setup_teardown(name, temp_dir_make, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_restart_line),
		cmocka_unit_test(one_restart_line),
		cmocka_unit_test(several_restart_lines),
		cmocka_unit_test(restart_line_with_tty_and_runlevel),
		cmocka_unit_test(only_the_action_counts),
		cmocka_unit_test(comments_and_blank_lines_stay),
		cmocka_unit_test(no_newline_at_the_end),
		cmocka_unit_test(ends_in_a_backslash),
		cmocka_unit_test(lines_that_go_on),
		cmocka_unit_test(empty_file),
		cmocka_unit_test(no_file_means_the_defaults),
		cmocka_unit_test(rewriting_twice_changes_nothing),
		cmocka_unit_test(without_memory),
		file_test(replaces_a_file),
		file_test(absent_file_is_fine),
		file_test(unreadable_file_is_not),
		file_test(no_place_for_the_new_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
