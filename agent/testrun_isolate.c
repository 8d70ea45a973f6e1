/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/testrun.h"
#include "lib/buf.h"
#include "lib/clean.h"

/* So many restores in a row that come to nothing speak against the snapshot ... */
#define BAD_RESTORES_MAX 2
/* ... and so many snapshots like that against snapshots on this host. */
#define BAD_TEMPLATES_MAX 2
/* The guest's REQUEST_SITES_MAX (jobs/guest/request.h); what is beyond it is calibrated later, by
 * every machine that needs it. */
#define SITES_MAX 32

void samples_add(struct samples *s, int64_t v)
{
	ARRAY_RESERVE(s->v, s->n, s->cap);
	s->v[s->n++] = v;
}

static int compare_i64(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

int64_t samples_median(struct samples *s)
{
	if (!s->n)
		return 0;
	qsort(s->v, (size_t)s->n, sizeof(*s->v), compare_i64);
	return s->v[s->n / 2];
}

/* --- the template ------------------------------------------------------------------------- */

void template_unref(struct template *t)
{
	if (!t || --t->refs)
		return;
	snapshot_free(t->snapshot);
	free(t);
}

/* Caller holds the lock. */
static void fall_back(struct testrun *run, const char *why)
{
	CLEANUP(free_p) char *words = str_printable(why, strlen(why));
	CLEANUP(free_p) char *line = xasprintf("no snapshots, machines are shared: %s", words);

	run->isolation = ISOLATION_SHARED;
	(void)log_piece(run, line, &(struct buf)BUF_INIT, 0);
}

/* Every site of the run's cases, once. */
static void calibrate_lines(const struct testrun *run, struct buf *out)
{
	int n = 0;

	for (size_t i = 0; i < run->n_cases && n < SITES_MAX; i++) {
		const struct fault *f = &run->cases[i].pcase->fault;
		CLEANUP(free_p) char *line = NULL;

		if (f->mode == FAULT_NONE)
			continue;
		line = xasprintf("calibrate site=%s facility=%s\n", f->site,
				 fault_facility_name(f->facility));
		if (strstr(buf_cstr(out), line))
			continue;
		buf_str(out, line);
		n++;
	}
}

/* Has the machine calibrate and say which cases do not apply to its kernel. False when it did not
 * survive that. The cases are asked for once, before a machine is restored and has one in hand. */
static bool template_learn(struct worker *w)
{
	struct testrun *run = w->run;
	CLEANUP(free_p) struct machine_case *cases = xcalloc(run->n_cases, sizeof(*cases));
	CLEANUP(buf_free) struct buf lines = BUF_INIT;
	enum machine_end end;
	size_t n = 0, at = 0, some;

	calibrate_lines(run, &lines);
	for (size_t i = 0; i < run->n_cases && !run->asked; i++)
		if (!run->cases[i].done)
			worker_request_case(&run->cases[i], 1, &cases[n++]);
	run->asked = true;
	if (!n && !lines.len)
		return true;
	do {
		some = n - at < BATCH_MAX ? n - at : BATCH_MAX;
		end = machine_learn(w->machine, buf_cstr(&lines), &cases[at], some, point_take, w);
		at += some;
	} while (end == MACHINE_ALIVE && !w->machine->bailed && at < n);
	w->progress = 0;
	queue_forget_done(run);
	return end == MACHINE_ALIVE && !w->machine->bailed;
}

/* A machine that waits and knows all sites. NULL: no machine could be had. */
static struct machine *template_boot(struct worker *w)
{
	struct testrun *run = w->run;

	if (!worker_boot(w, true))
		return NULL;
	if (!run->calibrating || template_learn(w))
		return w->machine;
	/* A kernel that does not survive a calibration: each case shall meet that by itself. */
	run->calibrating = false;
	worker_stop_machine(w);
	return worker_boot(w, true) ? w->machine : NULL;
}

static struct template *template_make(struct worker *w)
{
	struct snapshot *s = NULL;
	struct error err = ERROR_INIT;
	struct template *t;
	int r;

	if (!template_boot(w))
		return NULL;
	r = snapshot_take(w->machine, &s, &err);
	worker_stop_machine(w);
	if (r < 0) {
		if (r == -ECANCELED)
			return NULL;
		pthread_mutex_lock(&w->run->lock);
		fall_back(w->run, err.msg);
		pthread_mutex_unlock(&w->run->lock);
		return NULL;
	}
	t = xcalloc(1, sizeof(*t));
	t->snapshot = s;
	t->refs = 1;
	return t;
}

/* A reference to what machines are restored from; the first who comes makes it, the others wait.
 * NULL: there is none, see run->isolation and the batch's verdicts. */
static struct template *template_get(struct worker *w)
{
	struct testrun *run = w->run;
	struct template *t = NULL;
	bool make;

	pthread_mutex_lock(&run->lock);
	while (run->templating && !run->cancelled)
		pthread_cond_wait(&run->wake, &run->lock);
	make = run->isolation == ISOLATION_SNAPSHOT && !run->template && !run->cancelled;
	run->templating |= make;
	pthread_mutex_unlock(&run->lock);
	if (make)
		t = template_make(w);
	pthread_mutex_lock(&run->lock);
	if (make) {
		run->template = t;
		run->templating = false;
		pthread_cond_broadcast(&run->wake);
	}
	t = run->isolation == ISOLATION_SNAPSHOT ? run->template : NULL;
	if (t)
		t->refs++;
	pthread_mutex_unlock(&run->lock);
	return t;
}

static void template_drop(struct testrun *run, struct template *t)
{
	pthread_mutex_lock(&run->lock);
	template_unref(t);
	pthread_mutex_unlock(&run->lock);
}

/* A restored machine came to nothing. Caller holds the lock. */
static void bad_restore(struct testrun *run, const char *why)
{
	if (++run->bad_restores < BAD_RESTORES_MAX)
		return;
	run->bad_restores = 0;
	template_unref(run->template);
	run->template = NULL;
	if (++run->bad_templates >= BAD_TEMPLATES_MAX && run->isolation == ISOLATION_SNAPSHOT)
		fall_back(run, why);
}

/* --- machines ----------------------------------------------------------------------------- */

static enum isolation isolation_now(struct testrun *run)
{
	enum isolation i;

	pthread_mutex_lock(&run->lock);
	i = run->isolation;
	pthread_mutex_unlock(&run->lock);
	return i;
}

static void worker_restore(struct worker *w, struct template *t)
{
	struct machine_opts mo = worker_machine_opts(w);
	struct error err = ERROR_INIT;
	int r;

	mo.from = t->snapshot;
	r = machine_start(&mo, &w->machine, &err);
	pthread_mutex_lock(&w->run->lock);
	if (r < 0)
		bad_restore(w->run, err.msg);
	template_unref(t);
	pthread_mutex_unlock(&w->run->lock);
}

bool worker_machine(struct worker *w)
{
	struct testrun *run = w->run;

	while (!w->machine) {
		enum isolation isolation = isolation_now(run);
		struct template *t;

		w->shared = isolation == ISOLATION_SHARED;
		if (isolation != ISOLATION_SNAPSHOT)
			return worker_boot(w, false);
		t = template_get(w);
		if ((!t && isolation_now(run) == ISOLATION_SNAPSHOT) || w->batch[0]->done) {
			template_drop(run, t);
			return false;
		}
		if (!t)
			continue;
		if (!queue_spend_machine(w, &run->restores)) {
			template_drop(run, t);
			return worker_boot(w, false); /* says what it means for the batch */
		}
		worker_restore(w, t);
	}
	return true;
}

bool worker_replay(struct worker *w, const struct machine_case *cases)
{
	struct machine_opts mo = worker_machine_opts(w);
	CLEANUP(buf_free) struct buf request = BUF_INIT;
	struct error err = ERROR_INIT;

	if (!queue_spend_machine(w, &w->run->boots))
		return worker_boot(w, false); /* says what it means for the batch */
	machine_request_text(NULL, cases, w->n_batch, "run", &request);
	buf_str(&request, "poweroff\n");
	mo.request = buf_cstr(&request);
	w->boot_logged = false;
	if (machine_start(&mo, &w->machine, &err) == 0)
		return true;
	pthread_mutex_lock(&w->run->lock);
	for (size_t i = 0; i < w->n_batch; i++)
		case_verdict(w->run, w->batch[i], REASON_QEMU, err.msg, NULL, -1, 0);
	pthread_mutex_unlock(&w->run->lock);
	return false;
}

bool worker_account(struct worker *w, enum machine_end end)
{
	struct testrun *run = w->run;
	const struct machine *m = w->machine;
	bool bad = m->opts.from && !machine_has_answered(m) && end != MACHINE_HOST_STOP;

	pthread_mutex_lock(&run->lock);
	if (bad)
		bad_restore(run, m->qemu_says.len ? buf_cstr(&m->qemu_says)
						  : "a restored machine does not answer");
	else if (m->opts.from)
		run->bad_restores = 0;
	if (!w->shared && m->result_us)
		samples_add(&run->result_us, m->result_us);
	pthread_mutex_unlock(&run->lock);
	return !bad;
}
