// SPDX-License-Identifier: GPL-2.0-or-later
/* flashpack: makes one firmware image (*.fwi) from partition images. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "pack.h"

static const char help[] =
	"Usage: flashpack -o FILE --fw-version V [OPTION...] PARTITION=FILE...\n"
	"\n"
	"Makes one firmware image from partition images, for flashinit to write. PARTITION is\n"
	"the name that /proc/mtd shows on the device; FILE is what the partition shall hold:\n"
	"an image of JFFS2, SquashFS, CRAMFS, a kernel, ... without OOB data.\n"
	"\n"
	"  -o, --output FILE      the image to make; appears whole or not at all\n"
	"      --fw-version V     version of the firmware, for people to read\n"
	"      --board NAME       board that the firmware is made for; may be given often;\n"
	"                         shown, but devices do not refuse other boards yet\n"
	"      --chunk-size SIZE  bytes checked and unpacked at once, 4k to 1M (default 128k);\n"
	"                         the device needs this much memory per chunk\n"
	"      --level N          compression, 1 (fast) to 9 (small, the default)\n"
	"  -h, --help             this text\n"
	"      --version          version of flashpack\n"
	"\n"
	"Example:\n"
	"  flashpack -o fw.fwi --board thincan --fw-version 2.0 \\\n"
	"            rootfs=rootfs.jffs2 kernel=uImage\n"
	"\n"
	"The same input gives the same image, byte for byte. Exit codes: 0 made, 1 failed,\n"
	"2 called the wrong way.\n";

enum { OPT_FW_VERSION = 256, OPT_BOARD, OPT_CHUNK_SIZE, OPT_LEVEL, OPT_VERSION };

static const struct option long_options[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "fw-version", required_argument, NULL, OPT_FW_VERSION },
	{ "board", required_argument, NULL, OPT_BOARD },
	{ "chunk-size", required_argument, NULL, OPT_CHUNK_SIZE },
	{ "level", required_argument, NULL, OPT_LEVEL },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static int check_text(const char *text, const char *what, struct fault *f)
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

/* A number with k or M behind it, within limits. */
static int take_size(const char *text, uint32_t *size, struct fault *f)
{
	char *end;
	unsigned long long n = strtoull(text, &end, 10);

	if (*end == 'k') {
		n <<= 10;
		end++;
	} else if (*end == 'M') {
		n <<= 20;
		end++;
	}
	if (end == text || *end || n < IMAGE_CHUNK_MIN || n > IMAGE_CHUNK_MAX)
		return fault_set(f, FAULT_USAGE, "--chunk-size %s: must be 4k to 1M", text);
	*size = (uint32_t)n;
	return 0;
}

static int take_board(struct pack_options *o, const char *name, struct fault *f)
{
	if (o->board_count == IMAGE_BOARDS_MAX)
		return fault_set(f, FAULT_USAGE, "more than %d boards", IMAGE_BOARDS_MAX);
	o->board[o->board_count++] = name;
	return check_text(name, "board name", f);
}

/* Splits PARTITION=FILE in place. */
static int take_payload(struct pack_options *o, char *word, struct fault *f)
{
	char *equals = strchr(word, '=');
	struct pack_payload *p = &o->payload[o->payload_count];

	if (!equals || !equals[1])
		return fault_set(f, FAULT_USAGE, "%s: should be PARTITION=FILE", word);
	if (o->payload_count == IMAGE_PAYLOADS_MAX)
		return fault_set(f, FAULT_USAGE, "more than %d payloads", IMAGE_PAYLOADS_MAX);
	*equals = '\0';
	p->part = word;
	p->file = equals + 1;
	for (unsigned int i = 0; i < o->payload_count; i++)
		if (strcmp(o->payload[i].part, p->part) == 0)
			return fault_set(f, FAULT_USAGE, "%s is given twice", p->part);
	o->payload_count++;
	return check_text(p->part, "partition name", f);
}

static int take_option(struct pack_options *o, int c, const char **out, struct fault *f)
{
	switch (c) {
	case 'o':
		*out = optarg;
		return 0;
	case OPT_FW_VERSION:
		o->fw_version = optarg;
		return check_text(optarg, "firmware version", f);
	case OPT_BOARD:
		return take_board(o, optarg, f);
	case OPT_CHUNK_SIZE:
		return take_size(optarg, &o->chunk_size, f);
	case OPT_LEVEL:
		if (strlen(optarg) != 1 || *optarg < '1' || *optarg > '9')
			return fault_set(f, FAULT_USAGE, "--level %s: must be 1 to 9", optarg);
		o->level = *optarg - '0';
		return 0;
	default: /* getopt has said what is wrong with it */
		return fault_set(f, FAULT_USAGE, "try flashpack --help");
	}
}

static int parse(struct pack_options *o, int argc, char **argv, const char **out, struct fault *f)
{
	int c;

	while ((c = getopt_long(argc, argv, "o:h", long_options, NULL)) != -1) {
		if (c == 'h' || c == OPT_VERSION) {
			(void)fputs(c == 'h' ? help : "flashpack " FLASHINIT_VERSION "\n", stdout);
			exit(0);
		}
		if (take_option(o, c, out, f) < 0)
			return -1;
	}
	for (int i = optind; i < argc; i++)
		if (take_payload(o, argv[i], f) < 0)
			return -1;
	if (!*out || !o->fw_version || o->payload_count == 0)
		return fault_set(f, FAULT_USAGE,
				 "needs -o FILE, --fw-version V and a PARTITION=FILE; see --help");
	return 0;
}

int main(int argc, char **argv)
{
	struct pack_options o = { .chunk_size = 128 << 10, .level = 9 };
	const char *out = NULL;
	struct fault f;

	if (parse(&o, argc, argv, &out, &f) == 0 && pack_image(&o, out, &f) == 0)
		return 0;
	(void)fprintf(stderr, "flashpack: %s\n", f.text);
	return f.kind == FAULT_USAGE ? 2 : 1;
}
