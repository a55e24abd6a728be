// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "finding.h"
#include "helpers.h"
#include "say.h"

static struct finding found;
static struct fault f;

static void told(const char *wanted, const struct fault *why)
{
	char *text;

	capture_start(STDOUT_FILENO);
	finding_tell(&found, "memory", why);
	text = capture_end(STDOUT_FILENO);
	assert_string_equal(text, wanted);
	free(text);
}

static int setup(void **state)
{
	memset(&found, 0, sizeof(found));
	finding_say(&found, "needs %d \"%s\"", 2, "MiB");
	(void)fault_set(&f, FAULT_UNFIT, "too \"little\"");
	return 0;
}

static void lines(void **state)
{
	told("flashinit: memory: needs 2 \"MiB\"\n", NULL);
	told("", &f); /* whoever has the fault says it */
}

/* The last one: there is no way back from JSON. */
static void events(void **state)
{
	char longest[sizeof(found.text) * 2];
	char *text;

	say_as_json();
	told("{\"event\":\"check\",\"name\":\"memory\",\"ok\":true,\"code\":0,"
	     "\"message\":\"needs 2 \\\"MiB\\\"\"}\n",
	     NULL);
	found.part = "root\"fs";
	for (int i = 0; i < 4; i++)
		finding_figure(&found, "available", UINT64_MAX - (uint64_t)i);
	told("{\"event\":\"check\",\"name\":\"memory\",\"ok\":false,\"code\":4,"
	     "\"message\":\"too \\\"little\\\"\",\"partition\":\"root\\\"fs\","
	     "\"available\":18446744073709551615,\"available\":18446744073709551614,"
	     "\"available\":18446744073709551613,\"available\":18446744073709551612}\n",
	     &f);
	memset(longest, '"', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	(void)fault_set(&f, FAULT_UNFIT, "%s", longest);
	capture_start(STDOUT_FILENO);
	finding_tell(&found, "memory", &f);
	text = capture_end(STDOUT_FILENO);
	assert_string_equal(strrchr(text, ','), ",\"available\":18446744073709551612}\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(lines, setup),
		cmocka_unit_test_setup(events, setup),
	};

	return cmocka_run_group_tests(tests, temp_dir_make, temp_dir_remove);
}
