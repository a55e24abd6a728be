// SPDX-License-Identifier: GPL-2.0-or-later
#include "simflash.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum page_state { PAGE_BLANK, PAGE_PROGRAMMED, PAGE_TORN };

enum { NOR_HOLE = 512 }; /* NOR: blank pieces as long as this are not worth programming */

static void out_of_memory(void)
{
	(void)fputs("simflash: no memory\n", stderr);
	abort();
}

static void *allocate(size_t count, size_t size)
{
	void *p = calloc(count, size);

	if (!p)
		out_of_memory();
	return p;
}

static void breach(struct sim_chip *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void breach(struct sim_chip *c, const char *fmt, ...)
{
	struct sim_board *b = c->board;
	va_list args;

	if (b->breaches++)
		return;
	va_start(args, fmt);
	(void)vsnprintf(b->breach, sizeof(b->breach), fmt, args);
	va_end(args);
}

static struct sim_chip *chip_of(struct target *t)
{
	return (struct sim_chip *)t;
}

uint8_t *sim_cells(struct sim_chip *c, uint32_t eb)
{
	return c->cells + (size_t)eb * c->target.eraseblock;
}

static uint32_t pages_per_block(const struct sim_chip *c)
{
	return c->target.eraseblock / c->target.page;
}

static uint8_t *states(struct sim_chip *c, uint32_t eb)
{
	return c->page_state + (size_t)eb * pages_per_block(c);
}

static bool all_ff(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] != 0xff)
			return false;
	return true;
}

/* Notes the operation down and finds out whether a fault was planned for it. */
static struct sim_fault *start_op(struct sim_chip *c, enum sim_what what, uint32_t eb,
				  uint32_t offset, uint32_t len)
{
	struct sim_board *b = c->board;

	if (b->ops == b->log_room) {
		b->log_room = b->log_room ? b->log_room * 2 : 256;
		b->log = realloc(b->log, b->log_room * sizeof(*b->log));
		if (!b->log)
			out_of_memory();
	}
	b->log[b->ops] = (struct sim_op){ what, c->number, eb, offset, len };
	b->ops++;
	for (unsigned int i = 0; i < b->faults; i++)
		if (b->fault[i].op == b->ops - 1)
			return &b->fault[i];
	return NULL;
}

static bool is_cut(const struct sim_fault *planned)
{
	return planned && planned->how >= SIM_CUT_BEFORE;
}

/* Whether the planned fault is of one of these ways; if so, it happens now. */
static bool happens(struct sim_fault *planned, enum sim_how how)
{
	if (!planned || planned->how != how)
		return false;
	planned->happened = true;
	return true;
}

static int no_power(struct sim_chip *c, struct fault *f)
{
	c->board->off = true;
	return fault_set(f, FAULT_FLASH, "%s: there is no power", c->target.name);
}

/* The end of an operation that has failed, or that the power went away at. */
static int end_badly(struct sim_chip *c, struct sim_fault *planned, const char *what, uint32_t eb,
		     struct fault *f)
{
	planned->happened = true;
	if (is_cut(planned))
		return no_power(c, f);
	(void)fault_set(f, FAULT_FLASH, "%s: eraseblock %u: %s fails as planned", c->target.name,
			eb, what);
	f->err = EIO;
	return -1;
}

static bool in_range(struct sim_chip *c, const char *what, uint32_t eb, uint32_t offset,
		     uint32_t len)
{
	if (eb < c->target.blocks && len > 0 && offset <= c->target.eraseblock &&
	    len <= c->target.eraseblock - offset)
		return true;
	breach(c, "%s: %s of %u bytes at %u of eraseblock %u is outside", c->target.name, what, len,
	       offset, eb);
	return false;
}

static int sim_is_bad_op(struct target *t, uint32_t eb, struct fault *f)
{
	struct sim_chip *c = chip_of(t);
	struct sim_fault *planned = start_op(c, SIM_IS_BAD, eb, 0, 0);

	if (c->board->off)
		return no_power(c, f);
	if (!in_range(c, "asking", eb, 0, 1))
		return fault_set(f, FAULT_FLASH, "%s: no eraseblock %u", t->name, eb);
	if (planned && (is_cut(planned) || planned->how <= SIM_REFUSE))
		return end_badly(c, planned, "asking", eb, f);
	return c->bad[eb];
}

static int sim_ecc_op(struct target *t, struct ecc_counts *counts, struct fault *f)
{
	struct sim_chip *c = chip_of(t);
	struct sim_fault *planned = start_op(c, SIM_ECC, 0, 0, 0);

	if (c->board->off)
		return no_power(c, f);
	if (planned && (is_cut(planned) || planned->how <= SIM_REFUSE))
		return end_badly(c, planned, "the ECC statistics", 0, f);
	*counts = c->ecc;
	return 0;
}

/* Garbage that is neither what was there nor 0xFF. */
static void garble(uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(p[i] * 5 + 0x5a + i);
}

/* What a NAND reader gets from torn pages is not stable, and ECC knows. */
static void read_torn(struct sim_chip *c, uint32_t eb, uint32_t offset, uint8_t *buf, uint32_t len)
{
	uint32_t page = c->target.page;

	for (uint32_t at = offset / page * page; at < offset + len; at += page) {
		uint32_t from = at < offset ? offset : at;
		uint32_t to = at + page < offset + len ? at + page : offset + len;

		if (states(c, eb)[at / page] != PAGE_TORN)
			continue;
		c->ecc.failed++;
		garble(buf + (from - offset), to - from);
	}
}

static int sim_read_op(struct target *t, uint32_t eb, uint32_t offset, void *buf, uint32_t len,
		       struct fault *f)
{
	struct sim_chip *c = chip_of(t);
	struct sim_fault *planned = start_op(c, SIM_READ, eb, offset, len);

	if (c->board->off)
		return no_power(c, f);
	if (!in_range(c, "read", eb, offset, len))
		return fault_set(f, FAULT_FLASH, "%s: read outside", t->name);
	if (c->bad[eb])
		breach(c, "%s: read of the bad eraseblock %u", t->name, eb);
	if (planned && (is_cut(planned) || planned->how <= SIM_REFUSE))
		return end_badly(c, planned, "read", eb, f);
	memcpy(buf, sim_cells(c, eb) + offset, len);
	if (c->kind == SIM_NAND)
		read_torn(c, eb, offset, buf, len);
	if (happens(planned, SIM_FLIP))
		((uint8_t *)buf)[len / 2] ^= 0x10;
	if (c->kind != SIM_NAND)
		return 0;
	if (happens(planned, SIM_GARBLE)) {
		c->ecc.failed++;
		garble(buf, len < t->page ? len : t->page);
	}
	if (happens(planned, SIM_CORRECT))
		c->ecc.corrected++;
	return 0;
}

/* Erases the first part of an eraseblock, and leaves a page between the parts that is neither. */
static void erase_part(struct sim_chip *c, uint32_t eb, uint32_t len)
{
	memset(sim_cells(c, eb), 0xff, len);
	if (c->kind != SIM_NAND)
		return;
	memset(states(c, eb), PAGE_BLANK, len / c->target.page);
	if (len < c->target.eraseblock)
		states(c, eb)[len / c->target.page] = PAGE_TORN;
}

/* An erase that reports success and leaves something behind. */
static void leave_something(struct sim_chip *c, uint32_t eb)
{
	c->lied[eb] = true;
	sim_cells(c, eb)[c->target.eraseblock / 2] = 0x7f;
	if (c->kind == SIM_NAND)
		states(c, eb)[pages_per_block(c) / 2] = PAGE_PROGRAMMED;
}

static int sim_erase_op(struct target *t, uint32_t eb, struct fault *f)
{
	struct sim_chip *c = chip_of(t);
	struct sim_fault *planned = start_op(c, SIM_ERASE, eb, 0, t->eraseblock);

	if (c->board->off)
		return no_power(c, f);
	if (!in_range(c, "erase", eb, 0, t->eraseblock))
		return fault_set(f, FAULT_FLASH, "%s: erase outside", t->name);
	if (c->bad[eb]) {
		breach(c, "%s: erase of the bad eraseblock %u", t->name, eb);
		return fault_set(f, FAULT_FLASH, "%s: eraseblock %u is bad", t->name, eb);
	}
	if (planned && (planned->how == SIM_REFUSE || planned->how == SIM_CUT_BEFORE))
		return end_badly(c, planned, "erase", eb, f);
	c->erased[eb]++;
	c->lied[eb] = false;
	if (planned && (planned->how == SIM_FAIL || planned->how == SIM_CUT)) {
		erase_part(c, eb, t->eraseblock / 2);
		return end_badly(c, planned, "erase", eb, f);
	}
	erase_part(c, eb, t->eraseblock);
	if (happens(planned, SIM_GARBLE))
		leave_something(c, eb);
	if (planned && planned->how == SIM_CUT_AFTER)
		return end_badly(c, planned, "erase", eb, f);
	return 0;
}

/* The rules of NAND for one page, or the only one of NOR for one byte. */
static void check_program(struct sim_chip *c, uint32_t eb, uint32_t offset, const uint8_t *data,
			  uint32_t len)
{
	const uint8_t *cells = sim_cells(c, eb) + offset;
	uint32_t page = c->target.page;
	uint32_t hole = c->kind == SIM_NAND ? page : NOR_HOLE;

	if (offset % page || len % page)
		breach(c, "%s: program of %u bytes at %u of eraseblock %u: not whole pages",
		       c->target.name, len, offset, eb);
	for (uint32_t i = 0; i < len && !c->lied[eb]; i++)
		if (data[i] & ~cells[i]) {
			breach(c, "%s: program sets bits at byte %u of eraseblock %u",
			       c->target.name, offset + i, eb);
			break;
		}
	for (uint32_t i = 0; i + hole <= len; i += hole)
		if (all_ff(data + i, hole))
			breach(c, "%s: program of a blank page at %u of eraseblock %u",
			       c->target.name, offset + i, eb);
	if (c->kind != SIM_NAND || c->lied[eb])
		return;
	for (uint32_t n = offset / page; n < pages_per_block(c); n++)
		if (states(c, eb)[n] != PAGE_BLANK) {
			breach(c, "%s: page %u of eraseblock %u programmed out of order or twice",
			       c->target.name, offset / page, eb);
			break;
		}
}

static void program_cells(struct sim_chip *c, uint32_t eb, uint32_t offset, const uint8_t *data,
			  uint32_t len)
{
	uint8_t *cells = sim_cells(c, eb) + offset;
	uint32_t page = c->target.page;

	for (uint32_t i = 0; i < len; i++)
		cells[i] &= data[i];
	if (c->kind != SIM_NAND)
		return;
	for (uint32_t n = offset / page; n * page < offset + len; n++)
		states(c, eb)[n] = PAGE_PROGRAMMED;
}

/* Half of the pages, and the next one torn. */
static void program_part(struct sim_chip *c, uint32_t eb, uint32_t offset, const uint8_t *data,
			 uint32_t len)
{
	uint32_t whole = len / 2 / c->target.page * c->target.page;

	program_cells(c, eb, offset, data, whole);
	if (c->kind != SIM_NAND)
		return;
	program_cells(c, eb, offset + whole, data + whole, c->target.page / 2);
	states(c, eb)[(offset + whole) / c->target.page] = PAGE_TORN;
}

static int sim_program_op(struct target *t, uint32_t eb, uint32_t offset, const void *buf,
			  uint32_t len, struct fault *f)
{
	struct sim_chip *c = chip_of(t);
	struct sim_fault weak = { .how = SIM_FAIL };
	struct sim_fault *planned = start_op(c, SIM_PROGRAM, eb, offset, len);

	if (c->board->off)
		return no_power(c, f);
	if (!in_range(c, "program", eb, offset, len))
		return fault_set(f, FAULT_FLASH, "%s: program outside", t->name);
	if (c->bad[eb]) {
		breach(c, "%s: program of the bad eraseblock %u", t->name, eb);
		return fault_set(f, FAULT_FLASH, "%s: eraseblock %u is bad", t->name, eb);
	}
	check_program(c, eb, offset, buf, len);
	if (c->weak[eb] && !planned)
		planned = &weak;
	if (planned && (planned->how == SIM_REFUSE || planned->how == SIM_CUT_BEFORE))
		return end_badly(c, planned, "program", eb, f);
	if (planned && (planned->how == SIM_FAIL || planned->how == SIM_CUT)) {
		program_part(c, eb, offset, buf, len);
		return end_badly(c, planned, "program", eb, f);
	}
	program_cells(c, eb, offset, buf, len);
	if (happens(planned, SIM_GARBLE))
		sim_cells(c, eb)[offset + len / 2] ^= 0x10;
	if (planned && planned->how == SIM_CUT_AFTER)
		return end_badly(c, planned, "program", eb, f);
	return 0;
}

/* The cells outlive whoever had the target open. */
static void sim_close_op(struct target *t)
{
	(void)t;
}

static const struct target_ops sim_ops = {
	.is_bad = sim_is_bad_op,
	.erase = sim_erase_op,
	.program = sim_program_op,
	.read = sim_read_op,
	.ecc = sim_ecc_op,
	.close = sim_close_op,
};

void sim_board_init(struct sim_board *b)
{
	memset(b, 0, sizeof(*b));
}

static void free_chip(struct sim_chip *c)
{
	free(c->cells);
	free(c->page_state);
	free(c->bad);
	free(c->weak);
	free(c->lied);
	free(c->erased);
	free(c);
}

void sim_board_free(struct sim_board *b)
{
	for (unsigned int i = 0; i < b->chips; i++)
		free_chip(b->chip[i]);
	free(b->log);
	sim_board_init(b);
}

struct sim_chip *sim_add_chip(struct sim_board *b, const char *name, const struct sim_geometry *g)
{
	struct sim_chip *c = allocate(1, sizeof(*c));
	struct target *t = &c->target;

	if (b->chips == SIM_CHIPS_MAX)
		abort();
	t->ops = &sim_ops;
	(void)snprintf(t->name, sizeof(t->name), "%.32s", name);
	t->medium = g->kind == SIM_NAND ? MEDIUM_NAND : MEDIUM_NOR;
	t->page = t->subpage = g->page;
	target_add_region(t, g->blocks, g->eraseblock);
	c->board = b;
	c->number = b->chips;
	c->kind = g->kind;
	c->cells = allocate(g->blocks, g->eraseblock);
	c->page_state = allocate(g->blocks, pages_per_block(c));
	c->bad = allocate(g->blocks, sizeof(*c->bad));
	c->weak = allocate(g->blocks, sizeof(*c->weak));
	c->lied = allocate(g->blocks, sizeof(*c->lied));
	c->erased = allocate(g->blocks, sizeof(*c->erased));
	memset(c->cells, 0xff, t->size);
	for (unsigned int i = 0; i < g->bad_count; i++)
		c->bad[g->bad[i]] = true;
	b->chip[b->chips++] = c;
	return c;
}

void sim_plan_fault(struct sim_board *b, uint32_t op, enum sim_how how)
{
	if (b->faults == SIM_FAULTS_MAX)
		abort();
	b->fault[b->faults++] = (struct sim_fault){ .op = op, .how = how };
}

bool sim_faults_happened(const struct sim_board *b)
{
	for (unsigned int i = 0; i < b->faults; i++)
		if (!b->fault[i].happened)
			return false;
	return true;
}

void sim_power_cycle(struct sim_board *b)
{
	b->ops = 0;
	b->faults = 0;
	b->off = false;
	for (unsigned int i = 0; i < b->chips; i++)
		memset(b->chip[i]->erased, 0,
		       b->chip[i]->target.blocks * sizeof(*b->chip[i]->erased));
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
	return op->what == SIM_ERASE || op->what == SIM_PROGRAM;
}

uint32_t sim_good(const struct sim_chip *c, uint32_t n)
{
	for (uint32_t eb = 0; eb < c->target.blocks; eb++)
		if (!c->bad[eb] && n-- == 0)
			return eb;
	abort();
}

/* What an eraseblock holds if data lies in the good ones in order. */
static void expected(const struct sim_chip *c, uint32_t nth, const uint8_t *data, size_t len,
		     uint8_t *to)
{
	size_t size = c->target.eraseblock, from = nth * size;

	memset(to, 0xff, size);
	if (from < len)
		memcpy(to, data + from, len - from < size ? len - from : size);
}

static bool readable(struct sim_chip *c, uint32_t eb)
{
	for (uint32_t n = 0; c->kind == SIM_NAND && n < pages_per_block(c); n++)
		if (states(c, eb)[n] == PAGE_TORN)
			return false;
	return true;
}

uint32_t sim_differing(struct sim_chip *c, const uint8_t *data, size_t len)
{
	uint8_t *want = allocate(1, c->target.eraseblock);
	uint32_t nth = 0, count = 0;

	for (uint32_t eb = 0; eb < c->target.blocks; eb++) {
		if (c->bad[eb])
			continue;
		expected(c, nth++, data, len, want);
		count += memcmp(sim_cells(c, eb), want, c->target.eraseblock) != 0 ||
			 !readable(c, eb);
	}
	free(want);
	return count;
}

bool sim_holds(struct sim_chip *c, const uint8_t *data, size_t len)
{
	return sim_differing(c, data, len) == 0;
}

bool sim_is_blank(struct sim_chip *c, uint32_t eb)
{
	return all_ff(sim_cells(c, eb), c->target.eraseblock) && readable(c, eb);
}

void sim_factory_fill(struct sim_chip *c, const uint8_t *data, size_t len)
{
	uint32_t page = c->target.page, nth = 0;

	for (uint32_t eb = 0; eb < c->target.blocks; eb++) {
		uint8_t *cells = sim_cells(c, eb);

		if (c->bad[eb])
			continue;
		expected(c, nth++, data, len, cells);
		for (uint32_t n = 0; c->kind == SIM_NAND && n < pages_per_block(c); n++)
			states(c, eb)[n] = all_ff(cells + (size_t)n * page, page) ? PAGE_BLANK
										  : PAGE_PROGRAMMED;
	}
}

struct sim_snapshot {
	uint8_t *cells[SIM_CHIPS_MAX], *page_state[SIM_CHIPS_MAX];
};

static void *copy_of(const void *from, size_t len)
{
	return memcpy(allocate(1, len), from, len);
}

struct sim_snapshot *sim_save(const struct sim_board *b)
{
	struct sim_snapshot *s = allocate(1, sizeof(*s));

	for (unsigned int i = 0; i < b->chips; i++) {
		const struct sim_chip *c = b->chip[i];

		s->cells[i] = copy_of(c->cells, c->target.size);
		s->page_state[i] = copy_of(c->page_state, c->target.size / c->target.page);
	}
	return s;
}

void sim_restore(struct sim_board *b, const struct sim_snapshot *s)
{
	for (unsigned int i = 0; i < b->chips; i++) {
		struct sim_chip *c = b->chip[i];

		memcpy(c->cells, s->cells[i], c->target.size);
		memcpy(c->page_state, s->page_state[i], c->target.size / c->target.page);
	}
	sim_power_cycle(b);
}

void sim_snapshot_free(struct sim_snapshot *s)
{
	for (unsigned int i = 0; i < SIM_CHIPS_MAX; i++) {
		free(s->cells[i]);
		free(s->page_state[i]);
	}
	free(s);
}
