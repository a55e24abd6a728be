/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef INIT_JOURNAL_STATUS_H
#define INIT_JOURNAL_STATUS_H

#include "config.h"
#include "fault.h"
#include "journal.h"

/* Tells what the configured journal says, which *e becomes. FAULT_UNFIT if it cannot be read. */
int journal_status(const struct config *c, struct journal_entry *e, struct fault *f);

/*
 * Says in the journal that the firmware which was written last is good, and tells. FAULT_UNFIT where
 * none is configured, FAULT_BUSY while an update is running, FAULT_FAILED if there is no such firmware.
 */
int journal_say_good(const struct config *c, struct fault *f);

#endif
