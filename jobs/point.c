/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/judge.h"
#include "jobs/parts.h"
#include "lib/buf.h"
#include "lib/limits.h"

static const char *const outcomes[] = {
	[POINT_DONE] = "done",	   [POINT_SKIP] = "skip", [POINT_TIMEOUT] = "timeout",
	[POINT_SIGNAL] = "signal", [POINT_EXIT] = "exit",
};

void point_free(struct point *p)
{
	if (!p)
		return;
	free(p->detail);
	free(p->stuck_where);
	free(p->output);
	checks_free(p->checks, p->n_checks);
	counters_free(p->counters, p->n_counters);
	metrics_free(p->metrics, p->n_metrics);
	*p = (struct point){ .outcome = POINT_LOST };
}

static int outcome_from_json(const struct jval *v, struct point *p, struct error *err)
{
	const char *word, *skip = NULL, *detail = "";
	int r = json_get_str(v, "outcome", LIMIT_NAME_LEN, &word, err);

	if (!r)
		r = json_opt_str(v, "detail", LIMIT_RECORD_BYTES, &detail, err);
	if (r < 0)
		return r;
	for (size_t i = POINT_DONE; i < ARRAY_SIZE(outcomes); i++)
		if (strcmp(word, outcomes[i]) == 0)
			p->outcome = (enum point_outcome)i;
	if (p->outcome == POINT_LOST)
		return error_set(err, -EPROTO, "%s.outcome: '%s' is not an outcome", v->path, word);
	p->detail = xstrdup(detail);
	if (p->outcome != POINT_SKIP)
		return 0;
	r = json_get_str(v, "skip", LIMIT_NAME_LEN, &skip, err);
	if (r < 0)
		return r;
	if (!reason_parse(skip, &p->skip) || reason_status(p->skip) != STATUS_SKIP)
		return error_set(err, -EPROTO, "%s.skip: '%s' is no reason to skip", v->path, skip);
	return 0;
}

/* `injected` and `checks` are what a verdict rests on: a point that is done must say them. */
static int facts_from_json(const struct jval *v, struct point *p, struct error *err)
{
	int64_t injected = 0, hits = -1, err_no = 0;
	struct jval arr;
	int r = 0;

	if (p->outcome == POINT_DONE) {
		r = json_get_i64(v, "injected", 0, INT32_MAX, &injected, err);
		if (!r)
			r = json_get_arr(v, "checks", &arr, err);
	} else {
		r = json_opt_i64(v, "injected", 0, INT32_MAX, &injected, err);
	}
	if (!r)
		r = json_opt_i64(v, "hits", -1, INT32_MAX, &hits, err);
	if (!r)
		r = json_opt_i64(v, "errno", 0, 4095, &err_no, err);
	if (!r)
		r = json_opt_bool(v, "last", &p->last, err);
	if (!r)
		r = json_opt_bool(v, "capped", &p->capped, err);
	if (!r)
		r = json_opt_i64(v, "duration_us", 0, INT64_MAX, &p->duration_us, err);
	if (!r)
		r = checks_from_json(v, "checks", &p->checks, &p->n_checks, err);
	if (!r)
		r = counters_from_json(v, "counters", &p->counters, &p->n_counters, err);
	if (!r)
		r = metrics_from_json(v, "metrics", &p->metrics, &p->n_metrics, err);
	if (r < 0)
		return r;
	p->injected = (int)injected;
	p->hits = (int)hits;
	p->err_no = (int)err_no;
	if (p->capped && !p->last)
		return error_set(err, -EPROTO, "%s.capped: without last", v->path);
	if (p->last && !p->capped && p->injected > 0)
		return error_set(err, -EPROTO, "%s.last: with %d injected", v->path, p->injected);
	return 0;
}

static int stuck_from_json(const struct jval *v, struct point *p, struct error *err)
{
	const char *state, *wchan = "", *first = "";
	struct jval sub, stack = { .o = NULL };
	int r = json_get_obj(v, "stuck", &sub, err);

	if (!r)
		r = json_get_str(&sub, "state", LIMIT_NAME_LEN, &state, err);
	if (!r)
		r = json_get_bool(&sub, "killed", &p->stuck_killed, err);
	if (!r)
		r = json_opt_str(&sub, "wchan", LIMIT_TEXT_LEN, &wchan, err);
	if (!r)
		r = json_opt_arr(&sub, "stack", &stack, err);
	if (!r && json_arr_len(&stack)) {
		struct jval e = json_arr_at(&stack, 0);

		r = json_as_str(&e, LIMIT_TEXT_LEN, &first, err);
	}
	if (r < 0)
		return r;
	p->stuck_state = *state ? *state : '?';
	if (!*wchan || strcmp(wchan, "0") == 0) /* the kernel's word for "not asleep" */
		wchan = first;
	p->stuck_where = *wchan ? xstrdup(wchan) : NULL;
	return 0;
}

/* Of a selftest only. */
static int program_from_json(const struct jval *v, struct point *p, struct error *err)
{
	int64_t code = 0, sig = 0, dropped;
	struct jval sub = { .o = NULL };
	int r = json_opt_obj(v, "program", &sub, err);

	if (r < 0 || !sub.o)
		return r;
	r = json_get_bool(&sub, "ended", &p->program.ended, err);
	if (!r)
		r = json_opt_i64(&sub, "exit", 0, 255, &code, err);
	if (!r)
		r = json_opt_i64(&sub, "signal", 1, 128, &sig, err);
	if (!r)
		r = json_get_i64(&sub, "dropped", 0, INT32_MAX, &dropped, err);
	if (r < 0)
		return r;
	p->program.exit = (int)code;
	p->program.signal = (int)sig;
	p->program.dropped = (int)dropped;
	return 0;
}

int point_from_json(const struct jval *v, struct point *ret, struct error *err)
{
	struct point p = { .outcome = POINT_LOST, .hits = -1 };
	const char *type;
	int64_t nth;
	int r = json_as_obj(v, err);

	if (!r)
		r = json_get_str(v, "type", LIMIT_NAME_LEN, &type, err);
	if (!r && strcmp(type, "result") != 0)
		r = error_set(err, -EPROTO, "%s.type: '%s' is not a result", v->path, type);
	if (!r)
		r = json_get_i64(v, "id", 0, INT64_MAX, &p.id, err);
	if (!r)
		r = json_get_i64(v, "nth", 0, FAULT_NTH_MAX, &nth, err);
	if (!r)
		r = outcome_from_json(v, &p, err);
	if (!r)
		r = facts_from_json(v, &p, err);
	if (!r)
		r = program_from_json(v, &p, err);
	if (!r && p.outcome == POINT_TIMEOUT)
		r = stuck_from_json(v, &p, err);
	if (r < 0) {
		point_free(&p);
		if (err)
			err->code = EPROTO;
		return -EPROTO;
	}
	p.nth = (int)nth;
	*ret = p;
	return 0;
}
