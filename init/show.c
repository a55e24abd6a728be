// SPDX-License-Identifier: GPL-2.0-or-later
#include "show.h"

#include <inttypes.h>
#include <stdio.h>

#include "image.h"
#include "preflight.h"
#include "say.h"

static void print_payload(const struct payload *p)
{
	uint64_t stored = 0;

	for (uint32_t n = 0; n < p->chunk_count; n++)
		stored += payload_chunk(p, n).stored;
	(void)printf("payload: %s, %" PRIu64 " bytes (%" PRIu64 " stored), %" PRIu32
		     " chunks of %" PRIu32 ", tail %s\n",
		     p->part, p->size, stored, p->chunk_count, p->chunk_size,
		     p->tail == TAIL_ERASE ? "erased" : "kept");
}

int show_info(const char *image)
{
	struct source src = { .fd = -1 };
	struct image img = { .index = NULL };
	struct fault f;
	int code = 0;

	if (source_open(&src, image, &f) < 0 || image_read(&img, &src, &f) < 0) {
		code = say_fault(&f);
	} else {
		(void)printf("firmware: %s\n", img.fw_version);
		for (unsigned int i = 0; i < img.board_count; i++)
			(void)printf("board: %s\n", img.board[i]);
		for (unsigned int i = 0; i < img.payload_count; i++)
			print_payload(&img.payload[i]);
		(void)printf("size: %" PRIu64 " bytes\n", image_file_size(&img));
		if (fflush(stdout) != 0) {
			(void)fault_errno(&f, FAULT_FAILED, "standard output");
			code = say_fault(&f);
		}
	}
	image_free(&img);
	source_close(&src);
	return code;
}

int show_verify(const char *image)
{
	struct preflight p;
	struct fault f;
	int code = 0;

	preflight_init(&p);
	if (preflight_verify_image(&p, image, &f) < 0)
		code = say_fault(&f);
	else
		say("%s: firmware %s, %" PRIu64 " bytes, every chunk passes its check", image,
		    p.image.fw_version, image_file_size(&p.image));
	preflight_end(&p);
	return code;
}
