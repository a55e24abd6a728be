// SPDX-License-Identifier: GPL-2.0-or-later
#include "finding.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "json.h"
#include "say.h"

enum { FIGURES_ROOM = 256 }; /* four names and numbers, with room to spare */

void finding_say(struct finding *found, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(found->text, sizeof(found->text), fmt, args); /* cut short, like lines */
	va_end(args);
}

void finding_figure(struct finding *found, const char *name, uint64_t value)
{
	found->figure[found->figures].name = name;
	found->figure[found->figures++].value = value;
}

static void tell_event(const struct finding *found, const char *name, const struct fault *f)
{
	char message[JSON_QUOTED(sizeof(f->text))], part[JSON_QUOTED(64)];
	char figures[sizeof(part) + FIGURES_ROOM];
	int len = 0;

	if (found->part)
		len = snprintf(figures, sizeof(figures), ",\"partition\":%s",
			       json_quote(part, found->part));
	for (unsigned int i = 0; i < found->figures; i++)
		len += snprintf(figures + len, sizeof(figures) - (size_t)len, ",\"%s\":%" PRIu64,
				found->figure[i].name, found->figure[i].value);
	figures[len] = '\0';
	json_event("check", "\"name\":\"%s\",\"ok\":%s,\"code\":%d,\"message\":%s%s", name,
		   f ? "false" : "true", f ? (int)f->kind : 0,
		   json_quote(message, f ? f->text : found->text), figures);
}

void finding_tell(const struct finding *found, const char *name, const struct fault *f)
{
	if (say_is_json())
		tell_event(found, name, f);
	else if (!f)
		say("%s: %s", name, found->text);
}
