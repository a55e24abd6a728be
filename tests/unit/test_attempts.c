// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "attempts.h"
#include "child.h"
#include "helpers.h"
#include "machine.h"
#include "outcome.h"
#include "watchdog.h"

/* What becomes of each worker that is started, in turn. */
static struct attempt {
	bool begins, targets;
	enum child_end end;
	enum fault_kind kind;
	int err;
} attempt[8];
static unsigned int attempts, searches, passed, rests, patience;
static struct plan plan;
static struct search search;
static struct fault f;
static jmp_buf ended;

enum child_end __wrap_child_run(const struct child_work *w, struct fault *fault)
{
	const struct attempt *a = &attempt[attempts++];
	struct report r = { .kind = REPORT_TARGETS, .text = "mtd0" };

	assert_true(attempts <= 8);
	assert_true(w->alone);
	if (a->targets)
		w->on_report(w->report_ctx, &r);
	r.kind = REPORT_BEGIN;
	if (a->begins)
		w->on_report(w->report_ctx, &r);
	if (a->end != CHILD_SUCCEEDED)
		(void)fault_set(fault, a->kind, "attempt %u", attempts);
	fault->err = a->err;
	return a->end;
}

/* Finds another image each time. */
void __wrap_search_for_image(struct search *s, struct plan *p, unsigned int patience_ms)
{
	searches++;
	patience = patience_ms;
	passed = s->passed_count;
	p->targets[0] = '\0';
	(void)snprintf(p->sha256, sizeof(p->sha256), "found %u", searches);
	s->found = searches;
}

int __wrap_watchdog_poll(struct pollfd *p, nfds_t count, unsigned int ms)
{
	rests++;
	return 0;
}

void __wrap_outcome_tell(const struct plan *p, int code, const char *state, const char *text)
{
}

void __wrap_machine_end(enum after_what after)
{
	assert_int_equal(after, AFTER_REBOOT);
	longjmp(ended, 1);
}

static int setup(void **state)
{
	memset(attempt, 0, sizeof(attempt));
	memset(&plan, 0, sizeof(plan));
	memset(&search, 0, sizeof(search));
	search.found = 77;
	attempts = searches = rests = 0;
	(void)strcpy(plan.sha256, "first");
	return 0;
}

/* Nothing was changed: whoever called decides. */
static void not_begun(void **state)
{
	attempt[0] = (struct attempt){ .end = CHILD_FAILED, .kind = FAULT_IMAGE, .targets = true };
	assert_int_equal(attempts_run(&plan, &search, &f), -1);
	assert_fault(&f, FAULT_IMAGE, "attempt 1");
	assert_int_equal(searches, 0);
	assert_int_equal(rests, 0);
}

static void flash_fails(void **state)
{
	attempt[0] = (struct attempt){ true, true, CHILD_FAILED, FAULT_FLASH, EIO };
	attempt[1] = (struct attempt){ .end = CHILD_CRASHED, .kind = FAULT_FAILED };
	assert_int_equal(attempts_run(&plan, &search, &f), 0);
	assert_int_equal(attempts, 3);
	assert_int_equal(searches, 0);
	assert_int_equal(rests, 2);
	assert_string_equal(plan.targets, "mtd0");
}

/* The stick was pulled, and what is found in its place is no better; what was begun stays wanted. */
static void image_is_lost(void **state)
{
	attempt[0] = (struct attempt){ true, true, CHILD_FAILED, FAULT_IMAGE, EIO };
	attempt[1] = (struct attempt){ .end = CHILD_FAILED, .kind = FAULT_UNFIT };
	attempt[2] = (struct attempt){ true, true, CHILD_FAILED, FAULT_IMAGE, 0 };
	assert_int_equal(attempts_run(&plan, &search, &f), 0);
	assert_int_equal(attempts, 4);
	assert_int_equal(searches, 3);
	assert_int_equal(passed, 3);
	assert_true(patience > 0);
	assert_int_equal(rests, 0);
	assert_int_equal(search.passed[0], 77);
	assert_int_equal(search.passed[1], 1);
	assert_string_equal(search.wanted, "found 2");
}

static void refused_is_not_wanted(void **state)
{
	attempt[0] = (struct attempt){ true, true, CHILD_FAILED, FAULT_IMAGE, EIO };
	attempt[1] = (struct attempt){ .end = CHILD_FAILED, .kind = FAULT_BUSY };
	assert_int_equal(attempts_run(&plan, &search, &f), 0);
	assert_int_equal(searches, 2);
	assert_string_equal(search.wanted, "first");
}

static void marked_in_ram_only(void **state)
{
	attempt[0] = (struct attempt){ true, true, CHILD_FAILED, FAULT_FLASH, ENOTRECOVERABLE };
	if (setjmp(ended) == 0) {
		(void)attempts_run(&plan, &search, &f);
		fail_msg("it has gone on");
	}
	assert_int_equal(attempts, 1);
}

#define attempts_test(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		attempts_test(not_begun),          attempts_test(flash_fails),
		attempts_test(image_is_lost),      attempts_test(refused_is_not_wanted),
		attempts_test(marked_in_ram_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
