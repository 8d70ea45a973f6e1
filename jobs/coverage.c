/* SPDX-License-Identifier: MIT */
#include "jobs/coverage.h"

#include <stdlib.h>
#include <string.h>

#include "jobs/parts.h"
#include "jobs/scenario.h"
#include "lib/buf.h"

static const char *const state_names[] = {
	[COVERAGE_REACHED] = "reached",
	[COVERAGE_MISSED] = "missed",
	[COVERAGE_SKIPPED] = "skipped",
	[COVERAGE_NOT_RUN] = "not_run",
};

/* Below every system call and every thread: they tell no place from another. */
static const char *const entry_frames[] = {
	"ret_from_fork",  "ret_from_fork_asm", "entry_SYSCALL_64_after_hwframe",
	"do_syscall_64",  "x64_sys_call",      "asm_exc_page_fault",
	"exc_page_fault",
};

const char *coverage_state_name(enum coverage_state s)
{
	return (size_t)s < ARRAY_SIZE(state_names) ? state_names[s] : "?";
}

enum coverage_state coverage_state(const struct coverage_chain *chain)
{
	if (chain->injections)
		return COVERAGE_REACHED;
	if (chain->ran)
		return COVERAGE_MISSED;
	return chain->skipped ? COVERAGE_SKIPPED : COVERAGE_NOT_RUN;
}

size_t coverage_count(const struct coverage *c, enum coverage_state s)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n_known; i++)
		n += coverage_state(&c->chains[i]) == s;
	return n;
}

/* ---- lists of names ------------------------------------------------------------------------ */

static bool list_has(char *const *list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i], name) == 0)
			return true;
	return false;
}

static void list_add(char ***list, size_t *n, const char *name)
{
	*list = xrealloc(*list, *n + 1, sizeof(**list));
	(*list)[(*n)++] = xstrdup(name);
}

/* ---- the catalogue's chains ---------------------------------------------------------------- */

/* "f < g < h": calls add() for the site and for each of them. False for a path that names none. */
static bool path_each(const struct scenario *s, void (*add)(void *arg, const char *name), void *arg)
{
	CLEANUP(free_p) char *copy = NULL;
	char *name, *rest;
	int n = 1;

	if (s->kind != SCENARIO_KIND_SPLIT || strcmp(s->path, "none") == 0)
		return false;
	add(arg, COVERAGE_SITE);
	copy = xstrdup(s->path);
	for (name = strtok_r(copy, " <", &rest); name && n < COVERAGE_PATH_MAX;
	     name = strtok_r(NULL, " <", &rest), n++)
		add(arg, name);
	return true;
}

static void chain_add_frame(void *arg, const char *name)
{
	struct coverage_chain *chain = arg;

	list_add(&chain->frames, &chain->n, name);
}

static void chain_free(struct coverage_chain *chain)
{
	strings_free(chain->frames, chain->n);
	strings_free(chain->lacks, chain->n_lacks);
	strings_free(chain->scenarios, chain->n_scenarios);
}

static bool same_frames(const struct coverage_chain *a, char *const *frames, size_t n)
{
	if (a->n != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (strcmp(a->frames[i], frames[i]) != 0)
			return false;
	return true;
}

static struct coverage_chain *find_frames(struct coverage *c, size_t from, char *const *frames,
					  size_t n)
{
	for (size_t i = from; i < c->n; i++)
		if (same_frames(&c->chains[i], frames, n))
			return &c->chains[i];
	return NULL;
}

static struct coverage_chain *chain_new(struct coverage *c)
{
	ARRAY_RESERVE(c->chains, c->n, c->cap);
	c->chains[c->n] = (struct coverage_chain){ .n = 0 };
	return &c->chains[c->n++];
}

/* Scenarios that come the same way stand for one place. */
static void add_known(struct coverage *c, const struct scenario *s, char *const *lacks,
		      size_t n_lacks)
{
	struct coverage_chain path = { .known = true }, *chain;

	if (!path_each(s, chain_add_frame, &path))
		return;
	chain = find_frames(c, 0, path.frames, path.n);
	if (chain) {
		chain_free(&path);
	} else {
		for (size_t i = 0; i < path.n; i++)
			if (list_has(lacks, n_lacks, path.frames[i]))
				list_add(&path.lacks, &path.n_lacks, path.frames[i]);
		chain = chain_new(c);
		*chain = path;
	}
	list_add(&chain->scenarios, &chain->n_scenarios, s->name);
}

void coverage_init(struct coverage *c, char *const *lacks, size_t n_lacks)
{
	size_t n;
	const struct scenario *table = scenario_table(&n);

	*c = (struct coverage){ .n = 0 };
	for (size_t i = 0; i < n; i++)
		add_known(c, &table[i], lacks, n_lacks);
	c->n_known = c->n;
}

void coverage_free(struct coverage *c)
{
	for (size_t i = 0; i < c->n; i++)
		chain_free(&c->chains[i]);
	free(c->chains);
	*c = (struct coverage){ .n = 0 };
}

static void function_add(void *arg, const char *name)
{
	struct coverage_chain *all = arg;

	if (!list_has(all->frames, all->n, name))
		list_add(&all->frames, &all->n, name);
}

size_t coverage_functions(char ***ret)
{
	size_t n;
	const struct scenario *table = scenario_table(&n);
	struct coverage_chain all = { .n = 0 };

	for (size_t i = 0; i < n; i++)
		(void)path_each(&table[i], function_add, &all);
	*ret = all.frames;
	return all.n;
}

/* ---- what was reached ---------------------------------------------------------------------- */

static bool is_entry(const char *frame)
{
	for (size_t i = 0; i < ARRAY_SIZE(entry_frames); i++)
		if (strcmp(frame, entry_frames[i]) == 0)
			return true;
	return false;
}

void coverage_fold(const struct stack *from, struct stack *ret)
{
	int n = from->n;

	*ret = (struct stack){ .count = from->count, .on_target = from->on_target };
	while (n > 0 && is_entry(from->frames[n - 1]))
		n--;
	if (!n)
		return;
	ret->frames = xcalloc((size_t)n, sizeof(*ret->frames));
	for (int i = 0; i < n; i++)
		ret->frames[ret->n++] = fault_frame_fold(from->frames[i]);
}

/* True if the chain's functions are on the stack in order; those that the kernel lacks need not. */
static bool is_on_stack(const struct coverage_chain *chain, char *const *frames, int n)
{
	int at = 0;

	for (size_t i = 0; i < chain->n; i++) {
		if (list_has(chain->lacks, chain->n_lacks, chain->frames[i]))
			continue;
		while (at < n && strcmp(frames[at], chain->frames[i]) != 0)
			at++;
		if (at == n)
			return false;
		at++;
	}
	return true;
}

/*
 * The scenario's own chain if the stack is of it; else the longest that it is of, since a shorter
 * one says less. Without the functions that the kernel lacks a chain says too little to be taken
 * for the way of another scenario.
 */
static struct coverage_chain *find_known(struct coverage *c, const char *scenario,
					 const struct stack *s)
{
	struct coverage_chain *best = NULL;

	for (size_t i = 0; i < c->n_known; i++) {
		struct coverage_chain *chain = &c->chains[i];

		if (!is_on_stack(chain, s->frames, s->n))
			continue;
		if (list_has(chain->scenarios, chain->n_scenarios, scenario))
			return chain;
		if (!chain->n_lacks && (!best || chain->n > best->n))
			best = chain;
	}
	return best;
}

static struct coverage_chain *find_new(struct coverage *c, const char *scenario, struct stack *s)
{
	struct coverage_chain *chain = find_frames(c, c->n_known, s->frames, (size_t)s->n);

	if (!chain) {
		if (c->n - c->n_known >= COVERAGE_NEW_MAX)
			return NULL;
		chain = chain_new(c);
		chain->frames = s->frames;
		chain->n = (size_t)s->n;
		*s = (struct stack){ .n = 0 };
	}
	if (!list_has(chain->scenarios, chain->n_scenarios, scenario))
		list_add(&chain->scenarios, &chain->n_scenarios, scenario);
	return chain;
}

static void add_folded(struct coverage *c, const char *scenario, struct stack *s, int count)
{
	struct coverage_chain *chain = find_known(c, scenario, s);

	if (!chain)
		chain = find_new(c, scenario, s);
	if (chain)
		chain->injections += count;
	else
		c->dropped += count;
}

void coverage_add(struct coverage *c, const char *scenario, const struct stack *stack)
{
	struct stack folded;

	coverage_fold(stack, &folded);
	if (folded.n)
		add_folded(c, scenario, &folded, stack->count);
	stack_clear(&folded);
}

void coverage_ran(struct coverage *c, const char *scenario, enum reason skip)
{
	for (size_t i = 0; i < c->n_known; i++) {
		struct coverage_chain *chain = &c->chains[i];

		if (!list_has(chain->scenarios, chain->n_scenarios, scenario))
			continue;
		if (skip == REASON_NONE) {
			chain->ran = true;
		} else {
			chain->skipped = true;
			chain->skip = skip;
		}
	}
}

void coverage_add_result(struct coverage *c, const struct result *r)
{
	if (r->status == STATUS_SKIP)
		coverage_ran(c, r->scenario, r->reason);
	else if (r->fault.mode != FAULT_NONE && r->status != STATUS_MISS)
		coverage_ran(c, r->scenario, REASON_NONE);
	for (size_t i = 0; i < r->n_stacks; i++)
		if (r->stacks[i].on_target)
			coverage_add(c, r->scenario, &r->stacks[i]);
}

static void merge_new(struct coverage *into, const struct coverage_chain *from)
{
	for (size_t i = 0; i < from->n_scenarios; i++) {
		struct stack s = { .n = (int)from->n };
		struct coverage_chain *chain;

		s.frames = xcalloc(from->n, sizeof(*s.frames));
		for (size_t k = 0; k < from->n; k++)
			s.frames[k] = xstrdup(from->frames[k]);
		chain = find_new(into, from->scenarios[i], &s);
		stack_clear(&s);
		/* once, however many scenarios came here */
		if (i == 0 && chain)
			chain->injections += from->injections;
		else if (i == 0)
			into->dropped += from->injections;
	}
}

void coverage_merge(struct coverage *into, const struct coverage *from)
{
	for (size_t i = 0; i < into->n_known; i++) {
		const struct coverage_chain *chain = &from->chains[i];

		into->chains[i].injections += chain->injections;
		into->chains[i].ran |= chain->ran;
		into->chains[i].skipped |= chain->skipped;
		if (chain->skipped)
			into->chains[i].skip = chain->skip;
	}
	for (size_t i = from->n_known; i < from->n; i++)
		merge_new(into, &from->chains[i]);
	into->dropped += from->dropped;
}

const struct coverage_chain *coverage_find(const struct coverage *c,
					   const struct coverage_chain *chain)
{
	for (size_t i = 0; i < c->n; i++)
		if (same_frames(&c->chains[i], chain->frames, chain->n))
			return &c->chains[i];
	return NULL;
}

void coverage_of_doc(const struct result_doc *d, struct coverage *ret)
{
	coverage_init(ret, d->kernel.lacks, d->kernel.n_lacks);
	for (size_t i = 0; i < d->n_results; i++)
		coverage_add_result(ret, &d->results[i]);
}

/* ---- JSON ---------------------------------------------------------------------------------- */

struct json_object *coverage_chain_to_json(const struct coverage_chain *chain)
{
	struct json_object *o = json_object_new_object();
	enum coverage_state state = coverage_state(chain);

	json_object_object_add(o, "site", json_str(chain->frames[0]));
	json_object_object_add(o, "chain", strings_to_json(chain->frames + 1, chain->n - 1));
	json_object_object_add(o, "known", json_object_new_boolean(chain->known));
	json_object_object_add(o, "covered", json_object_new_boolean(state == COVERAGE_REACHED));
	json_object_object_add(o, "state", json_str(coverage_state_name(state)));
	json_object_object_add(o, "reason",
			       json_str(state == COVERAGE_SKIPPED ? reason_name(chain->skip) : ""));
	json_object_object_add(o, "scenarios",
			       strings_to_json(chain->scenarios, chain->n_scenarios));
	json_object_object_add(o, "injections", json_object_new_int64(chain->injections));
	json_object_object_add(o, "lacks", strings_to_json(chain->lacks, chain->n_lacks));
	return o;
}

void coverage_counts_to_json(const struct coverage *c, struct json_object *into)
{
	json_object_object_add(into, "known", json_object_new_int64((int64_t)c->n_known));
	for (size_t s = 0; s < ARRAY_SIZE(state_names); s++)
		json_object_object_add(
			into, state_names[s],
			json_object_new_int64((int64_t)coverage_count(c, (enum coverage_state)s)));
	json_object_object_add(into, "new", json_object_new_int64((int64_t)(c->n - c->n_known)));
	json_object_object_add(into, "dropped", json_object_new_int64(c->dropped));
}

struct json_object *coverage_to_json(const struct coverage *c)
{
	struct json_object *o = json_object_new_object(), *arr = json_object_new_array();

	coverage_counts_to_json(c, o);
	for (size_t i = 0; i < c->n; i++)
		json_object_array_add(arr, coverage_chain_to_json(&c->chains[i]));
	json_object_object_add(o, "chains", arr);
	return o;
}
