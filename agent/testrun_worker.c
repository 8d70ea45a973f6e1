/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdlib.h>

#include "agent/testrun.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"

/* A case that kills machines before its first point is given up after this many. */
#define STRIKES_MAX 2
/* The guest ends a case by itself. Longer ones outgrow the grace, since an emulated clock may lose
 * time on a busy host. */
#define LONG_MS 20000

const char *machine_end_text(enum machine_end end)
{
	switch (end) {
	case MACHINE_ALIVE:
		return "it did not end";
	case MACHINE_RESET:
		return "it reset";
	case MACHINE_SILENT:
		return "it fell silent";
	case MACHINE_FLOOD:
		return "its console flooded";
	case MACHINE_GARBAGE:
		return "its records broke the protocol";
	case MACHINE_QEMU_DIED:
		return "QEMU ended by itself";
	case MACHINE_HOST_STOP:
		return "it was stopped";
	}
	return "?";
}

void worker_request_case(struct tcase *c, int points, struct machine_case *out)
{
	const struct fault *f = &c->pcase->fault;
	bool sweep = f->mode == FAULT_SWEEP;
	int deadline_ms = c->scenario->deadline_ms;

	free(c->line);
	c->line = xasprintf("case id=%" PRId64 " scenario=%s site=%s within=%s facility=%s mode=%s "
			    "from=%d points=%d times=%d nth=%d probability=%d seed=%" PRIu64
			    " deadline_ms=%d",
			    c->id, c->pcase->scenario, f->site, fault_within_name(f->within),
			    fault_facility_name(f->facility), fault_mode_name(f->mode),
			    sweep ? c->next_nth : 1, points, f->times, f->nth, f->probability,
			    f->seed, deadline_ms);
	*out = (struct machine_case){
		.expect = { .id = c->id,
			    .sweep = sweep,
			    .first = sweep		    ? c->next_nth
				     : f->mode == FAULT_NTH ? f->nth
							    : 0,
			    .points = points },
		.line = c->line,
		.deadline_ms = deadline_ms + (deadline_ms > LONG_MS ? deadline_ms / 2 : 0),
	};
}

/* The machine ended and not one point came: the first case due is the suspect. */
static void no_progress(struct worker *w, enum machine_end end)
{
	struct testrun *run = w->run;

	pthread_mutex_lock(&run->lock);
	for (size_t i = 0; i < w->n_batch; i++) {
		struct tcase *c = w->batch[i];

		if (c->done)
			continue;
		if (++c->strikes >= STRIKES_MAX)
			point_never(w, c, end);
		break;
	}
	pthread_mutex_unlock(&run->lock);
}

void worker_stop_machine(struct worker *w)
{
	worker_log_boot(w);
	machine_free(w->machine);
	w->machine = NULL;
}

static void request_cases(const struct worker *w, struct machine_case *cases)
{
	for (size_t i = 0; i < w->n_batch; i++)
		worker_request_case(w->batch[i], w->shared ? 0 : 1, &cases[i]);
}

/* A machine for the batch, and the batch as it is asked for. */
static bool worker_prepare(struct worker *w, struct machine_case *cases)
{
	if (w->run->opts->replay) {
		request_cases(w, cases);
		return worker_replay(w, cases);
	}
	if (!worker_machine(w))
		return false;
	request_cases(w, cases);
	return true;
}

static void worker_batch(struct worker *w)
{
	CLEANUP(free_p) struct machine_case *cases = xcalloc(w->n_batch, sizeof(*cases));
	int64_t started_us;
	enum machine_end end;
	bool telling;

	if (!worker_prepare(w, cases))
		return;
	started_us = w->machine->started_us;
	end = machine_run(w->machine, cases, w->n_batch, point_take, w);
	if (w->machine->brought_request && w->machine->release)
		worker_note_ready(w);
	telling = worker_account(w, end);
	if (end == MACHINE_HOST_STOP)
		(void)run_is_cancelled(w->run);
	else if (w->progress == 0 && telling)
		no_progress(w, end);
	if (w->shared) {
		if (end == MACHINE_ALIVE && !w->machine->bailed)
			return;
		pthread_mutex_lock(&w->run->lock);
		w->run->machines_lost++;
		pthread_mutex_unlock(&w->run->lock);
	} else {
		w->batch[0]->spent_us += clock_real_mono_us() - started_us;
	}
	worker_stop_machine(w);
}

void *worker_main(void *worker)
{
	struct worker *w = worker;

	while (!run_is_cancelled(w->run) && queue_take(w)) {
		worker_batch(w);
		queue_return(w);
	}
	if (w->machine)
		worker_stop_machine(w);
	return NULL;
}
