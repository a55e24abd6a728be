// SPDX-License-Identifier: GPL-2.0-or-later
#include "target_mtd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <mtd/mtd-user.h>

#include "device_node.h"
#include "mtd_device.h"
#include "mtd_oob.h"
#include "mtd_regions.h"
#include "mtd_unlock.h"
#include "transfer.h"

enum { MTD_CHAR_MAJOR = 90 };

struct mtd_target {
	struct target base; /* first, so that a struct target is one of these */
	int fd;
};

static int fd_of(const struct target *t)
{
	return ((const struct mtd_target *)t)->fd;
}

static int mtd_is_bad(struct target *t, uint32_t eb, struct fault *f)
{
	__kernel_loff_t offset = (__kernel_loff_t)target_block_offset(t, eb);
	int bad = 0;

	if (t->medium == MEDIUM_NAND)
		bad = ioctl(fd_of(t), MEMGETBADBLOCK, &offset);
	if (bad < 0 && errno == EOPNOTSUPP)
		return 0; /* before Linux 3.4; later ones say so themselves */
	if (bad < 0)
		return fault_errno(f, FAULT_FLASH, "%s: cannot tell whether eraseblock %u is bad",
				   t->name, eb);
	return bad > 0;
}

/* Which page of an eraseblock has the mark depends on the chip: the first, second or last. */
static bool mark_is_on_flash(struct target *t, uint32_t eb)
{
	uint64_t start = target_block_offset(t, eb), size = target_block_size(t, eb);
	const uint64_t at[] = { 0, t->page, size - t->page };

	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++)
		if (mtd_oob_has_mark(fd_of(t), start + at[i], t->page) == 1)
			return true;
	return false;
}

/*
 * The kernel's table in RAM has the mark even where writing it has failed (see
 * nand_block_markbad_lowlevel() in nand_base.c; SPI NAND does not even tell), and MEMGETBADBLOCK
 * answers from there. What counts is what the next boot will find. A chip whose table is on flash
 * may have no marks in its OOB.
 */
static int mtd_mark_bad(struct target *t, uint32_t eb, struct fault *f)
{
	__kernel_loff_t offset = (__kernel_loff_t)target_block_offset(t, eb);
	int result = ioctl(fd_of(t), MEMSETBADBLOCK, &offset);

	int err = errno;

	if ((result == 0 || err == EIO) && mark_is_on_flash(t, eb))
		return 0;
	if (result == 0)
		return 1;
	errno = err;
	(void)fault_errno(f, FAULT_FLASH, "%s: cannot mark eraseblock %u as bad%s", t->name, eb,
			  err == EIO ? " but in RAM: reboot before writing again" : "");
	if (err == EIO)
		f->err = ENOTRECOVERABLE;
	return -1;
}

static int mtd_erase(struct target *t, uint32_t eb, struct fault *f)
{
	struct erase_info_user64 range = {
		.start = target_block_offset(t, eb),
		.length = target_block_size(t, eb),
	};

	if (ioctl(fd_of(t), MEMERASE64, &range) < 0)
		return fault_errno(f, FAULT_FLASH, "%s: cannot erase eraseblock %u", t->name, eb);
	return 0;
}

static int mtd_program(struct target *t, uint32_t eb, uint32_t offset, const void *buf,
		       uint32_t len, struct fault *f)
{
	off_t at = (off_t)(target_block_offset(t, eb) + offset);
	ssize_t done = pwrite(fd_of(t), buf, len, at);

	if (done < 0)
		return fault_errno(f, FAULT_FLASH, "%s: cannot program eraseblock %u at byte %u",
				   t->name, eb, offset);
	if (done == (ssize_t)len)
		return 0;
	errno = ENOSPC; /* that is why mtdchar stops half-way; and what is left may be half a page */
	return fault_errno(f, FAULT_FLASH, "%s: eraseblock %u took %zd of %u bytes at byte %u",
			   t->name, eb, done, len, offset);
}

static int mtd_read(struct target *t, uint32_t eb, uint32_t offset, void *buf, uint32_t len,
		    struct fault *f)
{
	/* Where the device ends before, it is ENODATA: that is not the eraseblock's fault. */
	if (transfer_in(fd_of(t), buf, len, target_block_offset(t, eb) + offset) < 0)
		return fault_errno(f, FAULT_FLASH, "%s: cannot read eraseblock %u at byte %u",
				   t->name, eb, offset);
	return 0;
}

static int mtd_ecc(struct target *t, struct ecc_counts *counts, struct fault *f)
{
	struct mtd_ecc_stats stats;

	memset(counts, 0, sizeof(*counts));
	if (ioctl(fd_of(t), ECCGETSTATS, &stats) < 0) {
		if (errno == ENOTTY || errno == EOPNOTSUPP)
			return 0; /* a driver without ECC has nothing to tell */
		return fault_errno(f, FAULT_FLASH, "%s: cannot read the ECC statistics", t->name);
	}
	counts->corrected = stats.corrected;
	counts->failed = stats.failed;
	return 0;
}

static int mtd_read_oob(struct target *t, uint32_t eb, uint32_t offset, void *buf, uint32_t len,
			struct fault *f)
{
	if (mtd_oob_read(fd_of(t), target_block_offset(t, eb) + offset, buf, len) < 0)
		return fault_errno(f, FAULT_FLASH,
				   "%s: cannot read %u free bytes in eraseblock %u's OOB", t->name,
				   len, eb);
	return 0;
}

static int mtd_write_oob(struct target *t, uint32_t eb, uint32_t offset, const void *buf,
			 uint32_t len, struct fault *f)
{
	if (mtd_oob_write(fd_of(t), target_block_offset(t, eb) + offset, buf, len) < 0)
		return fault_errno(f, FAULT_FLASH,
				   "%s: cannot write %u free bytes in eraseblock %u's OOB", t->name,
				   len, eb);
	return 0;
}

static void mtd_close(struct target *t)
{
	if (fd_of(t) >= 0)
		(void)close(fd_of(t)); /* everything was read back: nothing is left to report */
	free(t);
}

static const struct target_ops nand_ops = {
	.is_bad = mtd_is_bad,
	.mark_bad = mtd_mark_bad,
	.erase = mtd_erase,
	.program = mtd_program,
	.read = mtd_read,
	.ecc = mtd_ecc,
	.read_oob = mtd_read_oob,
	.write_oob = mtd_write_oob,
	.close = mtd_close,
};

/* Dataflash and RAM behave like NOR. */
static const struct target_ops nor_ops = {
	.is_bad = mtd_is_bad,
	.erase = mtd_erase,
	.program = mtd_program,
	.read = mtd_read,
	.ecc = mtd_ecc,
	.close = mtd_close,
};

static int check_usable(const struct mtd_device *d, enum target_mode mode, struct fault *f)
{
	if (d->other || d->eraseblock == 0 || d->page == 0 || d->eraseblock % d->page ||
	    d->size / d->eraseblock == 0 || d->size / d->eraseblock > UINT32_MAX)
		return fault_set(f, FAULT_UNFIT, "mtd%d (%s) is not flash that can be erased",
				 d->number, d->name);
	if (!d->writable && mode != TARGET_READ)
		return fault_set(f, FAULT_UNFIT,
				 "mtd%d (%s) is write-protected: where it is defined (mtdparts=, "
				 "device tree) take out \"ro\" or \"read-only\" and let it start "
				 "and end between eraseblocks",
				 d->number, d->name);
	return 0;
}

static void describe(struct target *t, const struct mtd_device *d)
{
	(void)snprintf(t->name, sizeof(t->name), "%.63s", d->name); /* enough to know it by */
	(void)snprintf(t->device, sizeof(t->device), "mtd%d", d->number);
	t->medium = d->nand ? MEDIUM_NAND : MEDIUM_NOR;
	t->ops = d->nand ? &nand_ops : &nor_ops;
	t->page = t->subpage = d->page;
	t->one_write = d->mlc;
	if (d->nand && d->subpage && d->page % d->subpage == 0)
		t->subpage = d->subpage;
}

static int open_node(struct mtd_target *m, const struct mtd_device *d, enum target_mode mode,
		     struct fault *f)
{
	unsigned int minor = 2 * (unsigned int)d->number; /* the odd ones are for reading only */
	struct stat st;
	char node[32];

	(void)snprintf(node, sizeof(node), "/dev/mtd%d", d->number);
	m->fd = device_node_open(node, mode == TARGET_WRITE ? O_RDWR : O_RDONLY);
	if (m->fd < 0 || fstat(m->fd, &st) < 0)
		return fault_errno(f, FAULT_UNFIT, "%s (%s): cannot open", node, d->name);
	/* What a slip such as `cp image /dev/mtd9` left is a file, and takes everything. */
	if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(MTD_CHAR_MAJOR, minor))
		return fault_set(f, FAULT_UNFIT,
				 "%s (%s) is not the device: make it anew, mknod %s c %d %u", node,
				 d->name, node, MTD_CHAR_MAJOR, minor);
	return 0;
}

static int open_target(struct mtd_target *m, int number, enum target_mode mode, struct fault *f)
{
	struct mtd_device d;

	if (mtd_device_read(&d, number, f) < 0 || check_usable(&d, mode, f) < 0)
		return -1;
	describe(&m->base, &d);
	if (open_node(m, &d, mode, f) < 0 || mtd_add_regions(&m->base, m->fd, &d, f) < 0)
		return -1;
	return d.nor && mode == TARGET_WRITE ? mtd_unlock(&m->base, m->fd, f) : 0;
}

int target_open_mtd(struct target **t, const char *name, enum target_mode mode, int *number,
		    struct fault *f)
{
	struct mtd_target *m;
	int found;

	if (mtd_device_find(name, &found, f) < 0)
		return -1;
	m = calloc(1, sizeof(*m));
	if (!m)
		return fault_errno(f, FAULT_UNFIT, "%s: no memory", name);
	m->fd = -1;
	if (open_target(m, found, mode, f) < 0) {
		mtd_close(&m->base);
		return -1;
	}
	if (number)
		*number = found;
	*t = &m->base;
	return 0;
}
