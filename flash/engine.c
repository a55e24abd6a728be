// SPDX-License-Identifier: GPL-2.0-or-later
#include "engine.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job.h"

int job_begin(struct job *job, struct fault *f)
{
	const struct engine_events *events = job->run->events;

	if (*job->run->begun)
		return 0;
	if (events->begin && events->begin(events->ctx, f) < 0)
		return -1;
	*job->run->begun = true;
	return 0;
}

void job_proven(struct job *job, uint64_t bytes)
{
	struct run *run = job->run;
	uint64_t done = 0, total = 0;

	job->done += bytes;
	if (job->done > job->total) /* bad eraseblocks inside a payload whose tail is kept */
		job->done = job->total;
	for (unsigned int i = 0; i < run->jobs; i++) {
		done += run->job[i].done;
		total += run->job[i].total;
	}
	if (done > run->shown) /* a payload that starts again does not take back what was said */
		run->shown = done;
	if (run->events->progress)
		run->events->progress(run->events->ctx, run->shown, total);
}

void job_note(const struct job *job, const char *fmt, ...)
{
	const struct engine_events *events = job->run->events;
	char text[256];
	va_list args;
	int len;

	len = snprintf(text, sizeof(text), "%s: ", job->t->name);
	va_start(args, fmt);
	(void)vsnprintf(text + len, sizeof(text) - (size_t)len, fmt, args);
	va_end(args);
	if (events->note)
		events->note(events->ctx, text);
}

static uint64_t job_bytes(const struct job *job)
{
	const struct target *t = job->t;
	uint64_t bytes = 0;

	if (t->medium == MEDIUM_VOLUME)
		return 2 * job->payload->size; /* written, and read back when all is written */
	if (job->ubi || job->payload->tail == TAIL_ERASE || job->payload->tail == TAIL_JFFS2)
		return t->size;
	for (uint32_t eb = 0; bytes < job->payload->size; eb++)
		bytes += target_block_size(t, eb);
	return bytes;
}

static int no_memory(struct fault *f)
{
	errno = ENOMEM;
	return fault_errno(f, FAULT_FAILED, "no memory for an eraseblock");
}

static int prepare_job(struct job *job, const struct source *src, struct fault *f)
{
	struct target *t = job->t;

	if (engine_check_fit(job->payload, t, &job->spare, f) < 0)
		return -1;
	job->state = calloc(t->blocks, 1);
	if (!job->state)
		return no_memory(f);
	job->held_count = job->payload->kind == PAYLOAD_UBI ? HELD_MAX : 1;
	for (unsigned int n = 0; n < job->held_count; n++) {
		job->held[n].data = malloc(t->eraseblock);
		if (!job->held[n].data)
			return no_memory(f);
	}
	if (job->payload->kind == PAYLOAD_MTD && t->ops->mark_bad && !src->seekable) {
		job->crc = malloc(t->blocks * sizeof(*job->crc));
		if (!job->crc)
			return no_memory(f);
	}
	if ((job->payload->kind == PAYLOAD_UBI && ubi_scan(job, f) < 0) ||
	    (job->payload->kind == PAYLOAD_MTD && job->payload->tail != TAIL_KEEP &&
	     ubi_find_tables(job, f) < 0))
		return -1;
	job->total = job_bytes(job);
	return 0;
}

/* Each volume has been found to have room; those on one UBI share it, one after the other. */
static int check_room(const struct run *run, unsigned int n, struct fault *f)
{
	const struct target *t = run->job[n].t;
	int64_t takes = 0;

	if (t->medium != MEDIUM_VOLUME)
		return 0;
	for (unsigned int i = 0; i <= n; i++)
		if (run->job[i].t->medium == MEDIUM_VOLUME && run->job[i].t->ubi == t->ubi)
			takes += run->job[i].t->takes;
	if (takes <= (int64_t)t->available)
		return 0;
	return fault_set(f, FAULT_UNFIT,
			 "%s: with the volumes before it the image needs %" PRId64
			 " logical eraseblocks more, %u are free",
			 t->name, takes, t->available);
}

static int prepare(struct run *run, const struct image *img, const struct source *src,
		   struct target *const *targets, struct engine_counts *counts, struct fault *f)
{
	uint32_t largest = 1, chunk = 1;

	run->jobs = img->payload_count;
	for (unsigned int i = 0; i < img->payload_count; i++) {
		struct job *job = &run->job[i];

		job->run = run;
		job->payload = &img->payload[i];
		job->t = targets[i];
		job->counts = &counts[i];
		job->marked_before = counts[i].newly_bad;
		if (prepare_job(job, src, f) < 0 || check_room(run, i, f) < 0)
			return -1;
		if (job->t->eraseblock > largest)
			largest = job->t->eraseblock;
		if (job->payload->chunk_size > chunk)
			chunk = job->payload->chunk_size;
	}
	run->data = malloc(largest);
	if (!run->data || block_buffers_init(&run->buffers, largest) < 0 ||
	    readahead_init(&run->ahead, largest, chunk) < 0)
		return no_memory(f);
	return 0;
}

enum phase { WRITE_MOST, INVALIDATE, COMMIT };

static int volume_step(struct job *job, struct source *src, enum phase phase, struct fault *f)
{
	switch (phase) {
	case WRITE_MOST:
		return volume_write_most(job, src, f);
	case COMMIT:
		return volume_commit(job, f);
	case INVALIDATE:
		break;
	}
	return 0; /* the kernel has seen to it when the update began */
}

static int layout_step(struct job *job, struct source *src, enum phase phase, struct fault *f)
{
	switch (phase) {
	case WRITE_MOST:
		return layout_write_most(job, src, f);
	case INVALIDATE:
		return layout_invalidate(job, f);
	case COMMIT:
		break;
	}
	return layout_commit(job, f);
}

/* One pass of a step over a payload; bits that ECC put right are the target's. */
static int step(struct job *job, struct source *src, enum phase phase, struct fault *f)
{
	bool volume = job->t->medium == MEDIUM_VOLUME;
	int result;

	job->run->buffers.corrected = 0;
	result = volume ? volume_step(job, src, phase, f) : layout_step(job, src, phase, f);
	job->counts->flips += job->run->buffers.corrected;
	return result;
}

/* Bad eraseblocks at the start move all that follows them. */
static int go_back(struct job *job, struct source *src, struct fault *f)
{
	if (!src->seekable)
		return fault_set(
			f, FAULT_FLASH,
			"%s: has to be written again from its start, and %s cannot be read "
			"again: start anew",
			job->t->name, src->name);
	job_note(job, "is written again from its start");
	return source_back_to(src, job->source_pos, f);
}

static int write_most(struct job *job, struct source *src, struct fault *f)
{
	int result = step(job, src, WRITE_MOST, f);

	while (result == JOB_AGAIN && go_back(job, src, f) == 0)
		result = step(job, src, WRITE_MOST, f);
	return result == 0 ? 0 : -1;
}

/* Data that comes from the source again has its checksums; what a pipe gave is in flash only. */
static int move_on(struct job *job, struct source *src, struct fault *f)
{
	if (job->crc)
		return shift_from_flash(job, f);
	return go_back(job, src, f) < 0 ? -1 : write_most(job, src, f);
}

/* One of the last steps, for all targets; with COMMIT, one after the other is the new firmware. */
static int finish(struct run *run, struct source *src, enum phase phase, struct fault *f)
{
	for (unsigned int i = 0; i < run->jobs; i++) {
		struct job *job = &run->job[i];
		int result;

		job->shifting = job->crc != NULL;
		run->shift_head = run->shift_count = 0;
		result = step(job, src, phase, f);
		while (result == JOB_AGAIN) {
			if (move_on(job, src, f) < 0)
				return -1;
			result = step(job, src, phase, f);
		}
		if (result < 0)
			return -1;
	}
	return 0;
}

static int run_jobs(struct run *run, struct source *src, struct fault *f)
{
	for (unsigned int i = 0; i < run->jobs; i++) {
		run->job[i].source_pos = src->pos;
		if (write_most(&run->job[i], src, f) < 0)
			return -1;
	}
	if (source_expect_end(src, f) < 0)
		return -1;
	return finish(run, src, INVALIDATE, f) < 0 ? -1 : finish(run, src, COMMIT, f);
}

static void release(struct run *run)
{
	for (unsigned int i = 0; i < run->jobs; i++) {
		struct job *job = &run->job[i];

		for (unsigned int n = 0; n < HELD_MAX; n++)
			free(job->held[n].data);
		ubi_free(job);
		free(job->crc);
		free(job->state);
	}
	readahead_free(&run->ahead);
	block_buffers_free(&run->buffers);
	free(run->data);
}

int engine_run(const struct image *img, struct source *src, struct target *const *targets,
	       const struct engine_events *events, struct engine_counts *counts, bool *begun,
	       struct fault *f)
{
	struct run run = { .events = events, .begun = begun };
	int result;

	*begun = false;
	result = prepare(&run, img, src, targets, counts, f);
	if (result == 0)
		result = run_jobs(&run, src, f);
	if (result < 0 && f->kind == FAULT_FLASH && !*begun)
		f->kind = FAULT_FAILED; /* the flash could not even be looked at */
	else if (result < 0 && f->kind != FAULT_IMAGE && *begun)
		f->kind = FAULT_FLASH; /* whatever it was: the flash is no firmware now */
	release(&run);
	return result;
}
