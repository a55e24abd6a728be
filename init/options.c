// SPDX-License-Identifier: GPL-2.0-or-later
#include "options.h"

#include <stdbool.h>
#include <string.h>

#include "config.h"
#include "payload_spec.h"

enum {
	OPT_AFTER,
	OPT_OUTCOME,
	OPT_DRY_RUN,
	OPT_FORCE_BOARD,
	OPT_ALLOW_DOWNGRADE,
	OPT_RAW,
	OPT_SHA256,
	OPT_CRC32,
	OPT_KEY,
	OPT_JSON,
	OPT_EXEC,
	OPT_INCLUDE,
	OPT_GOOD,
	OPT_VIA,
	OPT_HELP,
	OPT_VERSION
};

enum {
	WRITING = VERB_UPDATE | VERB_CHECK | VERB_WRITE,
	ALL = WRITING | VERB_INFO | VERB_VERIFY | VERB_STATUS,
};

static const struct option {
	const char *name;
	unsigned short number;
	bool takes_value;
	unsigned char verbs; /* that it goes with */
} known[] = {
	{ "after", OPT_AFTER, true, VERB_UPDATE },
	{ "outcome", OPT_OUTCOME, true, VERB_UPDATE | VERB_CHECK | VERB_STATUS },
	{ "dry-run", OPT_DRY_RUN, false, VERB_UPDATE | VERB_WRITE },
	{ "force-board", OPT_FORCE_BOARD, false, WRITING },
	{ "allow-downgrade", OPT_ALLOW_DOWNGRADE, false, WRITING },
	{ "raw", OPT_RAW, true, WRITING },
	{ "sha256", OPT_SHA256, true, WRITING },
	{ "crc32", OPT_CRC32, true, WRITING },
	{ "key", OPT_KEY, true, VERB_INFO | VERB_VERIFY },
	{ "json", OPT_JSON, false, ALL & ~VERB_VERIFY },
	{ "exec", OPT_EXEC, true, VERB_UPDATE | VERB_CHECK },
	{ "include", OPT_INCLUDE, true, VERB_UPDATE | VERB_CHECK },
	{ "via", OPT_VIA, true, VERB_UPDATE | VERB_CHECK },
	{ "good", OPT_GOOD, false, VERB_STATUS },
	{ "help", OPT_HELP, false, ALL },
	{ "version", OPT_VERSION, false, ALL },
};

static const struct {
	const char *name;
	enum verb verb;
} verbs[] = {
	{ "update", VERB_UPDATE }, { "check", VERB_CHECK },   { "write", VERB_WRITE },
	{ "info", VERB_INFO },     { "verify", VERB_VERIFY }, { "status", VERB_STATUS },
};

/* The value of the option that is being taken; empty if it takes none. */
static char *value;

/* The option of that name, or the only one whose name begins so. */
static const struct option *find_option(const char *name, size_t len)
{
	const struct option *found = NULL;
	bool several = false;

	for (const struct option *o = known; o < known + sizeof(known) / sizeof(*known); o++) {
		if (strncmp(o->name, name, len) != 0)
			continue;
		if (o->name[len] == '\0')
			return o;
		several = found;
		found = o;
	}
	return several ? NULL : found;
}

/* The option at that place, which moves on to its value if that is a word of its own; NULL if it is wrong. */
static const struct option *read_option(char **argv, int *at, struct fault *f)
{
	char *name = strcmp(argv[*at], "-h") == 0 ? "--help" : argv[*at];
	size_t len = strcspn(name, "=");
	char *given;
	const struct option *option = NULL;

	if (len > 2 && name[1] == '-')
		option = find_option(name + 2, len - 2);
	if (!option) {
		(void)fault_set(f, FAULT_USAGE, "there is no option %s; try flashinit --help",
				name);
		return NULL;
	}
	given = NULL;
	if (name[len] == '=')
		given = name + len + 1;
	else if (option->takes_value)
		given = argv[++*at]; /* the last one is NULL */
	value = given ? given : name + len;
	if (option->takes_value == (given != NULL))
		return option;
	(void)fault_set(f, FAULT_USAGE, "--%s %s value; try flashinit --help", option->name,
			option->takes_value ? "needs a" : "takes no");
	return NULL;
}

static int take_after(struct update_options *o, struct fault *f)
{
	o->after_given = true;
	return plan_take_after(value, &o->after, f);
}

/* The last one overwrites what one before it writes. */
static int check_distinct(const struct firmware_request *fw, struct fault *f)
{
	const struct payload *last = &fw->raw[fw->raw_count - 1].to;

	for (unsigned int i = 0; i + 1 < fw->raw_count; i++) {
		const struct payload *p = &fw->raw[i].to;

		if (strcmp(p->part, last->part) == 0 && strcmp(p->volume, last->volume) == 0)
			return fault_set(f, FAULT_USAGE, "--raw: %s%s%s is given twice", p->part,
					 p->volume[0] ? ":" : "", p->volume);
	}
	return 0;
}

static int take_raw(struct firmware_request *fw, struct fault *f)
{
	struct raw_input *in = &fw->raw[fw->raw_count];

	if (fw->raw_count == IMAGE_PAYLOADS_MAX)
		return fault_set(f, FAULT_USAGE, "more than %d --raw", IMAGE_PAYLOADS_MAX);
	fw->raw_count++;
	in->to.kind = PAYLOAD_MTD;
	in->to.tail = TAIL_ERASE;
	in->to.chunk_size = 128 << 10;
	if (payload_spec_parse(&in->to, &in->file, value, f) < 0)
		return -1;
	return check_distinct(fw, f);
}

static int take_checksum(struct firmware_request *fw, unsigned int kind, struct fault *f)
{
	struct raw_input *in;

	if (fw->raw_count == 0)
		return fault_set(f, FAULT_USAGE, "a checksum goes behind its --raw");
	in = &fw->raw[fw->raw_count - 1];
	if (in->checks)
		return fault_set(f, FAULT_USAGE, "%s: has a checksum already", in->file);
	if (raw_take_checksum(in, value, f) < 0)
		return -1;
	if (in->checks != kind)
		return fault_set(f, FAULT_USAGE, "%s is not the right kind of checksum", value);
	return 0;
}

static int take_key(struct show_options *o, struct fault *f)
{
	if (o->key_count == KEYS_MAX)
		return fault_set(f, FAULT_USAGE, "more than %d keys", KEYS_MAX);
	o->key[o->key_count++] = value;
	return 0;
}

static int take_exec(struct firmware_request *fw, struct fault *f)
{
	if (*value != '/' || strlen(value) >= sizeof(((struct plan *)NULL)->exec))
		return fault_set(f, FAULT_USAGE, "--exec %s: must begin with / and be short",
				 value);
	fw->exec = value;
	return 0;
}

static int take_include(struct firmware_request *fw, struct fault *f)
{
	if (fw->include_count == INCLUDE_WORDS_MAX)
		return fault_set(f, FAULT_USAGE, "more than %d --include", INCLUDE_WORDS_MAX);
	fw->include[fw->include_count++] = value;
	return 0;
}

static int take_option(struct options *o, int option, struct fault *f)
{
	switch (option) {
	case OPT_AFTER:
		return take_after(&o->update, f);
	case OPT_OUTCOME:
		if (*value != '/' || strlen(value) >= sizeof(((struct config *)NULL)->outcome))
			return fault_set(f, FAULT_USAGE,
					 "--outcome %s: must be a short absolute path", value);
		o->update.outcome = o->status.outcome = value;
		return 0;
	case OPT_DRY_RUN:
		o->update.dry_run = o->write.dry_run = true;
		return 0;
	case OPT_FORCE_BOARD:
		o->firmware.except.force_board = true;
		return 0;
	case OPT_ALLOW_DOWNGRADE:
		o->firmware.except.allow_downgrade = true;
		return 0;
	case OPT_RAW:
		return take_raw(&o->firmware, f);
	case OPT_SHA256:
		return take_checksum(&o->firmware, RAW_SHA256, f);
	case OPT_CRC32:
		return take_checksum(&o->firmware, RAW_CRC32, f);
	case OPT_KEY:
		return take_key(&o->show, f);
	case OPT_JSON:
		o->show.json = o->write.json = o->update.json = o->status.json = true;
		return 0;
	case OPT_GOOD:
		o->status.good = true;
		return 0;
	case OPT_EXEC:
		return take_exec(&o->firmware, f);
	case OPT_INCLUDE:
		return take_include(&o->firmware, f);
	case OPT_VIA:
		return handover_take(value, &o->update.via, f);
	default: /* --help and --version are verbs */
		return 0;
	}
}

static int take_verb(struct options *o, const char *word, unsigned int allowed, struct fault *f)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		if (strcmp(word, verbs[i].name) != 0)
			continue;
		o->verb = verbs[i].verb;
		if (o->verb & allowed)
			return 0;
		return fault_set(f, FAULT_USAGE,
				 "an option was given that does not go with %s; try flashinit "
				 "--help",
				 word);
	}
	return fault_set(f, FAULT_USAGE, "there is no verb %s; try flashinit --help", word);
}

/* A verb, and an image unless it takes none, or plain ones are given in its place. */
static int take_words(struct options *o, int count, char **words, unsigned int allowed,
		      struct fault *f)
{
	bool alone = count > 0 && strcmp(words[0], "status") == 0;
	int wanted = alone || o->firmware.raw_count ? 1 : 2;

	if (o->firmware.exec && count == 1)
		wanted = 1; /* it may do without an image */
	if (count < wanted)
		return fault_set(f, FAULT_USAGE, "needs a verb and an image; try flashinit --help");
	if (count > wanted)
		return fault_set(f, FAULT_USAGE,
				 "does not know what to do with %s; try flashinit --help",
				 words[wanted]);
	if (wanted == 2)
		o->firmware.image = o->show.image = words[1];
	return take_verb(o, words[0], allowed, f);
}

int options_parse(struct options *o, int argc, char **argv, struct fault *f)
{
	unsigned int allowed = ALL;
	struct fault ignored; /* the first one counts */
	bool words_only = false;
	int count = 0, result = 0;

	memset(o, 0, sizeof(*o));
	o->update.firmware = o->write.firmware = &o->firmware;
	for (int at = 1; at < argc; at++) {
		const struct option *option;

		if (words_only || argv[at][0] != '-' || argv[at][1] == '\0') {
			argv[1 + count++] = argv[at];
			continue;
		}
		words_only = strcmp(argv[at], "--") == 0;
		if (words_only)
			continue;
		option = read_option(argv, &at, result < 0 ? &ignored : f);
		if (!option) {
			result = -1;
			continue;
		}
		allowed &= option->verbs;
		if (result == 0) {
			if (option->number == OPT_HELP || option->number == OPT_VERSION) {
				o->verb = option->number == OPT_HELP ? VERB_HELP : VERB_VERSION;
				return 0;
			}
			result = take_option(o, option->number, f);
		} else if (option->number == OPT_JSON) {
			(void)take_option(o, option->number, &ignored);
		}
	}
	o->events = o->write.json && count > 0 && strcmp(argv[1], "info") != 0;
	if (result < 0)
		return -1;
	return take_words(o, count, argv + 1, allowed, f);
}
