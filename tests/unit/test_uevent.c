// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "helpers.h"
#include "uevent.h"

static struct uevent e;

/* A text with its zeros, and the one at its end. */
#define parse(text) uevent_parse(&e, text, sizeof(text))

static void devices(void **state)
{
	parse("add@/devices/pci/block/sda/sda1\0ACTION=add\0DEVPATH=/devices/pci/block/sda/sda1\0"
	      "SUBSYSTEM=block\0MAJOR=8\0DEVNAME=sda1\0DEVTYPE=partition\0SEQNUM=9");
	assert_int_equal(e.action, UEVENT_ADD);
	assert_string_equal(e.subsystem, "block");
	assert_string_equal(e.device, "sda1");
	parse("remove@/x\0ACTION=remove\0SUBSYSTEM=block\0DEVNAME=sda");
	assert_int_equal(e.action, UEVENT_REMOVE);
	parse("change@/x\0ACTION=change\0SUBSYSTEM=block\0DEVNAME=sr0\0DISK_MEDIA_CHANGE=1");
	assert_int_equal(e.action, UEVENT_MEDIUM);
	parse("change@/x\0ACTION=change\0SUBSYSTEM=block\0DEVNAME=loop0");
	assert_int_equal(e.action, UEVENT_OTHER);
}

static void odd_ones(void **state)
{
	parse("");
	assert_int_equal(e.action, UEVENT_OTHER);
	assert_string_equal(e.subsystem, "");
	parse("libudev\0\0\0ACTION=addx\0SUBSYSTEM=a_name_that_is_much_longer_than_it_may_be\0"
	      "DEVNAME=bus/usb/001/002/and/a/name/that/is/longer/than/any");
	assert_int_equal(e.action, UEVENT_OTHER);
	assert_int_equal(strlen(e.subsystem), sizeof(e.subsystem) - 1);
	assert_int_equal(strlen(e.device), sizeof(e.device) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices),
		cmocka_unit_test(odd_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
