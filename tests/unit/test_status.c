// SPDX-License-Identifier: GPL-2.0-or-later
/* pstore is a folder of the test's, the kernel's log a text, and the configuration is made up. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "helpers.h"
#include "journal.h"
#include "simflash.h"
#include "status.h"
#include "target_mtd.h"

#define LINE(code, state, second) \
	"flashinit: outcome " #code " " state " 2025-11-22T18:00:" second "Z words\n"

static const char *kernel_log, *configured;
static const char *journal_name;
static struct sim_board board;
static struct sim_chip *chip;
static bool pstore_mounted, config_is_bad, busy;
static unsigned int shares, mounts;
static int unshare_result;
static struct status_options o;
static char *said;

int __wrap_config_read(struct config *c, const char *path, struct fault *f)
{
	memset(c, 0, sizeof(*c));
	(void)snprintf(c->outcome, sizeof(c->outcome), "%s", configured);
	(void)snprintf(c->journal, sizeof(c->journal), "%s", journal_name);
	c->tries = 3;
	return config_is_bad ? fault_set(f, FAULT_UNFIT, "line 1: nonsense") : 0;
}

int __wrap_lock_take(struct fault *f)
{
	return busy ? fault_set(f, FAULT_BUSY, "another update is running") : dup(STDOUT_FILENO);
}

int __wrap_target_open_mtd(struct target **t, const char *name, enum target_mode mode, int *number,
			   struct fault *f)
{
	*t = &chip->target;
	return 0;
}

static const char *mapped(const char *path)
{
	if (strncmp(path, "/sys/fs/pstore", 14) == 0)
		return temp_path("%s%s", pstore_mounted ? "pstore" : "empty", path + 14);
	return path;
}

DIR *__real_opendir(const char *path);
DIR *__wrap_opendir(const char *path)
{
	return __real_opendir(mapped(path));
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
	return __real_open(mapped(path), flags, 0644);
}

int __wrap_klogctl(int type, char *buf, int len)
{
	if (type == 10)
		return (int)strlen(kernel_log);
	assert_int_equal(type, 3);
	memcpy(buf, kernel_log, (size_t)len);
	return len;
}

int __wrap_unshare(int flags)
{
	assert_int_equal(flags, 0x00020000 /* CLONE_NEWNS */);
	shares++;
	return unshare_result;
}

/* Never where others would see it. */
int __wrap_mount(const char *source, const char *dir, const char *type, unsigned long flags,
		 const void *data)
{
	assert_int_equal(shares, 1);
	if (++mounts == 2) {
		assert_string_equal(dir, "/sys/fs/pstore");
		pstore_mounted = true;
	}
	return 0;
}

static int setup(void **state)
{
	static const struct sim_geometry nor = { SIM_NOR, 4096, 1, 2, NULL, 0 };

	sim_board_init(&board);
	chip = sim_add_chip(&board, "journal", &nor);
	busy = false;
	kernel_log = configured = journal_name = "";
	pstore_mounted = true;
	config_is_bad = false;
	shares = mounts = 0;
	unshare_result = 0;
	memset(&o, 0, sizeof(o));
	if (temp_dir_make(state) < 0)
		return -1;
	write_text(temp_path("pstore/console-ramoops-0"), "noise\n");
	write_text(temp_path("empty/x"), "");
	return 0;
}

static int teardown(void **state)
{
	free(said);
	said = NULL;
	assert_int_equal(board.breaches, 0);
	sim_board_free(&board);
	return temp_dir_remove(state);
}

static void run(int code, const char *words)
{
	int result;

	free(said);
	said = NULL;
	shares = mounts = 0;
	capture_start(STDOUT_FILENO);
	result = status(&o);
	said = capture_end(STDOUT_FILENO);
	if (result != code || !strstr(said, words))
		fail_msg("%d: %s", result, said);
}

static struct journal_entry entry(enum journal_state state)
{
	return (struct journal_entry){ .state = state, .id = "ab", .version = "2", .tries = 1 };
}

static void set_journal(enum journal_state state)
{
	struct journal_entry e = entry(state);
	struct journal j;
	struct fault f;

	journal_name = "journal";
	assert_int_equal(journal_read(&j, &chip->target, &f), 0);
	assert_int_equal(journal_append(&j, &e, &f), 0);
}

/* What it knows to be begun was not done, whatever else is told. */
static void journals(void **state)
{
	journal_name = "journal";
	kernel_log = LINE(0, "done", "01");
	run(0, "journal: empty: firmware none\n");
	set_journal(JOURNAL_BEGUN);
	run(5, "journal: begun: firmware 2\n");
	set_journal(JOURNAL_DONE);
	kernel_log = LINE(3, "undone", "01");
	run(3, "journal: done: firmware 2, booted 1 of 3 times and not said to be good yet ("
	       "flashinit status --good)\n");
	kernel_log = "";
	run(0, "journal: done: firmware 2");
	o.outcome = "/none/o"; /* then it is not asked */
	run(1, "");
}

static void good(void **state)
{
	uint32_t programs;

	o.good = true;
	run(4, "");
	set_journal(JOURNAL_DONE);
	busy = true;
	run(6, "");
	busy = false;
	run(0, "journal: done: firmware 2, good\n");
	programs = sim_count(&board, SIM_PROGRAM);
	run(0, "journal: done: firmware 2, good\n");
	assert_int_equal(sim_count(&board, SIM_PROGRAM), programs);
	set_journal(JOURNAL_BEGUN);
	run(1, "");
}

static void file_comes_next(void **state)
{
	char file[256];

	(void)snprintf(file, sizeof(file), "%s", temp_path("o"));
	write_text(file, LINE(1, "cleared", "01") LINE(5, "begun", "02"));
	write_text(temp_path("pstore/pmsg-ramoops-0"), LINE(0, "done", "01"));
	o.outcome = file;
	config_is_bad = true; /* and is not asked */
	run(5, "flashinit: begun at 2025-11-22T18:00:02Z: words (exit code 5, by ");
	config_is_bad = false;
	o.outcome = NULL;
	configured = file;
	run(5, "/o)\n");
}

/* The file's system may have been full, or have hung. */
static void later_in_pstore(void **state)
{
	char file[256];

	(void)snprintf(file, sizeof(file), "%s", temp_path("o"));
	write_text(file, LINE(1, "cleared", "01"));
	write_text(temp_path("pstore/pmsg-ramoops-0"), LINE(5, "begun", "02"));
	o.outcome = file;
	run(5, "begun at 2025-11-22T18:00:02Z: words (exit code 5, by /sys/fs/pstore)");
}

static void pstore_comes_last(void **state)
{
	o.outcome = "/none/o";
	write_text(temp_path("pstore/dmesg-ramoops-0"), LINE(5, "begun", "01"));
	write_text(temp_path("pstore/dmesg-ramoops-1"), LINE(6, "gave-up", "07"));
	write_text(temp_path("pstore/dmesg-ramoops-2"), LINE(0, "done", "03"));
	run(6, "gave-up at 2025-11-22T18:00:07Z: words (exit code 6, by /sys/fs/pstore)");
	assert_int_equal(shares, 0);
}

static void pstore_is_mounted_apart(void **state)
{
	pstore_mounted = false;
	write_text(temp_path("pstore/pmsg-ramoops-0"), LINE(0, "done", "01"));
	run(0, "by /sys/fs/pstore)");
	assert_int_equal(mounts, 2);
}

/* What this kernel tells of has happened since its boot, whatever the clock was before. */
static void kernel_log_comes_first(void **state)
{
	char file[256];

	(void)snprintf(file, sizeof(file), "%s", temp_path("o"));
	write_text(file, LINE(0, "done", "09"));
	write_text(temp_path("pstore/pmsg-ramoops-0"), LINE(0, "done", "09"));
	o.outcome = file;
	kernel_log = "<5>[ 1.0] x\n<5>[ 2.0] " LINE(3, "undone", "01");
	run(3, "undone at 2025-11-22T18:00:01Z: words (exit code 3, by the kernel's log)");
	pstore_mounted = false;
	shares = mounts = 0;
	unshare_result = -1; /* without the right to */
	run(3, "by the kernel's log)");
	assert_int_equal(mounts, 0);
}

static void nothing_is_known(void **state)
{
	char *error;

	o.outcome = "/none/o";
	capture_start(STDERR_FILENO);
	assert_int_equal(status(&o), 1);
	error = capture_end(STDERR_FILENO);
	assert_string_equal(error, "flashinit: no outcome of an update is in /none/o, "
				   "/sys/fs/pstore and the kernel's log\n");
	free(error);
	o.outcome = NULL;
	config_is_bad = true;
	capture_start(STDERR_FILENO);
	assert_int_equal(status(&o), 4);
	free(capture_end(STDERR_FILENO));
}

/* What an update of long ago left is far from the end. */
static void end_of_a_long_file(void **state)
{
	static const char first[] = LINE(0, "done", "01"), last[] = LINE(5, "begun", "02");
	size_t len = 200000;
	char *text = malloc(len + 1), file[256];

	assert_non_null(text);
	memset(text, '\n', len);
	text[len] = '\0';
	memcpy(text, first, sizeof(first) - 1);
	memcpy(text + len - (sizeof(last) - 1), last, sizeof(last) - 1);
	(void)snprintf(file, sizeof(file), "%s", temp_path("o"));
	write_text(file, text);
	free(text);
	o.outcome = file;
	run(5, "begun");
}

/* The last one: there is no way back from JSON. */
static void events(void **state)
{
	o.json = true;
	kernel_log = LINE(0, "done", "01");
	run(0, "{\"event\":\"outcome\",\"code\":0,\"state\":\"done\","
	       "\"time\":\"2025-11-22T18:00:01Z\",\"message\":\"words\","
	       "\"where\":\"the kernel's log\"}\n");
	kernel_log = "";
	shares = mounts = 0;
	run(1, "{\"event\":\"failed\",\"code\":1,\"message\":\"no outcome of an update is in ");
	set_journal(JOURNAL_DONE);
	run(0, "{\"event\":\"journal\",\"partition\":\"journal\",\"state\":\"done\",\"good\":false,"
	       "\"tries\":1,\"limit\":3,\"firmware\":\"2\",\"image\":\"ab\"}\n");
	config_is_bad = true;
	run(4, "{\"event\":\"failed\",\"code\":4,\"message\":\"line 1: nonsense\"}\n");
}

#define status_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		status_test(file_comes_next),
		status_test(later_in_pstore),
		status_test(pstore_comes_last),
		status_test(pstore_is_mounted_apart),
		status_test(kernel_log_comes_first),
		status_test(nothing_is_known),
		status_test(end_of_a_long_file),
		status_test(journals),
		status_test(good),
		status_test(events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
