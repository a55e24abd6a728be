// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine.h"

#include <stdlib.h>
#include <string.h>

#include "chunks.h"
#include "eraseblock.h"

/* One payload on its way to one target. */
struct job {
	const struct payload *payload;
	struct target *t;
	struct engine_counts *counts;
	uint8_t *first; /* what the first good eraseblock will hold */
	uint32_t first_eb;
	bool first_differs; /* from what is in flash now */
	bool first_erased;
	uint32_t next_eb; /* the first eraseblock not yet dealt with */
};

struct run {
	const struct engine_events *events;
	struct job job[IMAGE_PAYLOADS_MAX];
	struct block_buffers buffers; /* as large as the largest eraseblock */
	uint8_t *data;
	uint64_t done, total; /* bytes of the targets */
	bool *begun;
};

int engine_check_fit(const struct payload *p, struct target *t, struct fault *f)
{
	uint64_t need = p->size / t->eraseblock + (p->size % t->eraseblock != 0);
	uint32_t good;

	if (target_good_blocks(t, &good, NULL, f) < 0)
		return -1;
	if (need > good)
		return fault_set(
			f, FAULT_UNFIT,
			"%s: too small: the image needs %llu eraseblocks of %u bytes, %u of %u "
			"are good",
			t->name, (unsigned long long)need, t->eraseblock, good, t->blocks);
	return 0;
}

static void proven(struct run *run, const struct job *job)
{
	run->done += job->t->eraseblock;
	if (run->done > run->total) /* bad eraseblocks inside a payload whose tail is kept */
		run->done = run->total;
	if (run->events->progress)
		run->events->progress(run->events->ctx, run->done, run->total);
}

/* Must come before every operation that changes flash. */
static int begin(struct run *run, struct fault *f)
{
	if (*run->begun)
		return 0;
	if (run->events->begin && run->events->begin(run->events->ctx, f) < 0)
		return -1;
	*run->begun = true;
	return 0;
}

/* The target stops being a valid firmware here, and says so by its blank first eraseblock. */
static int invalidate(struct run *run, struct job *job, struct fault *f)
{
	if (job->first_erased)
		return 0;
	if (begin(run, f) < 0)
		return -1;
	if (block_erase(job->t, job->first_eb, &run->buffers, f) < 0) {
		job->counts->retried++;
		if (block_erase(job->t, job->first_eb, &run->buffers, f) < 0)
			return -1;
	}
	job->first_erased = true;
	return 0;
}

/* Fills data with the payload's next eraseblock; what the payload does not fill stays 0xFF. */
static int next_data(struct chunk_reader *r, uint8_t *data, uint32_t size, size_t *got,
		     struct fault *f)
{
	if (chunk_reader_read(r, data, size, got, f) < 0)
		return -1;
	memset(data + *got, 0xff, size - *got);
	return 0;
}

/* Moves job->next_eb to the next good eraseblock. Returns 1, or 0 where none is left. */
static int seek_good(struct run *run, struct job *job, struct fault *f)
{
	uint32_t from = job->next_eb;
	int found = target_next_good(job->t, &job->next_eb, f);

	for (uint32_t eb = from; found >= 0 && eb < job->next_eb; eb++) {
		job->counts->bad++;
		proven(run, job);
	}
	return found;
}

static int need_good(struct run *run, struct job *job, struct fault *f)
{
	int found = seek_good(run, job, f);

	if (found == 0)
		return fault_set(f, FAULT_FLASH, "%s: ran out of good eraseblocks", job->t->name);
	return found;
}

/* Takes the first eraseblock's data into RAM, to be programmed last. */
static int take_first(struct run *run, struct job *job, struct chunk_reader *r, struct fault *f)
{
	size_t got;
	int same;

	if (need_good(run, job, f) < 0)
		return -1;
	job->first_eb = job->next_eb++;
	if (next_data(r, job->first, job->t->eraseblock, &got, f) < 0)
		return -1;
	same = block_holds(job->t, job->first_eb, job->first, &run->buffers, f);
	if (same < 0)
		return -1;
	job->first_differs = !same;
	return 0;
}

/* Brings one eraseblock to hold data, in at most two attempts. */
static int place(struct run *run, struct job *job, uint32_t eb, const uint8_t *data,
		 struct fault *f)
{
	if (block_write(job->t, eb, data, &run->buffers, f) == 0)
		return 0;
	job->counts->retried++;
	return block_write(job->t, eb, data, &run->buffers, f);
}

static int write_block(struct run *run, struct job *job, const uint8_t *data, struct fault *f)
{
	uint32_t eb;
	int same;

	if (need_good(run, job, f) < 0)
		return -1;
	eb = job->next_eb++;
	same = block_holds(job->t, eb, data, &run->buffers, f);
	if (same < 0)
		return -1;
	if (same) {
		job->counts->identical++;
	} else {
		if (invalidate(run, job, f) < 0 || place(run, job, eb, data, f) < 0)
			return -1;
		job->counts->written++;
	}
	proven(run, job);
	return 0;
}

/* What a previous firmware left behind the image would come back to life in a JFFS2. */
static int clear_tail(struct run *run, struct job *job, struct fault *f)
{
	memset(run->data, 0xff, job->t->eraseblock);
	for (;;) {
		int found = seek_good(run, job, f);
		uint32_t eb = job->next_eb++;
		int same;

		if (found <= 0)
			return found;
		same = block_holds(job->t, eb, run->data, &run->buffers, f);
		if (same < 0)
			return -1;
		if (!same) {
			if (invalidate(run, job, f) < 0 || place(run, job, eb, run->data, f) < 0)
				return -1;
			job->counts->cleared++;
		}
		proven(run, job);
	}
}

/* Everything of one payload but its first eraseblock. */
static int write_most(struct run *run, struct job *job, struct source *src, struct fault *f)
{
	struct chunk_reader r;
	int result;

	if (chunk_reader_open(&r, src, job->payload, f) < 0)
		return -1;
	result = take_first(run, job, &r, f);
	while (result == 0) {
		size_t got;

		result = next_data(&r, run->data, job->t->eraseblock, &got, f);
		if (result < 0 || got == 0)
			break;
		result = write_block(run, job, run->data, f);
	}
	chunk_reader_close(&r);
	if (result == 0 && job->payload->tail == TAIL_ERASE)
		result = clear_tail(run, job, f);
	return result;
}

/* The last step: from here on the target is the new firmware. */
static int write_first(struct run *run, struct job *job, struct fault *f)
{
	if (!job->first_differs && !job->first_erased) {
		job->counts->identical++;
		proven(run, job);
		return 0;
	}
	if (invalidate(run, job, f) < 0)
		return -1;
	if (block_program(job->t, job->first_eb, job->first, &run->buffers, f) < 0) {
		job->counts->retried++;
		if (block_write(job->t, job->first_eb, job->first, &run->buffers, f) < 0) {
			struct fault second;

			/* Nothing must take half a start for a whole one; the first fault counts. */
			(void)block_erase(job->t, job->first_eb, &run->buffers, &second);
			return -1;
		}
	}
	job->counts->written++;
	proven(run, job);
	return 0;
}

static uint64_t job_bytes(const struct job *job)
{
	uint32_t eb = job->t->eraseblock;

	if (job->payload->tail == TAIL_ERASE)
		return (uint64_t)job->t->blocks * eb;
	return (job->payload->size + eb - 1) / eb * eb;
}

static int prepare(struct run *run, const struct image *img, struct target *const *targets,
		   struct engine_counts *counts, struct fault *f)
{
	uint32_t largest = 1;

	for (unsigned int i = 0; i < img->payload_count; i++) {
		struct job *job = &run->job[i];

		memset(&counts[i], 0, sizeof(counts[i]));
		job->payload = &img->payload[i];
		job->t = targets[i];
		job->counts = &counts[i];
		if (job->t->eraseblock == 0)
			return fault_set(f, FAULT_UNFIT, "%s: has no eraseblocks", job->t->name);
		job->first = malloc(job->t->eraseblock);
		if (!job->first)
			return fault_errno(f, FAULT_FAILED, "no memory for an eraseblock");
		if (engine_check_fit(job->payload, job->t, f) < 0)
			return -1;
		if (job->t->eraseblock > largest)
			largest = job->t->eraseblock;
		run->total += job_bytes(job);
	}
	run->data = malloc(largest);
	if (!run->data || block_buffers_init(&run->buffers, largest) < 0)
		return fault_errno(f, FAULT_FAILED, "no memory for an eraseblock");
	return 0;
}

static int run_jobs(struct run *run, const struct image *img, struct source *src, struct fault *f)
{
	for (unsigned int i = 0; i < img->payload_count; i++)
		if (write_most(run, &run->job[i], src, f) < 0)
			return -1;
	if (source_expect_end(src, f) < 0)
		return -1;
	for (unsigned int i = 0; i < img->payload_count; i++)
		if (write_first(run, &run->job[i], f) < 0)
			return -1;
	return 0;
}

int engine_run(const struct image *img, struct source *src, struct target *const *targets,
	       const struct engine_events *events, struct engine_counts *counts, bool *begun,
	       struct fault *f)
{
	struct run run = { .events = events, .begun = begun };
	int result;

	*begun = false;
	result = prepare(&run, img, targets, counts, f);
	if (result == 0)
		result = run_jobs(&run, img, src, f);
	if (result < 0 && f->kind == FAULT_FLASH && !*begun)
		f->kind = FAULT_FAILED; /* the flash could not even be looked at */
	else if (result < 0 && f->kind != FAULT_IMAGE && *begun)
		f->kind = FAULT_FLASH; /* whatever it was: the flash is no firmware now */
	for (unsigned int i = 0; i < img->payload_count; i++)
		counts[i].flips = run.buffers.corrected;
	for (unsigned int i = 0; i < img->payload_count; i++)
		free(run.job[i].first);
	free(run.data);
	block_buffers_free(&run.buffers);
	return result;
}
