// SPDX-License-Identifier: GPL-2.0-or-later
#include "json.h"

#include <stdio.h>

void json_string(const char *text)
{
	(void)putchar('"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			(void)putchar('\\');
		(void)putchar(*text >= 0x20 && *text < 0x7f ? *text : '?');
	}
	(void)putchar('"');
}

void json_event(const char *event, const char *message)
{
	(void)printf("{\"event\":\"%s\",\"message\":", event);
	json_string(message);
	(void)printf("}\n");
	(void)fflush(stdout); /* nobody may be listening */
}
