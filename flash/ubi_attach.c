// SPDX-License-Identifier: GPL-2.0-or-later
#include "ubi_attach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <mtd/ubi-user.h>

#include "device_node.h"

static int ask(const char *node, unsigned long request, const void *argument, const char *cannot,
	       struct fault *f)
{
	int fd = device_node_open(node, O_RDONLY);
	int result = fd < 0 ? -1 : ioctl(fd, request, argument);

	if (result < 0)
		(void)fault_errno(f, FAULT_BUSY, "%s", cannot);
	if (fd >= 0)
		(void)close(fd); /* it was only asked */
	return result < 0 ? -1 : 0;
}

int ubi_attach(int mtd, struct fault *f)
{
	const struct ubi_attach_req req = { .ubi_num = UBI_DEV_NUM_AUTO, .mtd_num = mtd };
	char cannot[32];
	int result;

	(void)snprintf(cannot, sizeof(cannot), "cannot attach UBI to mtd%d", mtd);
	result = ask("/dev/ubi_ctrl", UBI_IOCATT, &req, cannot, f);
	if (result < 0)
		f->kind = FAULT_UNFIT;
	return result;
}

int ubi_detach(int number, struct fault *f)
{
	const int32_t argument = number;
	char cannot[32];

	(void)snprintf(cannot, sizeof(cannot), "cannot detach ubi%d", number);
	return ask("/dev/ubi_ctrl", UBI_IOCDET, &argument, cannot, f);
}

int ubi_block_create(const char *volume, struct fault *f)
{
	char node[48], cannot[64];
	int result;

	(void)snprintf(node, sizeof(node), "/dev/%.31s", volume);
	(void)snprintf(cannot, sizeof(cannot), "cannot make a ubiblock on %.31s", volume);
	result = ask(node, UBI_IOCVOLCRBLK, NULL, cannot, f);
	return result < 0 && f->err == EEXIST ? 0 : result;
}

int ubi_block_remove(const char *volume, struct fault *f)
{
	char node[48], cannot[64];

	(void)snprintf(node, sizeof(node), "/dev/%.31s", volume);
	(void)snprintf(cannot, sizeof(cannot), "cannot remove the ubiblock on %.31s", volume);
	return ask(node, UBI_IOCVOLRMBLK, NULL, cannot, f);
}
