// SPDX-License-Identifier: GPL-2.0-or-later
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "helpers.h"
#include "images.h"
#include "look.h"

enum { LIMIT_MS = 60000 };

static struct look look;
static struct search search;
static struct config config;
static struct report r;

static int setup(void **state)
{
	memset(&search, 0, sizeof(search));
	memset(&config, 0, sizeof(config));
	return temp_dir_make(state);
}

static void start_at(const char *place)
{
	memset(&look, 0, sizeof(look));
	(void)snprintf(look.place, sizeof(look.place), "%s", place);
	assert_true(look_start(&look, &search, &config, LIMIT_MS));
}

/* Looks at a file, of which there is one thing to say. */
static void look_at(const char *place, enum report_kind kind)
{
	struct report more;
	pid_t pid;

	start_at(place);
	pid = look.pid;
	assert_true(look_take(&look, &r));
	assert_int_equal(r.kind, kind);
	assert_false(look_take(&look, &more));
	assert_string_equal(look.place, ""); /* it is free again */
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static const char *good_image(void)
{
	static struct forged_image image;

	forge_start(&image);
	forge_text(&image, FIELD_FW_VERSION, "1.9");
	forge_text(&image, FIELD_BOARD, "thincan");
	forge_stored(&image, "rootfs", (const uint8_t *)"data", 4);
	forge_write(&image, temp_path("fw.fwi"));
	(void)strcpy(config.board[0], "thincan");
	config.board_count = 1;
	return temp_path("fw.fwi");
}

static struct found found_at(const char *place)
{
	struct found found;

	look_at(place, REPORT_FOUND);
	memcpy(&found, r.text, sizeof(found));
	return found;
}

static void finds(void **state)
{
	struct found found = found_at(good_image()), again = found_at(temp_path("fw.fwi"));

	assert_string_equal(found.version, "1.9");
	assert_string_equal(found.path, temp_path("fw.fwi"));
	assert_int_equal(strlen(found.id), IMAGE_ID_SIZE - 1);
	assert_int_equal(found.mark, again.mark);
}

static void passed_over(const char *why)
{
	char line[400];

	look_at(temp_path("fw.fwi"), REPORT_SAY);
	(void)snprintf(line, sizeof(line), "passed over: %s: %s", temp_path("fw.fwi"), why);
	if (strncmp(r.text, line, strlen(line)) != 0)
		fail_msg("\"%s\" is not \"%s\"", r.text, line);
}

static void wants(void **state)
{
	struct found found = found_at(good_image());

	(void)strcpy(search.wanted, "another");
	(void)strcpy(search.version, "1.9");
	passed_over(
		"firmware 1.9 is neither the one that was begun (1.9, image another) nor newer");
	(void)strcpy(search.version, "1.10");
	passed_over("firmware 1.9 is neither");
	(void)strcpy(search.version, "1.8");
	(void)found_at(temp_path("fw.fwi"));
	config.rollback = 1;
	passed_over("the image has anti-rollback number 0, this device takes none below 1");
	(void)strcpy(config.board[0], "teapot");
	passed_over("the image is for board thincan, this is teapot");
	memcpy(search.wanted, found.id, sizeof(search.wanted));
	(void)found_at(temp_path("fw.fwi")); /* it was admitted when it was begun */
	search.wanted[0] = '\0';
	(void)strcpy(config.board[0], "thincan");
	config.rollback = 0;
	memcpy(search.not_image, found.id, sizeof(search.not_image));
	passed_over("firmware 1.9 is the one that failed to boot");
}

static void refuses(void **state)
{
	write_text(temp_path("fw.fwi"), "no image");
	passed_over("");
	look_at(temp_path("none"), REPORT_SAY);
	look_at("mtd:no such partition", REPORT_SAY);
}

/* Whatever it does, it can be ended, and nobody waits for it. */
static void hangs(void **state)
{
	pid_t pid;
	int status;

	assert_int_equal(mkfifo(temp_path("fifo"), 0600), 0);
	start_at(temp_path("fifo")); /* to open it waits for somebody who writes */
	pid = look.pid;
	look_end(&look);
	assert_string_equal(look.place, "");
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	look_end(&look); /* of nothing */
}

#define look_test(name) cmocka_unit_test_setup_teardown(name, setup, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		look_test(finds),
		look_test(wants),
		look_test(refuses),
		look_test(hangs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
