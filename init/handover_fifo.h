/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the hand-overs have in common that ask PID 1 by a FIFO which it reads.
 */
#ifndef INIT_HANDOVER_FIFO_H
#define INIT_HANDOVER_FIFO_H

#include <stdbool.h>
#include <stddef.h>

#include "fault.h"

/*
 * Waits until somebody reads this FIFO, but no longer than init may take. Returns a descriptor to write to, which
 * the caller closes; -1 with a fault if there is no reader by then, or keep_going gives a 0.
 */
int handover_fifo_open(const char *fifo, int (*keep_going)(void), struct fault *f);

/*
 * With a request of that size in the FIFO: waits to be killed by flashinit in PID 1, once that is seen. Returns
 * -1 if it is not, within ten seconds: the request has been taken out again then, or read for nothing. hint, or "",
 * ends the fault's text.
 */
int handover_fifo_await(const char *fifo, size_t size, const char *hint, bool *told,
			struct fault *f);

#endif
