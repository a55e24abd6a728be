// SPDX-License-Identifier: GPL-2.0-or-later
#include "watchdog.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/watchdog.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "clock.h"
#include "say.h"

enum {
	MAX = 6,
	AGAIN_MS = 50, /* between two attempts to open one that its feeder still has */
	PATIENCE_MS = 2000,
	UNKNOWN_S = 2,    /* where the driver does not tell its timeout */
	SHORT_S = 4,      /* less is too little for a machine that is busy with its flash */
	LONGER_S = 10,    /* asked for instead */
	HANDED_ON_S = 60, /* for a system that has yet to start */
	PARTS = 4,        /* of the timeout, between two feedings */
};

/* There is one PID 1, and every wait of it has to feed them. */
static struct watchdog {
	char name[16];
	int fd, err, timeout_s;
	uint64_t due;
} dogs[MAX];
static unsigned int dog_count;

void watchdog_adopt(const char *names)
{
	while (*names && dog_count < MAX) {
		struct watchdog *w = &dogs[dog_count++];
		size_t len = strcspn(names, " ");

		memset(w, 0, sizeof(*w));
		memcpy(w->name, names, len < sizeof(w->name) ? len : sizeof(w->name) - 1);
		w->fd = -1;
		names += len;
		names += *names == ' ';
	}
}

/* Asks for a longer timeout. Some drivers give less than that, and say so. */
static void ask_for(struct watchdog *w, int seconds)
{
	if (ioctl(w->fd, WDIOC_SETTIMEOUT, &seconds) == 0 && seconds > w->timeout_s)
		w->timeout_s = seconds;
}

static bool take(struct watchdog *w)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "/dev/%.15s", w->name);
	w->fd = open(path, O_WRONLY | O_CLOEXEC);
	w->err = w->fd < 0 ? errno : 0;
	if (w->fd < 0)
		return false;
	if (ioctl(w->fd, WDIOC_GETTIMEOUT, &w->timeout_s) < 0 || w->timeout_s <= 0)
		w->timeout_s = UNKNOWN_S;
	else if (w->timeout_s < SHORT_S)
		ask_for(w, LONGER_S);
	return true;
}

/* Any byte but V will do. One that cannot be fed resets the machine, but not without a word. */
static void feed(struct watchdog *w)
{
	if (write(w->fd, "", 1) == 1 || w->err)
		return;
	w->err = errno;
	say("%s cannot be fed: %s", w->name, strerror(errno));
}

unsigned int watchdog_feed(void)
{
	unsigned int next = UINT_MAX;
	uint64_t now = clock_ms();

	for (struct watchdog *w = dogs; w < dogs + dog_count; w++) {
		unsigned int wait = AGAIN_MS;

		if (w->fd >= 0 || take(w)) {
			if (now >= w->due) {
				feed(w);
				w->due = now + (unsigned int)w->timeout_s * 1000 / PARTS;
			}
			wait = (unsigned int)(w->due - now);
		}
		next = wait < next ? wait : next;
	}
	return next;
}

int watchdog_poll(struct pollfd *p, nfds_t count, unsigned int ms)
{
	for (;;) {
		unsigned int part = watchdog_feed();
		int ready;

		if (part >= ms)
			return poll(p, count, (int)ms);
		ready = poll(p, count, (int)part);
		if (ready != 0)
			return ready;
		ms -= part;
	}
}

/* A process may have been killed and its last thread, which has one open, not have ended yet. */
static void try_on(void)
{
	for (int waited = 0; waited < PATIENCE_MS && watchdog_feed() <= AGAIN_MS;
	     waited += AGAIN_MS)
		(void)poll(NULL, 0, AGAIN_MS);
}

int watchdog_check(struct fault *f)
{
	try_on();
	for (struct watchdog *w = dogs; w < dogs + dog_count; w++) {
		errno = w->err;
		if (w->fd < 0)
			return fault_errno(f, FAULT_UNFIT,
					   "cannot take over %s, which would reset the machine in "
					   "mid-flash",
					   w->name);
		say("%s is fed from here on; its timeout is %d s", w->name, w->timeout_s);
	}
	return 0;
}

bool watchdog_any(void)
{
	return dog_count > 0;
}

void watchdog_stop(void)
{
	int options = WDIOS_DISABLECARD;

	for (struct watchdog *w = dogs; w < dogs + dog_count; w++) {
		/* Core drivers tell whether they stop; of others some stop when closed after a V. */
		if (ioctl(w->fd, WDIOC_SETOPTIONS, &options) < 0)
			say("%s may not stop, and reset the machine in %d s: %s", w->name,
			    w->timeout_s, strerror(errno));
		if (write(w->fd, "V", 1) < 0)
			say("%s cannot be told to stop: %s", w->name, strerror(errno));
	}
	watchdog_forget();
}

void watchdog_hand_on(void)
{
	for (struct watchdog *w = dogs; w < dogs + dog_count; w++)
		if (w->timeout_s < HANDED_ON_S)
			ask_for(w, HANDED_ON_S);
}

void watchdog_forget(void)
{
	for (struct watchdog *w = dogs; w < dogs + dog_count; w++)
		if (w->fd >= 0)
			(void)close(w->fd); /* without a V before: it goes on running */
	dog_count = 0;
}
