// SPDX-License-Identifier: GPL-2.0-or-later
/* What is in the simulated flash: cells, their state and marks; what it should be; copies of it. */
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "sim_ops.h"

uint8_t *sim_cells(struct sim_chip *c, uint32_t eb)
{
	return c->cells + target_block_offset(&c->target, eb);
}

uint32_t sim_pages(const struct sim_chip *c, uint32_t eb)
{
	return target_block_size(&c->target, eb) / c->target.page;
}

uint32_t sim_first_page(const struct sim_chip *c, uint32_t eb)
{
	return (uint32_t)(target_block_offset(&c->target, eb) / c->target.page);
}

uint8_t *sim_oob(struct sim_chip *c, uint32_t eb)
{
	return c->oob + (size_t)sim_first_page(c, eb) * c->oob_size;
}

static size_t state_count(const struct sim_chip *c)
{
	return (size_t)(c->target.size / c->target.subpage);
}

uint8_t *sim_states(struct sim_chip *c, uint32_t eb)
{
	return c->state + target_block_offset(&c->target, eb) / c->target.subpage;
}

static size_t page_count(const struct sim_chip *c)
{
	return c->oob_size ? (size_t)(c->target.size / c->target.page) : 0;
}

static size_t oob_bytes(const struct sim_chip *c)
{
	return page_count(c) * c->oob_size;
}

void sim_free_contents(struct sim_chip *c)
{
	free(c->cells);
	free(c->state);
	free(c->block);
	free(c->oob);
	free(c->oob_writes);
	free(c->stable);
}

void sim_make_blank(struct sim_chip *c)
{
	size_t size = (size_t)c->target.size;

	sim_free_contents(c);
	c->cells = memset(sim_allocate(1, size), 0xff, size);
	c->stable = memset(sim_allocate(1, size), 0xff, size);
	c->state = sim_allocate(state_count(c), 1);
	c->block = sim_allocate(c->target.blocks, sizeof(*c->block));
	c->oob = memset(sim_allocate(1, oob_bytes(c)), 0xff, oob_bytes(c));
	c->oob_writes = sim_allocate(1, page_count(c));
}

uint32_t sim_good(const struct sim_chip *c, uint32_t n)
{
	for (uint32_t eb = 0; eb < c->target.blocks; eb++)
		if (!c->block[eb].bad && n-- == 0)
			return eb;
	abort();
}

bool sim_is_readable(struct sim_chip *c, uint32_t eb)
{
	uint32_t units = target_block_size(&c->target, eb) / c->target.subpage;

	for (uint32_t n = 0; n < units; n++)
		if (sim_states(c, eb)[n] > SIM_PROGRAMMED)
			return false;
	return true;
}

bool sim_is_sound(struct sim_chip *c, uint32_t eb)
{
	return sim_is_readable(c, eb) && !c->block[eb].half_erased && !c->volume.broken &&
	       !c->volume.updating;
}

bool sim_is_blank(struct sim_chip *c, uint32_t eb)
{
	return sim_is_readable(c, eb) &&
	       all_ff(sim_cells(c, eb), target_block_size(&c->target, eb));
}

bool sim_block_holds(struct sim_chip *c, uint32_t eb, const uint8_t *data, size_t len)
{
	const uint8_t *cells = sim_cells(c, eb);
	uint32_t size = target_block_size(&c->target, eb);

	return len <= size && (len == 0 || memcmp(cells, data, len) == 0) &&
	       all_ff(cells + len, size - len) && sim_is_sound(c, eb);
}

uint32_t sim_differing(struct sim_chip *c, const uint8_t *data, size_t len)
{
	uint32_t count = 0;
	size_t at = 0;

	for (uint32_t eb = 0; eb < c->target.blocks; eb++) {
		size_t size = target_block_size(&c->target, eb), left = len - at;

		if (c->block[eb].bad)
			continue;
		count +=
			!sim_block_holds(c, eb, left ? data + at : NULL, left < size ? left : size);
		at += left < size ? left : size;
	}
	return count + (at < len);
}

bool sim_holds(struct sim_chip *c, const uint8_t *data, size_t len)
{
	return sim_differing(c, data, len) == 0;
}

void sim_clear_oob(struct sim_chip *c, uint32_t eb, uint32_t pages)
{
	if (c->oob_size == 0)
		return;
	memset(sim_oob(c, eb), 0xff, (size_t)pages * c->oob_size);
	memset(c->oob_writes + sim_first_page(c, eb), 0, pages);
}

void sim_factory_block(struct sim_chip *c, uint32_t eb, const uint8_t *data, size_t len)
{
	uint8_t *cells = sim_cells(c, eb);
	uint32_t size = target_block_size(&c->target, eb), unit = c->target.subpage;

	memset(cells, 0xff, size);
	if (len)
		memcpy(cells, data, len);
	memcpy(c->stable + target_block_offset(&c->target, eb), cells, size);
	for (uint32_t n = 0; n < size / unit; n++)
		sim_states(c, eb)[n] = all_ff(cells + (size_t)n * unit, unit) ? SIM_BLANK
									      : SIM_PROGRAMMED;
	sim_clear_oob(c, eb, sim_pages(c, eb));
	c->block[eb] = (struct sim_block){ .bad = c->block[eb].bad };
}

void sim_factory_fill(struct sim_chip *c, const uint8_t *data, size_t len)
{
	size_t at = 0;

	for (uint32_t eb = 0; eb < c->target.blocks; eb++) {
		size_t size = target_block_size(&c->target, eb), left = len - at;

		if (c->block[eb].bad)
			continue;
		sim_factory_block(c, eb, left ? data + at : NULL, left < size ? left : size);
		at += left < size ? left : size;
	}
	c->volume = (struct sim_volume){ .broken = false };
}

struct sim_snapshot {
	unsigned int chips;
	struct sim_chip chip[SIM_CHIPS_MAX]; /* with copies of what they point to */
	struct sim_weakness weakness[SIM_WEAKNESSES_MAX];
	unsigned int weaknesses;
};

static void *copy_of(const void *from, size_t len)
{
	return memcpy(sim_allocate(1, len), from, len);
}

struct sim_snapshot *sim_save(const struct sim_board *b)
{
	struct sim_snapshot *s = sim_allocate(1, sizeof(*s));

	s->chips = b->chips;
	for (unsigned int i = 0; i < b->chips; i++) {
		const struct sim_chip *c = b->chip[i];
		struct sim_chip *to = &s->chip[i];

		*to = *c;
		to->cells = copy_of(c->cells, c->target.size);
		to->stable = copy_of(c->stable, c->target.size);
		to->state = copy_of(c->state, state_count(c));
		to->block = copy_of(c->block, c->target.blocks * sizeof(*c->block));
		to->oob = copy_of(c->oob, oob_bytes(c));
		to->oob_writes = copy_of(c->oob_writes, page_count(c));
	}
	memcpy(s->weakness, b->weakness, sizeof(s->weakness));
	s->weaknesses = b->weaknesses;
	return s;
}

void sim_restore(struct sim_board *b, const struct sim_snapshot *s)
{
	for (unsigned int i = 0; i < b->chips; i++) {
		const struct sim_chip *from = &s->chip[i];
		struct sim_chip *c = b->chip[i];

		memcpy(c->cells, from->cells, c->target.size);
		memcpy(c->stable, from->stable, c->target.size);
		memcpy(c->state, from->state, state_count(c));
		memcpy(c->block, from->block, c->target.blocks * sizeof(*c->block));
		memcpy(c->oob, from->oob, oob_bytes(c));
		memcpy(c->oob_writes, from->oob_writes, page_count(c));
		c->volume = from->volume;
	}
	memcpy(b->weakness, s->weakness, sizeof(s->weakness));
	b->weaknesses = s->weaknesses;
	b->off = true; /* what was not synced now must not be lost from what was restored */
	sim_power_cycle(b);
}

const uint8_t *sim_saved_oob(const struct sim_chip *c, const struct sim_snapshot *s, uint32_t eb)
{
	return s->chip[c->number].oob + (size_t)sim_first_page(c, eb) * c->oob_size;
}

bool sim_data_unchanged(const struct sim_chip *c, const struct sim_snapshot *s, uint32_t eb)
{
	const struct sim_chip *was = &s->chip[c->number];
	size_t from = (size_t)target_block_offset(&c->target, eb), unit = c->target.subpage;
	size_t size = target_block_size(&c->target, eb);

	return c->block[eb].bad == was->block[eb].bad &&
	       memcmp(c->cells + from, was->cells + from, size) == 0 &&
	       memcmp(c->state + from / unit, was->state + from / unit, size / unit) == 0;
}

bool sim_block_unchanged(const struct sim_chip *c, const struct sim_snapshot *s, uint32_t eb)
{
	const struct sim_chip *was = &s->chip[c->number];
	size_t from = (size_t)sim_first_page(c, eb) * c->oob_size;
	size_t size = (size_t)sim_pages(c, eb) * c->oob_size;

	return sim_data_unchanged(c, s, eb) && memcmp(c->oob + from, was->oob + from, size) == 0;
}

bool sim_unchanged(const struct sim_chip *c, const struct sim_snapshot *s)
{
	for (uint32_t eb = 0; eb < c->target.blocks; eb++)
		if (!sim_block_unchanged(c, s, eb))
			return false;
	return c->volume.broken == s->chip[c->number].volume.broken && !c->volume.updating;
}

void sim_snapshot_free(struct sim_snapshot *s)
{
	for (unsigned int i = 0; i < s->chips; i++)
		sim_free_contents(&s->chip[i]);
	free(s);
}
