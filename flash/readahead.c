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

static void fill(struct readahead *ra, uint32_t n)
{
	struct readahead_slot *slot = &ra->slot[n % READAHEAD_SLOTS];
	uint32_t size = piece_size(ra, n);

	slot->result = chunk_reader_read(&ra->reader, slot->data, size, &slot->got, &ra->fault);
	if (slot->result == 0)
		memset(slot->data + slot->got, 0xff, size - slot->got);
}

static bool is_last(const struct readahead_slot *slot)
{
	return slot->result < 0 || slot->got == 0;
}

static void wait_for(sem_t *sem)
{
	while (sem_wait(sem) < 0)
		; /* EINTR: a signal has come by */
}

static void *run_ahead(void *ctx)
{
	struct readahead *ra = ctx;

	for (uint32_t n = 0;; n++) {
		bool last;

		wait_for(&ra->unused);
		if (ra->stop)
			break;
		fill(ra, n);
		last = is_last(&ra->slot[n % READAHEAD_SLOTS]);
		(void)sem_post(&ra->filled); /* overflows after 2^31 slots */
		if (last)
			break;
	}
	return NULL;
}

void readahead_start(struct readahead *ra, struct source *src, const struct payload *p,
		     const struct target *t)
{
	sigset_t all, before;

	chunk_reader_start(&ra->reader, src, p);
	ra->t = t;
	ra->taken = 0;
	ra->ended = false;
	ra->stop = false;
	(void)sem_init(&ra->unused, 0, READAHEAD_SLOTS); /* fails for absurd values only */
	(void)sem_init(&ra->filled, 0, 0);
	/* Signals are the affair of the thread that programs: it may have reasons not to die now. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	src->stop = &ra->stop;
	ra->threaded = pthread_create(&ra->thread, NULL, run_ahead, ra) == 0;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static struct readahead_slot *take(struct readahead *ra)
{
	uint32_t n = ra->taken++;

	if (!ra->threaded) {
		fill(ra, n);
	} else {
		if (n > 0)
			(void)sem_post(&ra->unused); /* the piece before this one */
		wait_for(&ra->filled);
	}
	return &ra->slot[n % READAHEAD_SLOTS];
}

int readahead_next(struct readahead *ra, uint8_t **data, size_t *got, struct fault *f)
{
	struct readahead_slot *slot;

	if (ra->ended)
		slot = &ra->slot[(ra->taken - 1) % READAHEAD_SLOTS];
	else
		slot = take(ra);
	ra->ended = is_last(slot);
	if (slot->result < 0) {
		*f = ra->fault;
		return -1;
	}
	*data = slot->data;
	*got = slot->got;
	return 0;
}

void readahead_stop(struct readahead *ra)
{
	ra->reader.src->stop = NULL;
	if (!ra->threaded)
		return;
	ra->stop = true;
	(void)sem_post(&ra->unused);
	(void)pthread_join(ra->thread, NULL); /* it was created, and is joined only here */
	ra->threaded = false;
}
