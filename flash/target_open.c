// SPDX-License-Identifier: GPL-2.0-or-later
#include "target_open.h"

#include "target_block.h"
#include "target_mtd.h"
#include "target_volume.h"

int target_open(struct target **t, const struct payload *p, enum target_mode mode, struct fault *f)
{
	switch (p->kind) {
	case PAYLOAD_MTD:
	case PAYLOAD_UBI:
		return target_open_mtd(t, p->part, mode, NULL, f);
	case PAYLOAD_BLOCK:
		return target_open_block(t, p->part, mode, f);
	case PAYLOAD_UBIVOL:
		return target_open_volume(t, p, mode, NULL, f);
	}
	return fault_set(f, FAULT_IMAGE, "%s: no payload can be of kind %d", p->part, (int)p->kind);
}
