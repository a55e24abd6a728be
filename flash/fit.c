// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What can be found out before anything is changed: whether payloads fit their targets.
 */
#include <errno.h>
#include <inttypes.h>

#include "cleanmarker.h"
#include "job.h"

static int good_and_needed(const struct payload *p, struct target *t, uint32_t *good,
			   uint64_t *needed, struct fault *f)
{
	uint64_t bytes;

	if (t->eraseblock == 0 || t->page == 0)
		return fault_set(f, FAULT_UNFIT, "%s: has no eraseblocks", t->name);
	if (target_good_blocks(t, good, &bytes, f) < 0)
		return -1;
	*needed = p->size / t->eraseblock + (p->size % t->eraseblock != 0);
	if (p->size > bytes && t->medium == MEDIUM_NAND)
		return fault_set(f, FAULT_UNFIT,
				 "%s: too small: the image needs %" PRIu64
				 " eraseblocks of %u bytes, %u of %u are good",
				 t->name, *needed, t->eraseblock, *good, t->blocks);
	if (p->size > bytes)
		return fault_set(f, FAULT_UNFIT,
				 "%s: too small: the image has %" PRIu64 " bytes, it has %" PRIu64,
				 t->name, p->size, bytes);
	return 0;
}

/* What the payload's kind asks of the target. */
static int check_kind(const struct payload *p, struct target *t, struct fault *f)
{
	uint8_t marker[CLEANMARKER_OOB_SIZE];
	uint32_t eb = 0;
	int found;

	if (p->kind == PAYLOAD_UBI && t->regions > 1)
		return fault_set(f, FAULT_UNFIT,
				 "%s: has eraseblocks of several sizes, on which there is no UBI",
				 t->name);
	if (p->tail == TAIL_JFFS2 && t->medium == MEDIUM_NOR && t->page > 1)
		return fault_set(f, FAULT_UNFIT,
				 "%s: is programmed in units of %u bytes, where JFFS2 has other "
				 "cleanmarkers than this can write: use tail=erase",
				 t->name, t->page);
	if (p->kind == PAYLOAD_UBI && p->size % t->eraseblock != 0)
		return fault_set(f, FAULT_UNFIT,
				 "%s: the image's %" PRIu64
				 " bytes are not whole eraseblocks of %u "
				 "bytes, as ubinize -p %u would make them",
				 t->name, p->size, t->eraseblock, t->eraseblock);
	if (p->tail != TAIL_JFFS2 || !t->ops->read_oob)
		return 0;
	found = target_next_good(t, &eb, f);
	if (found > 0 && t->ops->read_oob(t, eb, 0, marker, sizeof(marker), f) < 0) {
		f->kind = FAULT_UNFIT;
		return -1;
	}
	return found < 0 ? -1 : 0;
}

int engine_check_fit(const struct payload *p, struct target *t, uint32_t *spare, struct fault *f)
{
	uint64_t needed = 0;
	uint32_t good = 0;

	if (good_and_needed(p, t, &good, &needed, f) < 0 || check_kind(p, t, f) < 0)
		return -1;
	if (spare)
		*spare = t->ops->mark_bad ? good - (uint32_t)needed : 0;
	return 0;
}

uint64_t engine_memory(const struct image *img, uint32_t eraseblock)
{
	/* the pieces read ahead, the read-back, what goes behind the image; and what is held */
	uint64_t bytes = (uint64_t)(READAHEAD_SLOTS + 2 + img->payload_count) * eraseblock;
	uint32_t chunk = 0;

	for (unsigned int i = 0; i < img->payload_count; i++) {
		if (img->payload[i].kind == PAYLOAD_UBI)
			bytes += eraseblock;
		if (img->payload[i].chunk_size > chunk)
			chunk = img->payload[i].chunk_size;
	}
	return bytes + chunk;
}

static int check_ubi(const struct payload *p, struct source *src, const struct target *t,
		     struct readahead *ahead, struct fault *f)
{
	struct ubi_ec ec;
	uint8_t *data;
	size_t got = 1;
	int result = 0;

	readahead_start(ahead, src, p, t);
	for (uint32_t n = 0; result == 0 && got > 0; n++) {
		result = readahead_next(ahead, &data, &got, f);
		if (result == 0 && got > 0 && p->kind == PAYLOAD_UBI)
			result = ubi_check_data(t, &ec, data, n, f);
	}
	readahead_stop(ahead);
	return result;
}

bool engine_asks_for_data(const struct image *img)
{
	for (unsigned int i = 0; i < img->payload_count; i++)
		if (img->payload[i].kind == PAYLOAD_UBI)
			return true;
	return false;
}

int engine_check_data(const struct image *img, struct source *src, struct target *const *targets,
		      struct fault *f)
{
	struct readahead ahead;
	uint32_t largest = 1, chunk = 1;
	int result = 0;

	for (unsigned int i = 0; i < img->payload_count; i++) {
		if (targets[i]->eraseblock > largest)
			largest = targets[i]->eraseblock;
		if (img->payload[i].chunk_size > chunk)
			chunk = img->payload[i].chunk_size;
	}
	if (readahead_init(&ahead, largest, chunk) < 0)
		result = fault_errno(f, FAULT_FAILED, "no memory for an eraseblock");
	for (unsigned int i = 0; result == 0 && i < img->payload_count; i++)
		result = check_ubi(&img->payload[i], src, targets[i], &ahead, f);
	readahead_free(&ahead);
	return result;
}
