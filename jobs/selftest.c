/* SPDX-License-Identifier: MIT */
#include "jobs/selftest.h"

#include <stdlib.h>
#include <string.h>

#include "jobs/ktap_reader.h"
#include "jobs/parts.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/limits.h"

#define CHECK_EXIT "program.exit"
#define CHECK_PLAN "program.plan"
#define CHECK_SUBTEST "subtest."
#define NAMED_MAX 4 /* of the subtests that a detail names */

/* tools/testing/selftests/kselftest.h */
enum { KSFT_PASS, KSFT_FAIL, KSFT_XFAIL, KSFT_XPASS, KSFT_SKIP };

static const struct selftest table[] = {
#define SELFTEST(name_, program_, arguments_, huge_mib_, deadline_s_) { name_, program_ },
#include "jobs/guest/selftests.def"
};

const struct selftest *selftest_table(size_t *ret_n)
{
	*ret_n = ARRAY_SIZE(table);
	return table;
}

const char *selftest_program(const char *scenario)
{
	if (!str_starts(scenario, SELFTEST_PREFIX))
		return NULL;
	scenario += strlen(SELFTEST_PREFIX);
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (strcmp(table[i].name, scenario) == 0)
			return table[i].program;
	return scenario;
}

const char *selftest_left_out(const char *program)
{
	static const struct {
		const char *program, *why;
	} left_out[] = {
#define SELFTEST_LEFT_OUT(program_, why_) { program_, why_ },
#include "jobs/guest/selftests.def"
	};

	for (size_t i = 0; i < ARRAY_SIZE(left_out); i++)
		if (strcmp(left_out[i].program, program) == 0)
			return left_out[i].why;
	return NULL;
}

static void set(struct result *r, enum status status, enum reason reason, char *detail)
{
	r->status = status;
	r->reason = reason;
	free(r->detail);
	r->detail = detail;
}

static void add_check(struct result *r, char *name, bool ok, char *detail)
{
	r->checks = xrealloc(r->checks, r->n_checks + 1, sizeof(*r->checks));
	r->checks[r->n_checks++] = (struct check){ .name = name, .ok = ok, .detail = detail };
}

/* ---- facts ------------------------------------------------------------------------------ */

static char *exit_words(const struct point *p)
{
	static const char *const words[] = {
		[KSFT_PASS] = "pass",
		[KSFT_FAIL] = "fail",
		[KSFT_XFAIL] = "expected failure",
		[KSFT_XPASS] = "unexpected pass",
		[KSFT_SKIP] = "skip",
	};

	if (p->outcome == POINT_LOST)
		return xstrdup("did not end in time: the machine fell silent");
	if (p->outcome == POINT_TIMEOUT)
		return xasprintf("did not end in time: %s%s", p->detail ? p->detail : "",
				 p->stuck_killed ? "" : "; SIGKILL does not end it");
	if (p->program.signal)
		return xasprintf("killed by signal %d", p->program.signal);
	if ((size_t)p->program.exit < ARRAY_SIZE(words))
		return xasprintf("exit code %d, %s", p->program.exit, words[p->program.exit]);
	return xasprintf("exit code %d", p->program.exit);
}

static bool exit_is_good(const struct point *p)
{
	return p->outcome == POINT_DONE && !p->program.signal &&
	       (p->program.exit == KSFT_PASS || p->program.exit == KSFT_XFAIL ||
		p->program.exit == KSFT_SKIP);
}

static char *subtest_detail(const struct ktap_test *t)
{
	static const char *const words[] = {
		[KTAP_PLAIN] = "",
		[KTAP_SKIP] = "skipped",
		[KTAP_XFAIL] = "expected to fail",
		[KTAP_TIMEOUT] = "timeout",
		[KTAP_ERROR] = "error",
	};

	return xstrdup(t->ok || t->directive != KTAP_PLAIN ? words[t->directive] : "not ok");
}

/* The failing ones first, so that none of them is lost when there are too many. */
static void add_subtests(const struct ktap *k, struct result *r)
{
	for (int fails = 1; fails >= 0; fails--)
		for (size_t i = 0; i < k->n && r->n_checks < PARTS_MAX - 1; i++)
			if (ktap_test_fails(&k->tests[i]) == fails)
				add_check(r, xasprintf(CHECK_SUBTEST "%s", k->tests[i].name),
					  !fails, subtest_detail(&k->tests[i]));
}

/* ---- comparison ------------------------------------------------------------------------- */

static const struct check *find_check(const struct result *r, const char *name)
{
	for (size_t i = 0; i < r->n_checks; i++)
		if (strcmp(r->checks[i].name, name) == 0)
			return &r->checks[i];
	return NULL;
}

/* Several subtests of one program may share a name: the k-th of `r` is the k-th of the baseline as
 * far as can be told, and that is by how many of the name fail. */
static int count_failing(const struct result *r, const char *name, int *ret_all)
{
	int failing = 0;

	*ret_all = 0;
	for (size_t i = 0; i < r->n_checks; i++) {
		if (strcmp(r->checks[i].name, name) != 0)
			continue;
		(*ret_all)++;
		failing += !r->checks[i].ok;
	}
	return failing;
}

static bool is_subtest(const struct check *c)
{
	return str_starts(c->name, CHECK_SUBTEST);
}

static bool has_failed(const struct result *r)
{
	for (size_t i = 0; i < r->n_checks; i++)
		if (!r->checks[i].ok)
			return true;
	return false;
}

/* Whether the baseline says that this failure is not the kernel's: it fails there too, or the
 * program that fails as a whole has no such subtest there. */
static bool is_old_failure(const struct check *c, const struct result *r, const struct result *base)
{
	const struct check *before_exit = find_check(base, CHECK_EXIT);
	int all, base_all;
	int now = count_failing(r, c->name, &all);
	int before = count_failing(base, c->name, &base_all);

	if (base_all == 0)
		return has_failed(base);
	/* A program that fails otherwise than it did: killed where it gave up by itself. */
	if (strcmp(c->name, CHECK_EXIT) == 0 &&
	    strncmp(c->detail, before_exit->detail, strcspn(c->detail, " ")) != 0)
		return false;
	return now <= before;
}

struct listing {
	struct buf text;
	int n;
};

static void list(struct listing *l, const struct check *c)
{
	const char *name = is_subtest(c) ? c->name + strlen(CHECK_SUBTEST) : c->detail;

	if (l->n++ < NAMED_MAX)
		buf_printf(&l->text, "%s%s", l->n > 1 ? "; " : "", name);
	else if (l->n == NAMED_MAX + 1)
		buf_str(&l->text, "; …");
}

/* A subtest says more than the exit code that follows from it. */
static void list_failures(const struct result *r, const struct result *base, struct listing *fresh,
			  struct listing *old)
{
	for (size_t i = 0; i < r->n_checks; i++) {
		const struct check *c = &r->checks[i];

		if (!c->ok && is_subtest(c))
			list(base && is_old_failure(c, r, base) ? old : fresh, c);
	}
	for (size_t i = 0; i < r->n_checks; i++) {
		const struct check *c = &r->checks[i];
		bool is_old = base && is_old_failure(c, r, base);

		if (c->ok || is_subtest(c))
			continue;
		if (is_old ? old->n == 0 && fresh->n == 0 : fresh->n == 0)
			list(is_old ? old : fresh, c);
	}
}

/* The verdict of failures that the baseline does not have. */
static enum reason fresh_reason(const struct point *p)
{
	if (p->outcome == POINT_LOST)
		return REASON_HANG;
	if (p->outcome != POINT_TIMEOUT)
		return REASON_INVARIANT;
	if (!p->stuck_killed)
		return REASON_UNKILLABLE;
	return p->stuck_state == 'R' ? REASON_LIVELOCK : REASON_HANG;
}

/* A baseline of which a splat or the machine's end is all that is known says nothing about tests. */
static bool is_comparable(const struct result *base)
{
	return base && base->status != STATUS_SKIP && find_check(base, CHECK_EXIT);
}

static void compare(const struct judge_input *in, struct result *r)
{
	const struct result *base = is_comparable(in->baseline) ? in->baseline : NULL;
	struct listing fresh = { .text = BUF_INIT }, old = { .text = BUF_INIT };

	list_failures(r, base, &fresh, &old);
	if (!has_failed(r) && r->splat.kind == SPLAT_OOM)
		set(r, STATUS_DONE, REASON_NONE, xstrdup("passes, and fills the machine's memory"));
	else if (!has_failed(r) && r->splat.kind != SPLAT_NONE)
		set(r, STATUS_DONE, REASON_NONE,
		    xasprintf("passes, but the log has a splat; the baseline has the same splat: %s",
			      r->splat.title ? r->splat.title : ""));
	else if (!has_failed(r))
		set(r, STATUS_PASS, REASON_NONE, NULL);
	else if (!base)
		set(r, STATUS_DONE, REASON_NONE,
		    xasprintf("fails, and no baseline to compare with: %s", buf_cstr(&fresh.text)));
	else if (fresh.n)
		set(r, STATUS_FAIL, fresh_reason(in->point),
		    xasprintf("passes in the baseline: %s", buf_cstr(&fresh.text)));
	else
		set(r, STATUS_DONE, REASON_NONE,
		    xasprintf("fails in the baseline too: %s", buf_cstr(&old.text)));
	buf_free(&fresh.text);
	buf_free(&old.text);
}

/* ---- one point -------------------------------------------------------------------------- */

/* With a fault a program may fail: its allocations were made to. What counts is that the kernel
 * lived, and that the fault was hit. */
static void judge_faulted(struct result *r)
{
	const struct check *injected = find_check(r, "fault.injected");

	if (injected && !injected->ok)
		set(r, STATUS_ERROR, REASON_INEFFECTIVE, xstrdup(injected->detail));
	else
		set(r, STATUS_DONE, REASON_NONE,
		    xasprintf("with failing allocations: %s", find_check(r, CHECK_EXIT)->detail));
}

static void judge_skip(const struct point *p, const struct ktap *k, struct result *r)
{
	CLEANUP(free_p) char *words = exit_words(p);
	const char *said = k->comment;

	for (size_t i = 0; !said && i < k->n; i++)
		if (k->tests[i].directive == KTAP_SKIP)
			said = k->tests[i].name;
	set(r, STATUS_SKIP, REASON_KCONFIG,
	    xasprintf("the program skips: %.200s", said ? said : words));
}

static bool all_skipped(const struct point *p, const struct ktap *k)
{
	if (p->outcome != POINT_DONE || p->program.signal)
		return false;
	return p->program.exit == KSFT_SKIP || (p->program.exit == KSFT_PASS && k->skipped);
}

void selftest_judge(const struct judge_input *in, struct result *r)
{
	const struct point *p = in->point;
	struct ktap k;

	if (p->outcome == POINT_DONE && !p->program.ended) {
		set(r, STATUS_ERROR, REASON_HARNESS, xstrdup("the program was not run"));
		return;
	}
	ktap_read(p->output ? p->output : "", p->outcome == POINT_DONE && !p->program.dropped, &k);
	add_check(r, xstrdup(CHECK_EXIT), exit_is_good(p), exit_words(p));
	if (p->outcome == POINT_DONE && (k.broken || k.bailed))
		add_check(r, xstrdup(CHECK_PLAN), false,
			  xasprintf(k.bailed ? "bailed out: %.100s" : "plan and results disagree%s",
				    k.bailed && k.comment ? k.comment : ""));
	add_subtests(&k, r);
	if (r->fault.mode != FAULT_NONE)
		judge_faulted(r);
	else if (all_skipped(p, &k) && !has_failed(r))
		judge_skip(p, &k, r);
	else if (in->log->truncated)
		set(r, STATUS_ERROR, REASON_TRUNCATED,
		    xstrdup("the log was cut: what is missing may hold a splat"));
	else
		compare(in, r);
	ktap_free(&k);
}
