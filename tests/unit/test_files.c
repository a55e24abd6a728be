// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "files.h"
#include "helpers.h"

static enum { WELL, INTERRUPTED, IN_PIECES, FAILS } reading, writing;
static bool close_fails, no_memory;

/* Interrupts every other call. */
static bool interrupts(int how)
{
	static unsigned int calls;

	if (how != INTERRUPTED || calls++ % 2)
		return false;
	errno = EINTR;
	return true;
}

ssize_t __real_read(int fd, void *buf, size_t len);
ssize_t __wrap_read(int fd, void *buf, size_t len)
{
	if (interrupts(reading))
		return -1;
	if (reading == FAILS) {
		errno = EIO;
		return -1;
	}
	return __real_read(fd, buf, reading == IN_PIECES && len > 7 ? 7 : len);
}

ssize_t __real_write(int fd, const void *buf, size_t len);
ssize_t __wrap_write(int fd, const void *buf, size_t len)
{
	if (interrupts(writing))
		return -1;
	if (writing == FAILS) {
		errno = ENOSPC;
		return -1;
	}
	return __real_write(fd, buf, writing == IN_PIECES && len > 7 ? 7 : len);
}

int __real_close(int fd);
int __wrap_close(int fd)
{
	int result = __real_close(fd);

	if (!close_fails)
		return result;
	errno = EDQUOT;
	return -1;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
	if (!no_memory)
		return __real_malloc(size);
	errno = ENOMEM;
	return NULL;
}

static unsigned int fds;

static int setup(void **state)
{
	reading = writing = WELL;
	close_fails = no_memory = false;
	fds = count_fds();
	return temp_dir_make(state);
}

static int teardown(void **state)
{
	reading = writing = WELL;
	close_fails = no_memory = false;
	assert_int_equal(count_fds(), fds);
	return temp_dir_remove(state);
}

static char *long_text(size_t len)
{
	char *text = malloc(len + 1);

	assert_non_null(text);
	for (size_t i = 0; i < len; i++)
		text[i] = (char)('a' + i % 23);
	text[len] = '\0';
	return text;
}

static void reads_texts_of_all_sizes(void **state)
{
	static const size_t sizes[] = { 0,    1,    4094, 4095,   4096,   4097,
					8191, 8192, 8193, 100000, 1048574 };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		char *text = long_text(sizes[i]), *got;

		write_text(temp_path("file"), text);
		got = file_read_text(temp_path("file"));
		assert_non_null(got);
		assert_string_equal(got, text);
		free(got);
		free(text);
	}
}

static void reads_in_pieces_and_interrupted(void **state)
{
	char *text = long_text(20000), *got;

	write_text(temp_path("file"), text);
	for (reading = INTERRUPTED; reading <= IN_PIECES; reading++) {
		got = file_read_text(temp_path("file"));
		assert_non_null(got);
		assert_string_equal(got, text);
		free(got);
	}
	free(text);
}

static void too_large_a_text(void **state)
{
	char *text = long_text(3 << 20);

	write_text(temp_path("file"), text);
	free(text);
	assert_null(file_read_text(temp_path("file")));
	assert_int_equal(errno, EFBIG);
}

static void unreadable_texts(void **state)
{
	assert_null(file_read_text(temp_path("none")));
	assert_int_equal(errno, ENOENT);
	assert_null(file_read_text(temp_path(".")));
	assert_int_equal(errno, EISDIR);
	write_text(temp_path("file"), "x");
	reading = FAILS;
	assert_null(file_read_text(temp_path("file")));
	assert_int_equal(errno, EIO);
	reading = WELL;
	no_memory = true;
	assert_null(file_read_text(temp_path("file")));
	assert_int_equal(errno, ENOMEM);
}

static void reads_bytes(void **state)
{
	static const char bytes[] = "one\0two\0";
	size_t size = 0;
	char *got;

	write_file(temp_path("file"), bytes, sizeof(bytes));
	got = file_read_bytes(temp_path("file"), &size);
	assert_non_null(got);
	assert_int_equal(size, sizeof(bytes));
	assert_memory_equal(got, bytes, size);
	assert_int_equal(got[size], 0);
	free(got);
	assert_null(file_read_bytes(temp_path("none"), &size));
	assert_int_equal(errno, ENOENT);
}

static void reads_a_pipe(void **state)
{
	int ends[2];
	char *got;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_int_equal(write(ends[1], "two\nlines", 9), 9);
	(void)close(ends[1]);
	got = file_read_fd(ends[0]);
	assert_non_null(got);
	assert_string_equal(got, "two\nlines");
	free(got);
	(void)close(ends[0]);
}

static void device_numbers(void **state)
{
	static const char *const wrong[] = {
		"", ":", "1", "1:", ":1", "x:1", "1:x", "1:2x", "1 2"
	};
	unsigned int one, two;

	assert_true(device_number("31:0", &one, &two));
	assert_int_equal(one, 31);
	assert_int_equal(two, 0);
	assert_true(device_number("259:1048575", &one, &two));
	assert_int_equal(two, 1048575);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_false(device_number(wrong[i], &one, &two));
}

static void real_paths(void **state)
{
	char real[256], short_one[256];
	unsigned int before = count_fds();

	write_text(temp_path("folder/file"), "");
	assert_int_equal(symlink("folder/file", temp_path("link")), 0);
	assert_int_equal(symlink("nowhere", temp_path("dangling")), 0);
	assert_int_equal(file_real_path(real, sizeof(real), temp_path("link")), 0);
	assert_string_equal(real, temp_path("folder/file"));
	assert_int_equal(file_real_path(real, sizeof(real), temp_path("folder/../link")), 0);
	assert_string_equal(real, temp_path("folder/file"));
	assert_int_equal(file_real_path(short_one, strlen(real) + 1, temp_path("link")), 0);
	assert_string_equal(short_one, real);
	assert_int_equal(file_real_path(short_one, strlen(real), temp_path("link")), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	assert_int_equal(file_real_path(real, sizeof(real), temp_path("dangling")), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(count_fds(), before);
}

static void reads_lines(void **state)
{
	char line[8];

	write_text(temp_path("file"), "one\ntwo\n");
	assert_int_equal(file_read_line(temp_path("file"), line, sizeof(line)), 0);
	assert_string_equal(line, "one");
	write_text(temp_path("file"), "no newline");
	assert_int_equal(file_read_line(temp_path("file"), line, sizeof(line)), 0);
	assert_string_equal(line, "no newl");
	write_text(temp_path("file"), "");
	assert_int_equal(file_read_line(temp_path("file"), line, sizeof(line)), 0);
	assert_string_equal(line, "");
	assert_int_equal(file_read_line(temp_path("none"), line, sizeof(line)), -1);
	assert_int_equal(errno, ENOENT);
	reading = FAILS;
	assert_int_equal(file_read_line(temp_path("file"), line, sizeof(line)), -1);
	assert_int_equal(errno, EIO);
}

static void reads_starts(void **state)
{
	char start[8];

	write_text(temp_path("file"), "1\n2\n3\n4\n5");
	assert_int_equal(file_read_start(temp_path("file"), start, sizeof(start)), 0);
	assert_string_equal(start, "1\n2\n3\n4");
	assert_int_equal(file_read_start(temp_path("none"), start, sizeof(start)), -1);
	assert_int_equal(errno, ENOENT);
	reading = FAILS;
	assert_int_equal(file_read_start(temp_path("file"), start, sizeof(start)), -1);
	assert_int_equal(errno, EIO);
}

static void expect_file(const char *path, const char *wanted)
{
	size_t len;
	char *text = (char *)read_file(path, &len);

	assert_string_equal(text, wanted);
	free(text);
}

static void writes(void **state)
{
	assert_int_equal(file_write(temp_path("file"), "something long", 14), 0);
	assert_int_equal(file_write(temp_path("file"), "short", 5), 0);
	expect_file(temp_path("file"), "short");
	writing = IN_PIECES;
	assert_int_equal(file_write(temp_path("file"), "comes in pieces of seven", 24), 0);
	expect_file(temp_path("file"), "comes in pieces of seven");
	writing = INTERRUPTED;
	assert_int_equal(file_write(temp_path("file"), "interrupted", 11), 0);
	expect_file(temp_path("file"), "interrupted");
}

static void write_errors(void **state)
{
	assert_int_equal(file_write(temp_path("none/file"), "x", 1), -1);
	assert_int_equal(errno, ENOENT);
	writing = FAILS;
	assert_int_equal(file_write(temp_path("file"), "x", 1), -1);
	assert_int_equal(errno, ENOSPC);
	writing = WELL;
	close_fails = true; /* NFS and quotas speak up only now */
	assert_int_equal(file_write(temp_path("file"), "x", 1), -1);
	assert_int_equal(errno, EDQUOT);
}

static unsigned int asked, stop_at;

static int keep_going(void)
{
	return ++asked < stop_at;
}

/* Copies an open file, from its first byte, asking keep_going(). */
static int copy_open_file(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int result, err;

	assert_true(in >= 0);
	result = file_copy_from(in, to, 0600, keep_going);
	err = errno;
	(void)close(in);
	errno = err;
	return result;
}

static void copies(void **state)
{
	size_t len = 300000, got;
	uint8_t *data = malloc(len), *copy;
	struct stat st;

	fill_random(data, len, 1);
	write_file(temp_path("from"), data, len);
	assert_int_equal(file_copy(temp_path("from"), temp_path("to"), 0750), 0);
	assert_int_equal(stat(temp_path("to"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0750);
	copy = read_file(temp_path("to"), &got);
	assert_int_equal(got, len);
	assert_memory_equal(copy, data, len);
	free(copy);
	asked = 0;
	stop_at = 1000;
	assert_int_equal(copy_open_file(temp_path("from"), temp_path("to2")), 0);
	assert_true(asked >= 4); /* often enough for a person who waits */
	free(data);
}

static void copies_nothing(void **state)
{
	write_text(temp_path("from"), "");
	assert_int_equal(file_copy(temp_path("from"), temp_path("to"), 0600), 0);
	expect_file(temp_path("to"), "");
}

/* What is staged must be what init can run, whatever the umask of the shell was. */
static void copies_have_the_given_mode(void **state)
{
	static const mode_t modes[] = { 0755, 0600, 0666, 0700 };
	mode_t old = umask(077);
	struct stat st;

	write_text(temp_path("from"), "x");
	for (size_t i = 0; i < 4; i++) {
		const char *to = temp_path("to%zu", i);

		assert_int_equal(file_copy(temp_path("from"), to, modes[i]), 0);
		assert_int_equal(stat(to, &st), 0);
		assert_int_equal(st.st_mode & 07777, modes[i]);
	}
	(void)umask(old);
}

static void copies_from_where_the_file_stands(void **state)
{
	int in;

	write_text(temp_path("from"), "0123456789");
	in = open(temp_path("from"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(lseek(in, 4, SEEK_SET), 4);
	assert_int_equal(file_copy_from(in, temp_path("to"), 0600, NULL), 0);
	expect_file(temp_path("to"), "456789");
	assert_int_equal(file_copy_from(in, temp_path("empty"), 0600, NULL), 0);
	expect_file(temp_path("empty"), "");
	(void)close(in);
}

static void copy_stops_when_told(void **state)
{
	char *text = long_text(300000);

	write_text(temp_path("from"), text);
	free(text);
	asked = 0;
	stop_at = 2;
	assert_int_equal(copy_open_file(temp_path("from"), temp_path("to")), -1);
	assert_int_equal(errno, EINTR);
	assert_int_equal(asked, 2);
}

static void copy_errors(void **state)
{
	write_text(temp_path("from"), "x");
	assert_int_equal(file_copy(temp_path("none"), temp_path("to"), 0600), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(file_copy(temp_path("from"), temp_path("none/to"), 0600), -1);
	assert_int_equal(errno, ENOENT);
	write_text(temp_path("there"), "old");
	assert_int_equal(file_copy(temp_path("from"), temp_path("there"), 0600), -1);
	assert_int_equal(errno, EEXIST);
	expect_file(temp_path("there"), "old");
	assert_int_equal(file_copy(temp_path("."), temp_path("to1"), 0600), -1);
	assert_int_equal(errno, EISDIR);
	reading = FAILS;
	assert_int_equal(file_copy(temp_path("from"), temp_path("to2"), 0600), -1);
	assert_int_equal(errno, EIO);
	reading = WELL;
	writing = FAILS;
	assert_int_equal(file_copy(temp_path("from"), temp_path("to3"), 0600), -1);
	assert_int_equal(errno, ENOSPC);
	writing = WELL;
	close_fails = true;
	assert_int_equal(file_copy(temp_path("from"), temp_path("to4"), 0600), -1);
	assert_int_equal(errno, EDQUOT);
	close_fails = false;
	no_memory = true;
	assert_int_equal(file_copy(temp_path("from"), temp_path("to5"), 0600), -1);
	assert_int_equal(errno, ENOMEM);
}

#define files_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		files_test(reads_texts_of_all_sizes),
		files_test(reads_in_pieces_and_interrupted),
		files_test(too_large_a_text),
		files_test(unreadable_texts),
		files_test(reads_bytes),
		files_test(reads_a_pipe),
		files_test(device_numbers),
		files_test(real_paths),
		files_test(reads_lines),
		files_test(reads_starts),
		files_test(writes),
		files_test(write_errors),
		files_test(copies),
		files_test(copies_nothing),
		files_test(copies_have_the_given_mode),
		files_test(copies_from_where_the_file_stands),
		files_test(copy_stops_when_told),
		files_test(copy_errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
