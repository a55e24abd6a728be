/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads, checks and unpacks a payload in a thread of its own, a few eraseblocks ahead of whoever
 * programs them. Where no thread can be had it is done when the data is asked for.
 */
#ifndef FLASH_READAHEAD_H
#define FLASH_READAHEAD_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chunks.h"
#include "fault.h"
#include "target.h"

enum { READAHEAD_SLOTS = 3 };

struct readahead {
	struct chunk_reader reader;
	const struct target *t; /* whose eraseblocks the data is for */
	struct readahead_slot {
		uint8_t *data;
		size_t got; /* bytes of the payload in data; 0xFF behind them */
		int result; /* -1: the source or the data failed, see fault */
	} slot[READAHEAD_SLOTS];
	struct fault fault;
	pthread_t thread;
	bool threaded;
	sem_t unused; /* slots that the thread may fill */
	sem_t filled; /* slots that were filled and not asked for yet */
	atomic_bool stop;
	uint32_t taken; /* pieces asked for so far; the last of them is in use */
	bool ended;     /* the piece in use is the last */
};

/* Makes room for pieces of up to size bytes and chunks of up to chunk_size. -1 with errno. */
int readahead_init(struct readahead *ra, uint32_t size, uint32_t chunk_size);
void readahead_free(struct readahead *ra);

/*
 * Starts on a payload, which is what src gives next, in pieces as large as the eraseblocks of t one
 * after the other. Source, payload and target must stay until readahead_stop().
 */
void readahead_start(struct readahead *ra, struct source *src, const struct payload *p,
		     const struct target *t);

/*
 * Hands out the next piece, a whole eraseblock, of which the first *got bytes are the payload's and
 * the rest is 0xFF; *got is 0 behind the payload's end. *data may be changed and is valid until the
 * next call.
 */
int readahead_next(struct readahead *ra, uint8_t **data, size_t *got, struct fault *f);

/* Ends the thread. The source is now behind all that was read, which is more than was taken. */
void readahead_stop(struct readahead *ra);

#endif
