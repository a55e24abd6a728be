// SPDX-License-Identifier: GPL-2.0-or-later
#include "index_mutator.h"

#include <string.h>

#include "bytes.h"
#include "fuzz.h"
#include "image.h"

enum { FIELDS_MAX = 64, VALUE_MAX = 4096, LINES_MAX = VALUE_MAX / IMAGE_CHUNK_SIZE };

struct field {
	uint16_t number, reserved;
	uint32_t len;
	uint8_t value[VALUE_MAX];
};

struct fields {
	unsigned int count;
	struct field field[FIELDS_MAX];
};

/* Takes an index apart. 0 if it is none, or too large for this. */
static int take_apart(struct fields *fs, const uint8_t *data, size_t size)
{
	fs->count = 0;
	while (size > 0) {
		struct field *f = &fs->field[fs->count];

		if (size < IMAGE_FIELD_SIZE || fs->count == FIELDS_MAX)
			return 0;
		f->number = get_le16(data);
		f->reserved = get_le16(data + 2);
		f->len = get_le32(data + 4);
		if (f->len > size - IMAGE_FIELD_SIZE || f->len > VALUE_MAX)
			return 0;
		memcpy(f->value, data + IMAGE_FIELD_SIZE, f->len);
		data += IMAGE_FIELD_SIZE + f->len;
		size -= IMAGE_FIELD_SIZE + f->len;
		fs->count++;
	}
	return fs->count > 0;
}

/* What has no room is left out. */
static size_t put_together(const struct fields *fs, uint8_t *data, size_t max)
{
	size_t size = 0;

	for (unsigned int i = 0; i < fs->count; i++) {
		const struct field *f = &fs->field[i];

		if (max - size < IMAGE_FIELD_SIZE + f->len)
			continue;
		put_le16(data + size, f->number);
		put_le16(data + size + 2, f->reserved);
		put_le32(data + size + 4, f->len);
		memcpy(data + size + IMAGE_FIELD_SIZE, f->value, f->len);
		size += IMAGE_FIELD_SIZE + f->len;
	}
	return size;
}

static struct field *insert(struct fields *fs, unsigned int at, uint16_t number)
{
	struct field *f = &fs->field[at];

	if (fs->count == FIELDS_MAX)
		return &fs->field[FIELDS_MAX - 1];
	memmove(f + 1, f, (fs->count - at) * sizeof(*f));
	fs->count++;
	memset(f, 0, sizeof(*f));
	f->number = number;
	return f;
}

/* A field of its kind's size, with sensible numbers and a name of its own. */
static void insert_any(struct fields *fs, unsigned int *seed)
{
	unsigned int at = 1 + random_below(seed, fs->count);
	uint16_t number = (uint16_t)(FIELD_CRITICAL + 1 + random_below(seed, 6));
	struct field *f = insert(fs, at < fs->count ? at : fs->count, number);

	switch (number) {
	case FIELD_PAYLOAD:
		put_le64(f->value, 1 + random_below(seed, 20000));
		put_le32(f->value + 8, IMAGE_CHUNK_MIN);
		f->value[12] = (uint8_t)(1 + random_below(seed, 4));
		f->value[13] = f->value[12] == PAYLOAD_MTD;
		f->len = IMAGE_PAYLOAD_SIZE;
		break;
	case FIELD_VOLUME:
		f->value[8] = VOLUME_DYNAMIC;
		f->len = IMAGE_VOLUME_SIZE;
		break;
	case FIELD_ROLLBACK:
		f->len = 4;
		return;
	case FIELD_CHUNKS:
		return;
	}
	f->value[f->len++] = (uint8_t)('a' + random_below(seed, 26));
}

/* Copies a line of a chunk table to another one. */
static void copy_line(struct field *table, unsigned int *seed)
{
	uint32_t lines = table->len / IMAGE_CHUNK_SIZE;
	uint8_t line[IMAGE_CHUNK_SIZE];

	if (lines < 2)
		return;
	memcpy(line, table->value + random_below(seed, lines) * IMAGE_CHUNK_SIZE, sizeof(line));
	memcpy(table->value + random_below(seed, lines) * IMAGE_CHUNK_SIZE, line, sizeof(line));
}

static void mutate_one(struct fields *fs, unsigned int *seed)
{
	unsigned int at = random_below(seed, fs->count), other = random_below(seed, fs->count);
	struct field *f = &fs->field[at], copy = *f;

	switch (random_below(seed, 8)) {
	case 0:
		memmove(f, f + 1, (fs->count - at - 1) * sizeof(*f));
		fs->count--;
		break;
	case 1:
		*insert(fs, other, 0) = copy;
		break;
	case 2:
		*f = fs->field[other];
		fs->field[other] = copy;
		break;
	case 3:
		f->number =
			(uint16_t)(random_below(seed, 2) * FIELD_CRITICAL + random_below(seed, 9));
		break;
	case 4:
		insert_any(fs, seed);
		break;
	case 5:
		if (f->number == FIELD_CHUNKS) {
			copy_line(f, seed);
			break;
		}
		/* fall through */
	default:
		f->len = (uint32_t)LLVMFuzzerMutate(f->value, f->len, sizeof(f->value));
		break;
	}
}

/* Makes the chunk table fit the payload before it, and each line its encoding. */
static void heal_table(const struct field *payload, struct field *table)
{
	uint64_t size = get_le64(payload->value), left = size, count;
	uint32_t chunk = get_le32(payload->value + 8);

	if (chunk < IMAGE_CHUNK_MIN || chunk > IMAGE_CHUNK_MAX || size == 0)
		return;
	count = size / chunk + (size % chunk != 0);
	if (count > LINES_MAX)
		return;
	for (uint8_t *line = table->value; left > 0; line += IMAGE_CHUNK_SIZE) {
		uint32_t raw = left < chunk ? (uint32_t)left : chunk, stored = get_le32(line);

		if (line + IMAGE_CHUNK_SIZE > table->value + table->len)
			memset(line, 0, IMAGE_CHUNK_SIZE);
		if (line[8] == CHUNK_STORED)
			stored = raw;
		else if (line[8] == CHUNK_DEFLATE && raw > 1)
			stored = stored >= raw || stored == 0 ? raw - 1 : stored;
		else
			line[8] = CHUNK_BLANK;
		put_le32(line, line[8] == CHUNK_BLANK ? 0 : stored);
		memset(line + 9, 0, 3);
		left -= raw;
	}
	table->len = (uint32_t)count * IMAGE_CHUNK_SIZE;
}

static void heal(struct fields *fs)
{
	const struct field *payload = NULL;

	for (unsigned int i = 0; i < fs->count; i++) {
		struct field *f = &fs->field[i];

		if (f->number == FIELD_PAYLOAD && f->len >= IMAGE_PAYLOAD_SIZE)
			payload = f;
		else if (f->number == FIELD_CHUNKS && payload)
			heal_table(payload, f);
	}
}

size_t index_mutate(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	static struct fields fs;
	unsigned int times;

	if (!take_apart(&fs, data, size) || random_below(&seed, 8) == 0)
		return LLVMFuzzerMutate(data, size, max);
	for (times = 1 + random_below(&seed, 3); times > 0 && fs.count > 0; times--)
		mutate_one(&fs, &seed);
	if (random_below(&seed, 4))
		heal(&fs);
	return put_together(&fs, data, max);
}
