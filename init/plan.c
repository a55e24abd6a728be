// SPDX-License-Identifier: GPL-2.0-or-later
#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"

static const char *const after_words[] = {
	[AFTER_REBOOT] = "reboot",
	[AFTER_POWEROFF] = "poweroff",
	[AFTER_HALT] = "halt",
};

int plan_take_after(const char *word, enum after *after, struct fault *f)
{
	for (size_t i = 0; i < sizeof(after_words) / sizeof(*after_words); i++) {
		if (strcmp(word, after_words[i]) == 0) {
			*after = (enum after)i;
			return 0;
		}
	}
	return fault_set(f, FAULT_USAGE, "--after %s: must be reboot, poweroff or halt", word);
}

int plan_write(const struct plan *p, const char *path, struct fault *f)
{
	char text[sizeof(p->image) + 64];
	int len = snprintf(text, sizeof(text), "image = %s\nafter = %s\n", p->image,
			   after_words[p->after]);

	if (file_write(path, text, (size_t)len) < 0)
		return fault_errno(f, FAULT_FAILED, "%s: cannot write", path);
	return 0;
}

/* One "key = value" line. */
static int take_line(struct plan *p, const char *path, char *line, struct fault *f)
{
	char *value = strstr(line, " = ");

	if (value) {
		*value = '\0';
		value += 3;
		if (strcmp(line, "image") == 0 && strlen(value) < sizeof(p->image)) {
			memcpy(p->image, value, strlen(value) + 1);
			return 0;
		}
		if (strcmp(line, "after") == 0)
			return plan_take_after(value, &p->after, f);
	}
	return fault_set(f, FAULT_FAILED, "%s: cannot make sense of \"%s\"", path, line);
}

int plan_read(struct plan *p, const char *path, struct fault *f)
{
	char *text = file_read_text(path), *rest = text, *line;
	int result = 0;

	memset(p, 0, sizeof(*p));
	if (!text)
		return fault_errno(f, FAULT_FAILED, "%s: cannot read", path);
	while (result == 0 && (line = strsep(&rest, "\n")))
		if (*line)
			result = take_line(p, path, line, f);
	free(text);
	if (result == 0 && !p->image[0])
		result = fault_set(f, FAULT_FAILED, "%s: names no image", path);
	return result;
}
