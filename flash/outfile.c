// SPDX-License-Identifier: GPL-2.0-or-later
#include "outfile.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int outfile_open(struct outfile *o, const char *name, struct fault *f)
{
	o->file = NULL;
	/* realpath() fails where there is no such file yet, and then the name is what it is */
	if (!realpath(name, o->name) &&
	    snprintf(o->name, sizeof(o->name), "%s", name) >= (int)sizeof(o->name))
		return fault_set(f, FAULT_USAGE, "%s: the name is too long", name);
	if (snprintf(o->part, sizeof(o->part), "%s.part", o->name) >= (int)sizeof(o->part))
		return fault_set(f, FAULT_USAGE, "%s: the name is too long", name);
	o->file = fopen(o->part, "wbe");
	if (!o->file)
		return fault_errno(f, FAULT_FAILED, "%s: cannot create", o->part);
	return 0;
}

int outfile_write(struct outfile *o, const void *data, size_t len, struct fault *f)
{
	if (fwrite(data, 1, len, o->file) != len)
		return fault_errno(f, FAULT_FAILED, "%s: cannot write", o->part);
	return 0;
}

int outfile_copy(struct outfile *o, FILE *from, const char *from_name, struct fault *f)
{
	char buf[65536];

	for (;;) {
		size_t got = fread(buf, 1, sizeof(buf), from);

		if (ferror(from))
			return fault_errno(f, FAULT_FAILED, "%s: cannot read", from_name);
		if (got == 0)
			return 0;
		if (outfile_write(o, buf, got, f) < 0)
			return -1;
	}
}

int outfile_close(struct outfile *o, int result, struct fault *f)
{
	if (!o->file)
		return result;
	if (result == 0 && (fflush(o->file) != 0 || fsync(fileno(o->file)) < 0))
		result = fault_errno(f, FAULT_FAILED, "%s: cannot write", o->part);
	if (fclose(o->file) != 0 && result == 0)
		result = fault_errno(f, FAULT_FAILED, "%s: cannot write", o->part);
	if (result == 0 && rename(o->part, o->name) < 0)
		result = fault_errno(f, FAULT_FAILED, "%s: cannot rename to %s", o->part, o->name);
	if (result < 0)
		(void)unlink(o->part); /* the first error is the one to report */
	o->file = NULL;
	return result;
}
