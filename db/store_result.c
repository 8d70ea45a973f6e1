/* SPDX-License-Identifier: MIT */
/*
 * Result rows, their documents, and the matrix cells that are summed up while they are written.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "db/store_internal.h"
#include "jobs/parts.h"
#include "jobs/signature.h"

void result_rows_make(struct result_rows *rows, const struct result *results, size_t n)
{
	*rows = (struct result_rows){ .results = results, .n = n };
	rows->faults = xcalloc(n + 1, sizeof(*rows->faults));
	rows->documents = xcalloc(n + 1, sizeof(*rows->documents));
	for (size_t i = 0; i < n; i++) {
		CLEANUP(json_put_p) struct json_object *doc = result_to_json(&results[i]);
		CLEANUP(json_put_p) struct json_object *fault = fault_to_json(&results[i].fault);

		rows->faults[i] = json_text(fault);
		rows->documents[i] = json_text(doc);
	}
}

void result_rows_free(struct result_rows *rows)
{
	for (size_t i = 0; i < rows->n; i++) {
		free(rows->faults[i]);
		free(rows->documents[i]);
	}
	free(rows->faults);
	free(rows->documents);
	*rows = (struct result_rows){ 0 };
}

static int write_measurements(struct db *db, int64_t result_id, const struct result *x,
			      struct error *err)
{
	bool measures = x->status == STATUS_DONE && !x->closing;
	int r = 0;

	for (size_t i = 0; i < x->n_metrics && measures && !r; i++) {
		const struct metric *m = &x->metrics[i];
		CLEANUP(free_p) char *name = text_utf8(m->name ? m->name : "");
		CLEANUP(free_p) char *unit = text_utf8(m->unit ? m->unit : "");

		if (isfinite(m->value))
			r = db_run(db, Q_MEASUREMENT_ADD,
				   ARGS(I(result_id), S(name), S(unit), D(m->value)), NULL, err);
	}
	return r;
}

static int write_one(struct db *db, int64_t run_id, const struct result_rows *rows, size_t i,
		     int64_t *ret_id, struct error *err)
{
	const struct result *x = &rows->results[i];
	bool splat = x->splat.kind != SPLAT_NONE;
	CLEANUP(free_p) char *detail = text_utf8(x->detail);
	CLEANUP(free_p) char *scenario = text_utf8(x->scenario ? x->scenario : "?");
	CLEANUP(free_p) char *title = text_utf8(splat && x->splat.title ? x->splat.title : "");
	CLEANUP(free_p) char *words = NULL;
	char signature[SIGNATURE_MAX];
	int r;

	signature_of(x, signature, &words);
	/* what a sweep ended with is what its points say, each for itself */
	if (x->closing && !splat)
		signature[0] = '\0';
	r = db_run(db, Q_RESULT_ADD,
		   ARGS(I(run_id), S(scenario), S(rows->faults[i]), I(x->repeat), I(x->closing),
			I(x->points), S(status_name(x->status)), S(reason_name(x->reason)),
			S(detail), I(x->injected_on), I(x->injected_off), I(x->err_no),
			S(splat ? splat_kind_name(x->splat.kind) : NULL), S(splat ? title : NULL),
			S(splat ? x->splat.fingerprint : NULL), I(x->duration_us),
			I(x->console_offset), I(x->console_len), S(*signature ? signature : NULL)),
		   NULL, err);
	if (r < 0)
		return r;
	*ret_id = sqlite3_last_insert_rowid(db->conn);
	r = db_run(db, Q_DOCUMENT_ADD, ARGS(I(*ret_id), S(rows->documents[i])), NULL, err);
	return r ? r : write_measurements(db, *ret_id, x, err);
}

/* A sweep's closing result has no stacks of its own. */
static int write_injections(struct db *db, int64_t run_id, const struct result *x,
			    struct error *err)
{
	CLEANUP(free_p) char *scenario = text_utf8(x->scenario ? x->scenario : "?");
	int r = 0;

	for (size_t i = 0; i < x->n_stacks && !r; i++) {
		const struct stack *s = &x->stacks[i];
		CLEANUP(json_put_p) struct json_object *frames = NULL;
		CLEANUP(free_p) char *text = NULL;

		if (!s->on_target)
			continue;
		frames = strings_to_json(s->frames, (size_t)s->n);
		text = json_text(frames);
		r = db_run(db, Q_INJECTION_ADD, ARGS(I(run_id), S(scenario), S(text), I(s->count)),
			   NULL, err);
	}
	return r;
}

struct ranked {
	const struct result *x;
	int64_t id;
};

/* By scenario; in it the worst first, the first of equals before the others. */
static int ranked_cmp(const void *pa, const void *pb)
{
	const struct ranked *a = pa, *b = pb;
	int c = strcmp(a->x->scenario ? a->x->scenario : "?",
		       b->x->scenario ? b->x->scenario : "?");

	if (!c)
		c = result_rank(a->x) - result_rank(b->x);
	return c ? c : (a->id > b->id) - (a->id < b->id);
}

static int write_cells(struct db *db, int64_t run_id, struct ranked *all, size_t n,
		       struct error *err)
{
	int r = 0;

	qsort(all, n, sizeof(*all), ranked_cmp);
	for (size_t i = 0, next; i < n && !r; i = next) {
		const struct ranked *worst = &all[i];
		const char *name = worst->x->scenario ? worst->x->scenario : "?";
		CLEANUP(free_p) char *scenario = text_utf8(name);
		int64_t injected = 0;

		/* A sweep's closing result repeats what its points injected. */
		for (next = i; next < n; next++) {
			const struct result *x = all[next].x;

			if (strcmp(x->scenario ? x->scenario : "?", name) != 0)
				break;
			injected += x->closing ? 0 : x->injected_on;
		}
		r = db_run(db, Q_CELL_ADD,
			   ARGS(I(run_id), S(scenario), S(status_name(worst->x->status)),
				S(reason_name(worst->x->reason)), I(injected),
				I((int64_t)(next - i)), I(worst->id)),
			   NULL, err);
	}
	return r;
}

static int write_counts(struct db *db, int64_t run_id, const int64_t counts[STATUS_COUNT],
			struct error *err)
{
	int r = db_run(db, Q_RUN_COUNTS,
		       ARGS(I(run_id), I(counts[STATUS_FAIL]), I(counts[STATUS_ERROR]),
			    I(counts[STATUS_MISS]), I(counts[STATUS_PASS]), I(counts[STATUS_DONE]),
			    I(counts[STATUS_SKIP])),
		       NULL, err);

	for (int i = 0; i < STATUS_COUNT && !r; i++)
		if (counts[i])
			r = db_run(db, Q_TOTAL_ADD,
				   ARGS(S(status_name((enum status)i)), I(counts[i])), NULL, err);
	return r;
}

int result_rows_write(struct db *db, int64_t run_id, const struct result_rows *rows, int *ret_worst,
		      struct error *err)
{
	CLEANUP(free_p) struct ranked *all = xcalloc(rows->n + 1, sizeof(*all));
	int64_t counts[STATUS_COUNT] = { 0 };
	int worst = -1, r = 0;

	for (size_t i = 0; i < rows->n && !r; i++) {
		const struct result *x = &rows->results[i];

		if ((unsigned int)x->status >= STATUS_COUNT)
			return error_set(err, -EINVAL, "result %zu has no status", i);
		r = write_one(db, run_id, rows, i, &all[i].id, err);
		if (!r)
			r = write_injections(db, run_id, x, err);
		all[i].x = x;
		counts[x->status]++;
		if (worst < 0 || x->status < rows->results[worst].status)
			worst = (int)i;
	}
	if (!r)
		r = write_cells(db, run_id, all, rows->n, err);
	if (!r)
		r = run_values_write(db, run_id, rows, err);
	if (!r)
		r = db_run(db, Q_RUN_STRIP, ARGS(I(run_id)), NULL, err);
	if (!r)
		r = write_counts(db, run_id, counts, err);
	if (!r)
		r = event_add(db, Q_EVENT_RESULT, run_id, err);
	if (!r)
		*ret_worst = worst;
	return r;
}
