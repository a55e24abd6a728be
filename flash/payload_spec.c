// SPDX-License-Identifier: GPL-2.0-or-later
#include "payload_spec.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "number.h"

struct word_value {
	const char *word;
	int value;
};

static const struct word_value kinds[] = {
	{ "mtd", PAYLOAD_MTD },
	{ "ubi", PAYLOAD_UBI },
	{ "ubivol", PAYLOAD_UBIVOL },
	{ "block", PAYLOAD_BLOCK },
	{ NULL, 0 },
};

static const struct word_value tails[] = {
	{ "erase", TAIL_ERASE },
	{ "keep", TAIL_KEEP },
	{ "jffs2", TAIL_JFFS2 },
	{ NULL, 0 },
};

static const struct word_value volume_types[] = {
	{ "dynamic", VOLUME_DYNAMIC },
	{ "static", VOLUME_STATIC },
	{ NULL, 0 },
};

static int take_word(const struct word_value *known, const char *word, const char *what, int *value,
		     struct fault *f)
{
	for (; known->word; known++) {
		if (strcmp(known->word, word) == 0) {
			*value = known->value;
			return 0;
		}
	}
	return fault_set(f, FAULT_USAGE, "%s=%s is not known; see the manual", what, word);
}

int text_check(const char *text, const char *what, struct fault *f)
{
	size_t len = strlen(text);

	if (len < 1 || len > IMAGE_TEXT_MAX)
		return fault_set(f, FAULT_USAGE,
				 "%s \"%s\" has %zu characters, allowed are 1 to %d", what, text,
				 len, IMAGE_TEXT_MAX);
	for (const char *c = text; *c; c++)
		if (*c < 0x20 || *c > 0x7e)
			return fault_set(f, FAULT_USAGE,
					 "%s \"%s\": only printable ASCII is allowed", what, text);
	return 0;
}

static int take_name(char *to, const char *text, const char *what, struct fault *f)
{
	if (image_take_name(to, (const uint8_t *)text, (uint32_t)strlen(text), what, "payload",
			    f) == 0)
		return 0;
	f->kind = FAULT_USAGE;
	return -1;
}

int size_parse(const char *text, const char *what, uint64_t *size, struct fault *f)
{
	static const char units[] = "kMG";
	const char *unit, *end;
	uint64_t factor = 1;

	*size = number_read(text, 10, &end);
	unit = *end ? strchr(units, *end) : NULL;
	if (unit) {
		factor = (uint64_t)1 << (10 * (unit - units + 1));
		end++;
	}
	if (*text < '0' || *text > '9' || *end || *size == UINT64_MAX ||
	    *size > UINT64_MAX / factor)
		return fault_set(f, FAULT_USAGE, "%s=%s: not a number of bytes (64k, 8M)", what,
				 text);
	*size *= factor;
	return 0;
}

int chunk_size_parse(const char *text, uint32_t *size, struct fault *f)
{
	uint64_t n;

	if (size_parse(text, "chunk-size", &n, f) < 0)
		return -1;
	if (n < IMAGE_CHUNK_MIN || n > IMAGE_CHUNK_MAX)
		return fault_set(f, FAULT_USAGE, "chunk-size=%s: must be 4k to 1M", text);
	*size = (uint32_t)n;
	return 0;
}

int tail_parse(const char *text, enum tail_policy *tail, struct fault *f)
{
	int value = 0;

	if (take_word(tails, text, "tail", &value, f) < 0)
		return -1;
	*tail = (enum tail_policy)value;
	return 0;
}

static int take_kind(struct payload *p, const char *value, struct fault *f)
{
	int kind = 0;

	if (take_word(kinds, value, "kind", &kind, f) < 0)
		return -1;
	p->kind = (enum payload_kind)kind;
	return 0;
}

static int take_volume_type(struct payload *p, const char *value, struct fault *f)
{
	int type = 0;

	if (take_word(volume_types, value, "volume-type", &type, f) < 0)
		return -1;
	p->volume_type = (enum volume_type)type;
	return 0;
}

static int take_option(struct payload *p, const char *option, const char *value, bool *tail_given,
		       struct fault *f)
{
	if (strcmp(option, "kind") == 0)
		return take_kind(p, value, f);
	if (strcmp(option, "tail") == 0) {
		*tail_given = true;
		return tail_parse(value, &p->tail, f);
	}
	if (strcmp(option, "chunk-size") == 0)
		return chunk_size_parse(value, &p->chunk_size, f);
	if (strcmp(option, "volume") == 0)
		return take_name(p->volume, value, "a volume name", f);
	if (strcmp(option, "volume-size") == 0)
		return size_parse(value, option, &p->volume_size, f);
	if (strcmp(option, "volume-type") == 0)
		return take_volume_type(p, value, f);
	return fault_set(f, FAULT_USAGE, "%s: there is no option %s for a payload", p->part,
			 option);
}

/* What one option says must go with what the others say. */
static int check(struct payload *p, bool tail_given, struct fault *f)
{
	bool has_volume = p->volume[0] || p->volume_size || p->volume_type;

	if (p->kind != PAYLOAD_MTD && tail_given)
		return fault_set(f, FAULT_USAGE, "%s: tail goes with kind=mtd only", p->part);
	if (p->kind != PAYLOAD_MTD)
		p->tail = TAIL_NONE;
	if (p->kind == PAYLOAD_UBIVOL && !p->volume[0])
		return fault_set(f, FAULT_USAGE, "%s: kind=ubivol needs volume=NAME", p->part);
	if (p->kind != PAYLOAD_UBIVOL && has_volume)
		return fault_set(f, FAULT_USAGE, "%s: volume options go with kind=ubivol only",
				 p->part);
	if (p->kind == PAYLOAD_UBIVOL && !p->volume_type)
		p->volume_type = VOLUME_DYNAMIC;
	return 0;
}

int payload_check_start(const struct payload *p, const char *file, const void *bytes, size_t len,
			struct fault *f)
{
	if (p->kind != PAYLOAD_MTD || len < 4 || memcmp(bytes, "UBI#", 4) != 0)
		return 0;
	return fault_set(f, FAULT_USAGE, "%s: made by ubinize: say %s=%s,kind=ubi", file, p->part,
			 file);
}

int payload_spec_parse(struct payload *to, const char **file, char *word, struct fault *f)
{
	char *rest = strchr(word, '='), *option;
	bool tail_given = false;

	if (!rest || !rest[1] || rest[1] == ',')
		return fault_set(f, FAULT_USAGE, "%s: should be PARTITION=FILE[,OPTION=VALUE]...",
				 word);
	*rest++ = '\0';
	if (take_name(to->part, word, "a partition name", f) < 0)
		return -1;
	*file = strsep(&rest, ",");
	while ((option = strsep(&rest, ","))) {
		char *value = strchr(option, '=');

		if (!value)
			return fault_set(f, FAULT_USAGE, "%s: \"%s\" should be OPTION=VALUE",
					 to->part, option);
		*value++ = '\0';
		if (take_option(to, option, value, &tail_given, f) < 0)
			return -1;
	}
	return check(to, tail_given, f);
}
