/* SPDX-License-Identifier: MIT */
/*
 * The writer thread and its group commit.
 *
 * A commit costs a flush of the disk (milliseconds), the work of a transaction some dozen
 * microseconds. So what waits is done in one SQLite transaction, each piece in a savepoint of its
 * own, and every caller is told after the one commit. While a commit runs the next group gathers by
 * itself; to keep callers that were just answered from missing that group by a hair, the writer
 * waits up to GATHER_US for as many as there were last time. A lone caller never waits.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "db/store_internal.h"
#include "lib/clock.h"

#define GROUP_MAX 256
#define GATHER_US 2000

struct write {
	write_fn fn;
	void *arg;
	struct error *err;
	int result;
	bool done;
	pthread_cond_t wake;
	struct write *next;
};

struct callback {
	void (*fn)(void *arg);
	void *arg;
};

struct writer {
	struct db *db;
	pthread_t thread;
	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t work;
	struct write *head, **tail;
	bool stopping;
	struct callback on_events, on_queued;
	int64_t writes, groups; /* done so far */
	/* The thread's own: how many callers came together last time. */
	int company;
};

/* Takes the next piece off the queue, waiting `gather` µs (-1 = for ever) for one. */
static struct write *take(struct writer *w, int64_t until_us)
{
	struct write *first;

	pthread_mutex_lock(&w->mutex);
	while (!w->head && !w->stopping) {
		struct timespec t = { .tv_sec = until_us / US_PER_S,
				      .tv_nsec = until_us % US_PER_S * 1000 };

		if (until_us < 0)
			pthread_cond_wait(&w->work, &w->mutex);
		else if (pthread_cond_timedwait(&w->work, &w->mutex, &t) == ETIMEDOUT)
			break;
	}
	first = w->head;
	if (first) {
		w->head = first->next;
		if (!w->head)
			w->tail = &w->head;
		first->next = NULL;
	}
	pthread_mutex_unlock(&w->mutex);
	return first;
}

/* The system's own clock: a faked one must not stop the writer. */
static int64_t mono_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * US_PER_S + t.tv_nsec / 1000;
}

/* Runs one piece in its savepoint. -EIO: the whole transaction is lost. */
static int run_one(struct writer *w, struct write *one)
{
	struct db *db = w->db;
	bool events = db->events, queued = db->queued;
	int r = db_run(db, Q_SAVEPOINT, NO_ARGS, NULL, one->err);

	if (r < 0)
		return -EIO;
	r = one->fn(db, one->arg, one->err);
	one->result = r;
	if (r < 0) {
		db->events = events;
		db->queued = queued;
		/* SQLite gives the whole transaction up when the disk fails. */
		if (sqlite3_get_autocommit(db->conn) ||
		    db_run(db, Q_SAVEPOINT_UNDO, NO_ARGS, NULL, NULL) < 0)
			return -EIO;
	}
	return db_run(db, Q_SAVEPOINT_KEEP, NO_ARGS, NULL, NULL) < 0 ? -EIO : 0;
}

/* Wakes the callers of a group; after a failed commit none of their work is there. */
static void answer(struct writer *w, struct write *group, int failed, const struct error *why)
{
	pthread_mutex_lock(&w->mutex);
	w->groups++;
	while (group) {
		struct write *next = group->next;

		w->writes++;
		if (failed < 0 && group->result >= 0) {
			group->result = failed;
			if (group->err)
				*group->err = *why;
		}
		group->done = true;
		pthread_cond_signal(&group->wake);
		group = next;
	}
	pthread_mutex_unlock(&w->mutex);
}

static void call_back(struct writer *w, bool events, bool queued)
{
	struct callback on_events, on_queued;

	pthread_mutex_lock(&w->mutex);
	on_events = w->on_events;
	on_queued = w->on_queued;
	pthread_mutex_unlock(&w->mutex);
	if (events && on_events.fn)
		on_events.fn(on_events.arg);
	if (queued && on_queued.fn)
		on_queued.fn(on_queued.arg);
}

/* Runs pieces until nobody waits; *ret_group has all that were taken. */
static int run_group(struct writer *w, struct write *one, struct write **ret_group,
		     struct error *err)
{
	int64_t until = mono_us() + GATHER_US;
	struct write **tail = ret_group;
	int n = 0, r = db_run(w->db, Q_BEGIN_WRITE, NO_ARGS, NULL, err);

	while (one) {
		*tail = one;
		tail = &one->next;
		n++;
		if (!r)
			r = run_one(w, one);
		if (r < 0 || n >= GROUP_MAX)
			break;
		one = take(w, n < w->company ? until : 0);
	}
	/* It grows at once, and shrinks when the wait was in vain. */
	w->company = n;
	return r;
}

static void *writer_main(void *arg)
{
	struct writer *w = arg;
	struct write *one;

	while ((one = take(w, -1))) {
		struct error err = ERROR_INIT;
		struct write *group = NULL;
		bool events, queued;
		int r;

		w->db->events = w->db->queued = false;
		r = run_group(w, one, &group, &err);
		if (!r && w->db->events)
			r = db_run(w->db, Q_EVENTS_TRIM, ARGS(I(EVENTS_KEPT)), NULL, &err);
		if (!r)
			r = db_run(w->db, Q_COMMIT, NO_ARGS, NULL, &err);
		if (r < 0) {
			if (!err.code)
				r = error_set(&err, r, "database: the transaction was lost");
			if (!sqlite3_get_autocommit(w->db->conn) &&
			    db_run(w->db, Q_ROLLBACK, NO_ARGS, NULL, NULL) < 0)
				r = -EIO;
		}
		events = !r && w->db->events;
		queued = !r && w->db->queued;
		answer(w, group, r, &err);
		call_back(w, events, queued);
	}
	return NULL;
}

int writer_start(struct db *db, struct writer **ret, struct error *err)
{
	struct writer *w = xcalloc(1, sizeof(*w));
	pthread_condattr_t attr;
	int r;

	w->db = db;
	w->tail = &w->head;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&w->mutex, NULL);
	pthread_cond_init(&w->work, &attr);
	pthread_condattr_destroy(&attr);
	r = pthread_create(&w->thread, NULL, writer_main, w);
	if (r) {
		free(w);
		return error_errno(err, -r, "writer thread");
	}
	*ret = w;
	return 0;
}

void writer_stop(struct writer *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->mutex);
	w->stopping = true;
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->mutex);
	pthread_join(w->thread, NULL);
	pthread_cond_destroy(&w->work);
	pthread_mutex_destroy(&w->mutex);
	db_close(w->db);
	free(w);
}

int writer_do(struct writer *w, write_fn fn, void *arg, struct error *err)
{
	struct write one = { .fn = fn, .arg = arg, .err = err };

	pthread_cond_init(&one.wake, NULL);
	pthread_mutex_lock(&w->mutex);
	if (w->stopping) {
		one.result = error_set(err, -ESHUTDOWN, "the store is being closed");
	} else {
		*w->tail = &one;
		w->tail = &one.next;
		pthread_cond_signal(&w->work);
		while (!one.done)
			pthread_cond_wait(&one.wake, &w->mutex);
	}
	pthread_mutex_unlock(&w->mutex);
	pthread_cond_destroy(&one.wake);
	return one.result;
}

void writer_counts(struct writer *w, int64_t *ret_writes, int64_t *ret_groups)
{
	pthread_mutex_lock(&w->mutex);
	*ret_writes = w->writes;
	*ret_groups = w->groups;
	pthread_mutex_unlock(&w->mutex);
}

static void callback_set(struct writer *w, struct callback *to, void (*fn)(void *arg), void *arg)
{
	pthread_mutex_lock(&w->mutex);
	*to = (struct callback){ .fn = fn, .arg = arg };
	pthread_mutex_unlock(&w->mutex);
}

void writer_on_events(struct writer *w, void (*fn)(void *arg), void *arg)
{
	callback_set(w, &w->on_events, fn, arg);
}

void writer_on_queued(struct writer *w, void (*fn)(void *arg), void *arg)
{
	callback_set(w, &w->on_queued, fn, arg);
}
