/* SPDX-License-Identifier: MIT */
#include "tests/bench/dash_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/scenario.h"
#include "lib/buf.h"
#include "lib/clock.h"

#define EPOCH_S INT64_C(1750000000) /* when the first commit was made */
#define COMMIT_EVERY_S 1500
#define ODD 0x9e3779b1u /* hashes begin with (line, index) times this, modulo 2^32 */

static struct dash_line lines[DASH_LINES];
static int bases[DASH_LINES]; /* of a series: index on DASH_BASE_LINE */
static struct dash_defect defects[DASH_DEFECTS];
static struct plan plan;
static struct plan_config configs[2];
static struct plan_case cases[2 * DASH_CASES];
static const char *scenarios[DASH_CASES];
static uint64_t seed;
static uint32_t odd_inverse;

static uint64_t mix(uint64_t z)
{
	/* SplitMix64's finalizer: Steele, Lea, Flood, "Fast splittable pseudorandom number
	 * generators", OOPSLA 2014. */
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static uint64_t hash(uint32_t what, uint32_t a, uint32_t b)
{
	return mix(mix(seed + what) ^ ((uint64_t)a << 32 | b));
}

uint32_t world_pick(uint32_t n, uint32_t what, uint32_t a, uint32_t b)
{
	return (uint32_t)(hash(what, a, b) % n);
}

/* What a number is drawn for; further ones are dash_answer.c's. */
enum what { W_SHA = 1, W_TREE, W_WORDS, W_AUTHOR, W_DEFECT, W_WARNINGS };

/* --- plan ------------------------------------------------------------------------------------- */

static void add_case(const struct scenario *s, enum fault_mode mode, int repeat)
{
	struct plan_case *c = &cases[plan.n_cases++];

	c->scenario = xstrdup(s->name);
	fault_defaults(&c->fault);
	c->fault.mode = mode;
	c->repeat = repeat;
}

/* The first of the catalogue: every fourth that splits is swept, what measures does it twice. */
static void make_cases(void)
{
	size_t n = 0;
	const struct scenario *table = scenario_table(&n);

	if (n < DASH_CASES)
		abort();
	for (int i = 0; i < DASH_CASES; i++) {
		bool split = table[i].kind == SCENARIO_KIND_SPLIT;

		scenarios[i] = table[i].name;
		add_case(&table[i],
			 !split	      ? FAULT_NONE
			 : i % 4 == 0 ? FAULT_SWEEP
				      : FAULT_BURST,
			 1);
		if (table[i].kind == SCENARIO_KIND_METRIC)
			add_case(&table[i], FAULT_NONE, 2);
	}
}

static void make_plan(void)
{
	static struct plan_fragment fragment = { .name = (char *)"base",
						 .text = (char *)"CONFIG_SMP=y\n" };

	plan = (struct plan){ .name = xstrdup("thp-split"),
			      .summary = xstrdup(""),
			      .configs = configs,
			      .n_configs = 2,
			      .machine = { .cpus = 2, .memory_mib = 512 },
			      .cases = cases };
	make_cases();
	for (int i = 0; i < 2; i++) {
		configs[i] = (struct plan_config){ .name = xstrdup(i ? "debug" : "default"),
						   .arch = xstrdup("x86_64"),
						   .compiler = xstrdup("gcc"),
						   .boot = true,
						   .fragments = &fragment,
						   .n_fragments = 1 };
		hash_bytes(configs[i].name, strlen(configs[i].name), configs[i].hash);
	}
	plan_cases_hash(&plan);
}

const struct plan *world_plan(void)
{
	return &plan;
}

/* --- history ---------------------------------------------------------------------------------- */

static void make_lines(void)
{
	static const struct dash_line followed[DASH_FOLLOWED] = {
		{ "linux", "master", "mm-unstable", 1500, 1 },
		{ "linux", "master", "mm-stable", 800, 1 },
		{ "linux", "mm-unstable", "lazy-pgtable", 200, 1 },
		{ "next", NULL, "master", 600, 12 },
		{ "linux", "master", "mm-hotfixes", 400, 1 },
	};

	memcpy(lines, followed, sizeof(followed));
	for (int i = DASH_FOLLOWED; i < DASH_LINES; i++) {
		lines[i] = (struct dash_line){ .repo = "linux",
					       .commits = DASH_SERIES_COMMITS,
					       .step = 1 };
		snprintf(lines[i].ref, sizeof(lines[i].ref), "series-%03d", i);
	}
	lines[DASH_LINES - 1].commits = DASH_OPEN_COMMITS;
}

const struct dash_line *world_line(int line)
{
	return &lines[line];
}

void world_base(int line, int base_index)
{
	bases[line] = base_index;
}

static void name(int line, int index, char sha[41], uint32_t what)
{
	uint32_t id;

	if (line >= DASH_FOLLOWED && index == 0) {
		index = bases[line];
		line = DASH_BASE_LINE;
	}
	id = (uint32_t)line << 16 | (uint32_t)index;
	snprintf(sha, 41, "%08x%016llx%016llx", id * ODD, (unsigned long long)hash(what, id, 0),
		 (unsigned long long)hash(what, id, 1));
}

void world_find(const char *sha, int *ret_line, int *ret_index)
{
	char head[9];
	uint32_t id;

	snprintf(head, sizeof(head), "%.8s", sha);
	id = (uint32_t)strtoul(head, NULL, 16) * odd_inverse;
	*ret_line = (int)(id >> 16);
	*ret_index = (int)(id & 0xffff);
}

static const char *word_of(const char *const *words, size_t n, uint32_t id, uint32_t which)
{
	return words[hash(W_WORDS, id, which) % n];
}

void world_commit(int line, int index, struct dash_commit *ret)
{
	static const char *const areas[] = { "mm",	  "mm/huge_memory", "mm/rmap", "mm/migrate",
					     "mm/memory", "mm/vmscan",	    "mm/ksm",  "x86/mm" };
	static const char *const verbs[] = { "fix",	 "avoid", "rework", "simplify", "remove",
					     "document", "batch", "defer",  "check",	"convert" };
	static const char *const things[] = { "the deposited page table",
					      "a race with concurrent faults",
					      "accounting of partially mapped folios",
					      "the split of huge PMDs under memory pressure",
					      "rmap walks of large folios",
					      "an unneeded TLB flush",
					      "error paths of the page table allocation" };
	static char author[64], subject[128]; /* of the newest; the store copies */
	uint32_t id;

	if (line >= DASH_FOLLOWED && index == 0) {
		index = bases[line];
		line = DASH_BASE_LINE;
	}
	id = (uint32_t)line << 16 | (uint32_t)index;
	name(line, index, ret->sha, W_SHA);
	name(line, index, ret->tree, W_TREE);
	*ret->parent = '\0';
	if (index)
		name(line, index - 1, ret->parent, W_SHA);
	snprintf(author, sizeof(author), "Author %02u <author%02u@example.org>",
		 world_pick(40, W_AUTHOR, id, 0), world_pick(40, W_AUTHOR, id, 0));
	snprintf(subject, sizeof(subject), "%s: %s %s", word_of(areas, ARRAY_SIZE(areas), id, 0),
		 word_of(verbs, ARRAY_SIZE(verbs), id, 1),
		 word_of(things, ARRAY_SIZE(things), id, 2));
	ret->info =
		(struct commit_info){ .sha = ret->sha,
				      .tree = ret->tree,
				      .parent = *ret->parent ? ret->parent : NULL,
				      .author = author,
				      .subject = subject,
				      .committed_us = (EPOCH_S + (int64_t)index * COMMIT_EVERY_S) *
						      US_PER_S };
}

char *world_revlist(const char *good, const char *bad)
{
	struct buf b = BUF_INIT;
	struct dash_commit c;
	int line, index;

	world_find(bad, &line, &index);
	for (; strcmp(good, (world_commit(line, index, &c), c.sha)) != 0 && index; index--)
		buf_printf(&b, "%s %s\n", c.sha, c.parent);
	return buf_steal(&b);
}

/* --- defects ---------------------------------------------------------------------------------- */

/* Evenly over the commits of a line that are tested, each for a while. */
static int plant(struct dash_defect *to, int line, int n)
{
	const struct dash_line *l = &lines[line];

	for (int k = 0; k < n; k++) {
		struct dash_defect *d = &to[k];
		int at = 2 + (int)((int64_t)(l->commits - 8) * k / n);
		uint32_t life = world_pick(100, W_DEFECT, (uint32_t)line, (uint32_t)k);
		int lasts = 3 + (int)world_pick(20, W_DEFECT, (uint32_t)line, (uint32_t)k + 1000);

		*d = (struct dash_defect){ .line = line, .scenario = (k * 7 + line) % 48 };
		if (d->scenario == 29) /* no split: it has no fault of its own */
			d->scenario++;
		d->debug = k % 3 == 1;
		d->life = line >= DASH_FOLLOWED ? DASH_OPEN : DASH_FIXED;
		if (life < 12)
			d->life = DASH_FLAKY;
		else if (life < 16)
			d->life = DASH_LOST;
		else if (life < 20)
			d->life = DASH_STALE;
		else if (life < 26)
			d->life = DASH_OPEN;
		if (k % 20 == 9) {
			d->scenario = -1;
			d->life = DASH_FIXED;
			lasts = 2;
		}
		/* Between two tested commits, so that there is something to search. */
		d->first = at * l->step - (l->step > 1 ? 1 + k % (l->step - 1) : 0);
		d->last = d->life == DASH_FLAKY	 ? d->first
			  : d->life == DASH_OPEN ? INT32_MAX
						 : d->first + lasts * l->step;
		if (d->life == DASH_FLAKY && l->step > 1)
			d->first = d->last = at * l->step;
	}
	return n;
}

static void plant_all(void)
{
	static const int followed[DASH_FOLLOWED] = { 62, 35, 8, 40, 15 };
	int n = 0;

	for (int i = 0; i < DASH_FOLLOWED; i++)
		n += plant(&defects[n], i, followed[i]);
	/* The last series have one each, the others now and then. */
	for (int i = DASH_SERIES + DASH_FOLLOWED - 1; n < DASH_DEFECTS; i--) {
		if (i < DASH_SERIES + DASH_FOLLOWED - DASH_WAITING && i % 2)
			continue;
		n += plant(&defects[n], i, 1);
		if (i >= DASH_SERIES + DASH_FOLLOWED - DASH_WAITING)
			defects[n - 1].life = DASH_OPEN;
	}
}

const struct dash_defect *world_defect(int line, int index, int scenario, bool debug)
{
	for (int i = 0; i < DASH_DEFECTS; i++) {
		const struct dash_defect *d = &defects[i];

		if (d->line == line && index >= d->first && index <= d->last &&
		    d->scenario == scenario && (debug || !d->debug))
			return d;
	}
	return NULL;
}

int world_scenario(const char *scenario)
{
	for (int i = 0; i < DASH_CASES; i++)
		if (strcmp(scenarios[i], scenario) == 0)
			return i;
	return -1; /* "build" */
}

const struct dash_defect *world_defect_of(const char *bad_sha, const char *scenario)
{
	int line, index;

	world_find(bad_sha, &line, &index);
	return world_defect(line, index, world_scenario(scenario), true);
}

void world_init(uint64_t s)
{
	seed = s;
	odd_inverse = ODD;
	for (int i = 0; i < 5; i++) /* Newton: the bits that are right double */
		odd_inverse *= 2 - ODD * odd_inverse;
	make_plan();
	make_lines();
	plant_all();
}

/* --- answers ---------------------------------------------------------------------------------- */

/* What the compiler said, `n` lines of it. */
static char **lines_of(uint32_t n, bool error, uint32_t id)
{
	char **v = xcalloc(n + 1, sizeof(*v));

	for (uint32_t i = 0; i < n; i++) {
		uint32_t at = world_pick(4000, W_WARNINGS, id, i) + 1;

		if (error)
			v[i] = xasprintf("mm/huge_memory.c:%u:17: error: implicit declaration of "
					 "function 'pgtable_trans_huge_%u'",
					 at, id);
		else
			v[i] = xasprintf("mm/memory.c:%u:9: warning: unused variable 'v%u' "
					 "[-Wunused-variable]",
					 at, at % 90);
	}
	return v;
}

void world_build(const struct job *job, struct build_result *ret)
{
	bool debug = strcmp(job->config.name, "debug") == 0;
	int line, index;
	uint32_t id;

	world_find(job->commit, &line, &index);
	id = (uint32_t)line << 16 | (uint32_t)index;
	*ret = (struct build_result){ .status = STATUS_PASS,
				      .image = true,
				      .release = xstrdup("6.12.117"),
				      .duration_us = 40000000 + (int64_t)(id % 977) * 10000 };
	if (id % 10 == 0) {
		ret->n_warnings = 1 + id % 25;
		ret->warnings = lines_of((uint32_t)ret->n_warnings, false, id);
	}
	if (!world_defect(line, index, -1, debug))
		return;
	ret->status = STATUS_FAIL;
	ret->reason = REASON_BUILD;
	ret->image = false;
	ret->n_errors = 3;
	/* One fault in the source is said in the same words at every commit that has it. */
	ret->errors = lines_of(3, true, (uint32_t)world_defect(line, index, -1, debug)->first);
}
