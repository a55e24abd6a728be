// SPDX-License-Identifier: GPL-2.0-or-later
/* The journal as the verb status tells of it. */
#include "journal_status.h"

#include <inttypes.h>
#include <unistd.h>

#include "journaling.h"
#include "json.h"
#include "lock.h"
#include "say.h"

static void tell_event(const struct config *c, const struct journal_entry *e)
{
	char part[JSON_QUOTED(sizeof(c->journal))], version[JSON_QUOTED(sizeof(e->version))];

	json_event("journal",
		   "\"partition\":%s,\"state\":\"%s\",\"good\":%s,\"tries\":%" PRIu32
		   ",\"limit\":%" PRIu32 ",\"firmware\":%s,\"image\":\"%.64s\"",
		   json_quote(part, c->journal), journaling_states[e->state],
		   e->good ? "true" : "false", e->tries, c->tries, json_quote(version, e->version),
		   e->id);
}

static void tell(const struct config *c, const struct journal_entry *e)
{
	if (say_is_json())
		tell_event(c, e);
	else if (e->state == JOURNAL_DONE && !e->good)
		say("journal: done: firmware %s, booted %" PRIu32 " of %" PRIu32
		    " times and not said to be good yet (flashinit status --good)",
		    e->version, e->tries, c->tries);
	else
		say("journal: %s: firmware %s%s", journaling_states[e->state],
		    *e->version ? e->version : "none", e->good ? ", good" : "");
}

int journal_status(const struct config *c, struct journal_entry *e, struct fault *f)
{
	struct journal j;

	if (journaling_open(&j, c->journal, TARGET_LOOK, f) < 0) {
		f->kind = FAULT_UNFIT;
		return -1;
	}
	*e = j.last;
	target_close(j.t);
	tell(c, e);
	return 0;
}

int journal_say_good(const struct config *c, struct fault *f)
{
	struct journal_entry e;
	int lock, result;

	if (!*c->journal)
		return fault_set(f, FAULT_UNFIT,
				 "there is no journal: name its partition in " CONFIG_FILE
				 " (journal = PARTITION)");
	lock = lock_take(f);
	if (lock < 0)
		return -1;
	result = journaling_good(c->journal, &e, f);
	(void)close(lock); /* nothing was written through it */
	if (result == 0)
		tell(c, &e);
	return result;
}
