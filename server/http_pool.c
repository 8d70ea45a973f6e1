// SPDX-License-Identifier: MIT
/*
 * Worker threads with one queue. Pages are computed, the rest waits most of its time (for the disk,
 * for git): so there are more threads than CPUs, but no more pages are under way at once than there
 * are CPUs. One after the other each of them is there sooner, and none later, than side by side. The
 * page that is due first is the next (http_cost.h). Besides the queue there are two lists of suspended
 * requests that hold no thread: `parked` (the handler waits for something to happen) and `waiting` (a
 * stream with nothing to send). A timer thread moves them back when their time is over.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lib/clean.h"
#include "lib/clock.h"
#include "server/http_conn.h"
#include "server/http_cost.h"

#define TICK_MS 200

struct list {
	struct http_conn *first, *last;
};

struct pool {
	struct http *http;
	pthread_mutex_t lock;
	pthread_cond_t work, tick;
	struct list queue, parked, waiting;
	pthread_t *threads;
	int n_threads;
	int n_pages, max_pages; /* being computed, and at once at most */
	struct http_costs *costs; /* of pages */
	pthread_t timer;
	unsigned park_gen, stream_gen;
	bool draining, stop;
};

static void list_add(struct list *l, struct http_conn *c)
{
	c->next = NULL;
	c->prev = l->last;
	if (l->last)
		l->last->next = c;
	else
		l->first = c;
	l->last = c;
}

static void list_del(struct list *l, struct http_conn *c)
{
	if (c->prev)
		c->prev->next = c->next;
	else
		l->first = c->next;
	if (c->next)
		c->next->prev = c->prev;
	else
		l->last = c->prev;
	c->prev = c->next = NULL;
}

/* What people look at, as opposed to what programs ask, git and probes. */
static bool is_page(const struct http_conn *c)
{
	return c->task == TASK_HANDLE && !c->route->open && !strcmp(c->req.method, "GET") &&
	       !str_starts(c->raw_path, "/api/") && !str_starts(c->raw_path, "/git/");
}

static void push(struct pool *p, struct http_conn *c)
{
	c->parked = c->waiting = false;
	if (is_page(c)) {
		c->cost_place = http_cost_place(c->raw_path, c->query);
		c->due_us = clock_mono_us() - http_cost_of(p->costs, c->cost_place);
	}
	list_add(&p->queue, c);
	pthread_cond_signal(&p->work);
}

/* What nobody will work on any more goes back to libmicrohttpd's thread, which ends it. */
static void give_up(struct http_conn *c)
{
	if (c->task == TASK_FREE) {
		http_conn_free(c);
		return;
	}
	c->aborted = c->ended = true;
	http_conn_resume(c);
}

void pool_submit(struct pool *p, struct http_conn *c, enum conn_task task)
{
	bool stop;

	pthread_mutex_lock(&p->lock);
	c->task = task;
	stop = p->stop;
	if (!stop)
		push(p, c);
	pthread_mutex_unlock(&p->lock);
	if (stop)
		give_up(c);
}

static void move_due(struct pool *p, struct list *l, int64_t now_us)
{
	struct http_conn *next;

	for (struct http_conn *c = l->first; c; c = next) {
		next = c->next;
		if (c->wake_at_us > now_us)
			continue;
		list_del(l, c);
		push(p, c);
	}
}

void pool_wake_parked(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->park_gen++;
	move_due(p, &p->parked, INT64_MAX);
	pthread_mutex_unlock(&p->lock);
}

void pool_wake_streams(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->stream_gen++;
	move_due(p, &p->waiting, INT64_MAX);
	pthread_mutex_unlock(&p->lock);
}

void pool_wake_one(struct pool *p, struct http_conn *c)
{
	pthread_mutex_lock(&p->lock);
	c->again = true;
	if (c->waiting) {
		list_del(&p->waiting, c);
		push(p, c);
	}
	pthread_mutex_unlock(&p->lock);
}

bool pool_draining(struct pool *p)
{
	bool draining;

	pthread_mutex_lock(&p->lock);
	draining = p->draining;
	pthread_mutex_unlock(&p->lock);
	return draining;
}

void pool_drain(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->draining = true;
	p->park_gen++;
	p->stream_gen++;
	move_due(p, &p->parked, INT64_MAX);
	move_due(p, &p->waiting, INT64_MAX);
	pthread_mutex_unlock(&p->lock);
}

/* True when the request was put aside and nothing is to be resumed. */
static bool put_aside(struct pool *p, struct http_conn *c, bool stream, unsigned gen)
{
	int64_t ms = stream ? HTTP_STREAM_BEAT_MS : c->res.park_ms;

	pthread_mutex_lock(&p->lock);
	c->wake_at_us = clock_mono_us() + ms * US_PER_MS;
	if (c->again || gen != (stream ? p->stream_gen : p->park_gen)) {
		push(p, c);
	} else if (stream) {
		c->waiting = true;
		list_add(&p->waiting, c);
	} else {
		c->parked = true;
		list_add(&p->parked, c);
	}
	pthread_mutex_unlock(&p->lock);
	return true;
}

/* A stream needs one of the slots. */
static bool stream_slot(struct http *h)
{
	bool ok;

	pthread_mutex_lock(&h->lock);
	ok = h->n_streams < h->conf.max_streams;
	h->n_streams += ok;
	pthread_mutex_unlock(&h->lock);
	return ok;
}

static void run_handler(struct pool *p, struct http_conn *c, unsigned gen, struct gzip *gzip)
{
	struct http *h = p->http;

	http_res_free(&c->res);
	if (!c->req.started_mono_us)
		c->req.started_mono_us = clock_mono_us();
	c->route->handler(h->srv, &c->req, &c->res);
	if (c->res.park_ms > 0 && !c->req.draining) {
		put_aside(p, c, false, gen);
		return;
	}
	if (c->res.park_ms > 0)
		http_res_problem(&c->res, 503, "the server is about to stop");
	if (c->res.stream && !stream_slot(h)) {
		http_res_free(&c->res);
		http_res_problem(&c->res, 503, "too many streams are open; try again later");
		http_res_header(&c->res, "Retry-After", "15");
	} else {
		c->is_stream = c->res.stream != NULL;
		http_gzip(gzip, &c->req, &c->res);
	}
	c->phase = CONN_READY;
	http_conn_resume(c);
}

/* The next one whose turn it is, NULL: none. Of pages it is the one that is due first; what is no page
 * waits for those that came before it. */
static struct http_conn *take(struct pool *p)
{
	bool pages = p->n_pages < p->max_pages;
	struct http_conn *best = NULL;

	for (struct http_conn *c = p->queue.first; c; c = c->next) {
		if (!is_page(c)) {
			if (best)
				continue;
			best = c;
			break;
		}
		if (pages && (!best || c->due_us < best->due_us))
			best = c;
	}
	if (best) {
		list_del(&p->queue, best);
		p->n_pages += is_page(best);
	}
	return best;
}

/* Under the lock, which it lets go meanwhile: afterwards c may be gone. */
static void handle_page(struct pool *p, struct http_conn *c, unsigned gen, struct gzip *gzip)
{
	unsigned place = c->cost_place;
	int64_t began_us;

	pthread_mutex_unlock(&p->lock);
	began_us = clock_mono_us();
	run_handler(p, c, gen, gzip);
	pthread_mutex_lock(&p->lock);
	http_cost_took(p->costs, place, clock_mono_us() - began_us);
	p->n_pages--;
	/* This thread may go on with something that takes long. */
	if (p->queue.first)
		pthread_cond_signal(&p->work);
}

static void *worker(void *arg)
{
	CLEANUP(gzip_free_p) struct gzip *gzip = gzip_new();
	struct pool *p = arg;

	pthread_mutex_lock(&p->lock);
	while (!p->stop) {
		struct http_conn *c = take(p);
		unsigned park_gen = p->park_gen, stream_gen = p->stream_gen;

		if (!c) {
			pthread_cond_wait(&p->work, &p->lock);
			continue;
		}
		c->again = false;
		c->req.draining = p->draining;
		if (is_page(c)) {
			handle_page(p, c, park_gen, gzip);
			continue;
		}
		pthread_mutex_unlock(&p->lock);
		if (c->task == TASK_FREE)
			http_conn_free(c);
		else if (c->task == TASK_HANDLE)
			run_handler(p, c, park_gen, gzip);
		else if (http_stream_fill(c))
			http_conn_resume(c);
		else
			put_aside(p, c, true, stream_gen);
		pthread_mutex_lock(&p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static void *timer(void *arg)
{
	struct pool *p = arg;

	pthread_mutex_lock(&p->lock);
	while (!p->stop) {
		struct timespec ts;
		int64_t now;

		clock_gettime(CLOCK_MONOTONIC, &ts);
		ts.tv_nsec += TICK_MS * 1000000L;
		ts.tv_sec += ts.tv_nsec / 1000000000L;
		ts.tv_nsec %= 1000000000L;
		pthread_cond_timedwait(&p->tick, &p->lock, &ts);
		now = clock_mono_us();
		move_due(p, &p->parked, now);
		move_due(p, &p->waiting, now);
		pthread_mutex_unlock(&p->lock);
		http_reap(p->http, now);
		pthread_mutex_lock(&p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

int pool_start(struct http *h, int workers, struct pool **ret, struct error *err)
{
	struct pool *p = xcalloc(1, sizeof(*p));
	pthread_condattr_t attr;
	int r;

	p->http = h;
	p->costs = http_costs_new();
	p->threads = xcalloc((size_t)workers, sizeof(*p->threads));
	p->max_pages = (int)sysconf(_SC_NPROCESSORS_ONLN);
	p->max_pages = p->max_pages < 1 ? 1 : p->max_pages;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->work, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->tick, &attr);
	pthread_condattr_destroy(&attr);
	/* The threads look at h->pool. */
	h->pool = p;
	r = pthread_create(&p->timer, NULL, timer, p);
	if (r) {
		h->pool = NULL;
		http_costs_free(p->costs);
		free(p->threads);
		free(p);
		return error_errno(err, -r, "starting a thread");
	}
	while (p->n_threads < workers) {
		r = pthread_create(&p->threads[p->n_threads], NULL, worker, p);
		if (r) {
			pool_stop(p);
			pool_free(p);
			h->pool = NULL;
			return error_errno(err, -r, "starting a worker thread");
		}
		p->n_threads++;
	}
	*ret = p;
	return 0;
}

static void give_back(struct list *l)
{
	while (l->first) {
		struct http_conn *c = l->first;

		list_del(l, c);
		give_up(c);
	}
}

void pool_free(struct pool *p)
{
	if (!p)
		return;
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->work);
	pthread_cond_destroy(&p->tick);
	http_costs_free(p->costs);
	free(p->threads);
	free(p);
}

void pool_stop(struct pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_broadcast(&p->work);
	pthread_cond_broadcast(&p->tick);
	pthread_mutex_unlock(&p->lock);
	for (int i = 0; i < p->n_threads; i++)
		pthread_join(p->threads[i], NULL);
	pthread_join(p->timer, NULL);
	give_back(&p->queue);
	give_back(&p->parked);
	give_back(&p->waiting);
}
