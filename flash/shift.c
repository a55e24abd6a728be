// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The first eraseblock has gone bad when all else was written, and the image came from a pipe: each
 * eraseblock's data moves to the next good one, out of flash itself. What is read there was proven
 * in this run; its checksum tells whether it still is what it was.
 */
#include <zlib.h>

#include "job.h"

/* Buffers that nobody needs after the last piece of a payload. */
static uint8_t *buffer(struct run *run, unsigned int n)
{
	n %= SHIFT_BUFFERS;
	return n < READAHEAD_SLOTS ? run->ahead.slot[n].data : run->data;
}

void shift_note(struct job *job, uint32_t eb, const uint8_t *data)
{
	if (!job->crc)
		return;
	job->crc[eb] = (uint32_t)crc32(0, data, job->t->eraseblock);
	if (eb >= job->data_end)
		job->data_end = eb + 1;
}

int shift_take(struct job *job, uint32_t eb, struct fault *f)
{
	struct run *run = job->run;
	uint8_t *data = buffer(run, run->shift_head + run->shift_count);
	uint32_t size = job->t->eraseblock;

	if (!job->shifting || eb >= job->data_end)
		return 0;
	if (run->shift_count == SHIFT_BUFFERS)
		return fault_set(f, FAULT_FLASH,
				 "%s: %u eraseblocks in a row have gone bad: start anew",
				 job->t->name, SHIFT_BUFFERS);
	if (job->t->ops->read(job->t, eb, 0, data, size, f) < 0)
		return -1;
	if (crc32(0, data, size) != job->crc[eb])
		return fault_set(f, FAULT_FLASH,
				 "%s: eraseblock %u does not read as it did before: start anew",
				 job->t->name, eb);
	run->shift_count++;
	return 0;
}

/* Puts the data that has waited longest into the eraseblock, if that can hold it. */
static int put_next(struct job *job, uint32_t eb, struct fault *f)
{
	struct run *run = job->run;
	struct content c = { CONTENT_DATA, buffer(run, run->shift_head), job->t->eraseblock };
	int result = job_place(job, eb, &c, f);

	if (result == 0) {
		shift_note(job, eb, c.data);
		run->shift_head++;
		run->shift_count--;
	}
	return result;
}

int shift_from_flash(struct job *job, struct fault *f)
{
	uint32_t eb = 0;

	if (target_next_good(job->t, &eb, f) < 0)
		return -1;
	job_note(job, "all that was written moves by one eraseblock");
	job->held[0].eb = eb; /* it was made blank before the one before it was marked */
	while (job->run->shift_count > 0) {
		int found;

		eb++;
		found = target_next_good(job->t, &eb, f);
		if (found < 0)
			return -1;
		if (found == 0)
			return fault_set(f, FAULT_FLASH, "%s: ran out of good eraseblocks",
					 job->t->name);
		if (shift_take(job, eb, f) < 0 || put_next(job, eb, f) < 0)
			return -1;
	}
	return 0;
}
