/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A sysfs with MTD devices, as the kernel would show them, in the test's folder.
 */
#ifndef TESTS_MTD_TREE_H
#define TESTS_MTD_TREE_H

enum { NO_OFFSET = -1 }; /* a chip, or a kernel that does not tell offsets */

/*
 * Adds mtdNUMBER to the sysfs in the test's folder sys: a device at devices/PARENT/mtdNUMBER and
 * the link to it in class/mtd. offset and size are bytes.
 */
void mtd_tree_add(const char *sys, const char *parent, int number, const char *name,
		  long long offset, long long size);

#endif
