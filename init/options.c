// SPDX-License-Identifier: GPL-2.0-or-later
#include "options.h"

#include <getopt.h>
#include <stdbool.h>
#include <string.h>

#include "config.h"
#include "payload_spec.h"

enum {
	OPT_AFTER = 256,
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
	OPT_VERSION
};

static const struct option long_options[] = {
	{ "after", required_argument, NULL, OPT_AFTER },
	{ "outcome", required_argument, NULL, OPT_OUTCOME },
	{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
	{ "force-board", no_argument, NULL, OPT_FORCE_BOARD },
	{ "allow-downgrade", no_argument, NULL, OPT_ALLOW_DOWNGRADE },
	{ "raw", required_argument, NULL, OPT_RAW },
	{ "sha256", required_argument, NULL, OPT_SHA256 },
	{ "crc32", required_argument, NULL, OPT_CRC32 },
	{ "key", required_argument, NULL, OPT_KEY },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "exec", required_argument, NULL, OPT_EXEC },
	{ "include", required_argument, NULL, OPT_INCLUDE },
	{ "via", required_argument, NULL, OPT_VIA },
	{ "good", no_argument, NULL, OPT_GOOD },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static const struct {
	const char *name;
	enum verb verb;
} verbs[] = {
	{ "update", VERB_UPDATE }, { "check", VERB_CHECK },   { "write", VERB_WRITE },
	{ "info", VERB_INFO },     { "verify", VERB_VERIFY }, { "status", VERB_STATUS },
};

/* The verbs that an option goes with. */
static unsigned int verbs_of(int option)
{
	switch (option) {
	case OPT_AFTER:
		return VERB_UPDATE;
	case OPT_OUTCOME:
		return VERB_UPDATE | VERB_CHECK | VERB_STATUS;
	case OPT_GOOD:
		return VERB_STATUS;
	case OPT_DRY_RUN:
		return VERB_UPDATE | VERB_WRITE;
	case OPT_EXEC:
	case OPT_INCLUDE:
	case OPT_VIA:
		return VERB_UPDATE | VERB_CHECK;
	case OPT_KEY:
		return VERB_INFO | VERB_VERIFY;
	case OPT_JSON:
		return VERB_UPDATE | VERB_CHECK | VERB_WRITE | VERB_INFO | VERB_STATUS;
	default:
		return VERB_UPDATE | VERB_CHECK | VERB_WRITE;
	}
}

static int take_after(struct update_options *o, struct fault *f)
{
	o->after_given = true;
	return plan_take_after(optarg, &o->after, f);
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
	if (payload_spec_parse(&in->to, &in->file, optarg, f) < 0)
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
	if (raw_take_checksum(in, optarg, f) < 0)
		return -1;
	if (in->checks != kind)
		return fault_set(f, FAULT_USAGE, "%s is not the right kind of checksum", optarg);
	return 0;
}

static int take_key(struct show_options *o, struct fault *f)
{
	if (o->key_count == KEYS_MAX)
		return fault_set(f, FAULT_USAGE, "more than %d keys", KEYS_MAX);
	o->key[o->key_count++] = optarg;
	return 0;
}

static int take_exec(struct firmware_request *fw, struct fault *f)
{
	if (*optarg != '/' || strlen(optarg) >= sizeof(((struct plan *)NULL)->exec))
		return fault_set(f, FAULT_USAGE, "--exec %s: must begin with / and be short",
				 optarg);
	fw->exec = optarg;
	return 0;
}

static int take_include(struct firmware_request *fw, struct fault *f)
{
	if (fw->include_count == INCLUDE_WORDS_MAX)
		return fault_set(f, FAULT_USAGE, "more than %d --include", INCLUDE_WORDS_MAX);
	fw->include[fw->include_count++] = optarg;
	return 0;
}

static int take_option(struct options *o, int option, struct fault *f)
{
	switch (option) {
	case OPT_AFTER:
		return take_after(&o->update, f);
	case OPT_OUTCOME:
		if (*optarg != '/' || strlen(optarg) >= sizeof(((struct config *)NULL)->outcome))
			return fault_set(f, FAULT_USAGE,
					 "--outcome %s: must be a short absolute path", optarg);
		o->update.outcome = o->status.outcome = optarg;
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
		return handover_take(optarg, &o->update.via, f);
	default: /* getopt has said what is wrong with it */
		return fault_set(f, FAULT_USAGE, "try flashinit --help");
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
	unsigned int allowed = ~0u;
	struct fault ignored;
	int option, result = 0;

	memset(o, 0, sizeof(*o));
	o->update.firmware = o->write.firmware = &o->firmware;
	while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		if (result == 0 && (option == 'h' || option == OPT_VERSION)) {
			o->verb = option == 'h' ? VERB_HELP : VERB_VERSION;
			return 0;
		}
		allowed &= verbs_of(option);
		if (result == 0)
			result = take_option(o, option, f);
		else if (option == OPT_JSON)
			(void)take_option(o, option, &ignored); /* the first fault counts */
	}
	o->events = o->write.json && optind < argc && strcmp(argv[optind], "info") != 0;
	if (result < 0)
		return -1;
	return take_words(o, argc - optind, argv + optind, allowed, f);
}
