// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A ubinized image onto an MTD partition. What differs from raw data is the erase counter at the
 * start of each eraseblock, which is the eraseblock's and not the image's, and what must be
 * missing until all is written: the volume table, without which no UBI is attached. UBI finds that by
 * looking at every eraseblock, so that the old one may be anywhere.
 */
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "job.h"
#include "start.h"

#define UNKNOWN UINT32_MAX

void ubi_free(struct job *job)
{
	if (job->ubi)
		free(job->ubi->counter);
	free(job->ubi);
	job->ubi = NULL;
}

/* Reads an eraseblock's counter, and where its UBI has VID headers. What cannot be read has none. */
static void read_counter(struct job *job, uint32_t eb, uint32_t *vid_offset)
{
	uint8_t header[UBI_HEADER_SIZE];
	struct ubi_ec ec;
	struct fault f;

	if (job->t->ops->read(job->t, eb, 0, header, sizeof(header), &f) < 0 ||
	    !ubi_ec_read(&ec, header))
		return;
	job->ubi->counter[eb] = ec.counter;
	if (ec.vid_offset <= target_block_size(job->t, eb) - UBI_HEADER_SIZE)
		*vid_offset = ec.vid_offset;
}

/* With a damaged EC header, too: the kernel believes the VID header all the same. */
static void find_layout(struct job *job, uint32_t eb, uint32_t vid_offset)
{
	uint8_t header[UBI_HEADER_SIZE];
	struct fault f;

	if (job->t->ops->read(job->t, eb, vid_offset, header, sizeof(header), &f) == 0 &&
	    ubi_is_layout(header))
		job->state[eb] |= EB_LAYOUT;
}

/* An eraseblock whose counter is lost is taken for an average one, as UBI itself does. */
static void guess_unknown(struct ubi_format *ubi, uint32_t blocks)
{
	uint64_t sum = 0;
	uint32_t known = 0;

	for (uint32_t eb = 0; eb < blocks; eb++)
		if (ubi->counter[eb] != UNKNOWN) {
			sum += ubi->counter[eb];
			known++;
		}
	for (uint32_t eb = 0; eb < blocks; eb++)
		if (ubi->counter[eb] == UNKNOWN)
			ubi->counter[eb] = known ? (uint32_t)(sum / known) : 0;
}

int ubi_scan(struct job *job, struct fault *f)
{
	uint32_t blocks = job->t->blocks, unit = job->t->subpage;
	uint32_t vid_offset = (UBI_HEADER_SIZE + unit - 1) / unit * unit; /* UBI's own choice */
	int found;

	job->ubi = calloc(1, sizeof(*job->ubi));
	if (job->ubi)
		job->ubi->counter = malloc(blocks * sizeof(*job->ubi->counter));
	if (!job->ubi || !job->ubi->counter)
		return fault_errno(f, FAULT_FAILED, "no memory for the erase counters");
	memset(job->ubi->counter, 0xff, blocks * sizeof(*job->ubi->counter));
	for (uint32_t eb = 0; (found = target_next_good(job->t, &eb, f)) > 0; eb++)
		read_counter(job, eb, &vid_offset);
	if (found < 0)
		return -1;
	guess_unknown(job->ubi, blocks);
	for (uint32_t eb = 0; (found = target_next_good(job->t, &eb, f)) > 0; eb++)
		find_layout(job, eb, vid_offset);
	return found;
}

int ubi_find_tables(struct job *job, struct fault *f)
{
	uint32_t unit = job->t->subpage;
	uint32_t vid_offset = (UBI_HEADER_SIZE + unit - 1) / unit * unit;
	int found = 0;

	if (!start_holds_ubi(job->t))
		return 0;
	for (uint32_t eb = 0; (found = target_next_good(job->t, &eb, f)) > 0; eb++) {
		uint8_t header[UBI_HEADER_SIZE];
		struct ubi_ec ec;

		if (job->t->ops->read(job->t, eb, 0, header, sizeof(header), f) == 0 &&
		    ubi_ec_read(&ec, header) &&
		    ec.vid_offset <= target_block_size(job->t, eb) - UBI_HEADER_SIZE)
			vid_offset = ec.vid_offset;
		find_layout(job, eb, vid_offset);
	}
	return found;
}

static int check_offsets(const struct target *t, const struct ubi_ec *ec, struct fault *f)
{
	/* The kernel puts the data at the first page behind the VID header, and nowhere else. */
	uint64_t end = (uint64_t)ec->vid_offset + UBI_HEADER_SIZE;
	uint64_t data = (end + t->page - 1) / t->page * t->page;

	if (ec->vid_offset < UBI_HEADER_SIZE || ec->vid_offset % t->subpage != 0 ||
	    ec->data_offset != data || data >= t->eraseblock)
		return fault_set(
			f, FAULT_UNFIT,
			"%s: the image has its UBI headers at %u and its data at %u, which "
			"does not fit pages of %u bytes; see ubinize -m, -s and -O",
			t->name, ec->vid_offset, ec->data_offset, t->page);
	return 0;
}

int ubi_check_data(const struct target *t, struct ubi_ec *image, const uint8_t *data, uint32_t n,
		   struct fault *f)
{
	uint32_t size = t->eraseblock;
	struct ubi_ec ec, other;

	if (!ubi_ec_read(&ec, data))
		return fault_set(f, FAULT_IMAGE,
				 "%s: byte %llu of the image has no UBI header: it was not made by "
				 "ubinize, or not for eraseblocks of %u bytes (ubinize -p)",
				 t->name, (unsigned long long)n * size, size);
	if (n == 0 && ubi_ec_read(&other, data + size / 2))
		return fault_set(
			f, FAULT_UNFIT,
			"%s: the image was made for eraseblocks of %u bytes, and these have %u "
			"(ubinize -p)",
			t->name, size / 2, size);
	if (n == 0) {
		if (check_offsets(t, &ec, f) < 0)
			return -1;
		*image = ec;
	}
	if (ec.vid_offset != image->vid_offset || ec.data_offset != image->data_offset ||
	    ec.image_seq != image->image_seq)
		return fault_set(f, FAULT_IMAGE, "%s: eraseblock %u of the image is of another UBI",
				 t->name, n);
	if (ubi_is_layout(data + ec.vid_offset) != (n < HELD_MAX))
		return fault_set(f, FAULT_IMAGE,
				 "%s: the image's volume table is not in its first %d eraseblocks",
				 t->name, HELD_MAX);
	return 0;
}

void ubi_dress(const struct job *job, uint32_t eb, uint8_t *data)
{
	struct ubi_ec ec = job->ubi->image;

	ec.counter = job->ubi->counter[eb];
	ubi_ec_write(&ec, data);
}

void ubi_count_erases(struct job *job, uint32_t eb, uint32_t n)
{
	if (job->ubi && job->ubi->counter[eb] <= UBI_EC_MAX - n)
		job->ubi->counter[eb] += n;
}
