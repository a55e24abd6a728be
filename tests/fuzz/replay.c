// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * replay FOLDER: a fuzzer's invariants over each file of its corpus, for where there is no libFuzzer: on other CPUs.
 */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

/* Not every fuzzer has something to set up. */
#pragma weak LLVMFuzzerInitialize

/* Only a mutator calls it, and none is asked. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max)
{
	(void)data;
	(void)size;
	(void)max;
	abort();
}

static void fail(const char *what, const char *name)
{
	(void)fprintf(stderr, "replay: cannot %s %s\n", what, name);
	exit(1);
}

static void replay(const char *path)
{
	enum { LARGEST = 1 << 20 };
	uint8_t *data = malloc(LARGEST), *exact;
	FILE *file = fopen(path, "rb");
	size_t size;

	if (!data || !file)
		fail("open", path);
	size = fread(data, 1, LARGEST, file);
	if (ferror(file) || size == LARGEST)
		fail("read all of", path);
	(void)fclose(file);
	exact = malloc(size ? size : 1);
	if (!exact)
		fail("hold", path);
	memcpy(exact, data, size);
	(void)LLVMFuzzerTestOneInput(exact, size); /* always 0; what is wrong ends us */
	free(exact);
	free(data);
}

int main(int argc, char **argv)
{
	struct dirent *e;
	unsigned int count = 0;
	char path[4096];
	DIR *dir;

	if (argc != 2)
		return 2;
	if (LLVMFuzzerInitialize)
		(void)LLVMFuzzerInitialize(&argc, &argv);
	dir = opendir(argv[1]);
	if (!dir)
		fail("list", argv[1]);
	while ((e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", argv[1], e->d_name);
		replay(path);
		count++;
	}
	(void)closedir(dir);
	if (count == 0)
		fail("find anything in", argv[1]);
	(void)printf("%u inputs\n", count);
	return 0;
}
