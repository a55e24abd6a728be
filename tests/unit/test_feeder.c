// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "feeder.h"
#include "helpers.h"

static bool no_fork;

pid_t __real_fork(void);
pid_t __wrap_fork(void)
{
	if (!no_fork)
		return __real_fork();
	errno = EAGAIN;
	return -1;
}

enum { LEN = 600000, CHUNK = 65536 };

static uint8_t data[LEN];
static char file[128];
static struct raw_input input[2];
static struct raw_image raw;
static struct feeder feeder;
static struct fault f;
static unsigned int fds;

static void set_input(int i, const char *part)
{
	input[i] = (struct raw_input){
		.file = file,
		.to = { .kind = PAYLOAD_MTD, .tail = TAIL_ERASE, .chunk_size = CHUNK },
	};
	(void)strcpy(input[i].to.part, part);
}

static int setup(void **state)
{
	if (temp_dir_make(state) < 0)
		return -1;
	no_fork = false;
	fds = count_fds();
	memset(&feeder, 0, sizeof(feeder));
	fill_random(data, LEN, 1);
	memset(data + CHUNK, 0xff, CHUNK);
	(void)snprintf(file, sizeof(file), "%s", temp_path("rootfs.bin"));
	write_file(file, data, LEN);
	set_input(0, "rootfs");
	set_input(1, "copy");
	if (raw_open(&raw, input, 2, NULL, NULL, &f) < 0)
		fail_msg("%s", f.text);
	return 0;
}

/* No descriptor and no child is left behind. */
static int teardown(void **state)
{
	feeder_stop(&feeder);
	feeder_stop(&feeder);
	raw_close(&raw);
	assert_int_equal(count_fds(), fds);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	return temp_dir_remove(state);
}

static void start(void)
{
	if (feeder_start(&feeder, &raw, &f) < 0)
		fail_msg("%s", f.text);
}

static void gives_all_chunks(void **state)
{
	start();
	assert_false(feeder.source.seekable);
	if (image_verify(&raw.image, &feeder.source, NULL, NULL, &f) < 0)
		fail_msg("%s", f.text);
}

/* As often as wanted, and wherever the one before had come to. */
static void starts_anew(void **state)
{
	uint8_t buf[5000];

	for (int i = 0; i < 3; i++) {
		start();
		assert_int_equal(source_read(&feeder.source, buf, sizeof(buf), &f), 0);
		assert_memory_equal(buf, data, sizeof(buf));
	}
	start();
	assert_int_equal(image_verify(&raw.image, &feeder.source, NULL, NULL, &f), 0);
}

/* What a terminal sends to all its processes must not end the child alone. */
static void not_ended_by_signals(void **state)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1 };
	uint8_t byte;

	start();
	assert_int_equal(source_read(&feeder.source, &byte, 1, &f), 0); /* it runs by now */
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		assert_int_equal(kill(feeder.pid, signals[i]), 0);
	feeder.source.pos = 0;
	for (size_t n = 1; n < raw.image.body_size; n++)
		if (source_read(&feeder.source, &byte, 1, &f) < 0)
			fail_msg("%s", f.text);
	assert_int_equal(source_expect_end(&feeder.source, &f), 0);
}

static void changed_file(void **state)
{
	data[LEN - 1] ^= 1;
	write_file(file, data, LEN);
	start();
	assert_int_equal(image_verify(&raw.image, &feeder.source, NULL, NULL, &f), -1);
	assert_fault(&f, FAULT_IMAGE, "rootfs.bin: was not the same when read again");
	data[LEN - 1] ^= 1;
}

/* Somebody who swaps the data takes care that its CRC-32 is what it was. */
static void swapped_with_the_same_crc(void **state)
{
	static const uint8_t polynomial[] = { 0x41, 0x06, 0x71, 0xdb, 0x01 };

	for (size_t i = 0; i < sizeof(polynomial); i++)
		data[i] ^= polynomial[i];
	write_file(file, data, LEN);
	start();
	assert_int_equal(image_verify(&raw.image, &feeder.source, NULL, NULL, &f), -1);
	assert_fault(&f, FAULT_IMAGE,
		     "damaged: rootfs chunk 0 of 10 is not what it was when it was checked");
	for (size_t i = 0; i < sizeof(polynomial); i++)
		data[i] ^= polynomial[i];
}

/* All that was expected has come, and fits. */
static void grown_file(void **state)
{
	static uint8_t more[LEN + 1];

	memcpy(more, data, LEN);
	write_file(file, more, sizeof(more));
	raw.count = 1; /* the child meets the growth with all bytes given */
	start();
	for (size_t n = 0; n < LEN - CHUNK; n += 1000)
		assert_int_equal(source_read(&feeder.source, more,
					     LEN - CHUNK - n < 1000 ? LEN - CHUNK - n : 1000, &f),
				 0);
	for (int i = 0; i < 2; i++) { /* whoever asks again is told again */
		assert_int_equal(source_expect_end(&feeder.source, &f), -1);
		assert_fault(&f, FAULT_IMAGE, "rootfs.bin: has grown since it was checked");
	}
	write_file(file, data, LEN);
	start();
	assert_int_equal(source_read(&feeder.source, more, LEN - CHUNK, &f), 0);
	assert_int_equal(source_expect_end(&feeder.source, &f), 0);
}

static void child_that_is_ended(void **state)
{
	uint8_t byte;

	start();
	assert_int_equal(kill(feeder.pid, SIGKILL), 0);
	while (source_read(&feeder.source, &byte, 1, &f) == 0)
		;
	assert_fault(&f, FAULT_FAILED, "the process that reads the plain images was ended");
}

/* Nobody wants it any more: that is nothing to talk about, and it ends by itself. */
static void nobody_listens(void **state)
{
	char *said;
	siginfo_t info;

	capture_start(STDERR_FILENO);
	start();
	source_close(&feeder.source);
	assert_int_equal(waitid(P_PID, (id_t)feeder.pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(info.si_code, CLD_EXITED);
	said = capture_end(STDERR_FILENO);
	assert_string_equal(said, "");
	free(said);
}

static void no_process(void **state)
{
	no_fork = true;
	assert_int_equal(feeder_start(&feeder, &raw, &f), -1);
	assert_fault(&f, FAULT_FAILED, "cannot fork");
}

#define feeder_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		feeder_test(gives_all_chunks),
		feeder_test(starts_anew),
		feeder_test(not_ended_by_signals),
		feeder_test(changed_file),
		feeder_test(swapped_with_the_same_crc),
		feeder_test(grown_file),
		feeder_test(child_that_is_ended),
		feeder_test(nobody_listens),
		feeder_test(no_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
