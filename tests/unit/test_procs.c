// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "helpers.h"
#include "proc_tree.h"
#include "procs.h"

static struct process p;
static int reading_fails_with;

struct dirent *__real_readdir(DIR *dir);
struct dirent *__wrap_readdir(DIR *dir)
{
	if (!reading_fails_with)
		return __real_readdir(dir);
	errno = reading_fails_with;
	return NULL;
}

static void ordinary(void **state)
{
	assert_true(process_parse(&p, "1 (init) S 0 1 1 0 -1 4194560 1203 45 0 0"));
	assert_int_equal(p.pid, 1);
	assert_string_equal(p.name, "init");
	assert_int_equal(p.state, 'S');
	assert_false(p.kernel_thread);
}

static void kernel_thread(void **state)
{
	assert_true(process_parse(&p, "9 (ksoftirqd/0) S 2 0 0 0 -1 69238848 0 0"));
	assert_string_equal(p.name, "ksoftirqd/0");
	assert_true(p.kernel_thread);
}

static void names_with_parentheses_and_blanks(void **state)
{
	assert_true(process_parse(&p, "77 (a) S 0 (b c) ) R 1 77 77 0 -1 4194304 0"));
	assert_string_equal(p.name, "a) S 0 (b c) ");
	assert_int_equal(p.state, 'R');
	assert_true(process_parse(&p, "78 (() Z 1 77 77 0 -1 4194304 0"));
	assert_string_equal(p.name, "(");
	assert_int_equal(p.state, 'Z');
	assert_true(process_parse(&p, "79 () D 1 77 77 0 -1 4194304 0"));
	assert_string_equal(p.name, "");
	assert_int_equal(p.state, 'D');
}

/* A name that tries to look like a kernel thread's line. */
static void name_that_fakes_flags(void **state)
{
	assert_true(process_parse(&p, "80 (x) S 2 0 0 0 -1 69238848) S 1 80 80 0 -1 4194304 0"));
	assert_false(p.kernel_thread);
}

static void long_name_is_cut(void **state)
{
	assert_true(process_parse(&p, "5 (kworker/u8:0-events_unbound_and_much_more_than_that) I 2 "
				      "0 0 0 -1 69238880 0"));
	assert_int_equal(strlen(p.name), sizeof(p.name) - 1);
	assert_memory_equal(p.name, "kworker/u8:0-events_unbound_and", 31);
}

static void nonsense(void **state)
{
	assert_false(process_parse(&p, ""));
	assert_false(process_parse(&p, "1 init S 0 1 1 0 -1 4194560"));
	assert_false(process_parse(&p, "1 )init( S 0 1 1 0 -1 4194560"));
	assert_false(process_parse(&p, "1 (init) S 0 1 1 0 -1"));
	assert_false(process_parse(&p, "1 (init)"));
	assert_false(process_parse(&p, "x (init) S 0 1 1 0 -1 4194560"));
	assert_false(process_parse(&p, "0 (init) S 0 1 1 0 -1 4194560"));
	assert_false(process_parse(&p, "-3 (init) S 0 1 1 0 -1 4194560"));
}

struct seen {
	unsigned int count, threads;
	int pid_sum;
};

static void see(void *ctx, const struct process *q)
{
	struct seen *s = ctx;

	s->count++;
	s->threads += q->kernel_thread;
	s->pid_sum += q->pid;
}

static void lists_a_proc(void **state)
{
	struct seen s = { 0 };

	write_text(temp_path("proc/1/stat"), "1 (init) S 0 1 1 0 -1 4194560 0\n");
	write_text(temp_path("proc/2/stat"), "2 (kthreadd) S 0 0 0 0 -1 2129984 0\n");
	write_text(temp_path("proc/345/stat"), "345 (sh) Z 1 1 1 0 -1 4194560 0\n");
	write_text(
		temp_path("proc/346/stat"),
		"346 (of\ntwo lines, and of all the room for a name of 64 bytes: 012345) S 1 1 1 0 -1 "
		"4194560 18446744073709551615 18446744073709551615 18446744073709551615 "
		"18446744073709551615 18446744073709551615 18446744073709551615 "
		"18446744073709551615 18446744073709551615 18446744073709551615 "
		"18446744073709551615 18446744073709551615 18446744073709551615 "
		"18446744073709551615 18446744073709551615 18446744073709551615 "
		"18446744073709551615 18446744073709551615 18446744073709551615\n");
	write_text(temp_path("proc/400/cmdline"), "gone: it has no stat any more");
	write_text(temp_path("proc/self/stat"), "345 (sh) Z 1 1 1 0 -1 4194560 0\n");
	write_text(temp_path("proc/stat"), "cpu  1 2 3\n");
	assert_int_equal(processes_each(temp_path("proc"), see, &s), 0);
	assert_int_equal(s.count, 4);
	assert_int_equal(s.threads, 1);
	assert_int_equal(s.pid_sum, 348 + 346);
}

static void no_proc(void **state)
{
	struct seen s = { 0 };

	assert_int_equal(processes_each(temp_path("none"), see, &s), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(s.count, 0);
}

static void note_link(void *ctx, const struct process *q, const char *what, const char *to)
{
	char *told = ctx;
	size_t used = strlen(told);

	assert_int_equal(q->pid, 7);
	(void)snprintf(told + used, 512 - used, "%s>%s;", what, to);
}

static void add_link(const char *name, const char *to)
{
	assert_int_equal(symlink(to, temp_path("proc/7/%s", name)), 0);
}

static void names_what_a_process_holds(void **state)
{
	const struct process sh = { .pid = 7 };
	char told[512] = "";

	proc_tree_add("proc", 7, "sh", false);
	write_text(temp_path("proc/7/fd/.hidden"), "");
	add_link("cwd", "/mnt");
	add_link("root", "/");
	add_link("exe", "/bin/sh (deleted)");
	assert_int_equal(process_links_each(temp_path("proc"), &sh, note_link, told), 0);
	assert_string_equal(told, "cwd>/mnt;root>/;exe>/bin/sh (deleted);");
	add_link("fd/12", "socket:[33]");
	assert_int_equal(unlink(temp_path("proc/7/cwd")), 0); /* as that of a thread or zombie */
	told[0] = '\0';
	assert_int_equal(process_links_each(temp_path("proc"), &sh, note_link, told), 0);
	assert_string_equal(told, "root>/;exe>/bin/sh (deleted);fd/12>socket:[33];");
}

static void names_what_is_mapped(void **state)
{
	const struct process sh = { .pid = 7 };
	char told[512] = "";

	proc_tree_add("proc", 7, "sh", false);
	write_text(temp_path("proc/7/map_files/.hidden"), "");
	add_link("map_files/ffffffffff600000-ffffffffff601000", "/dev/mtd3 (deleted)");
	assert_int_equal(process_links_each(temp_path("proc"), &sh, note_link, told), 0);
	assert_string_equal(told,
			    "map_files/ffffffffff600000-ffffffffff601000>/dev/mtd3 (deleted);");
}

static void note_number(void *ctx, const struct process *q, const char *what, const char *to)
{
	int *found = ctx;

	assert_string_equal(what, "fd/3");
	assert_string_equal(to, "/dev/mtd3");
	*found = q->pid;
}

/* The first thread has ended, and with it what it held; the other one lives. */
static void threads_have_files_of_their_own(void **state)
{
	const struct process headless = { .pid = 7 };
	struct seen s = { 0 };
	int found = 0;

	proc_tree_add("proc", 7, "headless", false);
	proc_tree_add("proc", 8, "thread", false);
	proc_tree_thread("proc", 7, 8);
	proc_tree_open("proc", 8, 3, "/dev/mtd3");
	assert_int_equal(process_links_each(temp_path("proc"), &headless, note_number, &found), 0);
	assert_int_equal(found, 8);
	assert_int_equal(threads_each(temp_path("proc"), &headless, see, &s), 0);
	assert_int_equal(s.count, 2);
	assert_int_equal(s.pid_sum, 15);
}

static void a_process_that_has_gone_holds_nothing(void **state)
{
	const struct process gone = { .pid = 7 };
	char told[512] = "";

	assert_int_equal(process_links_each(temp_path("proc"), &gone, note_link, told), 0);
	assert_string_equal(told, "");
}

/* Neither "gone" nor "nothing": whoever wants a proof has none. */
static void what_cannot_be_read_is_an_error(void **state)
{
	const struct process sh = { .pid = 7 };
	struct seen s = { 0 };
	char told[512] = "";

	proc_tree_add("proc", 7, "sh", false);
	assert_int_equal(rmdir(temp_path("proc/7/fd")), 0);
	write_text(temp_path("proc/7/fd"), "a file where a folder should be");
	assert_int_equal(process_links_each(temp_path("proc"), &sh, note_link, told), -1);
	assert_int_equal(errno, ENOTDIR);
	assert_int_equal(unlink(temp_path("proc/7/fd")), 0);
	write_text(temp_path("proc/7/fd/3"), "no link");
	assert_int_equal(process_links_each(temp_path("proc"), &sh, note_link, told), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(unlink(temp_path("proc/7/fd/3")), 0);
	write_text(temp_path("proc/7/exe"), "no link");
	assert_int_equal(process_links_each(temp_path("proc"), &sh, note_link, told), -1);
	assert_int_equal(errno, EINVAL);
	assert_string_equal(told, "");

	write_text(temp_path("proc/1/stat"), "1 (init) S 0 1 1 0 -1 4194560 0\n");
	write_text(temp_path("proc/8/stat/folder"), "");
	write_text(temp_path("proc/9/stat"), "9 (sh) S 1 1 1 0 -1 4194560 0\n");
	assert_int_equal(processes_each(temp_path("proc"), see, &s), -1);
	assert_int_equal(errno, EISDIR);
	assert_int_equal(s.count, 3); /* the others all the same */
}

/* A list that breaks off, or a process that ends while its descriptors are listed. */
static void list_of_descriptors_that_breaks_off(void **state)
{
	const struct process sh = { .pid = 7 };
	char told[512] = "";

	proc_tree_add("proc", 7, "sh", false);
	write_text(temp_path("proc/7/fd/.hidden"), "");
	reading_fails_with = EIO;
	assert_int_equal(process_links_each(temp_path("proc"), &sh, note_link, told), -1);
	assert_int_equal(errno, EIO);
	reading_fails_with = ENOENT;
	assert_int_equal(process_links_each(temp_path("proc"), &sh, note_link, told), 0);
	reading_fails_with = 0;
}

#define file_test(name) cmocka_unit_test_setup_teardown(name, temp_dir_make, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ordinary),
		cmocka_unit_test(kernel_thread),
		cmocka_unit_test(names_with_parentheses_and_blanks),
		cmocka_unit_test(name_that_fakes_flags),
		cmocka_unit_test(long_name_is_cut),
		cmocka_unit_test(nonsense),
		file_test(lists_a_proc),
		file_test(no_proc),
		file_test(names_what_a_process_holds),
		file_test(names_what_is_mapped),
		file_test(threads_have_files_of_their_own),
		file_test(a_process_that_has_gone_holds_nothing),
		file_test(what_cannot_be_read_is_an_error),
		file_test(list_of_descriptors_that_breaks_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
