// SPDX-License-Identifier: GPL-2.0-or-later
/* The simulated chips: NAND and NOR. */
#include <errno.h>
#include <string.h>

#include "bytes.h"
#include "sim_ops.h"

enum { NOR_HOLE = 512 }; /* NOR: blank pieces as long as this are not worth programming */

static int is_bad(struct target *t, uint32_t eb, struct fault *f)
{
	struct sim_chip *c = sim_chip_of(t);
	struct sim_fault *wrong;

	if (sim_start_look(c, (struct sim_op){ SIM_IS_BAD, 0, eb, 0, 1, false }, &wrong, f) < 0)
		return -1;
	return c->block[eb].bad;
}

/*
 * A mark that failed may have been made all the same: Linux enters it into its table in RAM before
 * it writes to flash.
 */
static int mark_bad(struct target *t, uint32_t eb, struct fault *f)
{
	struct sim_chip *c = sim_chip_of(t);
	struct sim_op op = { SIM_MARK_BAD, c->number, eb, 0, 1, false };
	struct sim_fault *wrong;

	if (sim_start(c, op, &wrong, f) < 0)
		return -1;
	c->block[eb].bad = !(wrong && (wrong->how == SIM_CUT_EARLY || wrong->how == SIM_CUT));
	if (sim_end(c, &op, wrong, f) == 0)
		return 0;
	/* As the kernel does it: what could not be written is in its table in RAM all the same. */
	c->block[eb].bad_in_ram = wrong && wrong->how < SIM_CUT_BEFORE;
	f->err = f->err == EIO ? ENOTRECOVERABLE : f->err;
	return -1;
}

static int ecc(struct target *t, struct ecc_counts *counts, struct fault *f)
{
	struct sim_chip *c = sim_chip_of(t);
	struct sim_fault *wrong;

	if (sim_start_look(c, (struct sim_op){ SIM_ECC, 0, 0, 0, 0, false }, &wrong, f) < 0)
		return -1;
	*counts = c->ecc;
	return 0;
}

/* What a NAND reader gets from torn pages is not stable, and ECC knows. */
static void read_torn(struct sim_chip *c, const struct sim_op *op, uint8_t *buf)
{
	uint32_t unit = c->target.subpage, end = op->offset + op->len;

	for (uint32_t at = op->offset / unit * unit; at < end; at += unit) {
		uint32_t from = at < op->offset ? op->offset : at;
		uint32_t to = at + unit < end ? at + unit : end;

		c->ecc.corrected += sim_states(c, op->eb)[at / unit] == SIM_WEAK;
		if (sim_states(c, op->eb)[at / unit] != SIM_TORN)
			continue;
		c->ecc.failed++;
		sim_garble(buf + (from - op->offset), to - from);
	}
}

static int read(struct target *t, uint32_t eb, uint32_t offset, void *buf, uint32_t len,
		struct fault *f)
{
	struct sim_chip *c = sim_chip_of(t);
	struct sim_op op = { SIM_READ, c->number, eb, offset, len, false };
	struct sim_fault *wrong;

	if (sim_start_look(c, op, &wrong, f) < 0)
		return -1;
	memcpy(buf, sim_cells(c, eb) + offset, len);
	if (c->kind == SIM_NAND)
		read_torn(c, &op, buf);
	if (sim_happens(wrong, SIM_FLIP))
		((uint8_t *)buf)[len / 2] ^= 0x04;
	if (c->kind != SIM_NAND)
		return 0;
	if (sim_happens(wrong, SIM_GARBLE)) {
		c->ecc.failed++;
		sim_garble(buf, len < t->page ? len : t->page);
	}
	if (sim_happens(wrong, SIM_CORRECT))
		c->ecc.corrected++;
	if (sim_happens(wrong, SIM_DOUBT))
		c->ecc.failed++;
	return 0;
}

/* Erases the first part of an eraseblock, and leaves a page between the parts that is neither. */
static void erase_part(struct sim_chip *c, uint32_t eb, uint32_t len)
{
	uint32_t unit = c->target.subpage;

	memset(sim_cells(c, eb), 0xff, len);
	if (c->kind != SIM_NAND)
		return;
	memset(sim_states(c, eb), SIM_BLANK, len / unit);
	if (len < target_block_size(&c->target, eb))
		sim_states(c, eb)[len / unit] = SIM_TORN;
}

/* An erase that has begun and was not completed: what it reads like says nothing. */
static void erase_halfway(struct sim_chip *c, uint32_t eb, enum sim_how how)
{
	uint32_t size = target_block_size(&c->target, eb);

	c->block[eb].half_erased = true;
	if (how == SIM_CUT_EARLY)
		return;
	if (how == SIM_CUT_LATE || how == SIM_CUT_WEAK) { /* the OOB may be later still */
		erase_part(c, eb, size);
		return;
	}
	erase_part(c, eb, size / 2 / c->target.page * c->target.page);
	sim_clear_oob(c, eb, sim_pages(c, eb) / 2);
}

/* An erase that reports success and leaves something behind. */
static void leave_something(struct sim_chip *c, uint32_t eb)
{
	uint32_t half = target_block_size(&c->target, eb) / 2;

	c->block[eb].lied = true;
	sim_cells(c, eb)[half] = 0x7f;
	if (c->kind == SIM_NAND)
		sim_states(c, eb)[half / c->target.subpage] = SIM_PROGRAMMED;
}

static int erase(struct target *t, uint32_t eb, struct fault *f)
{
	struct sim_chip *c = sim_chip_of(t);
	uint32_t size = eb < t->blocks ? target_block_size(t, eb) : 1;
	struct sim_op op = { SIM_ERASE, c->number, eb, 0, size, false };
	struct sim_fault *wrong;

	if (sim_start(c, op, &wrong, f) < 0)
		return -1;
	c->block[eb].erased++;
	c->block[eb].lied = false;
	if (sim_is_partial(wrong)) {
		erase_halfway(c, eb, wrong->how);
		return sim_end(c, &op, wrong, f);
	}
	erase_part(c, eb, size);
	sim_clear_oob(c, eb, sim_pages(c, eb));
	c->block[eb].half_erased = false;
	if (sim_happens(wrong, SIM_GARBLE))
		leave_something(c, eb);
	return sim_end(c, &op, wrong, f);
}

/* Programming clears bits; what it need not touch it had better leave alone. */
static void check_bits(struct sim_chip *c, const struct sim_op *op, const uint8_t *data)
{
	const uint8_t *cells = sim_cells(c, op->eb) + op->offset;
	uint32_t hole = c->kind == SIM_NAND ? c->target.page : NOR_HOLE;

	for (uint32_t i = 0; i < op->len; i++)
		if (data[i] & ~cells[i]) {
			sim_breach(c, "%s: program sets bits at byte %u of eraseblock %u",
				   c->target.name, op->offset + i, op->eb);
			break;
		}
	for (uint32_t i = 0; i + hole <= op->len; i += hole)
		if (all_ff(data + i, hole))
			sim_breach(c, "%s: program of a blank page at %u of eraseblock %u",
				   c->target.name, op->offset + i, op->eb);
}

/* Each sub-page once between two erases, and none behind one that is programmed already. */
static void check_order(struct sim_chip *c, const struct sim_op *op)
{
	uint32_t unit = c->target.subpage, units = target_block_size(&c->target, op->eb) / unit;

	for (uint32_t n = op->offset / unit; n < units; n++)
		if (sim_states(c, op->eb)[n] != SIM_BLANK) {
			sim_breach(c,
				   "%s: page %u of eraseblock %u programmed out of order or twice",
				   c->target.name, op->offset / c->target.page, op->eb);
			return;
		}
}

static void check_program(struct sim_chip *c, const struct sim_op *op, const uint8_t *data)
{
	uint32_t unit = c->target.subpage;

	if (op->offset % unit || op->len % unit)
		sim_breach(c, "%s: program of %u bytes at %u of eraseblock %u: not whole pages",
			   c->target.name, op->len, op->offset, op->eb);
	if (c->block[op->eb].lied)
		return;
	if (c->block[op->eb].half_erased)
		sim_breach(c, "%s: program of eraseblock %u, whose erase was not completed",
			   c->target.name, op->eb);
	check_bits(c, op, data);
	if (c->kind == SIM_NAND)
		check_order(c, op);
}

/* Where ECC covers the OOB, too, a page whose OOB was written before does not agree with it. */
static void set_programmed(struct sim_chip *c, const struct sim_op *op, uint32_t len)
{
	uint32_t unit = c->target.subpage;

	for (uint32_t at = op->offset; at < op->offset + len; at += unit) {
		uint32_t page = sim_first_page(c, op->eb) + at / c->target.page;
		bool spoilt = c->oob_has_ecc && c->oob_writes[page];

		sim_states(c, op->eb)[at / unit] = spoilt ? SIM_TORN : SIM_PROGRAMMED;
	}
}

static void program_cells(struct sim_chip *c, const struct sim_op *op, const uint8_t *data,
			  uint32_t len)
{
	uint8_t *cells = sim_cells(c, op->eb) + op->offset;

	for (uint32_t i = 0; i < len; i++)
		cells[i] &= data[i];
}

/* Some pages, and the next one torn; or that one torn so early that it still reads blank. */
static void program_part(struct sim_chip *c, const struct sim_op *op, const uint8_t *data,
			 enum sim_how how)
{
	uint32_t unit = c->target.subpage, last = op->len - unit, half = op->len / 2 / unit * unit;
	uint32_t whole = how == SIM_CUT_EARLY ? 0 : how >= SIM_CUT_LATE ? last : half;
	uint8_t *state = sim_states(c, op->eb) + (op->offset + whole) / unit;

	if (how == SIM_CUT_WEAK)
		program_cells(c, op, data, op->len);
	else if (how == SIM_CUT_EARLY || c->kind != SIM_NAND)
		program_cells(c, op, data, whole);
	else
		program_cells(c, op, data, whole + unit / 2);
	if (c->kind != SIM_NAND)
		return;
	set_programmed(c, op, whole);
	*state = how == SIM_CUT_EARLY ? SIM_FAINT : how == SIM_CUT_WEAK ? SIM_WEAK : SIM_TORN;
}

static int program(struct target *t, uint32_t eb, uint32_t offset, const void *buf, uint32_t len,
		   struct fault *f)
{
	struct sim_chip *c = sim_chip_of(t);
	struct sim_op op = { SIM_PROGRAM, c->number, eb, offset, len, false };
	struct sim_fault *wrong;

	if (sim_start(c, op, &wrong, f) < 0)
		return -1;
	check_program(c, &op, buf);
	if (sim_is_partial(wrong)) {
		program_part(c, &op, buf, wrong->how);
		return sim_end(c, &op, wrong, f);
	}
	program_cells(c, &op, buf, len);
	if (c->kind == SIM_NAND)
		set_programmed(c, &op, len);
	if (sim_happens(wrong, SIM_GARBLE))
		sim_cells(c, eb)[offset + len / 2] ^= 0x10;
	return sim_end(c, &op, wrong, f);
}

static int no_oob(const struct sim_chip *c, uint32_t len, struct fault *f)
{
	(void)fault_set(f, FAULT_FLASH, "%s: no %u free bytes of OOB", c->target.name, len);
	f->err = EOPNOTSUPP;
	return -1;
}

static uint8_t *oob_of(struct sim_chip *c, uint32_t eb, uint32_t offset)
{
	return sim_oob(c, eb) + (size_t)(offset / c->target.page) * c->oob_size;
}

static int read_oob(struct target *t, uint32_t eb, uint32_t offset, void *buf, uint32_t len,
		    struct fault *f)
{
	struct sim_chip *c = sim_chip_of(t);
	struct sim_op op = { SIM_READ_OOB, 0, eb, offset, len, false };
	struct sim_fault *wrong;

	if (sim_start_look(c, op, &wrong, f) < 0)
		return -1;
	if (len > c->oob_size)
		return no_oob(c, len, f);
	memcpy(buf, oob_of(c, eb, offset), len);
	if (sim_happens(wrong, SIM_FLIP))
		((uint8_t *)buf)[len / 2] ^= 0x04;
	return 0;
}

/* What is written into a blank page is to be relied on; what is added to data need not be. */
static void check_write_oob(struct sim_chip *c, const struct sim_op *op)
{
	uint32_t page = op->offset / c->target.page;

	if (op->offset % c->target.page)
		sim_breach(c, "%s: OOB at %u of eraseblock %u, which is not a page", c->target.name,
			   op->offset, op->eb);
	if (c->block[op->eb].lied)
		return;
	if (c->block[op->eb].half_erased && page != 1)
		sim_breach(c, "%s: OOB of eraseblock %u, whose erase was not completed",
			   c->target.name, op->eb);
	if (c->oob_writes[sim_first_page(c, op->eb) + page]++ && page != 1)
		sim_breach(c, "%s: OOB of page %u of eraseblock %u written twice", c->target.name,
			   page, op->eb);
	if (c->target.one_write)
		sim_breach(c, "%s: OOB of pages that are programmed once", c->target.name);
}

/* A page's ECC covers its OOB, too, and cannot be programmed in two parts. */
static void spoil_ecc(struct sim_chip *c, uint32_t eb, uint32_t offset)
{
	uint8_t *state = sim_states(c, eb) + offset / c->target.subpage;

	if (c->oob_has_ecc && *state == SIM_PROGRAMMED)
		*state = SIM_TORN;
}

static int write_oob(struct target *t, uint32_t eb, uint32_t offset, const void *buf, uint32_t len,
		     struct fault *f)
{
	struct sim_chip *c = sim_chip_of(t);
	struct sim_op op = { SIM_WRITE_OOB, c->number, eb, offset, len, false };
	struct sim_fault *wrong;
	uint32_t done = len;

	if (sim_start(c, op, &wrong, f) < 0)
		return -1;
	if (len > c->oob_size)
		return no_oob(c, len, f);
	check_write_oob(c, &op);
	if (sim_is_partial(wrong))
		done = wrong->how == SIM_CUT_EARLY                                ? 0
		       : wrong->how == SIM_CUT_LATE || wrong->how == SIM_CUT_WEAK ? len - 1
										  : len / 2;
	for (uint32_t i = 0; i < done; i++)
		oob_of(c, eb, offset)[i] &= ((const uint8_t *)buf)[i];
	spoil_ecc(c, eb, offset);
	if (sim_happens(wrong, SIM_GARBLE))
		oob_of(c, eb, offset)[len / 2] ^= 0x10;
	return sim_end(c, &op, wrong, f);
}

const struct target_ops sim_nand_ops = {
	.is_bad = is_bad,
	.mark_bad = mark_bad,
	.erase = erase,
	.program = program,
	.read = read,
	.ecc = ecc,
	.read_oob = read_oob,
	.write_oob = write_oob,
	.close = sim_close,
};

const struct target_ops sim_nor_ops = {
	.is_bad = sim_never_bad,
	.erase = erase,
	.program = program,
	.read = read,
	.ecc = ecc,
	.close = sim_close,
};
