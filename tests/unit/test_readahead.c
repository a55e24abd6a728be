// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helpers.h"
#include "images.h"
#include "readahead.h"

enum { CHUNK = 4096, SMALL = 1024, LARGE = 8192 };

static bool no_thread;
static int malloc_left = -1; /* how many succeed; below 0: all */

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
			  void *ctx);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
			  void *ctx)
{
	return no_thread ? EAGAIN : __real_pthread_create(thread, attr, run, ctx);
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
	if (malloc_left < 0 || malloc_left-- > 0)
		return __real_malloc(size);
	malloc_left = 0;
	errno = ENOMEM;
	return NULL;
}

static const struct key_ring no_keys;
static uint8_t contents[20 * LARGE];
static struct readahead ra;
static struct target t;
static struct source src;
static struct image img;
static struct fault f;

/* An image of len bytes, and a target with two sizes of eraseblock. */
static void start(size_t len)
{
	const struct image_input in = { "rootfs", contents, len };

	fill_random(contents, sizeof(contents), 1);
	make_image(temp_path("i.fwi"), &in, 1, CHUNK);
	assert_int_equal(source_open(&src, temp_path("i.fwi"), &f), 0);
	assert_int_equal(image_read(&img, &src, &no_keys, &f), 0);
	memset(&t, 0, sizeof(t));
	target_add_region(&t, 3, SMALL);
	target_add_region(&t, 17, LARGE);
	assert_int_equal(readahead_init(&ra, t.eraseblock, CHUNK), 0);
	readahead_start(&ra, &src, &img.payload[0], &t);
}

static void end(void)
{
	readahead_stop(&ra);
	readahead_stop(&ra); /* a second time does nothing */
	readahead_free(&ra);
	image_free(&img);
	source_close(&src);
}

static void take_all(size_t len)
{
	size_t at = 0, got;
	uint8_t *data;

	for (uint32_t n = 0; at < len; n++) {
		size_t size = target_block_size(&t, n);
		size_t want = len - at < size ? len - at : size;

		assert_int_equal(readahead_next(&ra, &data, &got, &f), 0);
		assert_int_equal(got, want);
		assert_memory_equal(data, contents + at, got);
		for (size_t i = got; i < size; i++)
			assert_int_equal(data[i], 0xff);
		memset(data, 0, size); /* it is ours until the next call */
		at += got;
	}
	for (int i = 0; i < 3; i++) {
		assert_int_equal(readahead_next(&ra, &data, &got, &f), 0);
		assert_int_equal(got, 0);
	}
}

static void pieces_as_large_as_eraseblocks(void **state)
{
	static const size_t lengths[] = { 1, SMALL, SMALL + 1, 3 * SMALL + 2 * LARGE,
					  3 * SMALL + 15 * LARGE + 77 };

	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		start(lengths[i]);
		take_all(lengths[i]);
		end();
	}
}

static void without_a_thread(void **state)
{
	no_thread = true;
	pieces_as_large_as_eraseblocks(state);
	no_thread = false;
}

static void once_more_from_the_start(void **state)
{
	uint64_t body;
	uint8_t *data;
	size_t got;

	start(10 * LARGE);
	body = image_file_size(&img) - img.body_size;
	assert_int_equal(readahead_next(&ra, &data, &got, &f), 0);
	readahead_stop(&ra);
	assert_int_equal(source_back_to(&src, body, &f), 0);
	readahead_start(&ra, &src, &img.payload[0], &t);
	take_all(10 * LARGE);
	end();
}

/* The thread waits for room, and is told to end, or has ended. */
static void stopped_at_any_time(void **state)
{
	uint8_t *data;
	size_t got;

	for (unsigned int taken = 0; taken < 14; taken++) {
		start(10 * LARGE);
		for (unsigned int i = 0; i < taken; i++)
			assert_int_equal(readahead_next(&ra, &data, &got, &f), 0);
		end();
	}
}

/* What was good before the damage is handed out; then the fault, as often as it is asked for. */
static void damage_comes_in_its_turn(void **state)
{
	for (int thread = 0; thread < 2; thread++) {
		size_t len, got;
		uint8_t *file, *data;

		no_thread = thread == 0;
		start(10 * LARGE);
		end();
		file = read_file(temp_path("i.fwi"), &len);
		file[len - 3 * LARGE] ^= 1;
		write_file(temp_path("i.fwi"), file, len);
		free(file);
		assert_int_equal(source_open(&src, temp_path("i.fwi"), &f), 0);
		assert_int_equal(image_read(&img, &src, &no_keys, &f), 0);
		assert_int_equal(readahead_init(&ra, t.eraseblock, CHUNK), 0);
		readahead_start(&ra, &src, &img.payload[0], &t);
		for (unsigned int n = 0; n < 3 + 6; n++)
			assert_int_equal(readahead_next(&ra, &data, &got, &f), 0);
		for (int i = 0; i < 3; i++) {
			memset(&f, 0, sizeof(f));
			assert_int_equal(readahead_next(&ra, &data, &got, &f), -1);
			assert_fault(&f, FAULT_IMAGE, "fails its checksum");
		}
		end();
	}
	no_thread = false;
}

/* A signal goes to whoever started the thread, who may have blocked it. */
static void thread_takes_no_signals(void **state)
{
	sigset_t usr1, pending;

	(void)sigemptyset(&usr1);
	(void)sigaddset(&usr1, SIGUSR1);
	start(10 * LARGE);
	assert_int_equal(pthread_sigmask(SIG_BLOCK, &usr1, NULL), 0);
	assert_int_equal(kill(getpid(), SIGUSR1), 0); /* would end this program */
	end();
	assert_int_equal(sigpending(&pending), 0);
	assert_true(sigismember(&pending, SIGUSR1));
	(void)signal(SIGUSR1, SIG_IGN);
	assert_int_equal(pthread_sigmask(SIG_UNBLOCK, &usr1, NULL), 0);
}

/* A pipe that has nothing to give just now holds up nobody who has had enough of it. */
static void stopped_while_a_pipe_waits(void **state)
{
	uint8_t *file;
	int ends[2];
	size_t len;

	start(10 * LARGE);
	end();
	file = read_file(temp_path("i.fwi"), &len);
	assert_int_equal(pipe(ends), 0);
	assert_true(write(ends[1], file, len / 4) == (ssize_t)(len / 4));
	free(file);
	memset(&src, 0, sizeof(src));
	src.fd = ends[0];
	src.name = "a pipe";
	assert_int_equal(image_read(&img, &src, &no_keys, &f), 0);
	assert_int_equal(readahead_init(&ra, t.eraseblock, CHUNK), 0);
	readahead_start(&ra, &src, &img.payload[0], &t);
	(void)usleep(50000); /* it waits by now */
	end();
	(void)close(ends[1]);
}

static void no_memory(void **state)
{
	for (int n = 0;; n++) {
		int result;

		malloc_left = n;
		result = readahead_init(&ra, LARGE, CHUNK);
		malloc_left = -1;
		readahead_free(&ra);
		if (result == 0)
			break;
		assert_int_equal(errno, ENOMEM);
		assert_true(n < 20);
	}
}

#define readahead_test(name) cmocka_unit_test_setup_teardown(name, temp_dir_make, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		readahead_test(pieces_as_large_as_eraseblocks),
		readahead_test(without_a_thread),
		readahead_test(once_more_from_the_start),
		readahead_test(stopped_at_any_time),
		readahead_test(damage_comes_in_its_turn),
		readahead_test(thread_takes_no_signals),
		readahead_test(stopped_while_a_pipe_waits),
		readahead_test(no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
