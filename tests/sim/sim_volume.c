// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The simulated UBI volume. An update gives up all it holds; until its last byte is there the volume
 * cannot be read, and if the power goes before, it stays so until the next update is complete.
 */
#include <errno.h>
#include <string.h>

#include "sim_ops.h"

static int read(struct target *t, uint32_t eb, uint32_t offset, void *buf, uint32_t len,
		struct fault *f)
{
	struct sim_chip *c = sim_chip_of(t);
	struct sim_fault *wrong;

	if (sim_start_look(c, (struct sim_op){ SIM_READ, 0, eb, offset, len, false }, &wrong, f) <
	    0)
		return -1;
	if (c->volume.updating || c->volume.broken) {
		(void)fault_set(f, FAULT_FLASH, "%s: the volume is not whole", t->name);
		f->err = c->volume.updating ? EBUSY : EBADF;
		return -1;
	}
	memcpy(buf, sim_cells(c, eb) + offset, len);
	if (sim_happens(wrong, SIM_FLIP))
		((uint8_t *)buf)[len / 2] ^= 0x04;
	return 0;
}

static int update(struct target *t, uint64_t bytes, struct fault *f)
{
	struct sim_chip *c = sim_chip_of(t);
	struct sim_op op = { SIM_UPDATE, c->number, 0, 0, 0, false };
	struct sim_fault *wrong;

	if (sim_start(c, op, &wrong, f) < 0)
		return -1;
	if (bytes == 0 || bytes > t->size)
		sim_breach(c, "%s: update to %llu bytes", t->name, (unsigned long long)bytes);
	if (wrong && wrong->how == SIM_CUT_EARLY)
		return sim_end(c, &op, wrong, f);
	memset(c->cells, 0xff, t->size);
	c->volume = (struct sim_volume){ .broken = true,
					 .updating = !sim_is_partial(wrong),
					 .bytes = bytes };
	return sim_end(c, &op, wrong, f);
}

static void take(struct sim_chip *c, const struct sim_op *op, const uint8_t *data, uint32_t len)
{
	struct sim_volume *v = &c->volume;
	uint64_t left = v->bytes - v->done;

	memcpy(sim_cells(c, op->eb) + op->offset, data, len < left ? len : (size_t)left);
	v->done += len < left ? len : left;
	if (v->done == v->bytes)
		v->broken = v->updating = false;
}

/* In order, whole pages or up to the end; what fills the last page up is not taken. */
static void check_program(struct sim_chip *c, const struct sim_op *op)
{
	const struct sim_volume *v = &c->volume;
	uint64_t at = target_block_offset(&c->target, op->eb) + op->offset;
	uint32_t page = c->target.page;

	if (!v->updating)
		sim_breach(c, "%s: program without an update", c->target.name);
	else if (at != v->done)
		sim_breach(c, "%s: program at %llu, though %llu is next", c->target.name,
			   (unsigned long long)at, (unsigned long long)v->done);
	else if (op->len % page && at + op->len != v->bytes)
		sim_breach(c, "%s: program of %u bytes: not whole pages", c->target.name, op->len);
	else if (at + op->len >= v->bytes + page)
		sim_breach(c, "%s: program behind the end", c->target.name);
}

static int program(struct target *t, uint32_t eb, uint32_t offset, const void *buf, uint32_t len,
		   struct fault *f)
{
	struct sim_chip *c = sim_chip_of(t);
	struct sim_op op = { SIM_PROGRAM, c->number, eb, offset, len, false };
	struct sim_fault *wrong;

	if (sim_start(c, op, &wrong, f) < 0)
		return -1;
	check_program(c, &op);
	if (!c->volume.updating) {
		(void)fault_set(f, FAULT_FLASH, "%s: there is no update", t->name);
		f->err = EINVAL;
		return -1;
	}
	if (sim_is_partial(wrong)) {
		take(c, &op, buf, wrong->how == SIM_CUT_EARLY ? 0 : len / 2);
		return sim_end(c, &op, wrong, f);
	}
	take(c, &op, buf, len);
	if (sim_happens(wrong, SIM_GARBLE))
		sim_cells(c, eb)[offset + len / 2] ^= 0x10;
	return sim_end(c, &op, wrong, f);
}

const struct target_ops sim_volume_ops = {
	.is_bad = sim_never_bad,
	.program = program,
	.read = read,
	.update = update,
	.close = sim_close,
};
