/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INIT_WRITE_H
#define INIT_WRITE_H

#include <stdbool.h>

#include "firmware.h"

struct write_options {
	struct firmware_request *firmware;
	bool dry_run; /* everything up to the first erase */
	bool json;    /* tell it in events, a line each */
};

/* The verb write: targets that nothing uses, and no take-over. Returns the exit code. */
int write_firmware(const struct write_options *o);

#endif
