// SPDX-License-Identifier: GPL-2.0-or-later
/* The board: operations one after the other, what goes wrong with them, power, and verdicts. */
#include "simflash.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim_ops.h"

static void out_of_memory(void)
{
	(void)fputs("simflash: no memory\n", stderr);
	abort();
}

void *sim_allocate(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size);

	if (!p)
		out_of_memory();
	return p;
}

void sim_breach(struct sim_chip *c, const char *fmt, ...)
{
	struct sim_board *b = c->board;
	va_list args;

	if (b->breaches++)
		return;
	va_start(args, fmt);
	(void)vsnprintf(b->breach, sizeof(b->breach), fmt, args);
	va_end(args);
}

struct sim_chip *sim_chip_of(struct target *t)
{
	return (struct sim_chip *)t;
}

static const char *const what_names[] = { "erase",    "program",  "read",      "is_bad", "ecc",
					  "mark_bad", "read_oob", "write_oob", "sync",   "update" };

const char *sim_op_text(const struct sim_board *b, const struct sim_op *op)
{
	static char text[128];
	const char *chip = b->chip[op->chip]->target.name, *what = what_names[op->what];

	if (op->what == SIM_PROGRAM || op->what == SIM_READ)
		(void)snprintf(text, sizeof(text), "%s: %s %u (%u bytes at %u)", chip, what, op->eb,
			       op->len, op->offset);
	else
		(void)snprintf(text, sizeof(text), "%s: %s %u", chip, what, op->eb);
	return text;
}

static struct sim_fault *find_weakness(struct sim_board *b, const struct sim_op *op)
{
	for (unsigned int i = 0; i < b->weaknesses; i++) {
		struct sim_weakness *w = &b->weakness[i];

		if (w->chip != op->chip || w->what != op->what || w->left == 0 ||
		    (w->eb != op->eb && w->eb != SIM_EVERY_BLOCK))
			continue;
		if (w->left != SIM_FOR_EVER)
			w->left--;
		return &w->fault;
	}
	return NULL;
}

/* Notes the operation down and finds out whether it is to go wrong. */
static struct sim_fault *record(struct sim_board *b, const struct sim_op *op)
{
	if (b->ops == b->log_room) {
		b->log_room = b->log_room ? b->log_room * 2 : 256;
		b->log = realloc(b->log, b->log_room * sizeof(*b->log));
		if (!b->log)
			out_of_memory();
	}
	b->log[b->ops++] = *op;
	if (b->off)
		return NULL;
	for (unsigned int i = 0; i < b->faults; i++) {
		struct sim_fault *fault = &b->fault[i];

		if (fault->op != b->ops - 1)
			continue;
		if (fault->times > 1 && op->what != SIM_ECC) /* which is of no eraseblock */
			sim_weaken_errno(b->chip[op->chip], op->eb, op->what, fault->how,
					 fault->times == SIM_FOR_EVER ? SIM_FOR_EVER
								      : fault->times - 1,
					 fault->err);
		return fault;
	}
	return find_weakness(b, op);
}

static bool is_cut(const struct sim_fault *wrong)
{
	return wrong && wrong->how >= SIM_CUT_BEFORE;
}

bool sim_happens(struct sim_fault *wrong, enum sim_how how)
{
	if (!wrong || wrong->how != how)
		return false;
	wrong->happened = true;
	return true;
}

bool sim_is_partial(const struct sim_fault *wrong)
{
	return wrong &&
	       (wrong->how == SIM_FAIL || wrong->how == SIM_CUT_EARLY || wrong->how == SIM_CUT ||
		wrong->how == SIM_CUT_LATE || wrong->how == SIM_CUT_WEAK);
}

/* As a device that has gone: with EIO the engine would hold it against the eraseblock. */
static int no_power(const struct sim_chip *c, struct fault *f)
{
	(void)fault_set(f, FAULT_FLASH, "%s: there is no power", c->target.name);
	f->err = ENODEV;
	return -1;
}

void sim_settle(struct sim_board *b)
{
	for (unsigned int i = 0; i < b->chips; i++)
		if (b->chip[i]->kind == SIM_BLOCK)
			sim_block_lose(b->chip[i]);
}

static void power_goes(struct sim_board *b)
{
	b->off = true;
	sim_settle(b);
}

int sim_end(struct sim_chip *c, const struct sim_op *op, struct sim_fault *wrong, struct fault *f)
{
	if (!wrong || (wrong->how > SIM_REFUSE && !is_cut(wrong)))
		return 0;
	wrong->happened = true;
	c->board->log[c->board->ops - 1].failed = true;
	if (is_cut(wrong)) {
		power_goes(c->board);
		return no_power(c, f);
	}
	(void)fault_set(f, FAULT_FLASH, "%s: eraseblock %u: %s fails as planned", c->target.name,
			op->eb, what_names[op->what]);
	f->err = wrong->err;
	return -1;
}

static int refuse(const struct sim_chip *c, const struct sim_op *op, int err, struct fault *f)
{
	(void)fault_set(f, FAULT_FLASH, "%s: eraseblock %u: no %s there", c->target.name, op->eb,
			what_names[op->what]);
	f->err = err;
	return -1;
}

/* Whether the operation is one that can be done there at all. */
static bool fits(struct sim_chip *c, const struct sim_op *op)
{
	uint32_t size;

	if (op->what == SIM_ECC || op->what == SIM_SYNC || op->what == SIM_UPDATE)
		return true;
	size = op->eb < c->target.blocks ? target_block_size(&c->target, op->eb) : 0;
	if (op->len > 0 && op->offset <= size && op->len <= size - op->offset)
		return true;
	sim_breach(c, "%s: %s of %u bytes at %u of eraseblock %u is outside", c->target.name,
		   what_names[op->what], op->len, op->offset, op->eb);
	return false;
}

static int start(struct sim_chip *c, struct sim_op *op, struct sim_fault **wrong, struct fault *f)
{
	op->chip = c->number;
	*wrong = record(c->board, op);
	if (c->board->off)
		return no_power(c, f);
	if (!fits(c, op))
		return refuse(c, op, EINVAL, f);
	if (op->what != SIM_IS_BAD && op->what != SIM_ECC && op->eb < c->target.blocks &&
	    c->block[op->eb].bad) {
		sim_breach(c, "%s: %s of the bad eraseblock %u", c->target.name,
			   what_names[op->what], op->eb);
		return refuse(c, op, EIO, f);
	}
	return 0;
}

int sim_start(struct sim_chip *c, struct sim_op op, struct sim_fault **wrong, struct fault *f)
{
	if (start(c, &op, wrong, f) < 0)
		return -1;
	if (*wrong && ((*wrong)->how == SIM_REFUSE || (*wrong)->how == SIM_CUT_BEFORE))
		return sim_end(c, &op, *wrong, f);
	return 0;
}

int sim_start_look(struct sim_chip *c, struct sim_op op, struct sim_fault **wrong, struct fault *f)
{
	if (start(c, &op, wrong, f) < 0)
		return -1;
	return sim_end(c, &op, *wrong, f);
}

void sim_garble(uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(p[i] * 5 + 0x5a + i);
}

int sim_never_bad(struct target *t, uint32_t eb, struct fault *f)
{
	struct sim_fault *wrong;

	return sim_start_look(sim_chip_of(t), (struct sim_op){ SIM_IS_BAD, 0, eb, 0, 1, false },
			      &wrong, f);
}

void sim_close(struct target *t)
{
	(void)t;
}

void sim_board_init(struct sim_board *b)
{
	memset(b, 0, sizeof(*b));
}

void sim_board_free(struct sim_board *b)
{
	for (unsigned int i = 0; i < b->chips; i++) {
		sim_free_contents(b->chip[i]);
		free(b->chip[i]);
	}
	free(b->log);
	sim_board_init(b);
}

struct sim_chip *sim_add_chip(struct sim_board *b, const char *name, const struct sim_geometry *g)
{
	static const struct target_ops *const ops[] = { &sim_nand_ops, &sim_nor_ops, &sim_block_ops,
							&sim_volume_ops };
	static const enum target_medium media[] = { MEDIUM_NAND, MEDIUM_NOR, MEDIUM_BLOCK,
						    MEDIUM_VOLUME };
	struct sim_chip *c = sim_allocate(1, sizeof(*c));
	struct target *t = &c->target;

	if (b->chips == SIM_CHIPS_MAX)
		abort();
	t->ops = ops[g->kind];
	t->medium = media[g->kind];
	(void)snprintf(t->name, sizeof(t->name), "%.32s", name);
	t->page = t->subpage = g->page;
	target_add_region(t, g->blocks, g->eraseblock);
	c->board = b;
	c->number = b->chips;
	c->kind = g->kind;
	c->oob_size = g->kind == SIM_NAND ? 16 : 0;
	sim_make_blank(c);
	for (unsigned int i = 0; i < g->bad_count; i++)
		c->block[g->bad[i]].bad = true;
	b->chip[b->chips++] = c;
	return c;
}

/* What a change of geometry does not change: where the bad eraseblocks are. */
static void make_blank_again(struct sim_chip *c, uint32_t blocks)
{
	bool *bad = sim_allocate(blocks, sizeof(*bad));

	for (uint32_t eb = 0; eb < blocks; eb++)
		bad[eb] = c->block[eb].bad;
	sim_make_blank(c);
	for (uint32_t eb = 0; eb < blocks; eb++)
		c->block[eb].bad = bad[eb];
	free(bad);
}

void sim_add_region(struct sim_chip *c, uint32_t blocks, uint32_t eraseblock)
{
	uint32_t before = c->target.blocks;

	target_add_region(&c->target, blocks, eraseblock);
	make_blank_again(c, before);
}

void sim_set_subpage(struct sim_chip *c, uint32_t subpage)
{
	c->target.subpage = subpage;
	make_blank_again(c, c->target.blocks);
}

void sim_set_oob(struct sim_chip *c, uint32_t free_bytes)
{
	c->oob_size = free_bytes;
	make_blank_again(c, c->target.blocks);
}

void sim_plan_errno(struct sim_board *b, uint32_t op, enum sim_how how, int err)
{
	if (b->faults == SIM_FAULTS_MAX)
		abort();
	b->fault[b->faults++] = (struct sim_fault){ .op = op, .how = how, .err = err, .times = 1 };
}

void sim_plan_fault(struct sim_board *b, uint32_t op, enum sim_how how)
{
	sim_plan_errno(b, op, how, EIO);
}

void sim_plan_weakness(struct sim_board *b, uint32_t op, enum sim_how how, uint32_t times)
{
	sim_plan_fault(b, op, how);
	b->fault[b->faults - 1].times = times;
}

void sim_weaken_errno(struct sim_chip *c, uint32_t eb, enum sim_what what, enum sim_how how,
		      uint32_t times, int err)
{
	struct sim_board *b = c->board;

	if (b->weaknesses == SIM_WEAKNESSES_MAX)
		abort();
	b->weakness[b->weaknesses++] = (struct sim_weakness){
		.chip = c->number,
		.eb = eb,
		.what = what,
		.left = times,
		.fault = { .how = how, .err = err },
	};
}

void sim_weaken(struct sim_chip *c, uint32_t eb, enum sim_what what, enum sim_how how,
		uint32_t times)
{
	sim_weaken_errno(c, eb, what, how, times, EIO);
}

bool sim_faults_happened(const struct sim_board *b)
{
	for (unsigned int i = 0; i < b->faults; i++)
		if (!b->fault[i].happened)
			return false;
	return true;
}

void sim_forget_ram_marks(struct sim_board *b)
{
	for (unsigned int i = 0; i < b->chips; i++)
		for (uint32_t eb = 0; eb < b->chip[i]->target.blocks; eb++) {
			struct sim_block *block = &b->chip[i]->block[eb];

			block->bad = block->bad && !block->bad_in_ram;
			block->bad_in_ram = false;
		}
}

void sim_power_cycle(struct sim_board *b)
{
	sim_forget_ram_marks(b);
	if (!b->off)
		power_goes(b);
	b->ops = 0;
	b->faults = 0;
	b->off = false;
	for (unsigned int i = 0; i < b->chips; i++) {
		struct sim_chip *c = b->chip[i];

		c->volume.updating = false;
		for (uint32_t eb = 0; eb < c->target.blocks; eb++)
			c->block[eb].erased = 0;
	}
}

uint32_t sim_count(const struct sim_board *b, enum sim_what what)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < b->ops; i++)
		count += b->log[i].what == what;
	return count;
}

bool sim_changes(const struct sim_op *op)
{
	return op->what == SIM_ERASE || op->what == SIM_PROGRAM || op->what == SIM_MARK_BAD ||
	       op->what == SIM_WRITE_OOB || op->what == SIM_UPDATE;
}
