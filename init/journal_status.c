// SPDX-License-Identifier: GPL-2.0-or-later
/* The journal as the verb status tells of it. */
#include "journal_status.h"

#include <inttypes.h>
#include <stdbool.h>
#include <unistd.h>

#include "journaling.h"
#include "json.h"
#include "lock.h"
#include "say.h"

static void tell_event(const struct config *c, const struct journal_entry *e)
{
	static const char *const states[] = {
		[JOURNAL_EMPTY] = "empty",
		[JOURNAL_BEGUN] = "begun",
		[JOURNAL_DONE] = "done",
	};
	char part[JSON_QUOTED(sizeof(c->journal))], version[JSON_QUOTED(sizeof(e->version))];

	json_event("journal",
		   "\"partition\":%s,\"state\":\"%s\",\"good\":%s,\"tries\":%" PRIu32
		   ",\"limit\":%" PRIu32 ",\"firmware\":%s,\"image\":\"%.64s\"",
		   json_quote(part, c->journal), states[e->state], e->good ? "true" : "false",
		   e->tries, c->tries, json_quote(version, e->version), e->id);
}

static void tell(const struct config *c, const struct journal_entry *e)
{
	if (say_is_json())
		tell_event(c, e);
	else if (e->state == JOURNAL_EMPTY)
		say("journal: tells of no update");
	else if (e->state == JOURNAL_BEGUN)
		say("journal: firmware %s was begun to be written, and that is not done",
		    e->version);
	else if (e->good)
		say("journal: firmware %s was written, and is good", e->version);
	else
		say("journal: firmware %s was written, and has yet to be said to be good (flashinit "
		    "status --good): booted %" PRIu32 " of %" PRIu32 " times",
		    e->version, e->tries, c->tries);
}

int journal_status(const struct config *c, struct journal_entry *e, struct fault *f)
{
	if (journaling_read(c->journal, e, f) < 0)
		return -1;
	tell(c, e);
	return 0;
}

int journal_say_good(const struct config *c, struct fault *f)
{
	struct journal_entry e;
	int lock, result;
	bool already;

	if (!*c->journal)
		return fault_set(f, FAULT_UNFIT,
				 "there is no journal to say it in: name its partition in %s "
				 "(journal = PARTITION)",
				 CONFIG_FILE);
	lock = lock_take(f);
	if (lock < 0)
		return -1;
	result = journaling_good(c->journal, &e, &already, f);
	(void)close(lock); /* nothing was written through it */
	if (result < 0)
		return -1;
	if (already && !say_is_json())
		say("firmware %s was said to be good before", e.version);
	else
		tell(c, &e);
	return 0;
}
