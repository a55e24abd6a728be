// SPDX-License-Identifier: GPL-2.0-or-later
#include "preflight.h"

#include <string.h>
#include <unistd.h>

#include "conditions.h"
#include "say.h"

static void tell(const struct preflight *p, const struct condition *c, const struct finding *found,
		 const struct fault *f)
{
	if (p->options->check_only || say_is_json())
		finding_tell(found, c->name, f);
	else if (!f && (c->how & ALWAYS_TOLD))
		say("%s", found->text);
	if (p->options->check_only && f)
		(void)say_fault(f); /* the code is the first one's */
}

static int look_at(struct preflight *p, const struct condition *c)
{
	struct finding found;
	struct fault f;
	int result;

	memset(&found, 0, sizeof(found));
	result = c->check(p, &found, &f);
	tell(p, c, &found, result < 0 ? &f : NULL);
	if (result == 0)
		return 0;
	p->unknown |= c->gives;
	if (p->unmet++ == 0)
		p->first = f;
	return -1;
}

/* Of one that is looked at for each payload, none is left out. */
static void look_at_all(struct preflight *p, const struct condition *c)
{
	unsigned int times = c->how & PER_PAYLOAD ? firmware_image(&p->firmware)->payload_count : 1;

	for (p->payload = 0; p->payload < times; p->payload++)
		if (look_at(p, c) < 0 && !p->options->check_only)
			return;
}

int preflight_run(struct preflight *p, const struct update_options *o, struct fault *f)
{
	memset(p, 0, sizeof(*p));
	p->lock = -1;
	p->options = o;
	p->outcome = p->journal = "";
	firmware_init(&p->firmware);
	for (unsigned int i = 0; i < conditions_count && (p->unmet == 0 || o->check_only); i++) {
		const struct condition *c = &conditions[i];

		if ((c->how & OF_IMAGE) && !firmware_is_wanted(o->firmware))
			continue;
		if (c->needs & p->unknown)
			p->unknown |= c->gives;
		else
			look_at_all(p, c);
	}
	if (p->unmet == 0)
		return 0;
	*f = p->first;
	return -1;
}

void preflight_end(struct preflight *p)
{
	memory_hold_back(MEMORY_VM, p->boost);
	mounts_free(&p->all);
	mounts_free(&p->reachable);
	mounts_free(&p->will_go);
	firmware_close(&p->firmware);
	if (p->lock >= 0)
		(void)close(p->lock); /* nothing was written through it */
	p->lock = -1;
}
