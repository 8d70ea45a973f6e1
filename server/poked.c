/* SPDX-License-Identifier: MIT */
#include "server/poked.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include "lib/buf.h"
#include "lib/clock.h"

struct poked {
	struct poked_conf conf;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool poked, joined;
	atomic_bool stop;
};

/* Until it is stopped, or `until_us` has passed, or (if that is asked for) it is poked. */
static void wait_until(struct poked *p, int64_t until_us, bool for_poke)
{
	struct timespec ts = { .tv_sec = (time_t)(until_us / US_PER_S),
			       .tv_nsec = (long)(until_us % US_PER_S) * 1000 };

	while (!atomic_load(&p->stop) && !(for_poke && p->poked))
		if (pthread_cond_timedwait(&p->cond, &p->lock, &ts) == ETIMEDOUT)
			return;
}

static void wait_for_work(struct poked *p, bool again)
{
	/* the condition's clock */
	int64_t now = clock_real_mono_us();

	wait_until(p, now + p->conf.pause_ms * US_PER_MS, false);
	if (again)
		wait_until(p, now + p->conf.retry_ms * US_PER_MS, true);
	while (!again && !atomic_load(&p->stop) && !p->poked)
		pthread_cond_wait(&p->cond, &p->lock);
}

static void *poked_thread(void *arg)
{
	struct poked *p = arg;

	pthread_mutex_lock(&p->lock);
	while (!atomic_load(&p->stop)) {
		bool again;

		p->poked = false;
		pthread_mutex_unlock(&p->lock);
		again = p->conf.work(p->conf.arg);
		pthread_mutex_lock(&p->lock);
		wait_for_work(p, again);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

int poked_start(const struct poked_conf *conf, struct poked **ret, struct error *err)
{
	struct poked *p = xcalloc(1, sizeof(*p));
	pthread_condattr_t attr;
	int r;

	p->conf = *conf;
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->cond, &attr);
	pthread_condattr_destroy(&attr);
	/* what work() asks poked_stopping() with has to be there before the thread is */
	*ret = p;
	r = -pthread_create(&p->thread, NULL, poked_thread, p);
	if (!r)
		return 0;
	*ret = NULL;
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->cond);
	free(p);
	return error_errno(err, r, "starting the %s", conf->name);
}

void poked_poke(struct poked *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->poked = true;
	pthread_cond_signal(&p->cond);
	pthread_mutex_unlock(&p->lock);
}

bool poked_stopping(void *arg)
{
	struct poked *p = arg;

	return atomic_load(&p->stop);
}

void poked_stop(struct poked *p)
{
	if (!p || p->joined)
		return;
	pthread_mutex_lock(&p->lock);
	atomic_store(&p->stop, true);
	pthread_cond_signal(&p->cond);
	pthread_mutex_unlock(&p->lock);
	pthread_join(p->thread, NULL);
	p->joined = true;
}

void poked_free(struct poked *p)
{
	if (!p)
		return;
	poked_stop(p);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->cond);
	free(p);
}
