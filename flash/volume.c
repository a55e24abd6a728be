// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A payload into a UBI volume, by the kernel's update protocol: from its start until its last byte
 * the kernel knows the volume for broken, so the last piece is what completes it. The eraseblocks
 * below are UBI's affair. What is there can be compared only as a whole and beforehand, with the
 * checksums of the payload's chunks.
 */
#include <errno.h>
#include <string.h>

#include <sodium/crypto_hash_sha256.h>

#include "bytes.h"
#include "job.h"

enum { ATTEMPTS = 2 };

/* Reads a range of the volume, piece by piece within its eraseblocks, into a checksum. */
static int hash_range(struct job *job, uint64_t offset, uint32_t len,
		      crypto_hash_sha256_state *hash, struct fault *f)
{
	struct target *t = job->t;

	while (len > 0) {
		uint32_t at = (uint32_t)(offset % t->eraseblock);
		uint32_t piece = t->eraseblock - at < len ? t->eraseblock - at : len;
		uint8_t *check = job->run->buffers.check;

		if (t->ops->read(t, (uint32_t)(offset / t->eraseblock), at, check, piece, f) < 0)
			return -1;
		(void)crypto_hash_sha256_update(hash, check, piece); /* always 0 */
		offset += piece;
		len -= piece;
	}
	return 0;
}

/* Reads the volume and compares it with the payload; shows progress only where it is the proof. */
static int compare(struct job *job, bool prove, struct fault *f)
{
	const struct payload *p = job->payload;
	uint64_t offset = 0;

	for (uint32_t n = 0; n < p->chunk_count; n++) {
		struct chunk c = payload_chunk(p, n);
		crypto_hash_sha256_state hash;
		uint8_t sum[IMAGE_SHA256_SIZE];

		(void)crypto_hash_sha256_init(&hash); /* these always return 0 */
		if (hash_range(job, offset, c.raw, &hash, f) < 0)
			return -1;
		(void)crypto_hash_sha256_final(&hash, sum);
		if (memcmp(sum, c.sha256, sizeof(sum)) != 0)
			return fault_set(f, FAULT_FLASH,
					 "%s: reads back wrong between bytes %llu and %llu",
					 job->t->name, (unsigned long long)offset,
					 (unsigned long long)offset + c.raw);
		offset += c.raw;
		if (prove)
			job_proven(job, c.raw);
	}
	return 0;
}

/* What is behind the contents of a dynamic volume, an update would have unmapped. */
static bool has_blank_rest(struct job *job)
{
	struct target *t = job->t;
	uint64_t at = job->payload->size;
	uint8_t *check = job->run->buffers.check;
	struct fault f;

	if (job->payload->volume_type == VOLUME_STATIC)
		return true;
	while (at < t->size) {
		uint32_t offset = (uint32_t)(at % t->eraseblock), len = t->eraseblock - offset;

		if (t->ops->read(t, (uint32_t)(at / t->eraseblock), offset, check, len, &f) < 0 ||
		    !all_ff(check, len))
			return false;
		at += len;
	}
	return true;
}

/* Writes all but the last piece, which is held back. */
static int write_pieces(struct job *job, struct fault *f)
{
	struct target *t = job->t;
	struct held *h = &job->held[0];

	h->len = 0;
	for (h->eb = 0;; h->eb++) {
		uint8_t *data;
		size_t got;

		if (readahead_next(&job->run->ahead, &data, &got, f) < 0)
			return -1;
		if (got == 0) {
			h->eb--;
			return 0;
		}
		if (h->len && t->ops->program(t, h->eb - 1, 0, h->data, h->len, f) < 0)
			return -1;
		job_proven(job, h->len); /* the first half of it */
		memcpy(h->data, data, got);
		h->len = (uint32_t)got;
	}
}

/* The stream has to be read to its end all the same. */
static int pass_over(struct job *job, struct fault *f)
{
	uint8_t *data;
	size_t got;

	do {
		if (readahead_next(&job->run->ahead, &data, &got, f) < 0)
			return -1;
	} while (got > 0);
	return 0;
}

/* The kernel has moved the data off failing eraseblocks before: what comes up may be worth one more
 * attempt, but not a device that has gone. */
static int again(struct job *job, struct fault *f)
{
	bool of_flash = f->err == 0 || f->err == EIO || f->err == EBADMSG; /* the latter: ECC */

	if (job->attempts >= ATTEMPTS || f->kind != FAULT_FLASH || !of_flash)
		return -1;
	job->counts->retried++;
	return JOB_AGAIN;
}

/*
 * UBI erases what the volume was and what it will be before it answers, and reads a static one to its
 * end after the last byte.
 */
static void announce_length(const struct job *job)
{
	enum { NOR_MS = 3000, NAND_MS = 20 }; /* an eraseblock that is worn */
	const struct engine_events *events = job->run->events;
	int64_t blocks = 2 * (int64_t)job->t->blocks - job->t->takes;

	if (events->lengthy)
		events->lengthy(events->ctx,
				(uint64_t)blocks * (job->t->page == 1 ? NOR_MS : NAND_MS));
}

int volume_write_most(struct job *job, struct source *src, struct fault *f)
{
	struct fault differs;
	int result;

	job->done = 0;
	job->identical = job->attempts == 0 && compare(job, false, &differs) == 0 &&
			 has_blank_rest(job);
	if (!job->identical) {
		if (job_begin(job, f) < 0)
			return -1;
		announce_length(job);
		if (job->t->ops->update(job->t, job->payload->size, f) < 0)
			return -1;
	}
	job->attempts++;
	readahead_start(&job->run->ahead, src, job->payload, job->t);
	result = job->identical ? pass_over(job, f) : write_pieces(job, f);
	readahead_stop(&job->run->ahead);
	return result < 0 ? again(job, f) : 0;
}

/* The kernel takes for whole what reads back wrong: an update that has only begun is not. */
static void break_again(struct job *job)
{
	struct fault second;

	announce_length(job);
	(void)job->t->ops->update(job->t, job->payload->size, &second); /* the first fault counts */
}

int volume_commit(struct job *job, struct fault *f)
{
	uint64_t size = job->payload->size;
	uint32_t blocks = (uint32_t)((size + job->t->eraseblock - 1) / job->t->eraseblock);
	struct held *h = &job->held[0];

	if (job->identical) {
		job->counts->identical = blocks;
		job_proven(job, job->total);
		return 0;
	}
	if (job->t->ops->program(job->t, h->eb, 0, h->data, h->len, f) < 0)
		return again(job, f);
	job_proven(job, h->len);
	if (compare(job, true, f) < 0) {
		break_again(job);
		return again(job, f);
	}
	job->counts->written = blocks;
	return 0;
}
