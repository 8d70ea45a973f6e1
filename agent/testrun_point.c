/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "agent/repro.h"
#include "agent/splat.h"
#include "agent/testrun.h"
#include "lib/clean.h"
#include "lib/limits.h"

/* Two points lost in a row without a trace of an injection: the kernel does not die of what is
 * injected, and the sweep would go on to its cap, one machine a point. */
#define BLIND_MAX 2

/* With --keep the consoles stay as a file too. A copy for people: no verdict depends on it. */
static void keep_piece(const struct testrun *run, const struct buf *head, const struct buf *text)
{
	CLEANUP(free_p) char *path = NULL;
	CLEANUP(fclose_p) FILE *f = NULL;

	if (!run->keep_dir)
		return;
	path = xasprintf("%s/console.log", run->keep_dir);
	f = fopen(path, "ae");
	if (!f)
		return;
	fwrite(head->data, 1, head->len, f);
	if (text->len)
		fwrite(text->data, 1, text->len, f);
}

int64_t log_piece(struct testrun *run, const char *title, const struct buf *text, size_t dropped)
{
	const struct engine_watch *w = run->opts->watch;
	CLEANUP(buf_free) struct buf head = BUF_INIT;
	int64_t at;

	buf_printf(&head, "--- %s", title);
	if (dropped)
		buf_printf(&head, " (%zu bytes dropped)", dropped);
	buf_str(&head, " ---\n");
	keep_piece(run, &head, text);
	if (!w || !w->log || run->log_size + (int64_t)(head.len + text->len) > LIMIT_LOG_BYTES)
		return -1;
	w->log(w->arg, head.data, head.len);
	at = run->log_size + (int64_t)head.len;
	if (text->len)
		w->log(w->arg, text->data, text->len);
	run->log_size = at + (int64_t)text->len;
	return at;
}

/* What the judge does not know: where it stands in the log, and how to do it again. */
static void result_complete(struct testrun *run, struct result *r, int64_t at, size_t len)
{
	r->config = xstrdup(run->opts->config_name);
	r->repro = repro_command(run->opts, run->accel, r);
	r->console_offset = at;
	r->console_len = at >= 0 ? (int64_t)len : 0;
	if (r->splat.kind != SPLAT_NONE)
		r->splat.console_offset = at >= 0 ? r->splat.console_offset + at : -1;
}

static void progress(struct testrun *run, const struct result *r)
{
	const struct engine_watch *w = run->opts->watch;
	char title[LIMIT_NAME_LEN];

	if (!w || !w->progress)
		return;
	result_title(r, title, sizeof(title));
	w->progress(w->arg, PHASE_CASES, (int)run->n_done, (int)run->n_cases, title);
}

static void deliver(struct testrun *run, const struct result *r)
{
	if (run->opts->on_result)
		run->opts->on_result(run->opts->arg, r);
}

/* `r` is handed over: the case's last word. */
static void case_finish(struct testrun *run, struct tcase *c, struct result *r)
{
	c->final = *r;
	c->done = true;
	run->n_done++;
	progress(run, &c->final);
	deliver(run, &c->final);
}

static void sweep_close(struct testrun *run, struct tcase *c, bool ended, bool capped)
{
	const struct judge_input in = { .scenario = c->scenario, .pcase = c->pcase };
	const struct result **points = xcalloc(c->n_points + 1, sizeof(*points));
	struct result r;

	for (size_t i = 0; i < c->n_points; i++)
		points[i] = &c->points[i];
	judge_sweep(&in, points, (int)c->n_points, ended, capped, &r);
	free(points);
	result_complete(run, &r, -1, 0);
	/* A skipped sweep is one result: there was no point. */
	if (r.status == STATUS_SKIP) {
		for (size_t i = 0; i < c->n_points; i++)
			result_free(&c->points[i]);
		c->n_points = 0;
	}
	case_finish(run, c, &r);
}

static bool checks_ok(const struct point *p)
{
	for (size_t i = 0; i < p->n_checks; i++)
		if (!p->checks[i].ok)
			return false;
	return true;
}

/* The point that found nothing left to inject ends the sweep and is no test of its own, unless it
 * went wrong by itself. */
static bool is_sweep_end(const struct machine_point *p, const struct point_log *log)
{
	const struct point *rec = &p->record;

	return rec->outcome == POINT_DONE && rec->last && !rec->capped && rec->injected == 0 &&
	       log->splat.kind == SPLAT_NONE && p->end == MACHINE_ALIVE && checks_ok(rec);
}

/* `r` is handed over. */
static void sweep_take(struct testrun *run, struct tcase *c, const struct machine_point *p,
		       const struct point_log *log, struct result *r)
{
	const struct point *rec = &p->record;
	bool lost = rec->outcome == POINT_LOST;

	c->next_nth = rec->nth + 1;
	c->strikes = 0;
	if (is_sweep_end(p, log)) {
		result_free(r);
		sweep_close(run, c, true, false);
		return;
	}
	ARRAY_RESERVE(c->points, c->n_points, c->cap_points);
	c->points[c->n_points++] = *r;
	if (rec->outcome != POINT_SKIP)
		deliver(run, &c->points[c->n_points - 1]);
	c->blind = lost && log->n_stacks == 0 ? c->blind + 1 : 0;
	if (rec->outcome == POINT_SKIP || (rec->last && !rec->capped))
		sweep_close(run, c, true, false);
	else if (rec->capped || rec->nth >= LIMIT_SWEEP_POINTS)
		sweep_close(run, c, false, true);
	else if (c->blind >= BLIND_MAX)
		sweep_close(run, c, false, false);
}

static void point_log_read(const struct machine_point *p, struct point_log *ret)
{
	*ret = (struct point_log){ .splat = { .kind = SPLAT_NONE } };
	/* The record `begin` counts as well as the mark. */
	ret->reached_begin = true;
	if (!p->log)
		return;
	ret->reached_armed = p->log->armed;
	ret->reached_disarmed = p->log->disarmed;
	ret->truncated = p->log->dropped > 0;
	splat_read_log(buf_cstr(&p->log->text), p->log->text.len, &ret->splat, &ret->stacks,
		       &ret->n_stacks);
}

static void point_log_free(struct point_log *l)
{
	splat_free(&l->splat);
	stacks_free(l->stacks, l->n_stacks);
}

static int64_t point_log_out(struct worker *w, const struct machine_point *p,
			     const struct result *r)
{
	char title[LIMIT_NAME_LEN];
	CLEANUP(free_p) char *head = NULL;

	if (!p->log)
		return -1;
	result_title(r, title, sizeof(title));
	head = xasprintf("machine %d: %s", w->number, title);
	return log_piece(w->run, head, &p->log->text, p->log->dropped);
}

/* What a selftest wrote, for people; its results are in the checks. */
static void output_out(struct worker *w, const struct machine_point *p, const struct result *r)
{
	char title[LIMIT_NAME_LEN];
	CLEANUP(free_p) char *head = NULL;
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	if (!p->record.output)
		return;
	result_title(r, title, sizeof(title));
	head = xasprintf("machine %d: output of %s", w->number, title);
	buf_str(&text, p->record.output);
	(void)log_piece(w->run, head, &text, (size_t)p->record.program.dropped);
}

void point_take(void *arg, struct machine_point *p)
{
	struct worker *w = arg;
	struct testrun *run = w->run;
	struct tcase *c = &run->cases[p->record.id - 1];
	struct point_log log;
	struct judge_input in = { .scenario = c->scenario,
				  .pcase = c->pcase,
				  .point = &p->record,
				  .log = &log,
				  .end = p->end,
				  .protocol = w->machine->broken_by,
				  .baseline = c->baseline };
	struct result r;

	point_log_read(p, &log);
	judge_point(&in, &r);
	pthread_mutex_lock(&run->lock);
	w->progress++;
	if (p->end == MACHINE_HOST_STOP && p->record.outcome == POINT_LOST) {
		result_free(&r); /* the run is over: nothing of it is kept */
	} else if (r.status == STATUS_MISS && !c->infra_retried) {
		(void)point_log_out(w, p, &r);
		c->infra_retried = true;
		c->next_nth = p->record.nth;
		result_free(&r);
	} else {
		output_out(w, p, &r);
		result_complete(run, &r, point_log_out(w, p, &r), p->log ? p->log->text.len : 0);
		if (c->pcase->fault.mode == FAULT_SWEEP)
			sweep_take(run, c, p, &log, &r);
		else
			case_finish(run, c, &r);
	}
	pthread_mutex_unlock(&run->lock);
	point_log_free(&log);
}

void point_never(struct worker *w, struct tcase *c, enum machine_end end)
{
	struct testrun *run = w->run;
	const struct console *con = &w->machine->console;
	const struct buf *text = con->n == 1 ? &con->points[0].text : NULL;
	struct point lost = { .id = c->id, .nth = c->next_nth, .outcome = POINT_LOST, .hits = -1 };
	struct point_log log = { .splat = { .kind = SPLAT_NONE } };
	struct judge_input in = { .scenario = c->scenario,
				  .pcase = c->pcase,
				  .point = &lost,
				  .log = &log,
				  .end = end,
				  .protocol = w->machine->broken_by };
	struct result r;

	if (text)
		splat_read_log(buf_cstr(text), text->len, &log.splat, &log.stacks, &log.n_stacks);
	judge_point(&in, &r);
	result_complete(run, &r, -1, text ? text->len : 0);
	point_log_free(&log);
	if (c->pcase->fault.mode != FAULT_SWEEP) {
		case_finish(run, c, &r);
		return;
	}
	ARRAY_RESERVE(c->points, c->n_points, c->cap_points);
	c->points[c->n_points++] = r;
	deliver(run, &c->points[c->n_points - 1]);
	sweep_close(run, c, false, false);
}

void case_verdict(struct testrun *run, struct tcase *c, enum reason reason, const char *detail,
		  const struct splat *splat, int64_t log_offset, int64_t log_len)
{
	struct result r;

	result_init(&r);
	r.scenario = xstrdup(c->pcase->scenario);
	r.fault = c->pcase->fault;
	r.repeat = c->pcase->repeat;
	r.closing = r.fault.mode == FAULT_SWEEP;
	r.points = (int)c->n_points;
	r.status = reason_status(reason);
	r.reason = reason;
	r.detail = xstrdup(detail);
	if (splat)
		splat_copy(splat, &r.splat);
	result_complete(run, &r, log_offset, (size_t)(log_len > 0 ? log_len : 0));
	case_finish(run, c, &r);
}
