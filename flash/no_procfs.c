// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What libmtd falls back to without sysfs: nothing. Its own code for that parses /proc/mtd, in a
 * loop that some contents never end. flashinit asks for sysfs before it calls libmtd.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include <libmtd.h>
#include <libmtd_int.h>

int legacy_procfs_is_supported(void)
{
	return 0;
}

int legacy_dev_present(int mtd_num)
{
	(void)mtd_num; /* there is none */
	return 0;
}

static int not_there(void)
{
	errno = ENODEV;
	return -1;
}

int legacy_mtd_get_info(struct mtd_info *info)
{
	(void)info; /* this and the following: there is nothing to fill them with */
	return not_there();
}

int legacy_get_dev_info(const char *node, struct mtd_dev_info *mtd)
{
	(void)node;
	(void)mtd;
	return not_there();
}

int legacy_get_dev_info1(int dev_num, struct mtd_dev_info *mtd)
{
	(void)dev_num;
	(void)mtd;
	return not_there();
}

int legacy_get_mtd_oobavail1(int mtd_num)
{
	(void)mtd_num; /* kernels before 4.x do not tell by sysfs; see mtd_oob.c for how it is asked */
	return 0;
}
