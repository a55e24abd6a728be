/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INIT_DEVICES_H
#define INIT_DEVICES_H

#include "fault.h"

/*
 * Provides device nodes in the folder dev: a devtmpfs, or, where the kernel has none, nodes made by
 * hand for the console, null, the kernel log, MTD, UBI, watchdogs, and all block
 * devices.
 */
int devices_provide(const char *dev, struct fault *f);

/* The second way of devices_provide(); sys is where sysfs is mounted. */
int devices_make(const char *dev, const char *sys, struct fault *f);

#endif
