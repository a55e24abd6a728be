// SPDX-License-Identifier: GPL-2.0-or-later
/* flashpack: makes one firmware image (*.fwi) from partition images, and an initramfs that writes it. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fault.h"
#include "initramfs.h"
#include "number.h"
#include "pack.h"
#include "payload_spec.h"
#include "sign.h"

static const char help[] =
	"Usage: flashpack -o FILE --fw-version V [OPTION...] PARTITION=FILE[,OPTION=VALUE...]...\n"
	"       flashpack index -o FILE IMAGE\n"
	"       flashpack sign [-o FILE] [--key PUBLIC-KEY] IMAGE SIGNATURE\n"
	"       flashpack initramfs -o FILE --program FLASHINIT [OPTION...]\n"
	"\n"
	"Makes one firmware image from what partitions shall hold, for flashinit to write.\n"
	"PARTITION is the name that /proc/mtd shows on the device.\n"
	"\n"
	"  -o, --output FILE       the image to make; appears whole or not at all\n"
	"      --fw-version V      version of the firmware, for people to read\n"
	"      --board NAME        board that the firmware is made for; may be given often\n"
	"      --rollback-number N a device whose own number is higher refuses the image\n"
	"      --tail WHAT         what becomes of the partitions behind the contents: erase\n"
	"                          (the default), keep, or jffs2 (erase, write cleanmarkers)\n"
	"      --chunk-size SIZE   bytes checked and unpacked at once, 4k to 1M (default 128k);\n"
	"                          the device needs this much memory\n"
	"      --level N           compression, 1 (fast) to 9 (small, the default)\n"
	"  -h, --help              this text\n"
	"      --version           version of flashpack\n"
	"\n"
	"Options of a payload, after its file:\n"
	"  kind=mtd          raw contents of a partition, without OOB (the default)\n"
	"  kind=ubi          an image made by ubinize, for a partition\n"
	"  kind=ubivol       contents of a UBI volume: volume=NAME, volume-size=SIZE,\n"
	"                    volume-type=dynamic or static\n"
	"  kind=block        the start of a block device\n"
	"  tail=, chunk-size=  as above, for this payload alone\n"
	"\n"
	"Signing, with the secret key elsewhere:\n"
	"  flashpack index -o fw.index fw.fwi       what is to be signed\n"
	"  signify -S -s secret.key -m fw.index     or: minisign -S -s secret.key -m fw.index\n"
	"  flashpack sign fw.fwi fw.index.sig       or: fw.index.minisig\n"
	"\n"
	"flashpack initramfs makes an initial RAM file system with flashinit as its /init, to be\n"
	"loaded beside a kernel or built into it; a FILE that ends in .gz is compressed:\n"
	"      --program FILE      flashinit for the device's CPU, static\n"
	"      --config FILE       becomes /etc/flashinit.conf\n"
	"      --key FILE          public key that images must be signed with; may be given often\n"
	"      --device PATH,TYPE,MAJOR,MINOR\n"
	"                          a device node (TYPE c or b) besides console, kmsg and null; for\n"
	"                          kernels without devtmpfs; may be given often\n"
	"\n"
	"Example:\n"
	"  flashpack -o fw.fwi --board thincan --fw-version 2.0 \\\n"
	"            rootfs=rootfs.jffs2 kernel=uImage,tail=keep\n"
	"\n"
	"The same input gives the same image, byte for byte. Exit codes: 0 made, 1 failed,\n"
	"2 called the wrong way, 3 image, signature or an input of initramfs refused.\n";

enum {
	OPT_FW_VERSION = 256,
	OPT_BOARD,
	OPT_ROLLBACK,
	OPT_TAIL,
	OPT_CHUNK_SIZE,
	OPT_LEVEL,
	OPT_KEY,
	OPT_PROGRAM,
	OPT_CONFIG,
	OPT_DEVICE,
	OPT_VERSION,
};

static const struct option long_options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "fw-version", required_argument, NULL, OPT_FW_VERSION },
	{ "board", required_argument, NULL, OPT_BOARD },
	{ "rollback-number", required_argument, NULL, OPT_ROLLBACK },
	{ "tail", required_argument, NULL, OPT_TAIL },
	{ "chunk-size", required_argument, NULL, OPT_CHUNK_SIZE },
	{ "level", required_argument, NULL, OPT_LEVEL },
	{ "key", required_argument, NULL, OPT_KEY },
	{ "program", required_argument, NULL, OPT_PROGRAM },
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "device", required_argument, NULL, OPT_DEVICE },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

struct command_line {
	struct pack_options pack;
	struct payload defaults;
	struct initramfs_options initramfs; /* its keys are those of signing, too */
	const char *out;
	bool packs; /* an option was given that only goes with making an image */
	bool boots; /* or with making an initramfs */
};

/* Long work says how far it is: from the third second on, once a second. */
static void show_progress(const char *file, uint64_t done)
{
	static time_t next;
	time_t now = time(NULL);

	if (!next)
		next = now + 2;
	if (now < next)
		return;
	next = now + 1;
	(void)dprintf(STDERR_FILENO, "flashpack: %s: %llu MiB\n", file,
		      (unsigned long long)done >> 20);
}

static int take_board(struct pack_options *o, const char *name, struct fault *f)
{
	for (unsigned int i = 0; i < o->board_count; i++)
		if (strcmp(o->board[i], name) == 0)
			return fault_set(f, FAULT_USAGE, "board %s is given twice", name);
	if (o->board_count == IMAGE_BOARDS_MAX)
		return fault_set(f, FAULT_USAGE, "more than %d boards", IMAGE_BOARDS_MAX);
	o->board[o->board_count++] = name;
	return text_check(name, "board name", f);
}

static int take_rollback(struct pack_options *o, const char *text, struct fault *f)
{
	const char *end;
	uint64_t n = number_read(text, 10, &end);

	if (*text < '0' || *text > '9' || *end || n > UINT32_MAX)
		return fault_set(f, FAULT_USAGE, "--rollback-number %s: must be 0 to %lu", text,
				 (unsigned long)UINT32_MAX);
	o->rollback = (uint32_t)n;
	return 0;
}

static int take_key(struct initramfs_options *o, const char *path, struct fault *f)
{
	if (o->key_count == KEYS_MAX)
		return fault_set(f, FAULT_USAGE, "more than %d keys", KEYS_MAX);
	o->key[o->key_count++] = path;
	return 0;
}

static int take_once(const char **to, const char *option, struct fault *f)
{
	if (*to)
		return fault_set(f, FAULT_USAGE, "%s is given twice", option);
	*to = optarg;
	return 0;
}

static int take_option_of_initramfs(struct command_line *c, int option, struct fault *f)
{
	c->boots = true;
	switch (option) {
	case OPT_PROGRAM:
		return take_once(&c->initramfs.program, "--program", f);
	case OPT_CONFIG:
		return take_once(&c->initramfs.config, "--config", f);
	default:
		return initramfs_take_device(&c->initramfs, optarg, f);
	}
}

static int take_option_of_image(struct command_line *c, int option, struct fault *f)
{
	c->packs = true;
	switch (option) {
	case OPT_FW_VERSION:
		c->pack.fw_version = optarg;
		return text_check(optarg, "firmware version", f);
	case OPT_BOARD:
		return take_board(&c->pack, optarg, f);
	case OPT_ROLLBACK:
		return take_rollback(&c->pack, optarg, f);
	case OPT_TAIL:
		return tail_parse(optarg, &c->defaults.tail, f);
	case OPT_CHUNK_SIZE:
		return chunk_size_parse(optarg, &c->defaults.chunk_size, f);
	case OPT_LEVEL:
		if (strlen(optarg) != 1 || *optarg < '1' || *optarg > '9')
			return fault_set(f, FAULT_USAGE, "--level %s: must be 1 to 9", optarg);
		c->pack.level = *optarg - '0';
		return 0;
	default: /* getopt has said what is wrong with it */
		return fault_set(f, FAULT_USAGE, "try flashpack --help");
	}
}

static int take_option(struct command_line *c, int option, struct fault *f)
{
	switch (option) {
	case 'o':
		c->out = optarg;
		return 0;
	case OPT_KEY:
		return take_key(&c->initramfs, optarg, f);
	case OPT_PROGRAM:
	case OPT_CONFIG:
	case OPT_DEVICE:
		return take_option_of_initramfs(c, option, f);
	default:
		return take_option_of_image(c, option, f);
	}
}

static int parse(struct command_line *c, int argc, char **argv, struct fault *f)
{
	int option;

	while ((option = getopt_long(argc, argv, "o:h", long_options, NULL)) != -1) {
		if (option == 'h' || option == OPT_VERSION) {
			(void)fputs(option == 'h' ? help : "flashpack " FLASHINIT_VERSION "\n",
				    stdout);
			exit(0);
		}
		if (take_option(c, option, f) < 0)
			return -1;
	}
	return 0;
}

/* Two payloads for one place would overwrite each other. */
static int check_places(const struct pack_options *o, struct fault *f)
{
	const struct payload *last = &o->payload[o->payload_count - 1].to;

	for (unsigned int i = 0; i + 1 < o->payload_count; i++)
		if (payload_same_place(&o->payload[i].to, last))
			return fault_set(f, FAULT_USAGE, "%s is given twice", last->part);
	return 0;
}

static int make(struct command_line *c, int count, char **words, struct fault *f)
{
	struct pack_options *o = &c->pack;

	if (!c->out || !o->fw_version || count == 0 || c->boots || c->initramfs.key_count > 0)
		return fault_set(f, FAULT_USAGE,
				 "needs -o FILE, --fw-version V and a PARTITION=FILE; see --help");
	if (count > IMAGE_PAYLOADS_MAX)
		return fault_set(f, FAULT_USAGE, "more than %d payloads", IMAGE_PAYLOADS_MAX);
	for (int i = 0; i < count; i++) {
		struct pack_payload *p = &o->payload[o->payload_count++];

		p->to = c->defaults;
		if (payload_spec_parse(&p->to, &p->file, words[i], f) < 0 || check_places(o, f) < 0)
			return -1;
	}
	o->on_progress = show_progress;
	return pack_image(o, c->out, f);
}

static int run_index(struct command_line *c, int count, char **words, struct fault *f)
{
	if (count != 2 || !c->out || c->packs || c->boots || c->initramfs.key_count > 0)
		return fault_set(f, FAULT_USAGE, "flashpack index -o FILE IMAGE");
	return sign_extract_index(words[1], c->out, f);
}

static int run_sign(struct command_line *c, int count, char **words, struct fault *f)
{
	if (count != 3 || c->packs || c->boots || c->initramfs.key_count > 1)
		return fault_set(f, FAULT_USAGE,
				 "flashpack sign [-o FILE] [--key KEY] IMAGE SIGNATURE");
	return sign_insert(words[1], words[2], c->initramfs.key[0], c->out ? c->out : words[1], f);
}

static int run_initramfs(struct command_line *c, int count, char **words, struct fault *f)
{
	(void)words; /* there is only the verb */
	if (count != 1 || !c->out || !c->initramfs.program || c->packs)
		return fault_set(f, FAULT_USAGE,
				 "flashpack initramfs -o FILE --program FLASHINIT [--config FILE] "
				 "[--key FILE] [--device PATH,TYPE,MAJOR,MINOR]");
	return initramfs_make(&c->initramfs, c->out, f);
}

static int run(struct command_line *c, int count, char **words, struct fault *f)
{
	static const struct {
		const char *name;
		int (*run)(struct command_line *c, int count, char **words, struct fault *f);
	} verbs[] = {
		{ "index", run_index },
		{ "sign", run_sign },
		{ "initramfs", run_initramfs },
	};

	for (size_t i = 0; count > 0 && i < sizeof(verbs) / sizeof(*verbs); i++)
		if (strcmp(words[0], verbs[i].name) == 0)
			return verbs[i].run(c, count, words, f);
	return make(c, count, words, f);
}

int main(int argc, char **argv)
{
	struct command_line c = {
		.pack = { .level = 9 },
		.defaults = { .kind = PAYLOAD_MTD, .tail = TAIL_ERASE, .chunk_size = 128 << 10 },
	};
	struct fault f;

	if (parse(&c, argc, argv, &f) == 0 && run(&c, argc - optind, argv + optind, &f) == 0)
		return 0;
	(void)dprintf(STDERR_FILENO, "flashpack: %s\n", f.text);
	return f.kind == FAULT_USAGE || f.kind == FAULT_IMAGE ? (int)f.kind : 1;
}
