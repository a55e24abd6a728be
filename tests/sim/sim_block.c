// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The simulated block device. What is written can be read back at once, but outlives the power only
 * after a sync: until then each sector may be the old or the new one.
 */
#include <errno.h>
#include <string.h>

#include "sim_ops.h"

static size_t sectors(const struct sim_chip *c)
{
	return (size_t)(c->target.size / c->target.page);
}

static int read(struct target *t, uint32_t eb, uint32_t offset, void *buf, uint32_t len,
		struct fault *f)
{
	struct sim_chip *c = sim_chip_of(t);
	struct sim_fault *wrong;

	if (sim_start_look(c, (struct sim_op){ SIM_READ, 0, eb, offset, len, false }, &wrong, f) <
	    0)
		return -1;
	if (offset % t->page || len % t->page)
		sim_breach(c, "%s: read of %u bytes at %u of eraseblock %u: not whole sectors",
			   t->name, len, offset, eb);
	memcpy(buf, sim_cells(c, eb) + offset, len);
	if (sim_happens(wrong, SIM_FLIP))
		((uint8_t *)buf)[len / 2] ^= 0x04;
	return 0;
}

static void write_sectors(struct sim_chip *c, const struct sim_op *op, const void *buf,
			  uint32_t len)
{
	size_t first =
		(size_t)(target_block_offset(&c->target, op->eb) + op->offset) / c->target.page;

	memcpy(sim_cells(c, op->eb) + op->offset, buf, len);
	memset(c->state + first, SIM_UNSYNCED, len / c->target.page);
}

static int program(struct target *t, uint32_t eb, uint32_t offset, const void *buf, uint32_t len,
		   struct fault *f)
{
	struct sim_chip *c = sim_chip_of(t);
	struct sim_op op = { SIM_PROGRAM, c->number, eb, offset, len, false };
	struct sim_fault *wrong;
	uint32_t done = len;

	if (sim_start(c, op, &wrong, f) < 0)
		return -1;
	if (offset % t->page || len % t->page)
		sim_breach(c, "%s: program of %u bytes at %u of eraseblock %u: not whole sectors",
			   t->name, len, offset, eb);
	if (sim_is_partial(wrong))
		done = wrong->how == SIM_CUT_EARLY  ? 0
		       : wrong->how == SIM_CUT_LATE ? len - t->page
						    : len / 2 / t->page * t->page;
	write_sectors(c, &op, buf, done);
	if (sim_happens(wrong, SIM_GARBLE))
		sim_cells(c, eb)[offset + len / 2] ^= 0x10;
	return sim_end(c, &op, wrong, f);
}

static void store(struct sim_chip *c, size_t sector)
{
	size_t page = c->target.page;

	memcpy(c->stable + sector * page, c->cells + sector * page, page);
	c->state[sector] = SIM_PROGRAMMED;
}

/* A sync that fails has stored nothing; one that is cut is the same as none, or as a whole one. */
static int sync_all(struct target *t, struct fault *f)
{
	struct sim_chip *c = sim_chip_of(t);
	struct sim_op op = { SIM_SYNC, c->number, 0, 0, 0, false };
	struct sim_fault *wrong;

	if (sim_start(c, op, &wrong, f) < 0)
		return -1;
	for (size_t n = 0; n < sectors(c); n++)
		if (c->state[n] == SIM_UNSYNCED &&
		    (!sim_is_partial(wrong) || wrong->how == SIM_CUT_LATE))
			store(c, n);
	return sim_end(c, &op, wrong, f);
}

/* The same for the same seed: a sweep can be repeated. */
static bool is_lost(uint32_t seed, size_t sector)
{
	uint32_t x = seed * 2654435761u ^ (uint32_t)sector * 2246822519u;

	x ^= x >> 15;
	x *= 2246822519u;
	x ^= x >> 13;
	return seed == 0 || (seed != 1 && (x & 1));
}

void sim_block_lose(struct sim_chip *c)
{
	size_t page = c->target.page;

	for (size_t n = 0; n < sectors(c); n++) {
		if (c->state[n] != SIM_UNSYNCED)
			continue;
		if (is_lost(c->board->loss, n))
			memcpy(c->cells + n * page, c->stable + n * page, page);
		store(c, n);
	}
}

const struct target_ops sim_block_ops = {
	.is_bad = sim_never_bad,
	.program = program,
	.read = read,
	.sync = sync_all,
	.close = sim_close,
};
