// SPDX-License-Identifier: GPL-2.0-or-later
#include "ubi_image.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "bytes.h"
#include "helpers.h"
#include "sim_ops.h"

enum {
	HEADER = 64,
	EC_COUNTER = 8,
	EC_VID_OFFSET = 16,
	EC_DATA_OFFSET = 20,
	EC_IMAGE_SEQ = 24,
	VID_VOLUME = 8,
	VID_LEB = 12,
	VID_SQNUM = 40,
	CRC = 60,
	RECORD = 172, /* of the volume table */
	RECORD_CRC = 168,
};

#define LAYOUT_VOLUME 0x7fffefffu
#define NEW_SEQ 0x12345678u
#define OLD_SEQ 0x0badcafeu

/*
 * What is not in a payload's bytes: where its headers lie, where the old volume table is, and what
 * counters a run began with.
 */
static struct ubi_shape shapes[BENCH_CHIPS];
static uint32_t old_layout[BENCH_CHIPS][2];
static int64_t counters[BENCH_CHIPS][64];
static int64_t mean[BENCH_CHIPS];

static void put_be32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* UBI's CRC starts with all bits set and is not inverted at the end. */
static uint32_t ubi_crc(const uint8_t *p, size_t len)
{
	return (uint32_t)crc32(0, p, (uInt)len) ^ 0xffffffff;
}

static void put_ec(uint8_t *p, const struct ubi_shape *s, uint32_t counter, uint32_t seq)
{
	memset(p, 0, HEADER);
	memcpy(p, "UBI#\1", 5);
	put_be32(p + EC_COUNTER + 4, counter);
	put_be32(p + EC_VID_OFFSET, s->vid_offset);
	put_be32(p + EC_DATA_OFFSET, s->data_offset);
	put_be32(p + EC_IMAGE_SEQ, seq);
	put_be32(p + CRC, ubi_crc(p, CRC));
}

static void put_vid(uint8_t *p, uint32_t volume, uint32_t leb, uint32_t sqnum)
{
	memset(p, 0, HEADER);
	memcpy(p, "UBI!\1\1", 6); /* version 1, a dynamic volume */
	if (volume == LAYOUT_VOLUME)
		p[7] = 5; /* UBI_COMPAT_REJECT */
	put_be32(p + VID_VOLUME, volume);
	put_be32(p + VID_LEB, leb);
	put_be32(p + VID_SQNUM + 4, sqnum);
	put_be32(p + CRC, ubi_crc(p, CRC));
}

static bool is_header(const uint8_t *p, const char *magic)
{
	return memcmp(p, magic, 4) == 0 && p[4] == 1 && get_be32(p + CRC) == ubi_crc(p, CRC);
}

/* Part of an eraseblock that no page is torn in, but for what reads right for now. */
static bool can_read(struct sim_chip *c, uint32_t eb, uint32_t offset, uint32_t len)
{
	uint32_t unit = c->target.subpage;

	for (uint32_t n = offset / unit; n * unit < offset + len; n++)
		if (sim_states(c, eb)[n] > SIM_PROGRAMMED && sim_states(c, eb)[n] != SIM_WEAK)
			return false;
	return true;
}

int64_t ubi_counter(struct sim_chip *c, uint32_t eb)
{
	const uint8_t *p = sim_cells(c, eb);

	if (!is_header(p, "UBI#") || !can_read(c, eb, 0, HEADER))
		return -1;
	return get_be32(p + EC_COUNTER + 4);
}

int64_t ubi_mean_counter(struct sim_chip *c)
{
	int64_t sum = 0, known = 0;

	for (uint32_t eb = 0; eb < c->target.blocks; eb++)
		if (!c->block[eb].bad && ubi_counter(c, eb) >= 0) {
			sum += ubi_counter(c, eb);
			known++;
		}
	return known ? sum / known : 0;
}

void ubi_damage_header(struct sim_chip *c, uint32_t eb)
{
	sim_cells(c, eb)[EC_COUNTER + 7] ^= 0x40;
}

/* One eraseblock of a volume, not quite full. */
static void fill_block(uint8_t *p, uint32_t size, const struct ubi_shape *s, uint32_t seed)
{
	uint32_t full = (size - s->data_offset) / 8 * (4 + seed % 4);

	memset(p + HEADER, 0xff, size - HEADER);
	fill_random(p + s->data_offset, full, seed);
}

/* A volume table of records that differ by seed: all that matters of them is their checksums. */
static void fill_table(uint8_t *p, uint32_t size, const struct ubi_shape *s, uint32_t seed)
{
	uint8_t *record = p + s->data_offset;

	memset(p + HEADER, 0xff, size - HEADER);
	for (; record + RECORD <= p + size; record += RECORD) {
		fill_random(record, RECORD_CRC, seed);
		put_be32(record + RECORD_CRC, ubi_crc(record, RECORD_CRC));
	}
}

static void make_new(struct bench *b, unsigned int chip, uint32_t blocks)
{
	const struct ubi_shape *s = &shapes[chip];
	uint32_t size = b->chip[chip]->target.eraseblock;

	assert_int_equal(b->new_len[chip], (size_t)blocks * size);
	for (uint32_t n = 0; n < blocks; n++) {
		uint8_t *p = b->new[chip] + (size_t)n *size;

		if (n < 2)
			fill_table(p, size, s, 500);
		else
			fill_block(p, size, s, 500 + n);
		put_ec(p, s, 0, NEW_SEQ);
		if (n < 2)
			put_vid(p + s->vid_offset, LAYOUT_VOLUME, n, 0);
		else
			put_vid(p + s->vid_offset, 0, n - 2, 0);
	}
}

/* The n-th good eraseblock of the UBI that was in use. */
static void make_old_block(struct bench *b, unsigned int chip, uint32_t n, const uint32_t layout[2])
{
	const struct ubi_shape *s = &shapes[chip];
	struct sim_chip *c = b->chip[chip];
	uint32_t size = c->target.eraseblock, eb = sim_good(c, n);
	uint8_t *p = b->old[chip] + (size_t)n * size;
	uint32_t leb = n == layout[0] ? 0 : 1;

	if (n == layout[0] || n == layout[1])
		fill_table(p, size, s, 700);
	else
		fill_block(p, size, s, 700 + n);
	put_ec(p, s, 100 + 7 * n, OLD_SEQ);
	if (n == layout[0] || n == layout[1])
		put_vid(p + s->vid_offset, LAYOUT_VOLUME, leb, 5000 + n);
	else if (n % 4 == 3) /* free: nothing but its counter */
		memset(p + HEADER, 0xff, size - HEADER);
	else
		put_vid(p + s->vid_offset, 0, n, 6000 - n);
	if (n == 4) /* was never erased since it was lost to an unclean reboot */
		memset(p, 0xff, size);
	sim_factory_block(c, eb, p, size);
	if (n == 5)
		ubi_damage_header(c, eb);
}

void ubi_bench(struct bench *b, unsigned int chip, const struct ubi_shape *shape, uint32_t blocks,
	       const uint32_t layout[2])
{
	struct sim_chip *c = b->chip[chip];

	shapes[chip] = *shape;
	b->kind[chip] = PAYLOAD_UBI;
	b->tail[chip] = TAIL_NONE;
	b->judge[chip] = &bench_ubi;
	for (int i = 0; i < 2; i++)
		old_layout[chip][i] = sim_good(c, layout[i]);
	make_new(b, chip, blocks);
	for (uint32_t n = 0; n < b->old_len[chip] / c->target.eraseblock; n++)
		make_old_block(b, chip, n, layout);
	bench_pack(b);
}

static void before_run(struct bench *b, unsigned int chip)
{
	struct sim_chip *c = b->chip[chip];

	assert_true(c->target.blocks <= 64);
	mean[chip] = ubi_mean_counter(c);
	for (uint32_t eb = 0; eb < c->target.blocks; eb++)
		counters[chip][eb] = ubi_counter(c, eb);
}

static uint32_t erases_of(const struct bench *b, unsigned int chip, uint32_t eb)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < b->board.ops; i++) {
		const struct sim_op *op = &b->board.log[i];

		count += op->what == SIM_ERASE && op->chip == chip && op->eb == eb;
	}
	return count;
}

/*
 * What the last run has made of a counter: what it was, or else the average, and one for each erase.
 * Where reads failed, what could be read of the old ones is not known here.
 */
static bool counter_fits(const struct bench *b, unsigned int chip, uint32_t eb, int64_t counter)
{
	int64_t was = counters[chip][eb] >= 0 ? counters[chip][eb] : mean[chip];
	uint32_t erases = erases_of(b, chip, eb);

	if (b->board.faults || b->board.weaknesses)
		return counter >= erases;
	return counter == was + erases;
}

/* The EC header, but for the counter, is the image's; the counter is the eraseblock's. */
static bool header_fits(struct bench *b, unsigned int chip, uint32_t eb)
{
	int64_t counter = ubi_counter(b->chip[chip], eb);
	uint8_t want[HEADER];

	put_ec(want, &shapes[chip], (uint32_t)counter, NEW_SEQ);
	return counter >= 0 && memcmp(sim_cells(b->chip[chip], eb), want, HEADER) == 0 &&
	       counter_fits(b, chip, eb, counter);
}

static bool block_fits(struct bench *b, unsigned int chip, uint32_t eb, uint32_t nth)
{
	struct sim_chip *c = b->chip[chip];
	uint32_t size = c->target.eraseblock;
	const uint8_t *cells = sim_cells(c, eb);
	size_t from = (size_t)nth * size;

	if (!header_fits(b, chip, eb) || !sim_is_sound(c, eb))
		return false;
	if (from >= b->new_len[chip])
		return all_ff(cells + HEADER, size - HEADER);
	return memcmp(cells + HEADER, b->new[chip] + from + HEADER, size - HEADER) == 0;
}

static bool is_new_from(struct bench *b, unsigned int chip, uint32_t n)
{
	struct sim_chip *c = b->chip[chip];

	for (uint32_t eb = 0, nth = 0; eb < c->target.blocks; eb++)
		if (!c->block[eb].bad && nth++ >= n && !block_fits(b, chip, eb, nth - 1))
			return false;
	return true;
}

static bool is_new(struct bench *b, unsigned int chip)
{
	return is_new_from(b, chip, 0);
}

/* Two copies of the volume table are written last. */
static bool lacks_only_start(struct bench *b, unsigned int chip)
{
	return is_new_from(b, chip, 2);
}

/* An eraseblock that nobody gets to see the header of, neither the engine nor the kernel. */
static bool cannot_be_read(const struct bench *b, unsigned int chip, uint32_t eb)
{
	for (unsigned int i = 0; i < b->board.weaknesses; i++) {
		const struct sim_weakness *w = &b->board.weakness[i];

		if (w->chip == chip && w->eb == eb && w->what == SIM_READ &&
		    w->left == SIM_FOR_EVER)
			return true;
	}
	return false;
}

/* Whether the kernel would take the eraseblock for one of the volume table, of the given UBI. */
static bool is_layout(struct bench *b, unsigned int chip, uint32_t eb, uint32_t seq)
{
	struct sim_chip *c = b->chip[chip];
	const uint8_t *cells = sim_cells(c, eb), *vid = cells + shapes[chip].vid_offset;

	return !c->block[eb].bad && !cannot_be_read(b, chip, eb) && is_header(vid, "UBI!") &&
	       get_be32(vid + VID_VOLUME) == LAYOUT_VOLUME &&
	       can_read(c, eb, shapes[chip].vid_offset, HEADER) &&
	       (get_be32(cells + EC_IMAGE_SEQ) == seq);
}

static bool has_layout(struct bench *b, unsigned int chip, uint32_t seq)
{
	for (uint32_t eb = 0; eb < b->chip[chip]->target.blocks; eb++)
		if (is_layout(b, chip, eb, seq))
			return true;
	return false;
}

static bool starts_old(struct bench *b, unsigned int chip)
{
	return has_layout(b, chip, OLD_SEQ);
}

static bool starts_new(struct bench *b, unsigned int chip)
{
	return has_layout(b, chip, NEW_SEQ);
}

/* UBI finds no volume table: it looks at no first eraseblock. */
static bool has_no_start(struct bench *b, unsigned int chip)
{
	return !starts_old(b, chip) && !starts_new(b, chip);
}

/* With one copy of its volume table UBI lives, and makes the other one anew. */
static bool is_whole_old(struct bench *b, unsigned int chip)
{
	struct sim_chip *c = b->chip[chip];

	for (uint32_t eb = 0; eb < c->target.blocks; eb++)
		if (eb != old_layout[chip][0] && eb != old_layout[chip][1] &&
		    !sim_block_unchanged(c, b->start, eb))
			return false;
	return true;
}

const struct bench_kind bench_ubi = {
	.before_run = before_run,
	.is_new = is_new,
	.lacks_only_start = lacks_only_start,
	.has_no_start = has_no_start,
	.starts_old = starts_old,
	.is_whole_old = is_whole_old,
	.starts_new = starts_new,
	.is_whole_new = lacks_only_start,
};
