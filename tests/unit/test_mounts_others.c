// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helpers.h"
#include "mounts.h"
#include "proc_tree.h"

static bool no_memory;

void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size)
{
	if (!no_memory)
		return __real_realloc(old, size);
	errno = ENOMEM;
	return NULL;
}

static struct mount_table t;
static struct fault f;
static char proc[128];

/* A process in a mount namespace, with a root in it, and what it sees mounted. */
static void add(int pid, const char *namespace, const char *root, const char *line)
{
	proc_tree_add("proc", pid, "sh", false);
	write_text(temp_path("roots/%s/keep", root), "");
	write_text(temp_path("proc/%d/ns/keep", pid), "");
	if (namespace)
		assert_int_equal(symlink(namespace, temp_path("proc/%d/ns/mnt", pid)), 0);
	assert_int_equal(symlink(temp_path("roots/%s", root), temp_path("proc/%d/root", pid)), 0);
	write_text(temp_path("proc/%d/mountinfo", pid), line);
}

static int setup(void **state)
{
	if (temp_dir_make(state) < 0)
		return -1;
	no_memory = false;
	(void)snprintf(proc, sizeof(proc), "%s", temp_path("proc"));
	add(1, "mnt:[1]", "first", "9 1 0:20 / / rw - tmpfs init rw\n");
	return mounts_parse(&t, strdup("9 1 0:20 / / rw - tmpfs own rw\n"), &f);
}

static int teardown(void **state)
{
	mounts_free(&t);
	return temp_dir_remove(state);
}

/* Checks what was mounted, own mounts first; the others have no order. */
static void expect(unsigned int count, const char *const *sources)
{
	if (mounts_add_others(&t, proc, &f) < 0)
		fail_msg("%s", f.text);
	assert_int_equal(t.count, count + 1);
	assert_string_equal(t.mount[0].source, "own");
	for (unsigned int i = 0; i < count; i++) {
		size_t k = 1;

		while (k < t.count && strcmp(t.mount[k].source, sources[i]) != 0)
			k++;
		if (k == t.count)
			fail_msg("%s", sources[i]);
	}
}

static void expect_unfit(const char *what)
{
	assert_int_equal(mounts_add_others(&t, proc, &f), -1);
	assert_fault(&f, FAULT_UNFIT, what);
	assert_int_equal(t.count, 1);
}

static void one_namespace(void **state)
{
	static const char *const sources[] = { "init" };

	for (int pid = 2; pid < 9; pid++)
		add(pid, "mnt:[1]", "first", "9 1 0:20 / / rw - tmpfs init rw\n");
	expect(1, sources);
}

static void each_namespace_and_root(void **state)
{
	static const char *const sources[] = { "init", "mtd:data", "/dev/mtdblock4",
					       "in a chroot" };

	add(20, "mnt:[2]", "first",
	    "9 1 31:3 / /data rw - jffs2 mtd:data rw\n"
	    "10 1 31:4 / /rom ro - squashfs /dev/mtdblock4 ro\n");
	add(21, "mnt:[1]", "first", "9 1 0:20 / / rw - tmpfs init rw\n");
	add(22, "mnt:[2]", "chroot", "9 1 31:3 / /data rw - jffs2 in\\040a\\040chroot rw\n");
	expect(4, sources);
}

static void many_namespaces(void **state)
{
	static const char *const sources[] = { "init", "s2", "s33", "s70" };
	char namespace[24], line[64];

	for (int pid = 2; pid <= 70; pid++) {
		(void)snprintf(namespace, sizeof(namespace), "mnt:[%d]", pid);
		(void)snprintf(line, sizeof(line), "9 1 0:20 / / rw - tmpfs s%d rw\n", pid);
		add(pid, namespace, "first", line);
	}
	assert_int_equal(mounts_add_others(&t, proc, &f), 0);
	assert_int_equal(t.count, 71);
	mounts_free(&t);
	assert_int_equal(mounts_parse(&t, strdup("9 1 0:20 / / rw - tmpfs own rw\n"), &f), 0);
	assert_int_equal(mounts_add_others(&t, proc, &f), 0);
	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
		size_t k = 1;

		while (k < t.count && strcmp(t.mount[k].source, sources[i]) != 0)
			k++;
		assert_true(k < t.count);
	}
}

/* Without CONFIG_NAMESPACES there is no ns/mnt, but roots there are. */
static void kernel_without_namespaces(void **state)
{
	static const char *const sources[] = { "init", "chroot" };

	assert_int_equal(unlink(temp_path("proc/1/ns/mnt")), 0);
	add(20, NULL, "first", "9 1 0:20 / / rw - tmpfs init rw\n");
	add(21, NULL, "chroot", "9 1 0:20 / / rw - tmpfs chroot rw\n");
	expect(2, sources);
}

static void processes_without_mounts(void **state)
{
	static const char *const sources[] = { "init" };

	proc_tree_add("proc", 20, "gone meanwhile", false);
	proc_tree_add("proc", 21, "kworker/0:1", true);
	write_text(temp_path("proc/21/root"), "");
	write_text(temp_path("proc/21/mountinfo/nobody reads this"), "");
	add(22, "mnt:[2]", "first", "");
	assert_int_equal(unlink(temp_path("proc/22/mountinfo")), 0);
	expect(1, sources);
}

/* Somebody's mounts may be the ones that use the flash. */
static void what_cannot_be_read_proves_nothing(void **state)
{
	add(20, "mnt:[2]", "first", "");
	assert_int_equal(unlink(temp_path("proc/20/mountinfo")), 0);
	write_text(temp_path("proc/20/mountinfo/x"), "");
	expect_unfit("proc: cannot see what is mounted for all processes: Is a directory");
	assert_int_equal(unlink(temp_path("proc/20/mountinfo/x")), 0);
	assert_int_equal(rmdir(temp_path("proc/20/mountinfo")), 0);
	assert_int_equal(rename(temp_path("proc/1"), temp_path("proc/2")), 0);
	expect_unfit("proc: cannot see what is mounted for all processes: No such file");
	(void)snprintf(proc, sizeof(proc), "%s", temp_path("none"));
	expect_unfit("none: cannot see what is mounted for all processes: No such file");
}

static void malformed(void **state)
{
	add(20, "mnt:[2]", "first", "9 1 31:3 /\n");
	assert_int_equal(mounts_add_others(&t, proc, &f), -1);
	assert_fault(&f, FAULT_FAILED, "a line that makes no sense");
	assert_int_equal(t.count, 1);
}

static void without_memory(void **state)
{
	no_memory = true;
	expect_unfit("cannot see what is mounted for all processes: Cannot allocate memory");
}

#define others_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		others_test(one_namespace),
		others_test(each_namespace_and_root),
		others_test(many_namespaces),
		others_test(kernel_without_namespaces),
		others_test(processes_without_mounts),
		others_test(what_cannot_be_read_proves_nothing),
		others_test(malformed),
		others_test(without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
