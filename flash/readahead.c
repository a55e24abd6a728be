// SPDX-License-Identifier: GPL-2.0-or-later
#include "readahead.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

int readahead_init(struct readahead *ra, uint32_t size, uint32_t chunk_size)
{
	memset(ra, 0, sizeof(*ra));
	for (unsigned int i = 0; i < READAHEAD_SLOTS; i++) {
		ra->slot[i].data = malloc(size);
		if (!ra->slot[i].data)
			return -1;
	}
	if (chunk_reader_init(&ra->reader, chunk_size) < 0)
		return -1;
	(void)pthread_mutex_init(&ra->lock, NULL); /* with default attributes, both cannot fail */
	(void)pthread_cond_init(&ra->changed, NULL);
	return 0;
}

void readahead_free(struct readahead *ra)
{
	chunk_reader_close(&ra->reader);
	for (unsigned int i = 0; i < READAHEAD_SLOTS; i++)
		free(ra->slot[i].data);
	memset(ra, 0, sizeof(*ra));
}

/* The n-th piece of a payload goes into an eraseblock of the size that the n-th one has: bad ones
 * shift the data only on NAND, where all have one size. */
static uint32_t piece_size(const struct readahead *ra, uint32_t n)
{
	return target_block_size(ra->t, n < ra->t->blocks ? n : ra->t->blocks - 1);
}

static int fill(struct readahead *ra, uint32_t n, struct fault *f)
{
	uint8_t *data = ra->slot[n % READAHEAD_SLOTS].data;
	uint32_t size = piece_size(ra, n);
	size_t *got = &ra->slot[n % READAHEAD_SLOTS].got;

	if (chunk_reader_read(&ra->reader, data, size, got, f) < 0)
		return -1;
	memset(data + *got, 0xff, size - *got);
	return 0;
}

/* Waits for a slot that nobody uses; the piece that was asked for last is in use. */
static bool may_fill(struct readahead *ra)
{
	bool stop;

	(void)pthread_mutex_lock(&ra->lock); /* cannot fail: it is ours and not held here */
	while (!ra->stop && ra->filled + 1 >= ra->taken + READAHEAD_SLOTS)
		(void)pthread_cond_wait(&ra->changed, &ra->lock); /* cannot fail */
	stop = ra->stop;
	(void)pthread_mutex_unlock(&ra->lock);
	return !stop;
}

static void *run_ahead(void *ctx)
{
	struct readahead *ra = ctx;
	bool more = true;

	for (uint32_t n = 0; more && may_fill(ra); n++) {
		int result = fill(ra, n, &ra->fault);

		more = result == 0 && ra->slot[n % READAHEAD_SLOTS].got > 0;
		(void)pthread_mutex_lock(&ra->lock);
		ra->result = result;
		ra->filled++;
		ra->ended = !more;
		(void)pthread_cond_signal(&ra->changed);
		(void)pthread_mutex_unlock(&ra->lock);
	}
	return NULL;
}

void readahead_start(struct readahead *ra, struct source *src, const struct payload *p,
		     const struct target *t)
{
	sigset_t all, before;

	chunk_reader_start(&ra->reader, src, p);
	ra->t = t;
	ra->filled = ra->taken = 0;
	ra->stop = ra->ended = false;
	ra->result = 0;
	/* Signals are the affair of the thread that programs: it may have reasons not to die now. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	ra->threaded = pthread_create(&ra->thread, NULL, run_ahead, ra) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Returns the result of filling the piece that is asked for. */
static int wait_for_piece(struct readahead *ra)
{
	int result;

	(void)pthread_mutex_lock(&ra->lock);
	ra->taken++; /* sets the piece before this one free */
	(void)pthread_cond_signal(&ra->changed);
	while (ra->filled < ra->taken && !ra->ended)
		(void)pthread_cond_wait(&ra->changed, &ra->lock);
	result = ra->filled > ra->taken ? 0 : ra->result; /* it is that of the last one filled */
	(void)pthread_mutex_unlock(&ra->lock);
	return result;
}

int readahead_next(struct readahead *ra, uint8_t **data, size_t *got, struct fault *f)
{
	uint32_t n = ra->taken;
	int result;

	if (ra->threaded) {
		result = wait_for_piece(ra);
	} else {
		result = fill(ra, n, &ra->fault);
		ra->taken++;
	}
	if (result < 0) {
		*f = ra->fault;
		return -1;
	}
	*data = ra->slot[n % READAHEAD_SLOTS].data;
	*got = ra->slot[n % READAHEAD_SLOTS].got;
	return 0;
}

void readahead_stop(struct readahead *ra)
{
	if (!ra->threaded)
		return;
	(void)pthread_mutex_lock(&ra->lock);
	ra->stop = true;
	(void)pthread_cond_signal(&ra->changed);
	(void)pthread_mutex_unlock(&ra->lock);
	(void)pthread_join(ra->thread, NULL); /* it was created, and is joined only here */
	ra->threaded = false;
}
