// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The input is a plan.
 */
#include "plan.h"

#include <string.h>

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *path = path_of(data, size);
	struct plan p, again;
	struct fault f = { .kind = 0 };

	if (plan_read(&p, path, &f) < 0) {
		require(f.kind == FAULT_FAILED || f.kind == FAULT_USAGE);
		require(f.text[0] && !strchr(f.text, '\n'));
		return 0;
	}
	require(p.image[0] || p.exec[0] || p.recover[0]);
	require(strnlen(p.image, sizeof(p.image)) < sizeof(p.image));
	require(!strchr(p.image, '\n'));
	require(p.after.what <= AFTER_EXEC);
	require(plan_write(&p, path, &f) == 0);
	require(plan_read(&again, path, &f) == 0);
	require(strcmp(p.image, again.image) == 0 && p.after.what == again.after.what &&
		strcmp(p.after.program, again.after.program) == 0);
	require(strcmp(p.journal, again.journal) == 0 && strcmp(p.tries, again.tries) == 0);
	require(strcmp(p.recover, again.recover) == 0 && strcmp(p.wanted, again.wanted) == 0 &&
		strcmp(p.not_image, again.not_image) == 0);
	return 0;
}
