// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The input is an index.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "image_checks.h"
#include "index_mutator.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *index = malloc(size ? size : 1); /* of exactly its size, for AddressSanitizer */
	struct fault f = { .kind = 0 };
	struct image img;

	require(index);
	memcpy(index, data, size);
	if (image_parse_index(&img, index, (uint32_t)size, "input", &f) < 0)
		check_refusal(&f, FAULT_IMAGE);
	else
		check_image(&img);
	image_free(&img);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	return index_mutate(data, size, max, seed);
}
