// SPDX-License-Identifier: GPL-2.0-or-later
/* flashinit: replaces PID 1 to rewrite the flash that the running system booted from. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "fault.h"
#include "payload_spec.h"
#include "pid1.h"
#include "plan.h"
#include "say.h"
#include "show.h"
#include "supervisor.h"
#include "update.h"

static const char help[] =
	"Usage: flashinit VERB [OPTION...] IMAGE\n"
	"\n"
	"Rewrites the flash that this system runs from. IMAGE is a firmware image (*.fwi) made by\n"
	"flashpack.\n"
	"\n"
	"  update IMAGE   check everything, move to RAM, take over from init, let go of the old\n"
	"                 root, write the image and reboot; goes on when the terminal hangs up\n"
	"  check IMAGE    find out whether update would work; changes nothing\n"
	"  info IMAGE     tell what is in the image; \"-\" is standard input\n"
	"  verify IMAGE   check every byte of the image; \"-\" is standard input\n"
	"\n"
	"Options of update:\n"
	"  --after WHAT       reboot (the default), poweroff or halt, once the image is written\n"
	"  --dry-run          stage everything in RAM, undo it, and say so\n"
	"Options of update and check, in place of IMAGE:\n"
	"  --raw PART=FILE    write a plain image to a partition; may be given often; a FILE.gz is\n"
	"                     unpacked; FILE.sha256, if it is there, must fit\n"
	"  --sha256 HEX       SHA-256 of the file of the --raw before it\n"
	"  --crc32 HEX        CRC-32 of the file of the --raw before it\n"
	"Options of update and check, for unsigned images in development:\n"
	"  --force-board      take an image that was made for other boards\n"
	"  --allow-downgrade  take an anti-rollback number below this device's\n"
	"Options of info and verify:\n"
	"  --key FILE         public key of signify or minisign that must have signed the image;\n"
	"                     may be given often; without it, the keys that are installed\n"
	"  --json             (info) tell it in JSON\n"
	"\n"
	"  -h, --help         this text\n"
	"  --version          version of flashinit\n"
	"\n" CONFIG_FILE
	" may set board, rollback-number and after. Public keys are the files\n" CONFIG_KEYS
	"/*.pub; where there is one, an image must be signed by one.\n"
	"\n"
	"Exit codes: 0 done; 1 failed, nothing changed; 2 called the wrong way; 3 image refused;\n"
	"4 device or system unfit; 5 flash failed after the first erase; 6 busy. An update that\n"
	"goes well does not return: init ends it.\n";

/* Which verbs an option goes with. */
enum { UPDATE = 1, CHECK = 2, INFO = 4, VERIFY = 8 };

enum {
	OPT_AFTER = 256,
	OPT_DRY_RUN,
	OPT_FORCE_BOARD,
	OPT_ALLOW_DOWNGRADE,
	OPT_RAW,
	OPT_SHA256,
	OPT_CRC32,
	OPT_KEY,
	OPT_JSON,
	OPT_VERSION
};

static const struct option long_options[] = {
	{ "after", required_argument, NULL, OPT_AFTER },
	{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
	{ "force-board", no_argument, NULL, OPT_FORCE_BOARD },
	{ "allow-downgrade", no_argument, NULL, OPT_ALLOW_DOWNGRADE },
	{ "raw", required_argument, NULL, OPT_RAW },
	{ "sha256", required_argument, NULL, OPT_SHA256 },
	{ "crc32", required_argument, NULL, OPT_CRC32 },
	{ "key", required_argument, NULL, OPT_KEY },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

struct command_line {
	struct update_options update;
	struct show_options show;
	int verbs; /* those that all given options go with */
};

static int usage(const char *problem, const char *word)
{
	say_error("%s%s; try flashinit --help", problem, word);
	return FAULT_USAGE;
}

static int take_after(struct update_options *o, struct fault *f)
{
	o->after_given = true;
	return plan_take_after(optarg, &o->after, f);
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
	return payload_spec_parse(&in->to, &in->file, optarg, f);
}

static int take_checksum(struct firmware_request *fw, enum raw_check kind, struct fault *f)
{
	struct raw_input *in;

	if (fw->raw_count == 0)
		return fault_set(f, FAULT_USAGE, "a checksum goes behind its --raw");
	in = &fw->raw[fw->raw_count - 1];
	if (raw_take_checksum(in, optarg, f) < 0)
		return -1;
	if (in->check != kind)
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

static int take_option(struct command_line *c, int option, struct fault *f)
{
	switch (option) {
	case OPT_AFTER:
		c->verbs &= UPDATE;
		return take_after(&c->update, f);
	case OPT_DRY_RUN:
		c->verbs &= UPDATE;
		c->update.dry_run = true;
		return 0;
	case OPT_FORCE_BOARD:
		c->verbs &= UPDATE | CHECK;
		c->update.firmware.except.force_board = true;
		return 0;
	case OPT_ALLOW_DOWNGRADE:
		c->verbs &= UPDATE | CHECK;
		c->update.firmware.except.allow_downgrade = true;
		return 0;
	case OPT_RAW:
		c->verbs &= UPDATE | CHECK;
		return take_raw(&c->update.firmware, f);
	case OPT_SHA256:
		return take_checksum(&c->update.firmware, RAW_SHA256, f);
	case OPT_CRC32:
		return take_checksum(&c->update.firmware, RAW_CRC32, f);
	case OPT_KEY:
		c->verbs &= INFO | VERIFY;
		return take_key(&c->show, f);
	case OPT_JSON:
		c->verbs &= INFO;
		c->show.json = true;
		return 0;
	default: /* getopt has said what is wrong with it */
		return fault_set(f, FAULT_USAGE, "try flashinit --help");
	}
}

static int run_update(struct command_line *c)
{
	return update(&c->update);
}

static int run_check(struct command_line *c)
{
	c->update.check_only = true;
	return update(&c->update);
}

static int run_info(struct command_line *c)
{
	return show_info(&c->show);
}

static int run_verify(struct command_line *c)
{
	return show_verify(&c->show);
}

static int run_verb(struct command_line *c, const char *verb)
{
	static const struct {
		const char *name;
		int verb;
		int (*run)(struct command_line *c);
	} verbs[] = {
		{ "update", UPDATE, run_update },
		{ "check", CHECK, run_check },
		{ "info", INFO, run_info },
		{ "verify", VERIFY, run_verify },
	};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		if (strcmp(verb, verbs[i].name) != 0)
			continue;
		if (!(verbs[i].verb & c->verbs))
			return usage("an option was given that does not go with ", verb);
		return verbs[i].run(c);
	}
	return usage("there is no verb ", verb);
}

static int run_command_line(int argc, char **argv)
{
	struct command_line c = { .verbs = UPDATE | CHECK | INFO | VERIFY };
	struct fault f;
	int option, wanted;

	while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		if (option == 'h' || option == OPT_VERSION) {
			(void)fputs(option == 'h' ? help : "flashinit " FLASHINIT_VERSION "\n",
				    stdout);
			return 0;
		}
		if (take_option(&c, option, &f) < 0)
			return say_fault(&f);
	}
	wanted = c.update.firmware.raw_count ? 1 : 2; /* words: the verb, and the image */
	if (argc - optind < wanted)
		return usage("needs a verb and an image", "");
	if (argc - optind > wanted)
		return usage("does not know what to do with ", argv[optind + wanted]);
	c.update.firmware.image = c.show.image = argv[optind + wanted - 1];
	return run_verb(&c, argv[optind]);
}

int main(int argc, char **argv)
{
	if (pid1_is_us())
		supervise(); /* never looks at what it was called with */
	return run_command_line(argc, argv);
}
