// SPDX-License-Identifier: GPL-2.0-or-later
/* Faults found and not mended yet: not built until they are. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "busybox.h"
#include "child.h"
#include "helpers.h"
#include "inittab.h"
#include "mounts.h"
#include "progress.h"
#include "proof.h"

static struct fault f;

/* What is mapped ends where memory ends, as the last page of a program may. */
void *__real_mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
	char *room;

	if (fd < 0 || at || len != 4096)
		return __real_mmap(at, len, prot, flags, fd, offset);
	room = __real_mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return __real_mmap(room, len, prot, flags | MAP_FIXED, fd, offset);
}

static void busybox_version_at_the_end(void **state)
{
	char program[4096], version[32];

	memset(program, '1', sizeof(program));
	memcpy(program + 4000, "BusyBox v", 9);
	write_file(temp_path("exe"), program, sizeof(program));
	(void)busybox_recognize(temp_path("exe"), version, sizeof(version), &f);
}

/* BusyBox joins a line that ends in a backslash with the next one: it must not be ours. */
static void inittab_ends_in_a_backslash(void **state)
{
	char *text = inittab_rewrite("::sysinit:x\n# the end \\\n", "/sbin/flashinit"), *ours;

	assert_non_null(text);
	ours = strstr(text, "::restart:/sbin/flashinit\n");
	assert_non_null(ours);
	assert_true(ours == text || ours[-1] == '\n');
	assert_true(ours < text + 2 || ours[-2] != '\\');
	free(text);
}

/* A word in a line that goes on is no entry, and an entry that goes on goes as a whole. */
static void inittab_lines_that_go_on(void **state)
{
	char *text =
		inittab_rewrite("::once:a \\\n::restart:b\n::restart:c \\\nd \\\ne\n::once:f\n",
				"/sbin/flashinit");

	assert_non_null(text);
	assert_string_equal(text, "::once:a \\\n::restart:b\n::once:f\n"
				  "::restart:/sbin/flashinit\n");
	free(text);
}

static void inittab_comment_stays(void **state)
{
	char *text = inittab_rewrite("#::restart:/sbin/init\n", "/sbin/flashinit");

	assert_non_null(text);
	assert_string_equal(text, "#::restart:/sbin/init\n::restart:/sbin/flashinit\n");
	free(text);
}

static void mount_line_is_told_whole(void **state)
{
	struct mount_table t;

	assert_int_equal(mounts_parse(&t, strdup("14 0 x:y / /a rw - jffs2 mtd:a rw\n"), &f), -1);
	assert_non_null(strstr(f.text, "14 0 x:y / /a rw"));
	mounts_free(&t);
}

static void progress_beyond_the_total(void **state)
{
	char text[160];

	progress_format(text, sizeof(text), "writing", true, 300 << 20, 100 << 20, 1000);
	assert_non_null(strstr(text, "100%"));
}

static void loop_on_a_deleted_node(void **state)
{
	static char mountinfo[128], swaps[128], sys[128];
	const struct proof_view view = { mountinfo, swaps, sys };

	(void)snprintf(mountinfo, sizeof(mountinfo), "%s", temp_path("mountinfo"));
	(void)snprintf(swaps, sizeof(swaps), "%s", temp_path("swaps"));
	(void)snprintf(sys, sizeof(sys), "%s", temp_path("sys"));
	write_text(mountinfo, "1 0 0:1 / / rw - tmpfs flashinit rw\n");
	write_text(temp_path("sys/block/loop0/loop/backing_file"), "/dev/mtdblock3 (deleted)\n");
	assert_int_equal(proof_target_free(&view, 3, "rootfs", &f), -1);
	assert_fault(&f, FAULT_BUSY, "loop0 holds it");
}

/* A worker that has gone mad must not take PID 1 along. */
static int send_garbage(void *ctx, int to, struct fault *fault)
{
	struct report r;

	memset(&r, 'x', sizeof(r));
	r.kind = *(enum report_kind *)ctx;
	(void)report_send(to, &r);
	(void)kill(getpid(), SIGKILL);
	return 0;
}

static void garbage_from_the_worker(void **state)
{
	enum report_kind kind = REPORT_ALIVE;
	const struct child_work w = {
		.name = "w",
		.run = send_garbage,
		.ctx = &kind,
		.stall_ms = 10000,
	};

	assert_int_equal(child_run(&w, &f), CHILD_CRASHED);
	kind = REPORT_FAULT;
	assert_int_equal(child_run(&w, &f), CHILD_FAILED);
	assert_true(strnlen(f.text, sizeof(f.text)) < sizeof(f.text));
	assert_in_range(f.kind, FAULT_FAILED, FAULT_BUSY);
}

#define file_test(name) cmocka_unit_test_setup_teardown(name, temp_dir_make, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		file_test(inittab_lines_that_go_on), file_test(inittab_ends_in_a_backslash),
		file_test(inittab_comment_stays),    file_test(mount_line_is_told_whole),
		file_test(loop_on_a_deleted_node),   file_test(busybox_version_at_the_end),
		file_test(garbage_from_the_worker),  file_test(progress_beyond_the_total),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
