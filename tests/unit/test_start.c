// SPDX-License-Identifier: GPL-2.0-or-later
/* Single looks at starts; what cuts make of them is in tests/sim/test_recovery_start.c. */
#include "start.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>

#include "cleanmarker.h"
#include "helpers.h"
#include "simflash.h"

enum { EB = 4096, PAGE = 512, PAGES = EB / PAGE, OOB = 16 };

static const uint32_t bad[] = { 0 };
static const struct sim_geometry nand = { SIM_NAND, EB, PAGE, 4, bad, 1 };
static const struct sim_geometry nor = { SIM_NOR, EB, 1, 4, NULL, 0 };
static const struct sim_geometry disk = { SIM_BLOCK, PAGE, PAGE, 4, NULL, 0 };
static const struct sim_geometry volume = { SIM_VOLUME, EB, PAGE, 4, NULL, 0 };

static struct sim_board board;
static struct sim_chip *chip;
static uint8_t data[EB];
static struct fault f;

static void use(const struct sim_geometry *g)
{
	sim_board_free(&board);
	chip = sim_add_chip(&board, "rootfs", g);
	fill_random(data, EB, 1);
	sim_factory_block(chip, sim_good(chip, 0), data, target_block_size(&chip->target, 0));
}

static int setup(void **state)
{
	sim_board_init(&board);
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(board.breaches, 0);
	sim_board_free(&board);
	return 0;
}

static enum start_state look(void)
{
	enum start_state s;

	assert_int_equal(start_look(&chip->target, false, &s, &f), 0);
	return s;
}

static enum start_state look_at(const uint8_t *start, size_t len)
{
	sim_factory_block(chip, sim_good(chip, 0), start, len);
	return look();
}

static void on_nand(void **state)
{
	use(&nand);
	assert_int_equal(look(), START_WHOLE);
	assert_int_equal(look_at(NULL, 0), START_BLANK);
	memset(data, 0xff, PAGE); /* a torn erase has begun with its first pages */
	assert_int_equal(look_at(data, EB), START_BLANK);
}

static void patterns(void **state)
{
	use(&nand);
	memset(data, 0x5a, EB);
	assert_int_equal(look_at(data, EB), START_BLANK);
	assert_int_equal(look_at(data, PAGE), START_BLANK); /* its program was torn */
	memset(data + 20, 0x77, PAGE / 5);                  /* it fails in it */
	assert_int_equal(look_at(data, EB), START_BLANK);
	memset(data + 20, 0x77, PAGE / 2);
	assert_int_equal(look_at(data, EB), START_WHOLE);
	memset(data, 0, EB);
	assert_int_equal(look_at(data, EB), START_BLANK);
	data[PAGE + 1] = 1; /* somebody's header may be */
	assert_int_equal(look_at(data, EB), START_WHOLE);
}

static void pages_that_ecc_cannot_correct(void **state)
{
	use(&nand);
	sim_weaken(chip, 1, SIM_READ, SIM_DOUBT, 1);
	assert_int_equal(look(), START_TORN);
	sim_weaken(chip, 1, SIM_READ, SIM_CORRECT, 1);
	assert_int_equal(look(), START_WHOLE);
}

static void stamp(uint32_t page, const char *text)
{
	memcpy(sim_oob(chip, 1) + (size_t)page * OOB, text, 4);
}

static void stamps(void **state)
{
	uint8_t *last;

	use(&nand);
	stamp(PAGES - 1, "FIdn");
	assert_int_equal(look(), START_WHOLE);
	stamp(0, "FIpn");
	assert_int_equal(look(), START_WHOLE);
	last = sim_oob(chip, 1) + (size_t)(PAGES - 1) * OOB;
	last[1] ^= 0x81; /* no ECC looks after them */
	assert_int_equal(look(), START_WHOLE);
	last[0] ^= 0x01;
	assert_int_equal(look(), START_TORN);
	stamp(PAGES - 1, "FIdn");
	stamp(1, "FIbg");
	assert_int_equal(look(), START_TORN);
}

static void no_stamps(void **state)
{
	use(&nand);
	stamp(0, "\x85\x19\x03\x20"); /* a cleanmarker */
	assert_int_equal(look(), START_WHOLE);
	sim_set_oob(chip, 3);
	sim_factory_block(chip, 1, data, EB);
	assert_int_equal(look(), START_WHOLE);
}

/* JFFS2 writes numbers as its CPU has them: where the lowest byte of the length is. */
enum { LOW = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 4 : 7 };

static void free_block_of_jffs2(void **state)
{
	const uint32_t length = 8;
	uint8_t marker[JFFS2_NODE_HEAD];

	cleanmarker_put(marker, sizeof(marker));
	memcpy(marker + 4, &length, sizeof(length)); /* of what is in OOB */
	use(&nand);
	sim_factory_block(chip, 1, NULL, 0);
	memcpy(sim_oob(chip, 1), marker, 8);
	assert_int_equal(look(), START_WHOLE);
	sim_oob(chip, 1)[LOW] = 9; /* a bit, as ECC need not put it right in OOB */
	assert_int_equal(look(), START_WHOLE);
	sim_oob(chip, 1)[LOW ^ 1] = 0x0f;
	assert_int_equal(look(), START_BLANK);
	/* a driver that leaves fewer bytes than the marker has */
	sim_set_oob(chip, 5);
	sim_factory_block(chip, 1, NULL, 0);
	memcpy(sim_oob(chip, 1), marker, 5);
	assert_int_equal(look(), START_WHOLE);
	sim_set_oob(chip, 3);
	assert_int_equal(look(), START_BLANK);
}

/* A node that counts no more, since what it held was written anew. */
static void obsolete_node_on_nor(void **state)
{
	uint8_t node[JFFS2_NODE_HEAD];

	cleanmarker_put(node, sizeof(node));
	assert_true(jffs2_is_node(node));
	node[3] &= (uint8_t)~0x20;
	assert_true(jffs2_is_node(node));
	node[3] ^= 0x40;
	assert_false(jffs2_is_node(node));
}

static void on_nor(void **state)
{
	use(&nor);
	data[0] = 0;
	assert_int_equal(look_at(data, EB), START_WHOLE);
	data[0] = 0xff;
	assert_int_equal(look_at(data, EB), START_BLANK);
}

/* JFFS2 has a node at the start of each eraseblock, and mounts without what has none. */
static void jffs2_on_nor(void **state)
{
	uint8_t marker[JFFS2_NODE_HEAD];

	cleanmarker_put(marker, sizeof(marker));
	use(&nor);
	data[0] = 0;
	sim_factory_block(chip, 1, marker, sizeof(marker));
	assert_int_equal(look_at(data, EB), START_TORN);
	assert_int_equal(look_at(marker, sizeof(marker)), START_WHOLE);
	sim_cells(chip, 1)[5] ^= 1; /* no node, and so no JFFS2 */
	assert_int_equal(look_at(data, EB), START_WHOLE);
}

static void on_disk(void **state)
{
	use(&disk);
	assert_int_equal(look(), START_WHOLE);
	memset(data, 0, PAGE); /* ext4 leaves it to others */
	assert_int_equal(look_at(data, PAGE), START_WHOLE);
	assert_int_equal(look_at(NULL, 0), START_BLANK);
}

static void put_be32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void put_crc(uint8_t *p, uint32_t len)
{
	put_be32(p + len, ~(uint32_t)crc32(0, p, len));
}

/* One copy of a volume table, as the kernel's drivers/mtd/ubi/ubi-media.h has it. */
static void make_layout(void)
{
	memset(data, 0, EB);
	memcpy(data, "UBI#\1", 5);
	put_be32(data + 16, PAGE);
	put_be32(data + 20, 2 * PAGE);
	put_crc(data, 60);
	memcpy(data + PAGE, "UBI!\1\1\0\5\x7f\xff\xef\xff", 12);
	put_crc(data + PAGE, 60);
	for (uint8_t *record = data + 2 * PAGE; record + 172 <= data + EB; record += 172)
		put_crc(record, 168);
}

static enum start_state look_for_ubi(uint32_t eb)
{
	enum start_state s;

	for (uint32_t n = 1; n < 4; n++)
		sim_factory_block(chip, n, data, n == eb ? EB : 0);
	assert_int_equal(start_look(&chip->target, true, &s, &f), 0);
	return s;
}

static void ubi(void **state)
{
	use(&nand);
	assert_int_equal(look_for_ubi(0), START_BLANK);
	make_layout();
	for (uint32_t eb = 1; eb < 4; eb++)
		assert_int_equal(look_for_ubi(eb), START_WHOLE);
	data[2 * PAGE + 5 * 172 + 7] ^= 4; /* in one of its records */
	assert_int_equal(look_for_ubi(2), START_TORN);
	make_layout();
	data[EB - 1] ^= 4; /* behind the last */
	assert_int_equal(look_for_ubi(2), START_WHOLE);
	data[3] ^= 4; /* the kernel believes the header behind it */
	assert_int_equal(look_for_ubi(2), START_WHOLE);
	data[PAGE + 20] ^= 4;
	assert_int_equal(look_for_ubi(2), START_BLANK);
}

static void cannot_be_read(void **state)
{
	static const enum sim_what kinds[] = { SIM_IS_BAD, SIM_READ, SIM_READ_OOB };
	enum start_state s;

	use(&nand);
	for (size_t i = 0; i < 3; i++) {
		sim_weaken(chip, kinds[i] == SIM_IS_BAD ? 0 : 1, kinds[i], SIM_FAIL, 1);
		assert_int_equal(start_look(&chip->target, false, &s, &f), -1);
		assert_int_equal(f.err, EIO);
	}
	use(&volume);
	assert_int_equal(start_look(&chip->target, false, &s, &f), -1);
	assert_fault(&f, FAULT_FAILED, "rootfs");
}

static void all_bad(void **state)
{
	use(&nand);
	for (uint32_t eb = 0; eb < 4; eb++)
		chip->block[eb].bad = true;
	assert_int_equal(look(), START_BLANK);
}

#define start_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		start_test(on_nand),
		start_test(patterns),
		start_test(pages_that_ecc_cannot_correct),
		start_test(stamps),
		start_test(no_stamps),
		start_test(free_block_of_jffs2),
		start_test(obsolete_node_on_nor),
		start_test(on_nor),
		start_test(jffs2_on_nor),
		start_test(on_disk),
		start_test(ubi),
		start_test(cannot_be_read),
		start_test(all_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
