// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helpers.h"
#include "source.h"

static enum { READ_WELL, READ_BYTES, READ_INTERRUPTED, READ_FAILS } reading;
static bool stat_fails;

ssize_t __real_read(int fd, void *buf, size_t len);
ssize_t __wrap_read(int fd, void *buf, size_t len)
{
	static unsigned int calls;

	if (reading == READ_FAILS || (reading == READ_INTERRUPTED && calls++ % 2)) {
		errno = reading == READ_FAILS ? EIO : EINTR;
		return -1;
	}
	return __real_read(fd, buf, reading == READ_BYTES && len > 1 ? 1 : len);
}

int __real_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st)
{
	if (!stat_fails)
		return __real_fstat(fd, st);
	errno = EIO;
	return -1;
}

static struct fault f;
static struct source src;
static unsigned int fds;
static int saved_stdin;

static int setup(void **state)
{
	reading = READ_WELL;
	stat_fails = false;
	saved_stdin = dup(STDIN_FILENO);
	fds = count_fds();
	return temp_dir_make(state);
}

static int teardown(void **state)
{
	reading = READ_WELL;
	stat_fails = false;
	source_close(&src);
	if (saved_stdin >= 0) {
		(void)dup2(saved_stdin, STDIN_FILENO);
		(void)close(saved_stdin);
	}
	return temp_dir_remove(state);
}

static void open_text(const char *text)
{
	write_text(temp_path("file"), text);
	assert_int_equal(source_open(&src, temp_path("file"), &f), 0);
}

static void file(void **state)
{
	char buf[16] = "";

	open_text("0123456789");
	assert_true(src.seekable);
	assert_true(fcntl(src.fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(source_read(&src, buf, 4, &f), 0);
	assert_memory_equal(buf, "0123", 4);
	assert_int_equal(src.pos, 4);
	assert_int_equal(source_read(&src, buf, 0, &f), 0);
	assert_int_equal(source_read(&src, buf, 6, &f), 0);
	assert_memory_equal(buf, "456789", 6);
	assert_int_equal(source_expect_end(&src, &f), 0);
	assert_int_equal(source_rewind(&src, &f), 0);
	assert_int_equal(src.pos, 0);
	assert_int_equal(source_read(&src, buf, 10, &f), 0);
	assert_memory_equal(buf, "0123456789", 10);
	source_close(&src);
	assert_int_equal(src.fd, -1);
	source_close(&src); /* twice does no harm */
	assert_int_equal(count_fds(), fds);
}

/* What somebody has read from standard input before is none of the image. */
static void file_past_its_start(void **state)
{
	int own = dup(STDIN_FILENO), fd;
	char buf[4];

	write_text(temp_path("file"), "0123456789");
	fd = open(temp_path("file"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(lseek(fd, 3, SEEK_SET), 3);
	assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	(void)close(fd);
	assert_int_equal(source_open(&src, "-", &f), 0);
	assert_int_equal(source_read(&src, buf, 4, &f), 0);
	assert_memory_equal(buf, "3456", 4);
	assert_int_equal(source_rewind(&src, &f), 0);
	assert_int_equal(source_read(&src, buf, 4, &f), 0);
	assert_memory_equal(buf, "3456", 4);
	assert_int_equal(source_back_to(&src, 2, &f), 0);
	assert_int_equal(source_read(&src, buf, 4, &f), 0);
	assert_memory_equal(buf, "5678", 4);
	source_close(&src);
	assert_int_equal(dup2(own, STDIN_FILENO), STDIN_FILENO);
	(void)close(own);
	assert_int_equal(count_fds(), fds);
}

static void cut_short(void **state)
{
	char buf[16];

	open_text("0123456789");
	assert_int_equal(source_read(&src, buf, 7, &f), 0);
	assert_int_equal(source_read(&src, buf, 5, &f), -1);
	assert_fault(&f, FAULT_IMAGE, "cut short: ends at byte 10, 2 more were expected");
	assert_fault(&f, FAULT_IMAGE, temp_path("file"));
}

static void empty(void **state)
{
	char buf[1];

	open_text("");
	assert_int_equal(source_expect_end(&src, &f), 0);
	assert_int_equal(source_read(&src, buf, 1, &f), -1);
	assert_fault(&f, FAULT_IMAGE, "ends at byte 0, 1 more");
}

static void trailing(void **state)
{
	char buf[16];

	open_text("0123456789");
	assert_int_equal(source_read(&src, buf, 9, &f), 0);
	assert_int_equal(source_expect_end(&src, &f), -1);
	assert_fault(&f, FAULT_IMAGE, "goes on after byte 9");
}

static unsigned int verdicts;

static int refuse(void *ctx, struct fault *fault)
{
	verdicts++;
	assert_ptr_equal(ctx, &verdicts);
	return fault_set(fault, FAULT_IMAGE, "whoever gave it has failed");
}

/* All bytes came, or too few: why it ended is told by whoever gave them. */
static void verdict_at_the_end(void **state)
{
	char buf[16];

	for (size_t len = 10; len <= 11; len++) {
		open_text("0123456789");
		src.verdict = refuse;
		src.ctx = &verdicts;
		verdicts = 0;
		assert_int_equal(source_read(&src, buf, len, &f), len == 10 ? 0 : -1);
		assert_int_equal(verdicts, len == 10 ? 0 : 1);
		if (len == 10)
			assert_int_equal(source_expect_end(&src, &f), -1);
		assert_fault(&f, FAULT_IMAGE, "whoever gave it has failed");
		source_close(&src);
	}
}

static void directory(void **state)
{
	assert_int_equal(source_open(&src, temp_path("."), &f), -1);
	assert_fault(&f, FAULT_IMAGE, "is a directory");
	assert_int_equal(count_fds(), fds);
}

static void missing(void **state)
{
	assert_int_equal(source_open(&src, temp_path("none"), &f), -1);
	assert_fault(&f, FAULT_IMAGE, "No such file");
	assert_int_equal(f.err, ENOENT);
}

static void cannot_be_looked_at(void **state)
{
	write_text(temp_path("file"), "x");
	stat_fails = true;
	assert_int_equal(source_open(&src, temp_path("file"), &f), -1);
	assert_fault(&f, FAULT_IMAGE, "cannot look at the image: Input/output error");
	stat_fails = false;
	assert_int_equal(count_fds(), fds);
}

static void pipe_on_standard_input(void **state)
{
	char buf[8];
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "abcdef", 6), 6);
	(void)close(ends[1]);
	assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	(void)close(ends[0]);
	assert_int_equal(source_open(&src, "-", &f), 0);
	assert_string_equal(src.name, "standard input");
	assert_true(src.fd > 2);
	assert_false(src.seekable);
	assert_int_equal(source_read(&src, buf, 6, &f), 0);
	assert_memory_equal(buf, "abcdef", 6);
	assert_int_equal(source_expect_end(&src, &f), 0);
	assert_int_equal(source_rewind(&src, &f), -1);
	assert_fault(&f, FAULT_IMAGE, "standard input: cannot go back");
}

static void standard_input_closed(void **state)
{
	(void)close(STDIN_FILENO);
	assert_int_equal(source_open(&src, "-", &f), -1);
	assert_fault(&f, FAULT_IMAGE, "standard input: cannot open");
}

static void fifo(void **state)
{
	char buf[4];
	int out;

	assert_int_equal(mkfifo(temp_path("fifo"), 0600), 0);
	out = open(temp_path("fifo"), O_RDWR | O_CLOEXEC); /* so that nobody waits for the other */
	assert_true(out >= 0);
	assert_int_equal(write(out, "abc", 3), 3);
	assert_int_equal(source_open(&src, temp_path("fifo"), &f), 0);
	(void)close(out);
	assert_false(src.seekable);
	assert_int_equal(source_read(&src, buf, 3, &f), 0);
	assert_memory_equal(buf, "abc", 3);
	assert_int_equal(source_read(&src, buf, 1, &f), -1);
	assert_fault(&f, FAULT_IMAGE, "ends at byte 3");
}

static void comes_in_single_bytes(void **state)
{
	char buf[16];

	open_text("0123456789");
	reading = READ_BYTES;
	assert_int_equal(source_read(&src, buf, 10, &f), 0);
	assert_memory_equal(buf, "0123456789", 10);
}

static void interrupted(void **state)
{
	char buf[16];

	open_text("0123456789");
	reading = READ_INTERRUPTED;
	for (int i = 0; i < 5; i++)
		assert_int_equal(source_read(&src, buf + 2 * i, 2, &f), 0);
	assert_memory_equal(buf, "0123456789", 10);
	assert_int_equal(source_expect_end(&src, &f), 0);
}

static void unreadable(void **state)
{
	char buf[4];

	open_text("0123456789");
	assert_int_equal(source_read(&src, buf, 4, &f), 0);
	reading = READ_FAILS;
	assert_int_equal(source_read(&src, buf, 4, &f), -1);
	assert_fault(&f, FAULT_IMAGE, "cannot read at byte 4: Input/output error");
	/* An error is no end. */
	assert_int_equal(source_expect_end(&src, &f), -1);
	assert_fault(&f, FAULT_IMAGE, "cannot read");
}

#define source_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		source_test(file),
		source_test(file_past_its_start),
		source_test(cut_short),
		source_test(empty),
		source_test(trailing),
		source_test(verdict_at_the_end),
		source_test(directory),
		source_test(missing),
		source_test(cannot_be_looked_at),
		source_test(pipe_on_standard_input),
		source_test(standard_input_closed),
		source_test(fifo),
		source_test(comes_in_single_bytes),
		source_test(interrupted),
		source_test(unreadable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
