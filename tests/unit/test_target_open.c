// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>

#include "helpers.h"
#include "target_open.h"

static const char *opened; /* which of them it was */
static char part[64];
static enum target_mode mode;
static struct target one;

static int open_as(const char *kind, struct target **t, const char *name, enum target_mode m)
{
	opened = kind;
	mode = m;
	(void)snprintf(part, sizeof(part), "%s", name);
	*t = &one;
	return 0;
}

int __wrap_target_open_mtd(struct target **t, const char *name, enum target_mode m, int *number,
			   struct fault *f)
{
	return open_as("mtd", t, name, m);
}

int __wrap_target_open_block(struct target **t, const char *name, enum target_mode m,
			     struct fault *f)
{
	return open_as("block", t, name, m);
}

int __wrap_target_open_volume(struct target **t, const struct payload *p, enum target_mode m,
			      int *ubi, struct fault *f)
{
	return open_as("volume", t, p->part, m);
}

static void opens_by_kind(void **state)
{
	static const struct {
		enum payload_kind kind;
		const char *opened;
	} kinds[] = {
		{ PAYLOAD_MTD, "mtd" },
		{ PAYLOAD_UBI, "mtd" },
		{ PAYLOAD_UBIVOL, "volume" },
		{ PAYLOAD_BLOCK, "block" },
	};
	struct fault f;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct payload p = { .part = "rootfs", .kind = kinds[i].kind };
		struct target *t = NULL;

		assert_int_equal(target_open(&t, &p, i % 2 ? TARGET_LOOK : TARGET_WRITE, &f), 0);
		assert_ptr_equal(t, &one);
		assert_string_equal(opened, kinds[i].opened);
		assert_string_equal(part, "rootfs");
		assert_int_equal(mode, i % 2 ? TARGET_LOOK : TARGET_WRITE);
	}
}

static void no_such_kind(void **state)
{
	struct payload p = { .part = "rootfs", .kind = (enum payload_kind)5 };
	struct target *t = NULL;
	struct fault f;

	assert_int_equal(target_open(&t, &p, TARGET_LOOK, &f), -1);
	assert_fault(&f, FAULT_IMAGE, "rootfs: no payload can be of kind 5");
	assert_null(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_by_kind),
		cmocka_unit_test(no_such_kind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
