/* SPDX-License-Identifier: MIT */
#include "agent/decode_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/path.h"

/* Of all traces of a document together: 3 MB of it, of the 32 that a server takes. A plan in which
 * everything fails has some 500 failures of 30 frames. */
#define DOC_FRAMES_MAX 20000
/* Distinct addresses; a document with more has said enough. */
#define ADDRESSES_MAX 16384

struct asked {
	uint64_t *v; /* sorted, distinct; owned */
	size_t n;
};

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void sort_distinct(struct asked *a)
{
	size_t kept = 0;

	if (a->n)
		qsort(a->v, a->n, sizeof(*a->v), by_value);
	for (size_t i = 0; i < a->n; i++)
		if (!kept || a->v[kept - 1] != a->v[i])
			a->v[kept++] = a->v[i];
	a->n = kept < ADDRESSES_MAX ? kept : ADDRESSES_MAX;
}

/* Where the frame is. A return address is behind the call: it may be of the next line, and behind a
 * function that does not return it is outside of the function. */
static bool address_of(const struct symtab *t, const struct frame *f, uint64_t *ret)
{
	uint64_t start;

	if (f->module || f->inlined || !f->size ||
	    symtab_find(t, f->symbol ? f->symbol : f->function, f->size, &start) != SYMTAB_FOUND)
		return false;
	*ret = start + f->offset - (!f->exact && f->offset > 0);
	return true;
}

/* *ret_start: where start_kernel() is, 0 when it is nowhere. -ENOMSG. */
static int collect(const struct symtab *t, struct trace *const *traces, size_t n, struct asked *ret,
		   uint64_t *ret_start, struct error *err)
{
	size_t cap = 0;

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < traces[i]->n; k++) {
			uint64_t at;

			if (!address_of(t, &traces[i]->frames[k], &at))
				continue;
			ARRAY_RESERVE(ret->v, ret->n, cap);
			ret->v[ret->n++] = at;
		}
	}
	if (!ret->n)
		return error_set(err, -ENOMSG, "of another kernel: none of the functions fits");
	if (symtab_find(t, "start_kernel", 0, ret_start) == SYMTAB_FOUND) {
		ARRAY_RESERVE(ret->v, ret->n, cap);
		ret->v[ret->n++] = *ret_start;
	}
	sort_distinct(ret);
	return 0;
}

static const struct places *places_at(const struct asked *a, const struct places *all, uint64_t at)
{
	const uint64_t *found = a->n ? bsearch(&at, a->v, a->n, sizeof(at), by_value) : NULL;

	return found ? &all[found - a->v] : NULL;
}

/* The frame `f` is handed over. */
static void add_decoded(const struct places *p, const char *base, struct frame f, struct trace *to)
{
	struct frame *at;

	for (int i = 0; p && i < p->n; i++) {
		bool last = i == p->n - 1;
		char *file = p->v[i].file ? decode_path(p->v[i].file, base) : NULL;

		if (last) {
			f.file = file;
			f.line = file ? p->v[i].line : 0;
			continue;
		}
		at = *p->v[i].function ? trace_add(to) : NULL;
		if (!at) {
			free(file);
			continue;
		}
		at->function =
			xstrndup(p->v[i].function, strnlen(p->v[i].function, TRACE_NAME_LEN));
		at->file = file;
		at->line = file ? p->v[i].line : 0;
		at->inlined = true;
	}
	at = trace_add(to);
	if (at)
		*at = f;
	else
		frame_free(&f);
}

static void apply(const struct symtab *t, const struct asked *a, const struct places *all,
		  const char *base, struct trace *trace)
{
	struct trace out = { 0 };

	for (size_t k = 0; k < trace->n; k++) {
		uint64_t at = 0;
		bool known = address_of(t, &trace->frames[k], &at);

		add_decoded(known ? places_at(a, all, at) : NULL, base, trace->frames[k], &out);
	}
	free(trace->frames);
	*trace = out;
}

static bool any_line(const struct places *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (int k = 0; k < p[i].n; k++)
			if (p[i].v[k].file)
				return true;
	return false;
}

static int decode_with(const struct decode_opts *o, const struct symtab *t,
		       struct trace *const *traces, size_t n, struct error *err)
{
	struct asked asked = { 0 };
	CLEANUP(free_p) char *base = NULL;
	const struct places *at_start;
	struct places *all = NULL;
	uint64_t start = 0;
	int r = collect(t, traces, n, &asked, &start, err);

	if (!r)
		r = decode_addresses(o, asked.v, asked.n, &all, err);
	if (!r && !any_line(all, asked.n))
		r = error_set(err, -EINVAL, "there is no debug information in it");
	if (!r) {
		at_start = start ? places_at(&asked, all, start) : NULL;
		base = at_start ? decode_base(at_start) : xstrdup("");
		for (size_t i = 0; i < n; i++)
			apply(t, &asked, all, base, traces[i]);
	}
	places_free(all, asked.n);
	free(asked.v);
	return r;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int decode_traces(const struct decode_opts *opts, struct trace *const *traces, size_t n,
		  struct error *err)
{
	struct symtab t = { 0 };
	int r = decode_symbols(opts, &t, err);

	if (!r)
		r = decode_with(opts, &t, traces, n, err);
	symtab_free(&t);
	return r < 0 ? error_wrap(err, r, "%s", base_name(opts->vmlinux)) : 0;
}

static char *find_beside(const char *file)
{
	static const char *const names[] = { "vmlinux", DECODE_ARTIFACT };
	const char *slash = strrchr(file, '/');
	int dir = slash ? (int)(slash - file) + 1 : 0;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char *path = xasprintf("%.*s%s", dir, file, names[i]);

		if (path_exists(path))
			return path;
		free(path);
	}
	return NULL;
}

char *decode_find(const char *beside, const char *or_beside)
{
	char *found = beside ? find_beside(beside) : NULL;

	return found || !or_beside ? found : find_beside(or_beside);
}

/* ---- documents ----------------------------------------------------------------------------- */

static size_t count_frames(const struct result *r)
{
	size_t n = r->splat.trace.n;

	for (size_t i = 0; i < r->n_stacks; i++)
		n += r->stacks[i].trace.n;
	return n;
}

static bool has_trace(const struct result *r)
{
	return count_frames(r) > 0;
}

bool decode_is_wanted(const struct result_doc *doc)
{
	for (size_t i = 0; i < doc->n_results; i++)
		if (doc->results[i].status == STATUS_FAIL && has_trace(&doc->results[i]))
			return true;
	return false;
}

static void drop(struct result *r)
{
	trace_free(&r->splat.trace);
	for (size_t i = 0; i < r->n_stacks; i++)
		trace_free(&r->stacks[i].trace);
}

/* The first failures keep their traces. */
static void keep_first(struct result_doc *doc)
{
	size_t left = DOC_FRAMES_MAX;

	for (size_t i = 0; i < doc->n_results; i++) {
		struct result *r = &doc->results[i];
		size_t n = count_frames(r);

		if (n <= left) {
			left -= n;
			continue;
		}
		drop(r);
		free(r->undecoded);
		r->undecoded = xstrdup("only the first failures of a run have their traces");
	}
}

/* Those of results that failed; the array is owned. */
static struct trace **traces_of(struct result_doc *doc, size_t *ret_n)
{
	struct trace **v = NULL;
	size_t n = 0, cap = 0;

	for (size_t i = 0; i < doc->n_results; i++) {
		struct result *r = &doc->results[i];

		for (size_t k = 0; r->status == STATUS_FAIL && k <= r->n_stacks; k++) {
			ARRAY_RESERVE(v, n, cap);
			v[n++] = k ? &r->stacks[k - 1].trace : &r->splat.trace;
		}
	}
	*ret_n = n;
	return v;
}

void decode_doc(struct result_doc *doc, const struct decode_opts *opts, const char *why)
{
	struct error err = ERROR_INIT;
	struct trace **traces;
	size_t n;
	int r = -ENOENT;

	for (size_t i = 0; i < doc->n_results; i++)
		if (doc->results[i].status != STATUS_FAIL)
			drop(&doc->results[i]);
	if (!decode_is_wanted(doc))
		return;
	keep_first(doc);
	traces = traces_of(doc, &n);
	if (opts) {
		r = decode_traces(opts, traces, n, &err);
		why = err.msg;
	}
	free(traces);
	for (size_t i = 0; i < doc->n_results && r < 0; i++)
		if (doc->results[i].status == STATUS_FAIL && has_trace(&doc->results[i]))
			doc->results[i].undecoded = xstrdup(why);
	/* with what was inlined there are more */
	keep_first(doc);
}
