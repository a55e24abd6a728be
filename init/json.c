// SPDX-License-Identifier: GPL-2.0-or-later
#include "json.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "say.h"

const char *json_quote(char *to, const char *text)
{
	char *end = to;

	*end++ = '"';
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			*end++ = '\\';
		*end = '?';
		if (*text >= 0x20 && *text < 0x7f)
			*end = *text;
		end++;
	}
	*end++ = '"';
	*end = '\0';
	return to;
}

void json_string(const char *text)
{
	char quoted[JSON_QUOTED(512)];

	(void)dprintf(STDOUT_FILENO, "%s", json_quote(quoted, text));
}

/* One write: a reader gets the line whole or not at all. */
void json_event(const char *event, const char *fmt, ...)
{
	char text[1200];
	va_list args;
	int len, room, more;

	len = snprintf(text, sizeof(text), "{\"event\":\"%s\",", event);
	va_start(args, fmt);
	room = (int)sizeof(text) - len - 2;
	more = vsnprintf(text + len, (size_t)room, fmt, args);
	va_end(args);
	len += more < room ? more : room - 1;
	text[len++] = '}';
	text[len++] = '\n';
	say_raw(STDOUT_FILENO, text, (size_t)len);
}

int json_end(const struct fault *f)
{
	char quoted[JSON_QUOTED(sizeof(((struct fault *)0)->text))];
	int code = f ? (int)f->kind : 0;

	json_event(f ? "failed" : "done", "\"code\":%d,\"message\":%s", code,
		   json_quote(quoted, f ? f->text : ""));
	return code;
}
