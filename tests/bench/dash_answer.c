/* SPDX-License-Identifier: MIT */
/* What an agent would answer to a test: documents of the size and shape that real ones have. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/scenario.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "tests/bench/dash_world.h"

#define POINTS 3 /* of a sweep */
#define FRAMES_MAX 16

enum what { A_NUMBER = 100, A_ODD, A_LOST, A_KIND };

struct place {
	const struct job *job;
	int line, index;
	uint32_t id; /* of the commit */
	bool debug, plan; /* the plan's own test, not a probe */
};

static const struct {
	enum splat_kind kind;
	enum reason reason;
	const char *words;
} splats[] = {
	{ SPLAT_BUG, REASON_BUG, "kernel BUG in" },
	{ SPLAT_WARN, REASON_WARN, "WARNING in" },
	{ SPLAT_KASAN, REASON_KASAN, "KASAN: use-after-free Read in" },
	{ SPLAT_OOPS, REASON_OOPS, "BUG: unable to handle page fault in" },
};

/* The operation of a scenario as its stacks show it: the catalogue's path. */
static void add_stack(struct result *r)
{
	const struct scenario *s = scenario_find(r->scenario);
	CLEANUP(free_p) char *path = xstrdup(s ? s->path : "");
	char *frames[FRAMES_MAX], *save = NULL;
	int n = 0;

	frames[n++] = xstrdup("pte_alloc_one");
	for (char *p = strtok_r(path, " <", &save); p && n < FRAMES_MAX - 2;
	     p = strtok_r(NULL, " <", &save))
		frames[n++] = xstrdup(p);
	frames[n++] = xstrdup("do_syscall_64");
	frames[n++] = xstrdup("entry_SYSCALL_64_after_hwframe");
	r->n_stacks = 1;
	r->stacks = xcalloc(1, sizeof(*r->stacks));
	r->stacks[0] = (struct stack){ .n = n, .count = 1, .on_target = true };
	r->stacks[0].frames = xcalloc((size_t)n, sizeof(char *));
	memcpy(r->stacks[0].frames, frames, (size_t)n * sizeof(char *));
	r->injected_on = 1;
}

static void add_checks(struct result *r, const char *broken)
{
	static const char *const names[] = { "errno.allowed", "data.pattern",  "invariant.mapping",
					     "leak.rss",      "leak.pgtables", "fault.injected" };

	r->n_checks = ARRAY_SIZE(names);
	r->checks = xcalloc(r->n_checks, sizeof(*r->checks));
	for (size_t i = 0; i < r->n_checks; i++) {
		r->checks[i].name = xstrdup(names[i]);
		r->checks[i].ok = !broken || strcmp(broken, names[i]) != 0;
		if (!r->checks[i].ok)
			r->checks[i].detail = xstrdup("212 before, 216 after");
	}
	r->checks[r->n_checks - 1].detail = xstrdup("1 injected, on target 1, off target 0");
}

static void add_numbers(struct result *r, const struct place *p)
{
	static const char *const names[] = { "nr_page_table_pages",	"thp_split_page",
					     "thp_deferred_split_page", "thp_split_pmd",
					     "thp_split_pmd_failed",	"pgmigrate_success" };

	r->n_counters = ARRAY_SIZE(names);
	r->counters = xcalloc(r->n_counters, sizeof(*r->counters));
	for (uint32_t i = 0; i < r->n_counters; i++) {
		int64_t before = world_pick(300, A_NUMBER, p->id, i);

		r->counters[i] = (struct counter){ .name = xstrdup(names[i]),
						   .before = before,
						   .after = before + (i % 3 == 0) };
	}
}

static void add_metrics(struct result *r, const struct place *p)
{
	static const char *const names[] = { "pgtables.per_thp", "rss.freed" };

	r->n_metrics = ARRAY_SIZE(names);
	r->metrics = xcalloc(r->n_metrics, sizeof(*r->metrics));
	for (uint32_t i = 0; i < r->n_metrics; i++)
		r->metrics[i] = (struct metric){
			.name = xstrdup(names[i]),
			.value = 64 + world_pick(8, A_NUMBER, p->id, 50 + i + (uint32_t)r->repeat),
			.unit = xstrdup("pages")
		};
}

/* As a defect shows: a report in the log, every fourth one a check that does not hold. */
static void fail(struct result *r, const struct dash_defect *d)
{
	uint32_t kind =
		world_pick(ARRAY_SIZE(splats) + 1, A_KIND, (uint32_t)d->line, (uint32_t)d->first);
	struct buf b = BUF_INIT;

	r->status = STATUS_FAIL;
	if (kind == ARRAY_SIZE(splats)) {
		r->reason = REASON_LEAK;
		add_checks(r, "leak.pgtables");
		return;
	}
	r->reason = splats[kind].reason;
	r->detail = xstrdup("the kernel reported a defect of its own");
	r->splat.kind = splats[kind].kind;
	r->splat.title = xasprintf("%s split_huge_page_%d", splats[kind].words, d->first);
	snprintf(r->splat.fingerprint, sizeof(r->splat.fingerprint), "%08x%08x",
		 world_pick(UINT32_MAX, A_KIND, (uint32_t)d->line + 100, (uint32_t)d->first),
		 (uint32_t)d->first);
	for (int i = 0; i < 40; i++)
		buf_printf(&b, "[   %2d.%06d]  ? split_huge_page_%d+0x%x/0x6f0\n", 12 + i / 20,
			   i * 731, d->first, 0x20 + i * 8);
	r->splat.excerpt = buf_steal(&b);
	r->splat.console_offset = r->console_offset;
}

static bool fails_here(const struct place *p, const struct dash_defect *d)
{
	return d && (p->plan || d->life != DASH_FLAKY);
}

/* Not everything is of the kernel's doing. */
static void oddity(struct result *r, const struct place *p, int scenario)
{
	uint32_t drawn = world_pick(2000, A_ODD, p->id, (uint32_t)scenario);

	if (!p->plan)
		return;
	if (scenario % 15 == 7 && !p->debug) {
		r->status = STATUS_SKIP;
		r->reason = REASON_KCONFIG;
		r->detail = xstrdup("the kernel lacks soft_dirty");
	} else if (drawn < 2) {
		r->status = drawn ? STATUS_ERROR : STATUS_MISS;
		r->reason = drawn ? REASON_INEFFECTIVE : REASON_QEMU;
		r->detail = xstrdup(drawn ? "the fault was requested and never hit"
					  : "QEMU ended by signal 9");
	}
}

/* One result; `failing`: with this defect. */
static struct result *add(struct result_doc *doc, const struct place *p, const struct plan_case *c,
			  int nth, const struct dash_defect *failing)
{
	struct result *r = result_doc_add(doc);
	const struct scenario *s = scenario_find(c->scenario);
	int n = (int)doc->n_results;

	result_init(r);
	r->scenario = xstrdup(c->scenario);
	r->config = xstrdup(p->job->config.name);
	r->fault = c->fault;
	r->fault.nth = nth;
	r->repeat = c->repeat;
	r->status = s->kind == SCENARIO_KIND_METRIC ? STATUS_DONE : STATUS_PASS;
	r->duration_us = 8000 + world_pick(4000, A_NUMBER, p->id, (uint32_t)n);
	r->console_offset = 400 * n;
	r->console_len = 400;
	r->repro = xasprintf("faultline run --kernel bzImage --scenario %s --fault %s --memory 512 "
			     "--cpus 2 --accel tcg",
			     c->scenario, fault_mode_name(c->fault.mode));
	if (failing)
		fail(r, failing);
	return r;
}

static void finish(struct result *r, const struct place *p, int scenario)
{
	if (r->status == STATUS_PASS)
		oddity(r, p, scenario);
	if (r->status == STATUS_DONE)
		add_metrics(r, p);
	if (r->status == STATUS_SKIP || r->status == STATUS_MISS)
		return;
	if (!r->checks)
		add_checks(r, NULL);
	add_numbers(r, p);
	if (r->fault.mode != FAULT_NONE)
		add_stack(r);
}

/* The second point is the one that shows a defect. */
static void sweep(struct result_doc *doc, const struct place *p, const struct plan_case *c,
		  int scenario, const struct dash_defect *failing)
{
	struct result *closing;

	for (int nth = 1; nth <= POINTS; nth++)
		finish(add(doc, p, c, nth, nth == 2 ? failing : NULL), p, scenario);
	closing = add(doc, p, c, 0, NULL);
	closing->closing = true;
	closing->points = POINTS;
	closing->console_offset = closing->console_len = -1;
	closing->detail = xasprintf("swept %d points", POINTS);
	if (failing) {
		closing->status = STATUS_FAIL;
		closing->reason = doc->results[doc->n_results - 3].reason;
	} else if (doc->results[doc->n_results - 2].status == STATUS_SKIP) {
		closing->status = STATUS_SKIP;
		closing->reason = REASON_KCONFIG;
	}
}

bool world_test(const struct job *job, struct result_doc *ret)
{
	struct place p = { .job = job };

	world_find(job->commit, &p.line, &p.index);
	p.id = (uint32_t)p.line << 16 | (uint32_t)p.index;
	p.debug = strcmp(job->config.name, "debug") == 0;
	p.plan = job->n_cases == world_plan()->n_cases;
	if (p.plan && job->attempt == 1 && world_pick(300, A_LOST, p.id, p.debug) == 0)
		return false;
	*ret = (struct result_doc){
		.kernel = { .release = xstrdup("6.12.117"), .commit = xstrdup(job->commit) },
		.machine = { .accel = xstrdup("kvm"),
			     .qemu = xstrdup("7.2.22"),
			     .cpus = 2,
			     .memory_mib = 512,
			     .boots = 2,
			     .boot_us = 900000 + (int64_t)(p.id % 1000) * 100 },
	};
	for (size_t i = 0; i < job->n_cases; i++) {
		const struct plan_case *c = &job->cases[i];
		int scenario = world_scenario(c->scenario);
		const struct dash_defect *d = world_defect(p.line, p.index, scenario, p.debug);

		if (!fails_here(&p, d) || (c->fault.mode == FAULT_NONE && !p.plan))
			d = NULL;
		if (d && !p.plan && d->life == DASH_LOST) {
			result_doc_free(ret);
			return false;
		}
		if (c->fault.mode == FAULT_SWEEP)
			sweep(ret, &p, c, scenario, d);
		else
			finish(add(ret, &p, c, 0, d), &p, scenario);
	}
	return true;
}

char *world_log(const struct job *job, const struct result_doc *doc)
{
	struct buf b = BUF_INIT;

	buf_printf(&b, "%-398.398s\n", "[    0.000000] Linux version 6.12.117");
	for (size_t i = 0; i < doc->n_results; i++) {
		const struct result *r = &doc->results[i];
		char title[120];

		result_title(r, title, sizeof(title));
		if (r->splat.kind != SPLAT_NONE)
			buf_printf(&b, "[   12.000000] %s\n%s", r->splat.title, r->splat.excerpt);
		buf_printf(&b, "[   12.%06zu] faultline: begin %-60.60s commit %.12s\n", i, title,
			   job->commit);
		buf_printf(&b, "%-302.302s\n", "[   12.000000] faultline: result");
	}
	return buf_steal(&b);
}
