// SPDX-License-Identifier: GPL-2.0-or-later
/* Cleanmarkers, held against those that mkfs.jffs2 writes. */
#include <endian.h>
#include <string.h>

#include "cleanmarker.h"
#include "helpers.h"

#if __BYTE_ORDER == __LITTLE_ENDIAN
static const uint8_t node[] = { 0x85, 0x19, 0x03, 0x20, 12, 0, 0, 0, 0xb1, 0xb0, 0x1e, 0xe4 };
static const uint8_t oob[] = { 0x85, 0x19, 0x03, 0x20, 8, 0, 0, 0 };
#else
static const uint8_t node[] = { 0x19, 0x85, 0x20, 0x03, 0, 0, 0, 12, 0xf0, 0x60, 0xdc, 0x98 };
static const uint8_t oob[] = { 0x19, 0x85, 0x20, 0x03, 0, 0, 0, 8 };
#endif

static void as_a_node(void **state)
{
	uint8_t p[CLEANMARKER_NODE_SIZE + 1];

	memset(p, 0xff, sizeof(p));
	cleanmarker_put(p, CLEANMARKER_NODE_SIZE);
	assert_memory_equal(p, node, sizeof(node));
	assert_int_equal(p[CLEANMARKER_NODE_SIZE], 0xff);
}

static void in_oob(void **state)
{
	uint8_t p[CLEANMARKER_OOB_SIZE + 1];

	memset(p, 0xff, sizeof(p));
	cleanmarker_put(p, CLEANMARKER_OOB_SIZE);
	assert_memory_equal(p, oob, sizeof(oob));
	assert_int_equal(p[CLEANMARKER_OOB_SIZE], 0xff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_a_node),
		cmocka_unit_test(in_oob),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
