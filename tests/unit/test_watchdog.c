// SPDX-License-Identifier: GPL-2.0-or-later
/* The watchdogs of these tests bite: whoever lets one wait for longer than its timeout has failed. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/watchdog.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "helpers.h"
#include "watchdog.h"

enum { DOGS = 2, FIRST_FD = 900 };

static struct dog {
	int open_error, get_error, set_error, stop_error, write_error;
	int timeout, longest; /* seconds; longest is the most that the driver gives */
	bool open, running, magic;
	unsigned long long busy_until;
	unsigned int fed; /* how often */
	unsigned long long last;
} dogs[DOGS];

static unsigned long long now_ms;
static struct fault f;

static bool bitten(const struct dog *d)
{
	return d->running && now_ms > d->last + (unsigned long long)d->timeout * 1000;
}

static struct dog *dog_of(int fd)
{
	return fd >= FIRST_FD && fd < FIRST_FD + DOGS ? &dogs[fd - FIRST_FD] : NULL;
}

static void ping(struct dog *d)
{
	if (bitten(d))
		fail_msg("watchdog%d bites at %llu ms", (int)(d - dogs), now_ms);
	d->last = now_ms;
	d->fed++;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
	struct dog *d;
	int number;

	if (strncmp(path, "/dev/watchdog", 13) != 0)
		return __real_open(path, flags, 0600);
	number = atoi(path + 13);
	assert_in_range(number, 0, DOGS - 1);
	d = &dogs[number];
	assert_int_equal(flags, O_WRONLY | O_CLOEXEC);
	assert_false(d->open);
	errno = now_ms < d->busy_until ? EBUSY : d->open_error;
	if (errno)
		return -1;
	ping(d);
	d->open = d->running = true;
	return FIRST_FD + number;
}

int __real_close(int fd);
int __wrap_close(int fd)
{
	struct dog *d = dog_of(fd);

	if (!d)
		return __real_close(fd);
	assert_true(d->open);
	d->open = false;
	if (d->magic)
		d->running = false;
	return 0;
}

ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len)
{
	struct dog *d = dog_of(fd);

	if (!d)
		return __real_write(fd, data, len);
	assert_true(d->open);
	assert_int_equal(len, 1);
	errno = d->write_error;
	if (d->write_error)
		return -1;
	d->magic = *(const char *)data == 'V';
	ping(d);
	return 1;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	struct dog *d = dog_of(fd);
	va_list args;
	int *value;

	va_start(args, request);
	value = va_arg(args, int *);
	va_end(args);
	assert_non_null(d);
	assert_true(d->open);
	if (request == WDIOC_GETTIMEOUT) {
		errno = d->get_error;
		*value = d->timeout;
		return d->get_error ? -1 : 0;
	}
	if (request == WDIOC_SETTIMEOUT) {
		errno = d->set_error;
		if (d->set_error)
			return -1;
		d->timeout = *value < d->longest ? *value : d->longest;
		*value = d->timeout;
		ping(d);
		return 0;
	}
	assert_int_equal(request, WDIOC_SETOPTIONS);
	assert_int_equal(*value, WDIOS_DISABLECARD);
	errno = d->stop_error;
	d->running = d->stop_error != 0;
	return d->stop_error ? -1 : 0;
}

int __real_clock_gettime(clockid_t clock, struct timespec *t);
int __wrap_clock_gettime(clockid_t clock, struct timespec *t)
{
	t->tv_sec = (time_t)(now_ms / 1000);
	t->tv_nsec = (long)(now_ms % 1000) * 1000000;
	return 0;
}

static unsigned int polls;
static unsigned long long ready_at; /* when there is something to read */

/* Time goes by while one waits, and never else; a little more than was asked for. */
int __wrap_poll(struct pollfd *p, nfds_t count, int timeout)
{
	polls++;
	assert_true(timeout >= 0 || ready_at != 0);
	if (ready_at && (timeout < 0 || now_ms + (unsigned int)timeout >= ready_at)) {
		now_ms = ready_at;
		return 1;
	}
	now_ms += (unsigned int)timeout + 3;
	return 0;
}

static int setup(void **state)
{
	memset(dogs, 0, sizeof(dogs));
	for (int i = 0; i < DOGS; i++) {
		dogs[i].timeout = 30;
		dogs[i].longest = 65535;
	}
	now_ms = 1000000;
	polls = 0;
	ready_at = 0;
	return temp_dir_make(state);
}

static int teardown(void **state)
{
	watchdog_forget();
	return temp_dir_remove(state);
}

/* The line that is said of what could be taken over. */
static char *check(int result)
{
	capture_start(STDOUT_FILENO);
	assert_int_equal(watchdog_check(&f), result);
	return capture_end(STDOUT_FILENO);
}

static void wait_fed(unsigned int ms)
{
	assert_int_equal(watchdog_poll(NULL, 0, ms), 0);
	assert_false(bitten(&dogs[0]));
	assert_false(bitten(&dogs[1]));
}

static void none(void **state)
{
	watchdog_adopt("");
	assert_false(watchdog_any());
	assert_int_equal(watchdog_feed(), UINT_MAX);
	assert_int_equal(watchdog_check(&f), 0);
	wait_fed(60000);
	assert_int_equal(polls, 1);
	ready_at = now_ms + 99999999;
	assert_int_equal(watchdog_poll(NULL, 0, UINT_MAX), 1);
	watchdog_stop();
	watchdog_hand_on();
	assert_false(dogs[0].running);
}

static void fed_in_time(void **state)
{
	char *text;

	watchdog_adopt("watchdog1");
	assert_true(watchdog_any());
	assert_false(dogs[1].open);
	assert_int_equal(watchdog_feed(), 7500);
	assert_true(dogs[1].running);
	dogs[1].fed = 0;
	wait_fed(300000);
	assert_in_range(dogs[1].fed, 35, 45);
	assert_in_range(now_ms, 1300000, 1301000); /* and for as long as was asked for */
	assert_false(dogs[0].running);
	text = check(0);
	assert_string_equal(text,
			    "flashinit: watchdog1 is fed from here on; its timeout is 30 s\n");
	free(text);
}

static void two_at_their_own_pace(void **state)
{
	dogs[0].timeout = 5;
	dogs[1].timeout = 300;
	watchdog_adopt("watchdog0 watchdog1");
	wait_fed(3000000);
	assert_in_range(dogs[0].fed, 2200, 2600);
	assert_in_range(dogs[1].fed, 35, 50);
}

/* Its feeder has it until it is killed. */
static void as_soon_as_it_can_be_had(void **state)
{
	char *text;

	dogs[0].open_error = EBUSY;
	watchdog_adopt("watchdog0");
	assert_in_range(watchdog_feed(), 1, 100);
	text = check(-1);
	assert_fault(&f, FAULT_UNFIT, "cannot take over watchdog0, which would reset the machine");
	assert_non_null(strstr(f.text, "busy"));
	assert_string_equal(text, "");
	free(text);
	wait_fed(1000);
	assert_in_range(polls, 10, 100);
	dogs[0].open_error = 0;
	wait_fed(100);
	assert_true(dogs[0].open);
	text = check(0);
	free(text);
}

static void a_little_late(void **state)
{
	watchdog_adopt("watchdog0 watchdog1");
	dogs[0].busy_until = now_ms + 1000;
	free(check(0));
	assert_true(dogs[0].open && dogs[1].open);
	assert_in_range(now_ms - dogs[0].busy_until, 0, 100);
}

static void short_ones_are_made_longer(void **state)
{
	dogs[0].timeout = 1;
	dogs[1].timeout = 4;
	watchdog_adopt("watchdog0 watchdog1");
	(void)watchdog_feed();
	assert_int_equal(dogs[0].timeout, 10);
	assert_int_equal(dogs[1].timeout, 4);
	wait_fed(100000);
}

static void short_ones_that_stay_so(void **state)
{
	dogs[0].timeout = 1;
	dogs[0].set_error = EOPNOTSUPP;
	dogs[1].timeout = 1;
	dogs[1].longest = 2;
	watchdog_adopt("watchdog0 watchdog1");
	wait_fed(100000);
	assert_int_equal(dogs[1].timeout, 2);
}

static void timeouts_that_nobody_tells(void **state)
{
	dogs[0].timeout = 2;
	dogs[0].get_error = EOPNOTSUPP;
	watchdog_adopt("watchdog0");
	wait_fed(100000);
	assert_int_equal(dogs[0].timeout, 2);
}

static void something_comes_meanwhile(void **state)
{
	struct pollfd p = { .fd = 0, .events = POLLIN };

	watchdog_adopt("watchdog0");
	ready_at = now_ms + 1000000;
	assert_int_equal(watchdog_poll(&p, 1, UINT_MAX), 1);
	assert_int_equal(now_ms, 2000000);
	assert_true(dogs[0].fed > 100);
}

static void said_once(void **state)
{
	char *text;

	dogs[0].write_error = EIO;
	watchdog_adopt("watchdog0");
	capture_start(STDOUT_FILENO);
	(void)watchdog_poll(NULL, 0, 100000);
	text = capture_end(STDOUT_FILENO);
	assert_string_equal(text, "flashinit: watchdog0 cannot be fed: Input/output error\n");
	free(text);
}

static void stopped(void **state)
{
	watchdog_adopt("watchdog0 watchdog1");
	(void)watchdog_feed();
	dogs[1].stop_error = ENOTTY; /* an old driver: the letter will do */
	capture_start(STDOUT_FILENO);
	watchdog_stop();
	free(capture_end(STDOUT_FILENO));
	assert_false(dogs[0].running);
	assert_false(dogs[1].running);
	assert_false(dogs[0].open || dogs[1].open);
	assert_false(watchdog_any());
}

static void not_to_be_stopped(void **state)
{
	char *text;

	watchdog_adopt("watchdog0");
	(void)watchdog_feed();
	dogs[0].stop_error = EBUSY;
	capture_start(STDOUT_FILENO);
	watchdog_stop();
	text = capture_end(STDOUT_FILENO);
	assert_non_null(strstr(text, "watchdog0 may not stop, and reset the machine in 30 s"));
	free(text);
}

/* Still running, with time for whoever comes next. */
static void handed_on(void **state)
{
	dogs[1].timeout = 100;
	watchdog_adopt("watchdog0 watchdog1");
	(void)watchdog_feed();
	watchdog_hand_on();
	assert_true(dogs[0].open && dogs[1].open);
	wait_fed(1000000); /* as long as it takes */
	watchdog_forget(); /* as the exec does */
	for (int i = 0; i < DOGS; i++) {
		assert_true(dogs[i].running);
		assert_false(dogs[i].magic);
	}
	assert_int_equal(dogs[0].timeout, 60);
	assert_int_equal(dogs[1].timeout, 100);
	assert_false(watchdog_any());
}

#define watchdog_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		watchdog_test(none),
		watchdog_test(fed_in_time),
		watchdog_test(two_at_their_own_pace),
		watchdog_test(as_soon_as_it_can_be_had),
		watchdog_test(a_little_late),
		watchdog_test(short_ones_are_made_longer),
		watchdog_test(short_ones_that_stay_so),
		watchdog_test(timeouts_that_nobody_tells),
		watchdog_test(something_comes_meanwhile),
		watchdog_test(said_once),
		watchdog_test(stopped),
		watchdog_test(not_to_be_stopped),
		watchdog_test(handed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
