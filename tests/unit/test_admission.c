// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admission.h"
#include "helpers.h"

static char compatible[128], dmi[128];
static const struct board_view view = { compatible, dmi };
static struct board_names names;
static struct config c;
static struct image img;
static struct fault f;

static int setup(void **state)
{
	memset(&c, 0, sizeof(c));
	memset(&img, 0, sizeof(img));
	memset(&names, 0, sizeof(names));
	if (temp_dir_make(state) < 0)
		return -1;
	(void)snprintf(compatible, sizeof(compatible), "%s", temp_path("compatible"));
	(void)snprintf(dmi, sizeof(dmi), "%s", temp_path("dmi"));
	return 0;
}

static void set_config(const char *board)
{
	(void)strcpy(c.board[c.board_count++], board);
}

static void set_device_tree(void)
{
	write_file(compatible, "acme,router-2\0acme,router\0soc,soc9000\0", 38);
}

static void set_dmi(void)
{
	write_text(temp_path("dmi/product_name"), "Thin Client 7\n");
	write_text(temp_path("dmi/board_name"), "TC7-B\n");
	write_text(temp_path("dmi/sys_vendor"), "ACME\n");
}

static void find(unsigned int count, const char *source)
{
	board_names_find(&names, &c, &view);
	assert_int_equal(names.count, count);
	if (source)
		assert_string_equal(names.source, source);
}

static void device_tree_is_asked_before_dmi(void **state)
{
	set_device_tree();
	set_dmi();
	find(3, "its device tree");
	assert_string_equal(names.name[0], "acme,router-2");
	assert_string_equal(names.name[1], "acme,router");
	assert_string_equal(names.name[2], "soc,soc9000");
}

static void configuration_comes_first(void **state)
{
	set_config("mine");
	set_config("mine too");
	set_device_tree();
	set_dmi();
	find(2, CONFIG_FILE);
	assert_string_equal(names.name[0], "mine");
	assert_string_equal(names.name[1], "mine too");
}

static void dmi_comes_last(void **state)
{
	set_dmi();
	find(2, "DMI");
	assert_string_equal(names.name[0], "Thin Client 7");
	assert_string_equal(names.name[1], "TC7-B");
	write_text(temp_path("dmi/product_name"), "\n"); /* as some vendors leave it */
	find(1, "DMI");
	assert_string_equal(names.name[0], "TC7-B");
}

static void nothing_to_find(void **state)
{
	find(0, NULL);
	write_text(compatible, ""); /* an empty one says nothing */
	find(0, NULL);
	set_dmi();
	find(2, "DMI");
}

static void odd_device_trees(void **state)
{
	char text[20 * 8], long_name[200];

	write_text(compatible, "acme,a"); /* no zero at the end */
	find(1, "its device tree");
	assert_string_equal(names.name[0], "acme,a");
	write_file(compatible, "\0\0acme,a\0\0acme,b\0\0", 18);
	find(2, "its device tree");
	assert_string_equal(names.name[1], "acme,b");
	memset(long_name, 'x', sizeof(long_name));
	long_name[IMAGE_TEXT_MAX + 1] = '\0'; /* what no image can name is left out */
	memcpy(long_name + IMAGE_TEXT_MAX + 2, "acme,c", 7);
	write_file(compatible, long_name, IMAGE_TEXT_MAX + 2 + 7);
	find(1, "its device tree");
	assert_string_equal(names.name[0], "acme,c");
	for (size_t i = 0; i < 20; i++) {
		memcpy(text + i * 8, "name-a\0", 8);
		text[i * 8 + 5] = (char)('a' + i);
	}
	write_file(compatible, text, sizeof(text));
	find(16, "its device tree");
	assert_string_equal(names.name[15], "name-p");
}

static void made_for(const char *board)
{
	(void)strcpy(img.board[img.board_count++], board);
}

static int check_except(bool force_board, bool allow_downgrade)
{
	const struct admission except = { force_board, allow_downgrade };

	if (admission_board(&img, &names, &except, &f) < 0)
		return -1;
	return admission_rollback(&img, &c, &except, &f);
}

static int check(void)
{
	return check_except(false, false);
}

static void image_for_every_board(void **state)
{
	assert_int_equal(check(), 0);
	set_device_tree();
	find(3, NULL);
	assert_int_equal(check(), 0);
}

static void image_for_this_board(void **state)
{
	set_device_tree();
	find(3, NULL);
	made_for("other");
	assert_int_equal(check(), -1);
	made_for("soc,soc9000"); /* any of its names goes with any of the image's */
	assert_int_equal(check(), 0);
}

static void image_for_other_boards(void **state)
{
	static const char *const others[] = { "acme,route",   "acme,router2", "Acme,router",
					      "acme,router ", "router",       "x" };

	set_device_tree();
	find(3, NULL);
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		img.board_count = 0;
		made_for(others[i]);
		assert_int_equal(check(), -1);
		assert_fault(&f, FAULT_IMAGE, "the image is for board ");
		assert_fault(&f, FAULT_IMAGE, others[i]);
		assert_fault(&f, FAULT_IMAGE, ", this is acme,router-2, by its device tree");
	}
	made_for("y");
	assert_int_equal(check(), -1);
	assert_fault(&f, FAULT_IMAGE, "for board x and others, this is");
}

/* The names that the device tree has count no more where the configuration has one. */
static void configuration_replaces_other_names(void **state)
{
	set_config("mine");
	set_device_tree();
	find(1, NULL);
	made_for("acme,router");
	assert_int_equal(check(), -1);
	assert_fault(&f, FAULT_IMAGE, "this is mine, by " CONFIG_FILE);
	made_for("mine");
	assert_int_equal(check(), 0);
}

static void nothing_says_what_board_this_is(void **state)
{
	made_for("a");
	assert_int_equal(check(), -1);
	assert_fault(&f, FAULT_IMAGE, "for board a, and nothing says what board this is");
	assert_fault(&f, FAULT_IMAGE, CONFIG_FILE);
	assert_int_equal(check_except(true, false), 0);
}

static void rollback(void **state)
{
	static const uint32_t numbers[] = { 0, 1, 6, 7, 8, 0x80000000, UINT32_MAX };

	for (size_t image = 0; image < 7; image++)
		for (size_t device = 0; device < 7; device++) {
			img.rollback = numbers[image];
			c.rollback = numbers[device];
			assert_int_equal(check(), image < device ? -1 : 0);
		}
	img.rollback = 6;
	c.rollback = 7;
	assert_int_equal(check(), -1);
	assert_fault(&f, FAULT_IMAGE, "number 6, this device takes none below 7");
}

static void exceptions_for_unsigned_images(void **state)
{
	img.rollback = 6;
	c.rollback = 7;
	made_for("other");
	set_config("mine");
	find(1, NULL);
	assert_int_equal(check(), -1);
	assert_int_equal(check_except(true, false), -1);
	assert_fault(&f, FAULT_IMAGE, "anti-rollback number");
	assert_int_equal(check_except(false, true), -1);
	assert_fault(&f, FAULT_IMAGE, "for board other");
	assert_int_equal(check_except(true, true), 0);
}

static void no_exceptions_for_signed_images(void **state)
{
	static const enum image_trust trusts[] = { IMAGE_NOT_VERIFIED, IMAGE_VERIFIED };

	for (int i = 0; i < 2; i++) {
		img.trust = trusts[i];
		assert_int_equal(check(), 0);
		assert_int_equal(check_except(true, false), -1);
		assert_fault(&f, FAULT_USAGE, "are for unsigned images only");
		assert_int_equal(check_except(false, true), -1);
		assert_fault(&f, FAULT_USAGE, "are for unsigned images only");
	}
}

static void live_view(void **state)
{
	assert_string_equal(board_live.compatible, "/proc/device-tree/compatible");
	assert_string_equal(board_live.dmi, "/sys/class/dmi/id");
}

#define admission_test(name) cmocka_unit_test_setup_teardown(name, setup, temp_dir_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		admission_test(device_tree_is_asked_before_dmi),
		admission_test(configuration_comes_first),
		admission_test(dmi_comes_last),
		admission_test(nothing_to_find),
		admission_test(odd_device_trees),
		admission_test(image_for_every_board),
		admission_test(image_for_this_board),
		admission_test(image_for_other_boards),
		admission_test(configuration_replaces_other_names),
		admission_test(nothing_says_what_board_this_is),
		admission_test(rollback),
		admission_test(exceptions_for_unsigned_images),
		admission_test(no_exceptions_for_signed_images),
		admission_test(live_view),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
