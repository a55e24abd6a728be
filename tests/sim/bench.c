// SPDX-License-Identifier: GPL-2.0-or-later
#include "bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bytes.h"
#include "helpers.h"
#include "images.h"
#include "sim_ops.h"
#include "source.h"

enum { PIPE_SIZE = 1 << 20 };

static const struct key_ring no_keys;
static const char *const names[BENCH_CHIPS] = { "rootfs", "kernel" };

void bench_init(struct bench *b, uint32_t chunk_size)
{
	memset(b, 0, sizeof(*b));
	sim_board_init(&b->board);
	b->chunk_size = chunk_size;
}

void bench_free(struct bench *b)
{
	sim_board_free(&b->board);
	for (unsigned int i = 0; i < b->count; i++) {
		free(b->old[i]);
		free(b->new[i]);
	}
	if (b->start)
		sim_snapshot_free(b->start);
	memset(b, 0, sizeof(*b));
}

/* Data with what the engine treats apart: blank pages, a blank eraseblock, what compresses. */
static void fill_firmware(uint8_t *p, size_t len, uint32_t eraseblock, uint32_t seed)
{
	uint32_t page = eraseblock / 8;

	fill_random(p, len, seed);
	for (size_t at = 0, n = 0; at + eraseblock <= len; at += eraseblock, n++) {
		if (n % 4 == 1) { /* a hole in the middle, and a blank end */
			memset(p + at + 2 * page, 0xff, 2 * page);
			memset(p + at + 7 * page, 0xff, page);
		} else if (n % 4 == 2) {
			memset(p + at, 0xff, page);
			memset(p + at + 3 * page, 0x11, 2 * page);
		} else if (n % 4 == 3) {
			memset(p + at, 0xff, eraseblock);
		}
	}
}

/* Bytes in all good eraseblocks. */
static size_t good_bytes(const struct sim_chip *c)
{
	size_t sum = 0;

	for (uint32_t eb = 0; eb < c->target.blocks; eb++)
		if (!c->block[eb].bad)
			sum += target_block_size(&c->target, eb);
	return sum;
}

void bench_add_chip(struct bench *b, struct sim_chip *c, size_t new_len)
{
	static const enum payload_kind kinds[] = { PAYLOAD_MTD, PAYLOAD_MTD, PAYLOAD_BLOCK,
						   PAYLOAD_UBIVOL };
	unsigned int n = b->count++;

	assert_int_equal(c->number, n);
	b->chip[n] = c;
	b->kind[n] = kinds[c->kind];
	b->tail[n] = b->kind[n] == PAYLOAD_MTD ? TAIL_ERASE : TAIL_NONE;
	b->judge[n] = &bench_raw;
	b->old_len[n] = good_bytes(c);
	b->new_len[n] = new_len;
	b->old[n] = malloc(b->old_len[n]);
	b->new[n] = malloc(new_len);
	assert_true(b->old[n] && b->new[n]);
	fill_random(b->old[n], b->old_len[n], 100 + n);
	fill_firmware(b->new[n], new_len, c->target.eraseblock, 200 + n);
}

void bench_add(struct bench *b, const struct sim_geometry *g, size_t new_len)
{
	bench_add_chip(b, sim_add_chip(&b->board, names[b->count], g), new_len);
}

void bench_old_differs_in(struct bench *b, unsigned int chip, uint64_t differing)
{
	struct sim_chip *c = b->chip[chip];
	size_t at = 0;

	assert_true(b->new_len[chip] <= b->old_len[chip]);
	memset(b->old[chip], 0xff, b->old_len[chip]);
	memcpy(b->old[chip], b->new[chip], b->new_len[chip]);
	for (uint32_t n = 0; at < b->old_len[chip]; n++) {
		uint32_t size = target_block_size(&c->target, sim_good(c, n));

		if (differing >> n & 1)
			b->old[chip][at + (n * 37) % size] ^= 0x81;
		at += size;
	}
}

void bench_pack(struct bench *b)
{
	struct image_input in[BENCH_CHIPS];

	for (unsigned int i = 0; i < b->count; i++)
		in[i] = (struct image_input){ b->chip[i]->target.name, b->new[i], b->new_len[i] };
	b->image = "new.fwi";
	make_image(temp_path("%s", b->image), in, b->count, b->chunk_size);
	if (b->start)
		sim_snapshot_free(b->start);
	b->start = sim_save(&b->board);
	bench_restart(b);
}

void bench_ready(struct bench *b)
{
	for (unsigned int i = 0; i < b->count; i++)
		sim_factory_fill(b->chip[i], b->old[i], b->old_len[i]);
	bench_pack(b);
}

static uint32_t count_bad(const struct sim_chip *c)
{
	uint32_t count = 0;

	for (uint32_t eb = 0; eb < c->target.blocks; eb++)
		count += c->block[eb].bad;
	return count;
}

static uint32_t count_good(const struct sim_chip *c)
{
	return c->target.blocks - count_bad(c);
}

void bench_restart(struct bench *b)
{
	sim_restore(&b->board, b->start);
	for (unsigned int i = 0; i < b->count; i++)
		b->bad_at_start[i] = count_bad(b->chip[i]);
}

static int on_begin(void *ctx, struct fault *f)
{
	struct bench *b = ctx;

	b->begins++;
	b->begin_at = b->board.ops;
	if (b->refuse_begin)
		return fault_set(f, FAULT_FAILED, "nobody can be told");
	return b->at_begin ? b->at_begin(f) : 0;
}

static void on_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct bench *b = ctx;

	if (done < b->done || done > total || (b->total && total != b->total))
		b->progress_fits = false;
	b->done = done;
	b->total = total;
}

static void on_note(void *ctx, const char *text)
{
	struct bench *b = ctx;

	b->notes++;
	(void)snprintf(b->note, sizeof(b->note), "%s", text);
}

static void forget_last_run(struct bench *b)
{
	memset(b->counts, 0, sizeof(b->counts));
	memset(&b->fault, 0, sizeof(b->fault));
	b->begun = false;
	b->begins = 0;
	b->notes = 0;
	b->done = b->total = 0;
	b->progress_fits = true;
}

/* A pipe that has the whole image in it, so that nobody needs to write while the engine reads. */
static int open_pipe(const char *path)
{
	size_t len;
	uint8_t *image = read_file(path, &len);
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	assert_true(fcntl(ends[1], F_SETPIPE_SZ, PIPE_SIZE) >= (int)len);
	assert_int_equal(write(ends[1], image, len), len);
	(void)close(ends[1]);
	free(image);
	return ends[0];
}

static void open_image(struct bench *b, struct source *src, struct image *img)
{
	const char *path = temp_path("%s", b->image);
	char of_pipe[32];
	int fd = -1;

	if (b->from_pipe) {
		fd = open_pipe(path);
		(void)snprintf(of_pipe, sizeof(of_pipe), "/proc/self/fd/%d", fd);
		path = of_pipe;
	}
	if (source_open(src, path, &b->fault) < 0 || image_read(img, src, &no_keys, &b->fault) < 0)
		fail_msg("%s", b->fault.text);
	src->name = b->image;
	assert_int_equal(src->seekable, !b->from_pipe);
	if (fd >= 0)
		(void)close(fd);
	for (unsigned int i = 0; i < b->count; i++) {
		img->payload[i].kind = b->kind[i];
		img->payload[i].tail = b->tail[i];
	}
}

/* Marks that were made though marking returned an error. */
static void count_unsaid(struct bench *b)
{
	memset(b->unsaid, 0, sizeof(b->unsaid));
	for (uint32_t i = 0; i < b->board.ops; i++) {
		const struct sim_op *op = &b->board.log[i];

		if (op->what == SIM_MARK_BAD && op->failed && op->chip < b->count)
			b->unsaid[op->chip] += b->chip[op->chip]->block[op->eb].bad;
	}
}

int bench_run(struct bench *b)
{
	struct engine_events events = { b, on_begin, on_progress, on_note, NULL };
	struct target *targets[BENCH_CHIPS] = { NULL };
	uint32_t bad[BENCH_CHIPS];
	struct source src;
	struct image img;
	int result;

	forget_last_run(b);
	b->runs++;
	for (unsigned int i = 0; i < b->count; i++) {
		targets[i] = &b->chip[i]->target;
		if (b->judge[i]->before_run)
			b->judge[i]->before_run(b, i);
		bad[i] = count_bad(b->chip[i]);
	}
	open_image(b, &src, &img);
	result = engine_run(&img, &src, targets, &events, b->counts, &b->begun, &b->fault);
	image_free(&img);
	source_close(&src);
	sim_forget_ram_marks(&b->board); /* what matters is what the next boot finds */
	for (unsigned int i = 0; i < b->count; i++)
		b->newly_bad[i] = count_bad(b->chip[i]) - bad[i];
	count_unsaid(b);
	return result;
}

static void trace(const struct bench *b)
{
	const struct sim_board *board = &b->board;

	for (unsigned int i = 0; i < board->faults; i++)
		print_error("planned: operation %u goes wrong in way %d, errno %d, %u times\n",
			    board->fault[i].op, board->fault[i].how, board->fault[i].err,
			    board->fault[i].times);
	for (unsigned int i = 0; i < board->weaknesses; i++)
		print_error(
			"weak: chip %u eraseblock %u, operation kind %d, way %d, %u more times\n",
			board->weakness[i].chip, board->weakness[i].eb, board->weakness[i].what,
			board->weakness[i].fault.how, board->weakness[i].left);
	for (uint32_t i = 0; i < board->ops; i++) {
		bool planned = false;

		for (unsigned int n = 0; n < board->faults; n++)
			planned = planned || board->fault[n].op == i;
		if (planned || sim_changes(&board->log[i]) || board->log[i].what == SIM_SYNC)
			print_error("%5u %s%s\n", i, sim_op_text(board, &board->log[i]),
				    planned ? "   <- goes wrong" : "");
	}
	for (unsigned int i = 0; i < b->count; i++)
		print_error("%s: %u written, %u identical, %u cleared, %u bad, %u newly bad, "
			    "%u retried; %u newly bad in truth\n",
			    b->chip[i]->target.name, b->counts[i].written, b->counts[i].identical,
			    b->counts[i].cleared, b->counts[i].bad, b->counts[i].newly_bad,
			    b->counts[i].retried, b->newly_bad[i]);
	print_error("begun: %d; fault: %d \"%s\"; %u notes, the last: \"%s\"\n", b->begun,
		    b->fault.kind, b->fault.text, b->notes, b->note);
}

void bench_at(struct bench *b, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(b->context, sizeof(b->context), fmt, args);
	va_end(args);
}

void bench_fail(struct bench *b, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	trace(b);
	fail_msg("%s%s%s", b->context, b->context[0] ? ": " : "", text);
	abort(); /* fail_msg() does not come back */
}

/* An eraseblock whose own faults were to be expected. */
static bool is_weak(const struct bench *b, unsigned int chip, uint32_t eb)
{
	for (unsigned int i = 0; i < b->board.weaknesses; i++) {
		const struct sim_weakness *w = &b->board.weakness[i];

		if (w->chip == chip && w->what != SIM_ECC &&
		    (w->eb == eb || w->eb == SIM_EVERY_BLOCK))
			return true;
	}
	return false;
}

/* Only what is weak is marked, and no more than can be spared, or than is believable. */
static void check_marks(struct bench *b, unsigned int chip)
{
	const struct target *t = &b->chip[chip]->target;
	size_t size = t->eraseblock;
	uint32_t needed = (uint32_t)((b->new_len[chip] + size - 1) / size);
	uint32_t spare = count_good(b->chip[chip]) + b->newly_bad[chip] - needed;
	uint32_t limit = 4 + t->blocks / 50;

	if (b->newly_bad[chip] > spare || b->newly_bad[chip] > limit)
		bench_fail(b, "%s: %u went bad, though %u can be spared, and %u at most", t->name,
			   b->newly_bad[chip], spare, limit);
	for (uint32_t i = 0; i < b->board.ops; i++) {
		const struct sim_op *op = &b->board.log[i];

		if (op->what == SIM_MARK_BAD && op->chip == chip && !is_weak(b, chip, op->eb))
			bench_fail(b, "%s: eraseblock %u is not bad", t->name, op->eb);
	}
	/* A mark that failed may have been made: the engine cannot know. */
	if (b->counts[chip].newly_bad + b->unsaid[chip] < b->newly_bad[chip] ||
	    b->counts[chip].newly_bad > b->newly_bad[chip] || b->counts[chip].newly_bad > b->notes)
		bench_fail(b, "%s: what went bad was not counted and noted", t->name);
}

void bench_check_rules(struct bench *b)
{
	if (b->board.breaches)
		bench_fail(b, "%u breaches, the first: %s", b->board.breaches, b->board.breach);
	for (unsigned int i = 0; i < b->count; i++)
		if (b->newly_bad[i])
			check_marks(b, i);
}

/* As fs/jffs2 and flash_erase -j write it: here on a little-endian machine. */
static const uint8_t oob_marker[] = { 0x85, 0x19, 0x03, 0x20, 8, 0, 0, 0 };
static const uint8_t nor_marker[] = { 0x85, 0x19, 0x03, 0x20, 12, 0, 0, 0, 0xb1, 0xb0, 0x1e, 0xe4 };

static size_t oob_bytes(struct sim_chip *c, uint32_t eb)
{
	return (size_t)sim_pages(c, eb) * c->oob_size;
}

static bool has_cleanmarker(struct sim_chip *c, uint32_t eb)
{
	if (c->kind == SIM_NOR)
		return sim_block_holds(c, eb, nor_marker, sizeof(nor_marker));
	return sim_block_holds(c, eb, NULL, 0) &&
	       memcmp(sim_oob(c, eb), oob_marker, sizeof(oob_marker)) == 0 &&
	       all_ff(sim_oob(c, eb) + sizeof(oob_marker), oob_bytes(c, eb) - sizeof(oob_marker));
}

/* Whether nothing is in its OOB but the stamps of a start, or what a cut left of them. */
static bool has_stamps_only(struct sim_chip *c, uint32_t eb)
{
	const uint8_t *oob = sim_oob(c, eb);
	uint32_t last = sim_pages(c, eb) - 1;

	if (eb > sim_good(c, 1)) /* the second is the start when the first goes bad */
		return false;
	for (uint32_t page = 0; page <= last; page++, oob += c->oob_size) {
		uint32_t stamp = page < 2 || page == last ? 4 : 0;

		if (c->oob_size >= stamp && !all_ff(oob + stamp, c->oob_size - stamp))
			return false;
	}
	return true;
}

/* What the guard would say: the start's erase or its program was begun and not completed. */
static bool says_torn(struct sim_chip *c)
{
	uint32_t eb = sim_good(c, 0);
	const uint8_t *oob = sim_oob(c, eb);
	size_t last = oob_bytes(c, eb) - c->oob_size;

	if (c->kind != SIM_NAND || c->oob_size < 4 || sim_pages(c, eb) < 3)
		return false;
	return memcmp(oob + c->oob_size, "FIbg", 4) == 0 ||
	       (memcmp(oob, "FIpn", 4) == 0 && memcmp(oob + last, "FIdn", 4) != 0 &&
		all_ff(oob + last, 4));
}

/*
 * Of OOB that is nobody's: a marker may stay in a blank eraseblock, if it was there before, or came
 * when the layout had it behind the image.
 */
static bool oob_is_left(struct bench *b, unsigned int chip, uint32_t eb)
{
	struct sim_chip *c = b->chip[chip];

	return all_ff(sim_oob(c, eb), oob_bytes(c, eb)) || sim_block_unchanged(c, b->start, eb) ||
	       has_stamps_only(c, eb) || (b->tail[chip] == TAIL_JFFS2 && has_cleanmarker(c, eb));
}

/* Whether an eraseblock behind the contents is what the tail's policy makes of it. */
static bool tail_fits(struct bench *b, unsigned int chip, uint32_t eb)
{
	struct sim_chip *c = b->chip[chip];

	if (b->tail[chip] == TAIL_ERASE)
		return sim_block_holds(c, eb, NULL, 0) && oob_is_left(b, chip, eb);
	if (b->tail[chip] == TAIL_JFFS2)
		return has_cleanmarker(c, eb);
	return sim_block_unchanged(c, b->start, eb);
}

/* The last sectors that a block device's image needs are filled up, and the others are not ours. */
static bool part_of_disk_fits(struct bench *b, unsigned int chip, uint32_t eb, const uint8_t *data,
			      size_t len)
{
	struct sim_chip *c = b->chip[chip];
	const uint8_t *cells = sim_cells(c, eb), *old = b->old[chip];
	size_t size = target_block_size(&c->target, eb), page = c->target.page;
	size_t end = (len + page - 1) / page * page;

	return sim_is_sound(c, eb) && memcmp(cells, data, len) == 0 &&
	       all_ff(cells + len, end - len) &&
	       memcmp(cells + end, old + target_block_offset(&c->target, eb) + end, size - end) ==
		       0;
}

/* A start that is about to be written once more, since nothing said that it was proven. */
static bool holds_for_now(struct sim_chip *c, uint32_t eb, const uint8_t *data, size_t len)
{
	uint32_t size = target_block_size(&c->target, eb);

	return eb == sim_good(c, 0) && says_torn(c) && sim_is_readable(c, eb) &&
	       memcmp(sim_cells(c, eb), data, len) == 0 &&
	       all_ff(sim_cells(c, eb) + len, size - len);
}

/* Whether the chip has the new firmware, from its n-th good eraseblock on. */
static bool is_new_from(struct bench *b, unsigned int chip, uint32_t n)
{
	struct sim_chip *c = b->chip[chip];
	const uint8_t *data = b->new[chip];
	size_t left = b->new_len[chip];

	if (c->volume.broken || c->volume.updating)
		return false;
	for (uint32_t eb = 0, nth = 0; eb < c->target.blocks; eb++) {
		size_t size = target_block_size(&c->target, eb), len = left < size ? left : size;
		bool fits;

		if (c->block[eb].bad)
			continue;
		if (len == 0)
			fits = c->kind == SIM_VOLUME ? sim_block_holds(c, eb, NULL, 0)
						     : tail_fits(b, chip, eb);
		else if (c->kind == SIM_BLOCK)
			fits = part_of_disk_fits(b, chip, eb, data, len);
		else
			fits = (sim_block_holds(c, eb, data, len) ||
				holds_for_now(c, eb, data, len)) &&
			       oob_is_left(b, chip, eb);
		if (nth++ >= n && !fits)
			return false;
		data += len;
		left -= len;
	}
	return left == 0;
}

static bool is_whole_new(struct bench *b, unsigned int chip)
{
	return is_new_from(b, chip, 0);
}

static bool is_new(struct bench *b, unsigned int chip)
{
	return is_new_from(b, chip, 0) && !says_torn(b->chip[chip]);
}

/* A volume has no start that could be missing: whole or not, its UBI sees to it. */
static bool lacks_only_start(struct bench *b, unsigned int chip)
{
	return b->chip[chip]->kind == SIM_VOLUME || is_new_from(b, chip, 1);
}

static bool has_no_start(struct bench *b, unsigned int chip)
{
	struct sim_chip *c = b->chip[chip];

	return c->kind == SIM_VOLUME ? c->volume.broken : sim_is_blank(c, sim_good(c, 0));
}

/*
 * What a boot loader could take for a start. NAND has to be programmed from its first page on, so
 * that all of the eraseblock must be there, and readable.
 */
static bool starts_with(struct sim_chip *c, const uint8_t *data, size_t len)
{
	uint32_t first = sim_good(c, 0);
	size_t size = c->kind == SIM_NOR ? 512 : target_block_size(&c->target, first);

	if (c->kind == SIM_VOLUME)
		return !c->volume.broken;
	return sim_is_readable(c, first) &&
	       memcmp(sim_cells(c, first), data, len < size ? len : size) == 0;
}

static bool starts_old(struct bench *b, unsigned int chip)
{
	return starts_with(b->chip[chip], b->old[chip], b->old_len[chip]);
}

static bool starts_new(struct bench *b, unsigned int chip)
{
	return starts_with(b->chip[chip], b->new[chip], b->new_len[chip]);
}

/* What goes wrong without an error can leave anything; errors and cuts cannot. */
static bool tells_no_lies(const struct bench *b)
{
	bool honest = true;

	for (unsigned int i = 0; i < b->board.weaknesses; i++)
		honest = honest && b->board.weakness[i].fault.how == SIM_FAIL;
	for (unsigned int i = 0; i < b->board.faults; i++)
		honest = honest && (b->board.fault[i].how == SIM_FAIL ||
				    b->board.fault[i].how >= SIM_CUT_BEFORE);
	return honest;
}

/* Blank, torn, or full of one of the patterns that eraseblocks are tortured with. */
static bool shows_cut(struct bench *b, unsigned int chip)
{
	struct sim_chip *c = b->chip[chip];
	uint32_t first = sim_good(c, 0);
	const uint8_t *cells = sim_cells(c, first);

	return c->kind != SIM_NAND || !tells_no_lies(b) || !sim_is_readable(c, first) ||
	       says_torn(c) || memcmp(cells, cells + 1, c->target.page - 1) == 0;
}

bool bench_is_new(struct bench *b, unsigned int chip)
{
	return b->judge[chip]->is_new(b, chip);
}

bool bench_is_old(struct bench *b, unsigned int chip)
{
	return sim_unchanged(b->chip[chip], b->start);
}

/* The only thing new is a stamp, or half of one, that says that it is about to be erased. */
static bool is_begun(struct bench *b, unsigned int chip, uint32_t eb)
{
	struct sim_chip *c = b->chip[chip];
	const uint8_t *was = sim_saved_oob(c, b->start, eb), *oob = sim_oob(c, eb);
	size_t stamp = c->oob_size, behind = stamp + 4, bytes = oob_bytes(c, eb);

	return eb <= sim_good(c, 1) && bytes > behind && sim_data_unchanged(c, b->start, eb) &&
	       memcmp(oob, was, stamp) == 0 &&
	       memcmp(oob + behind, was + behind, bytes - behind) == 0;
}

static bool is_whole_old(struct bench *b, unsigned int chip)
{
	struct sim_chip *c = b->chip[chip];

	for (uint32_t eb = 0; eb < c->target.blocks; eb++)
		if (!sim_block_unchanged(c, b->start, eb) && !is_begun(b, chip, eb))
			return false;
	return !c->volume.broken && !c->volume.updating;
}

const struct bench_kind bench_raw = {
	.is_new = is_new,
	.lacks_only_start = lacks_only_start,
	.has_no_start = has_no_start,
	.starts_old = starts_old,
	.is_whole_old = is_whole_old,
	.starts_new = starts_new,
	.is_whole_new = is_whole_new,
	.shows_cut = shows_cut,
};

bool bench_all_new(struct bench *b)
{
	for (unsigned int i = 0; i < b->count; i++)
		if (!bench_is_new(b, i))
			return false;
	return true;
}

static void check_success(struct bench *b)
{
	bench_check_rules(b);
	if (!bench_all_new(b))
		bench_fail(b, "success with wrong bytes");
	if (!b->progress_fits || b->done != b->total)
		bench_fail(b, "progress went back, or ended at %llu of %llu",
			   (unsigned long long)b->done, (unsigned long long)b->total);
	if (b->begins != b->begun)
		bench_fail(b, "begin() was called %u times", b->begins);
}

void bench_run_well(struct bench *b)
{
	if (bench_run(b) < 0)
		bench_fail(b, "the run fails: %s", b->fault.text);
	check_success(b);
}

/* Whether the chip may be without a start because the first eraseblock had to be given up. */
static bool starts_again(struct bench *b, unsigned int chip)
{
	bool gave_up = count_bad(b->chip[chip]) > b->bad_at_start[chip];

	for (unsigned int i = 0; i < b->board.weaknesses; i++)
		gave_up = gave_up || b->board.weakness[i].chip == chip;
	return gave_up && !b->judge[chip]->starts_old(b, chip) &&
	       !b->judge[chip]->starts_new(b, chip);
}

/* What was only tried without power has changed nothing. */
static bool power_went_before(const struct bench *b, uint32_t op)
{
	for (unsigned int i = 0; i < b->board.faults; i++)
		if (b->board.fault[i].how >= SIM_CUT_BEFORE && b->board.fault[i].op < op)
			return true;
	return false;
}

/* What an earlier run has completed stays, while another chip's start is missing. */
static bool is_untouched(const struct bench *b, unsigned int chip)
{
	for (uint32_t i = 0; i < b->board.ops && !power_went_before(b, i); i++)
		if (b->board.log[i].chip == chip && sim_changes(&b->board.log[i]))
			return false;
	return true;
}

/* Whether the others lack nothing but their starts. */
static bool others_are_complete(struct bench *b, unsigned int chip)
{
	bool untouched = is_untouched(b, chip);

	for (unsigned int i = 0; i < b->count; i++) {
		if (i == chip || starts_again(b, i) || b->judge[i]->lacks_only_start(b, i))
			continue;
		if (!untouched || !b->judge[i]->has_no_start(b, i))
			return false;
	}
	return true;
}

static bool is_safe(struct bench *b, unsigned int chip)
{
	const struct bench_kind *judge = b->judge[chip];

	return judge->has_no_start(b, chip) || judge->is_whole_old(b, chip) ||
	       (judge->is_whole_new(b, chip) && others_are_complete(b, chip));
}

void bench_check_not_bootable(struct bench *b)
{
	for (unsigned int i = 0; i < b->count; i++)
		if (!is_safe(b, i))
			bench_fail(b,
				   "%s: after \"%s\" the first eraseblock is not blank, nor is the "
				   "old firmware whole",
				   b->chip[i]->target.name, b->fault.text);
}

void bench_check_starts(struct bench *b)
{
	for (unsigned int i = 0; i < b->count; i++) {
		const struct bench_kind *judge = b->judge[i];
		bool old_start = judge->starts_old(b, i), new_start = judge->starts_new(b, i);

		if (old_start && judge->is_whole_old(b, i))
			continue;
		if (new_start && judge->is_whole_new(b, i) && others_are_complete(b, i))
			continue;
		if (old_start || new_start)
			bench_fail(b, "%s: a valid start without a whole firmware behind it",
				   b->chip[i]->target.name);
		if (judge->shows_cut && !judge->shows_cut(b, i))
			bench_fail(b, "%s: a start that is none, and does not look like it",
				   b->chip[i]->target.name);
	}
}

/* Whether a fault was planned for the last attempt to erase the first eraseblock. */
static bool last_erase_failed(const struct bench *b, unsigned int chip)
{
	uint32_t first = sim_good(b->chip[chip], 0), last = UINT32_MAX;

	for (uint32_t i = 0; i < b->board.ops; i++) {
		const struct sim_op *op = &b->board.log[i];

		if (op->what == SIM_ERASE && op->chip == chip && op->eb == first)
			last = i;
	}
	for (unsigned int i = 0; i < b->board.faults; i++)
		if (b->board.fault[i].op == last)
			return true;
	return false;
}

void bench_check_outcome(struct bench *b, int result)
{
	if (result == 0) {
		check_success(b);
		return;
	}
	bench_check_rules(b);
	sim_settle(&b->board);
	if (b->begun ? b->fault.kind != FAULT_FLASH
		     : b->fault.kind != FAULT_FAILED && b->fault.kind != FAULT_UNFIT)
		bench_fail(b, "a fault of kind %d", b->fault.kind);
	for (unsigned int i = 0; i < b->count; i++) {
		if (!b->begun && !bench_is_old(b, i))
			bench_fail(b, "%s has changed before begin()", b->chip[i]->target.name);
		if (is_safe(b, i))
			continue;
		if (is_weak(b, i, sim_good(b->chip[i], 0)) || last_erase_failed(b, i))
			bench_check_starts(b);
		else
			bench_check_not_bootable(b);
	}
}

void bench_check_mended(struct bench *b)
{
	b->board.weaknesses = 0;
	sim_power_cycle(&b->board);
	if (bench_still_fits(b)) {
		bench_run_well(b);
		return;
	}
	if (bench_run(b) == 0 || b->fault.kind != FAULT_UNFIT || b->begun)
		bench_fail(b, "it does not fit any more");
}

uint32_t bench_ops_of_kind(const struct bench *b, enum sim_what what, uint32_t *ops, uint32_t room)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < b->board.ops; i++)
		if (b->board.log[i].what == what) {
			assert_true(count < room);
			ops[count++] = i;
		}
	return count;
}

bool bench_still_fits(struct bench *b)
{
	for (unsigned int i = 0; i < b->count; i++)
		if (good_bytes(b->chip[i]) < b->new_len[i])
			return false;
	return true;
}
