// SPDX-License-Identifier: MIT
#include "agent/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>

#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "lib/path.h"

#define TICK_MS 250 /* how long fresh log bytes wait at most: people watch them */
#define CHUNK_BYTES (256 << 10) /* a quarter of what the server takes at once */

struct keeper {
	struct api_conn api;
	const struct job *job;
	bool (*stopping)(void *arg);
	void *arg;
	pthread_t thread;
	pthread_mutex_t lock; /* everything below */
	pthread_cond_t wake;
	bool lost, finish;
	int spool_fd;
	char *spool_path;
	int64_t spooled, acked; /* bytes */
	enum engine_phase phase;
	int done, total;
	char what[200];
};

bool keeper_lost(struct keeper *k)
{
	bool lost;

	pthread_mutex_lock(&k->lock);
	lost = k->lost;
	pthread_mutex_unlock(&k->lock);
	return lost;
}

bool keeper_cancelled(struct keeper *k)
{
	return keeper_lost(k) || (k->stopping && k->stopping(k->arg));
}

static bool cancelled_cb(void *arg)
{
	struct keeper *k = arg;

	return k->stopping && k->stopping(k->arg);
}

static void set_lost(struct keeper *k, const char *by)
{
	pthread_mutex_lock(&k->lock);
	k->lost = true;
	pthread_mutex_unlock(&k->lock);
	log_event(LOG_WARN, "lease-lost", "job=%lld by=%s", (long long)k->job->id, by);
}

static struct json_object *progress_json(struct keeper *k)
{
	struct json_object *o = json_object_new_object();

	pthread_mutex_lock(&k->lock);
	json_object_object_add(o, "phase", json_str(engine_phase_name(k->phase)));
	json_object_object_add(o, "done", json_object_new_int(k->done));
	json_object_object_add(o, "total", json_object_new_int(k->total));
	json_object_object_add(o, "what", json_str(k->what));
	pthread_mutex_unlock(&k->lock);
	return o;
}

static void beat(struct keeper *k)
{
	CLEANUP(json_put_p) struct json_object *progress = progress_json(k);
	struct error err = ERROR_INIT;
	enum api_lease lease = API_LEASE_OK;

	/* A server that cannot be reached may come back before the lease is over. */
	if (api_heartbeat(&k->api, k->job, progress, &lease, &err))
		log_event(LOG_WARN, "heartbeat-failed", "job=%lld error=\"%s\"",
			  (long long)k->job->id, err.msg);
	else if (lease == API_LEASE_LOST)
		set_lost(k, "heartbeat");
}

/* Sends one chunk. False when there was nothing to send or it did not go through. */
static bool upload(struct keeper *k)
{
	CLEANUP(free_p) char *chunk = NULL;
	enum api_lease lease = API_LEASE_OK;
	struct error err = ERROR_INIT;
	int64_t from, have, size = 0;
	ssize_t n;

	pthread_mutex_lock(&k->lock);
	from = k->acked;
	have = k->spooled - k->acked;
	pthread_mutex_unlock(&k->lock);
	if (have <= 0)
		return false;
	if (have > CHUNK_BYTES)
		have = CHUNK_BYTES;
	chunk = xcalloc(1, (size_t)have);
	n = pread(k->spool_fd, chunk, (size_t)have, from);
	if (n <= 0)
		return false;
	if (api_log(&k->api, k->job, from, chunk, (size_t)n, &size, &lease, &err)) {
		log_event(LOG_WARN, "log-upload-failed", "job=%lld error=\"%s\"",
			  (long long)k->job->id, err.msg);
		if (err.code != EPROTO)
			return false;
		size = from + n; /* refused for good (too large): do not ask for ever */
	}
	if (lease == API_LEASE_LOST) {
		set_lost(k, "log");
		return false;
	}
	pthread_mutex_lock(&k->lock);
	k->acked = size < k->spooled ? size : k->spooled;
	pthread_mutex_unlock(&k->lock);
	return true;
}

/* Waits for the next tick; true when keeper_stop() was called. */
static bool tick(struct keeper *k)
{
	int64_t at = clock_now_us() + TICK_MS * US_PER_MS;
	struct timespec ts = { at / US_PER_S, (at % US_PER_S) * 1000 };
	bool finish;

	pthread_mutex_lock(&k->lock);
	if (!k->finish)
		pthread_cond_timedwait(&k->wake, &k->lock, &ts);
	finish = k->finish;
	pthread_mutex_unlock(&k->lock);
	return finish;
}

static void drain(struct keeper *k)
{
	for (int attempt = 0; !keeper_cancelled(k);) {
		bool more;

		if (upload(k)) {
			attempt = 0;
			continue;
		}
		pthread_mutex_lock(&k->lock);
		more = k->acked < k->spooled;
		pthread_mutex_unlock(&k->lock);
		if (!more)
			return;
		int ms = http_retry_delay_ms(attempt++);
		struct timespec ts = { ms / 1000, ms % 1000 * 1000000L };

		nanosleep(&ts, NULL);
		beat(k); /* a long outage must not cost the lease once the server is back */
	}
}

static void *keeper_main(void *arg)
{
	struct keeper *k = arg;
	int64_t every = k->job->lease_ttl_ms * US_PER_MS / 3;
	int64_t next = clock_mono_us();

	while (!tick(k)) {
		if (keeper_lost(k))
			continue;
		if (clock_mono_us() >= next) {
			beat(k);
			next = clock_mono_us() + every;
		}
		while (!keeper_cancelled(k) && upload(k))
			;
	}
	beat(k); /* a fresh lease for the result that follows */
	drain(k);
	return NULL;
}

static int open_spool(struct keeper *k, const char *dir, struct error *err)
{
	int r = path_mkdirs(dir, 0700, err);

	if (r)
		return r;
	k->spool_path = xasprintf("%s/%lld.log", dir, (long long)k->job->run_id);
	k->spool_fd = open(k->spool_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (k->spool_fd < 0)
		return error_errno(err, -errno, "cannot write '%s'", k->spool_path);
	return 0;
}

static void keeper_free(struct keeper *k)
{
	if (k->spool_path)
		unlink(k->spool_path);
	if (k->spool_fd >= 0)
		close(k->spool_fd);
	free(k->spool_path);
	api_close(&k->api);
	pthread_mutex_destroy(&k->lock);
	pthread_cond_destroy(&k->wake);
	free(k);
}

int keeper_start(const struct keeper_opts *opts, struct keeper **ret, struct error *err)
{
	struct keeper *k = xcalloc(1, sizeof(*k));
	int r;

	k->job = opts->job;
	k->stopping = opts->stopping;
	k->arg = opts->arg;
	k->spool_fd = -1;
	pthread_mutex_init(&k->lock, NULL);
	pthread_cond_init(&k->wake, NULL);
	r = open_spool(k, opts->spool_dir, err);
	if (!r)
		r = api_open(opts->server, opts->token, cancelled_cb, k, &k->api, err);
	if (!r) {
		r = -pthread_create(&k->thread, NULL, keeper_main, k);
		if (r)
			error_errno(err, r, "cannot start a thread");
	}
	if (r) {
		keeper_free(k);
		return r;
	}
	*ret = k;
	return 0;
}

void keeper_log(struct keeper *k, const char *data, size_t len)
{
	pthread_mutex_lock(&k->lock);
	if (k->spooled + (int64_t)len <= LIMIT_LOG_BYTES &&
	    pwrite(k->spool_fd, data, len, k->spooled) == (ssize_t)len)
		k->spooled += (int64_t)len;
	pthread_mutex_unlock(&k->lock);
}

void keeper_progress(struct keeper *k, enum engine_phase phase, int done, int total,
		     const char *what)
{
	pthread_mutex_lock(&k->lock);
	k->phase = phase;
	k->done = done;
	k->total = total;
	snprintf(k->what, sizeof(k->what), "%s", what ? what : "");
	pthread_mutex_unlock(&k->lock);
}

void keeper_stop(struct keeper *k)
{
	if (!k)
		return;
	pthread_mutex_lock(&k->lock);
	k->finish = true;
	pthread_cond_signal(&k->wake);
	pthread_mutex_unlock(&k->lock);
	pthread_join(k->thread, NULL);
	keeper_free(k);
}
