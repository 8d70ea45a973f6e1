/* SPDX-License-Identifier: MIT */
#include "agent/testrun.h"
#include "lib/limits.h"

/* A request costs a calibration and a round trip: not worth it for fewer cases. */
#define BATCH_MIN 4
/* A boot takes as long as so many cases, and two boots at once slow each other down: as long as
 * machines survive, one more is started only for more cases than that. */
#define CASES_PER_BOOT 32

static bool ask_cancelled(const struct testrun *run)
{
	const struct engine_watch *w = run->opts->watch;

	return w && w->cancelled && w->cancelled(w->arg);
}

bool run_is_cancelled(struct testrun *run)
{
	bool c;

	pthread_mutex_lock(&run->lock);
	if (!run->cancelled && ask_cancelled(run)) {
		run->cancelled = true;
		pthread_cond_broadcast(&run->wake);
	}
	c = run->cancelled;
	pthread_mutex_unlock(&run->lock);
	return c;
}

/* Half of an even share, so that machines that turn out slower get less of what is left. */
static size_t batch_size(const struct testrun *run)
{
	size_t n;

	if (run->isolation != ISOLATION_SHARED)
		return 1;
	n = (run->n_waiting + 2 * (size_t)run->workers - 1) / (2 * (size_t)run->workers);
	if (run->machines_lost == 0 && run->n_waiting <= CASES_PER_BOOT)
		n = run->n_waiting; /* another machine would come too late to help */
	if (n < BATCH_MIN)
		n = BATCH_MIN;
	return n < BATCH_MAX ? n : BATCH_MAX;
}

/* True if this worker should leave what waits to the others. */
static bool must_wait(const struct worker *w)
{
	const struct testrun *run = w->run;

	if (run->n_running == 0)
		return false; /* nobody else is there; nothing waiting means the end */
	if (run->n_waiting == 0)
		return true;
	return run->isolation == ISOLATION_SHARED && !w->machine && run->machines_lost == 0 &&
	       run->n_waiting <= CASES_PER_BOOT;
}

bool queue_take(struct worker *w)
{
	struct testrun *run = w->run;
	size_t want;

	pthread_mutex_lock(&run->lock);
	while (!run->cancelled && must_wait(w))
		pthread_cond_wait(&run->wake, &run->lock);
	w->n_batch = 0;
	w->progress = 0;
	if (!run->cancelled && run->n_waiting > 0) {
		want = batch_size(run);
		for (size_t k = 0; k < run->n_cases && w->n_batch < want; k++) {
			size_t i = run->order[k];

			if (!run->waiting[i])
				continue;
			run->waiting[i] = false;
			run->n_waiting--;
			run->n_running++;
			w->batch[w->n_batch++] = &run->cases[i];
		}
	}
	pthread_mutex_unlock(&run->lock);
	return w->n_batch > 0;
}

void queue_forget_done(struct testrun *run)
{
	pthread_mutex_lock(&run->lock);
	for (size_t i = 0; i < run->n_cases; i++) {
		if (run->waiting[i] && run->cases[i].done) {
			run->waiting[i] = false;
			run->n_waiting--;
		}
	}
	pthread_mutex_unlock(&run->lock);
}

void queue_return(struct worker *w)
{
	struct testrun *run = w->run;

	pthread_mutex_lock(&run->lock);
	for (size_t i = 0; i < w->n_batch; i++) {
		struct tcase *c = w->batch[i];

		run->n_running--;
		if (c->done)
			continue;
		run->waiting[c - run->cases] = true;
		run->n_waiting++;
	}
	w->n_batch = 0;
	pthread_cond_broadcast(&run->wake);
	pthread_mutex_unlock(&run->lock);
}

bool queue_spend_machine(struct worker *w, int *count)
{
	struct testrun *run = w->run;
	bool ok;

	pthread_mutex_lock(&run->lock);
	ok = run->machines_left > 0;
	if (ok) {
		run->machines_left--;
		w->number = ++run->machines;
		(*count)++;
	}
	pthread_mutex_unlock(&run->lock);
	return ok;
}
