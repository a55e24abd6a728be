/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A piece of flash by all the names it goes by, and the search for whatever uses it.
 */
#ifndef INIT_PIECE_H
#define INIT_PIECE_H

#include <stdbool.h>

#include "fault.h"
#include "proof.h"

enum { PIECE_NAMES_MAX = 5 };

struct piece {
	char what[128]; /* for people: mtd3 (rootfs) */
	/* Of its nodes in /dev, and what else a mount may have for its source: mtd:rootfs. */
	char name[PIECE_NAMES_MAX][80];
	unsigned int major, minor; /* of its block device; 0:0 if it has none */
	unsigned int char_major, char_first, char_last; /* of its other nodes; major 0: not known */
	const char *node;   /* a node that is to be had alone, if nobody uses the piece */
	int node_flags;     /* to open it so */
	bool node_is_there; /* not to be able to open it proves nothing */
};

/*
 * Checks that the piece is in use by no swap, no loop device, no process (if the view has a /proc),
 * no mount and nobody who has the node for himself. The first use found is FAULT_BUSY. A process is
 * given two seconds to end its use.
 */
int piece_free(const struct proof_view *view, const struct piece *p, struct fault *f);

/*
 * Reads the attribute of every entry of a folder in sysfs and asks used whether it speaks of the
 * piece: then the entry holds it, and that is FAULT_BUSY. Without an attribute every entry does. A
 * folder that is not there has no entries: the kernel lacks that driver. remedy (may be NULL) is the
 * command that ends it.
 */
int piece_not_held(const struct proof_view *view, const char *folder, const char *attribute,
		   bool (*used)(const struct piece *p, const char *text), const struct piece *p,
		   const char *remedy, struct fault *f);

#endif
