// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's JFFS2 asks the driver for the free bytes (MTD_OPS_AUTO_OOB). ECCGETLAYOUT lists the
 * same pieces in the same order, and reading and writing the OOB as it is, with 0xFF for what is
 * not ours, reaches the same bytes. This works on every kernel from 2.6.31 on; MEMWRITE, which can
 * place bytes by itself, came with 3.2, and its counterpart MEMREAD with 6.1.
 */
#include "mtd_oob.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include <mtd/mtd-user.h>

enum { OOB_MAX = 4096 }; /* bytes; mtdchar takes no more */

/*
 * Gets the pieces that the first len free bytes are in, cut to just them, and where the last of
 * them ends. The ioctl tells of eight pieces at most, which hold at least a cleanmarker's bytes.
 */
static int get_layout(int fd, uint32_t len, struct nand_ecclayout_user *layout, uint32_t *end)
{
	memset(layout, 0, sizeof(*layout));
	if (ioctl(fd, ECCGETLAYOUT, layout) < 0) {
		if (errno == ENOTTY)
			errno = EOPNOTSUPP;
		return -1;
	}
	*end = 0;
	for (int i = 0; i < MTD_MAX_OOBFREE_ENTRIES; i++) {
		struct nand_oobfree *piece = &layout->oobfree[i];

		if (piece->length > len)
			piece->length = len;
		if (piece->length == 0)
			piece->offset = 0;
		if (piece->length > OOB_MAX || piece->offset > OOB_MAX - piece->length)
			break; /* with some of len left */
		len -= piece->length;
		if (piece->offset + piece->length > *end)
			*end = piece->offset + piece->length;
	}
	if (len == 0)
		return 0;
	errno = EOPNOTSUPP;
	return -1;
}

/* The OOB of one page, from its first byte to end. */
static int transfer(int fd, unsigned long request, uint64_t page, uintptr_t oob, uint32_t end)
{
	struct mtd_oob_buf64 buf = { .start = page, .length = end, .usr_ptr = oob };

	if (ioctl(fd, request, &buf) < 0)
		return -1;
	if (buf.length == end) /* the kernel puts there how much it was */
		return 0;
	errno = ENODATA;
	return -1;
}

int mtd_oob_read(int fd, uint64_t page, void *buf, uint32_t len)
{
	struct nand_ecclayout_user layout;
	uint8_t oob[OOB_MAX], *to = buf;
	uint32_t end;

	if (get_layout(fd, len, &layout, &end) < 0 ||
	    transfer(fd, MEMREADOOB64, page, (uintptr_t)oob, end) < 0)
		return -1;
	for (int i = 0; i < MTD_MAX_OOBFREE_ENTRIES; i++) {
		memcpy(to, oob + layout.oobfree[i].offset, layout.oobfree[i].length);
		to += layout.oobfree[i].length;
	}
	return 0;
}

int mtd_oob_write(int fd, uint64_t page, const void *buf, uint32_t len)
{
	struct nand_ecclayout_user layout;
	const uint8_t *from = buf;
	uint8_t oob[OOB_MAX];
	uint32_t end;

	if (get_layout(fd, len, &layout, &end) < 0)
		return -1;
	memset(oob, 0xff, sizeof(oob)); /* programming ones changes nothing */
	for (int i = 0; i < MTD_MAX_OOBFREE_ENTRIES; i++) {
		memcpy(oob + layout.oobfree[i].offset, from, layout.oobfree[i].length);
		from += layout.oobfree[i].length;
	}
	return transfer(fd, MEMWRITEOOB64, page, (uintptr_t)oob, end);
}

int mtd_oob_has_mark(int fd, uint64_t page, uint32_t page_size)
{
	uint32_t at = page_size > 512 ? 0 : 5;
	uint8_t oob[6];

	if (transfer(fd, MEMREADOOB64, page, (uintptr_t)oob, at + 1) < 0)
		return -1;
	return oob[at] != 0xff;
}
