// SPDX-License-Identifier: MIT
#include "server/sched.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "db/store.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/log.h"

struct sched {
	struct store *store;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool stop;
};

static void expire(struct sched *s)
{
	struct error err = ERROR_INIT;
	int n = 0;

	if (store_expire(s->store, clock_now_us(), &n, &err)) {
		CLEANUP(free_p) char *why = log_quote(err.msg);

		log_event(LOG_ERROR, "expire-failed", "why=%s", why);
	} else if (n) {
		log_event(LOG_WARN, "leases-expired", "n=%d", n);
	}
}

static void *sched_thread(void *arg)
{
	struct sched *s = arg;
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	pthread_mutex_lock(&s->lock);
	while (!s->stop) {
		pthread_mutex_unlock(&s->lock);
		expire(s);
		pthread_mutex_lock(&s->lock);
		clock_gettime(CLOCK_MONOTONIC, &ts);
		ts.tv_sec++;
		if (!s->stop)
			pthread_cond_timedwait(&s->cond, &s->lock, &ts);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int sched_start(struct store *store, struct sched **ret, struct error *err)
{
	struct sched *s = xcalloc(1, sizeof(*s));
	pthread_condattr_t attr;
	int r;

	s->store = store;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->cond, &attr);
	pthread_condattr_destroy(&attr);
	r = -pthread_create(&s->thread, NULL, sched_thread, s);
	if (r) {
		free(s);
		return error_errno(err, r, "starting the scheduler");
	}
	*ret = s;
	return 0;
}

void sched_stop(struct sched *s)
{
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	pthread_cond_signal(&s->cond);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->cond);
	free(s);
}
