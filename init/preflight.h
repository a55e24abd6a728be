/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Phase 0: everything that can be found out before anything is changed.
 */
#ifndef INIT_PREFLIGHT_H
#define INIT_PREFLIGHT_H

#include <stdint.h>

#include "config.h"
#include "fault.h"
#include "firmware.h"

struct preflight {
	struct config config;
	struct firmware firmware;
	uint64_t staged; /* bytes that the RAM root will hold */
	int lock;
	char busybox[32]; /* version of the init that hands over */
};

/*
 * Opens and verifies the firmware in full, and checks that this device takes it, that this system
 * can be taken over and that the firmware fits its flash, telling each finding. Keeps the firmware
 * open (the request must outlive p) and the lock; release with preflight_end(), also after a
 * failure.
 */
int preflight_run(struct preflight *p, struct firmware_request *r, struct fault *f);
void preflight_end(struct preflight *p);

#endif
