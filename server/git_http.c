// SPDX-License-Identifier: MIT
#include "server/git_http.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <time.h>

#include "lib/clock.h"
#include "lib/log.h"
#include "lib/path.h"
#include "lib/proc.h"
#include "server/gitcmd.h"
#include "server/server.h"

#define HIGH_BYTES (2 << 20) /* the child is not read while so much waits for the client */
#define READ_BYTES (128 << 10)
#define HEAD_MAX_BYTES (16 << 10)
#define HEAD_TIMEOUT_S 60 /* until the child's header; a large repository needs a moment */
#define END_GRACE_MS 2000

struct git_serve {
	pthread_mutex_t lock;
	int active, max;
};

struct serve {
	struct server *srv;
	void *conn;
	char **env;
	int body_fd;
	int64_t deadline_us;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	struct buf out; /* behind the header */
	bool have_head, ended, stop;
	int status;
	char *type;
};

struct git_serve *git_serve_new(int max)
{
	struct git_serve *g = xcalloc(1, sizeof(*g));

	pthread_mutex_init(&g->lock, NULL);
	g->max = max;
	return g;
}

void git_serve_free(struct git_serve *g)
{
	if (!g)
		return;
	pthread_mutex_destroy(&g->lock);
	free(g);
}

static bool slot_take(struct git_serve *g)
{
	bool ok;

	pthread_mutex_lock(&g->lock);
	ok = g->active < g->max;
	g->active += ok;
	pthread_mutex_unlock(&g->lock);
	return ok;
}

static void slot_give(struct git_serve *g)
{
	pthread_mutex_lock(&g->lock);
	g->active--;
	pthread_mutex_unlock(&g->lock);
}

/* "Status: 404 Not Found", "Content-Type: …" (RFC 3875, 6.3). */
static void take_head_line(struct serve *s, const char *line, size_t len)
{
	CLEANUP(free_p) char *code = len >= 11 ? xstrndup(line + 8, 3) : NULL;
	long long status;

	if (code && !strncasecmp(line, "Status: ", 8) && !str_to_i64(code, 200, 599, &status))
		s->status = (int)status;
	if (len > 14 && !strncasecmp(line, "Content-Type: ", 14)) {
		free(s->type);
		s->type = xstrndup(line + 14, len - 14);
	}
}

/* Takes the header off the front when all of it is there. */
static void take_head(struct serve *s)
{
	const char *end = s->out.data ? strstr(s->out.data, "\r\n\r\n") : NULL;

	if (!end)
		return;
	for (const char *line = s->out.data; line < end + 2;) {
		size_t len = (size_t)(strstr(line, "\r\n") - line);

		take_head_line(s, line, len);
		line += len + 2;
	}
	buf_consume(&s->out, (size_t)(end + 4 - s->out.data));
	s->have_head = true;
}

/* False when reading is to end. Called with the lock. */
static bool wait_room(struct serve *s)
{
	while (!s->stop && s->have_head && s->out.len >= HIGH_BYTES) {
		struct timespec ts;

		if (clock_mono_us() > s->deadline_us)
			return false;
		clock_gettime(CLOCK_MONOTONIC, &ts);
		ts.tv_sec++;
		pthread_cond_timedwait(&s->cond, &s->lock, &ts);
	}
	return !s->stop && clock_mono_us() <= s->deadline_us &&
	       (s->have_head || s->out.len < HEAD_MAX_BYTES);
}

static void took(struct serve *s, const char *data, size_t len)
{
	bool head;

	pthread_mutex_lock(&s->lock);
	buf_add(&s->out, data, len);
	if (!s->have_head)
		take_head(s);
	head = s->have_head;
	pthread_cond_broadcast(&s->cond);
	pthread_mutex_unlock(&s->lock);
	if (head)
		http_wake_stream(s->conn);
}

static void pump(struct serve *s, int fd)
{
	CLEANUP(free_p) char *block = xcalloc(1, READ_BYTES);

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		bool go_on;
		ssize_t n;

		pthread_mutex_lock(&s->lock);
		go_on = wait_room(s);
		pthread_mutex_unlock(&s->lock);
		if (!go_on)
			return;
		if (poll(&p, 1, 500) <= 0)
			continue;
		n = read(fd, block, READ_BYTES);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		took(s, block, (size_t)n);
	}
}

static void *serve_thread(void *arg)
{
	static const char *const argv[] = { "git", "http-backend", NULL };
	struct serve *s = arg;
	struct error err = ERROR_INIT;
	struct proc child = { 0 };
	int fds[2] = { -1, -1 }, status = 0, r;

	r = pipe2(fds, O_CLOEXEC) ? -errno : 0;
	if (!r) {
		struct proc_spec spec = { .argv = argv,
					  .env = (const char *const *)s->env,
					  .stdin_fd = s->body_fd,
					  .stdout_fd = fds[1],
					  .stderr_fd = -1 };

		fcntl(fds[0], F_SETPIPE_SZ, 1 << 20);
		r = proc_spawn(&spec, &child, &err);
		close(fds[1]);
	}
	if (!r) {
		pump(s, fds[0]);
		/* Ended by itself when everything was read; otherwise it gets no more time. */
		close(fds[0]);
		if (proc_wait(&child, 1000, &status, &err) != 1)
			proc_end(&child, END_GRACE_MS);
	} else {
		if (fds[0] >= 0)
			close(fds[0]);
		log_event(LOG_ERROR, "git-serve-failed", "errno=%d", -r);
	}
	pthread_mutex_lock(&s->lock);
	s->ended = true;
	pthread_cond_broadcast(&s->cond);
	pthread_mutex_unlock(&s->lock);
	http_wake_stream(s->conn);
	return NULL;
}

static int serve_fill(void *arg, struct buf *out)
{
	struct serve *s = arg;
	int more;

	pthread_mutex_lock(&s->lock);
	if (!out->len && s->out.len) {
		struct buf t = *out;

		*out = s->out;
		s->out = t;
	}
	more = !s->ended || s->out.len;
	pthread_cond_broadcast(&s->cond);
	pthread_mutex_unlock(&s->lock);
	return more;
}

static void serve_free(void *arg)
{
	struct serve *s = arg;

	pthread_mutex_lock(&s->lock);
	s->stop = true;
	pthread_cond_broadcast(&s->cond);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	slot_give(s->srv->git_serve);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->cond);
	close(s->body_fd);
	gitcmd_env_free(s->env);
	buf_free(&s->out);
	free(s->type);
	free(s);
}

static bool wait_head(struct serve *s)
{
	struct timespec ts;
	bool have;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += HEAD_TIMEOUT_S;
	pthread_mutex_lock(&s->lock);
	while (!s->have_head && !s->ended && !pthread_cond_timedwait(&s->cond, &s->lock, &ts))
		;
	have = s->have_head;
	pthread_mutex_unlock(&s->lock);
	return have;
}

static char **make_env(struct server *srv, const struct http_req *req, const char *rest)
{
	const char *type = http_header(req, "Content-Type");
	const char *coding = http_header(req, "Content-Encoding");
	const char *protocol = http_header(req, "Git-Protocol");
	CLEANUP(free_p) char *vars[10] = { NULL };
	char **env;
	size_t n = 0;

	vars[n++] = xasprintf("GIT_PROJECT_ROOT=%s", srv->git_dir);
	vars[n++] = xstrdup("GIT_HTTP_EXPORT_ALL=1");
	vars[n++] = xasprintf("PATH_INFO=/%s.git/%s", req->params[0], rest);
	vars[n++] = xasprintf("REQUEST_METHOD=%s", req->method);
	vars[n++] = xasprintf("QUERY_STRING=%s",
			      !strcmp(req->method, "GET") ? "service=git-upload-pack" : "");
	vars[n++] = xasprintf("CONTENT_TYPE=%s", type ? type : "");
	vars[n++] = xasprintf("CONTENT_LENGTH=%zu", req->body_len);
	if (coding && (!strcmp(coding, "gzip") || !strcmp(coding, "x-gzip")))
		vars[n++] = xstrdup("HTTP_CONTENT_ENCODING=gzip");
	if (protocol && !strcmp(protocol, "version=2"))
		vars[n++] = xstrdup("GIT_PROTOCOL=version=2");
	env = gitcmd_env(srv->git_dir, false, (const char *const *)vars);
	for (size_t i = 1; i < n; i++)
		free(vars[i]); /* [0] by CLEANUP */
	return env;
}

static int body_file(const struct http_req *req)
{
	int fd = memfd_create("git-request", MFD_CLOEXEC);

	if (fd >= 0 && ((req->body_len && fd_write_all(fd, req->body, req->body_len)) ||
			lseek(fd, 0, SEEK_SET))) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static struct serve *serve_start(struct server *srv, const struct http_req *req, const char *rest)
{
	struct serve *s = xcalloc(1, sizeof(*s));
	pthread_condattr_t attr;

	s->srv = srv;
	s->conn = req->conn;
	s->status = 200;
	s->deadline_us = clock_mono_us() + srv->config->serve_timeout_s * US_PER_S;
	s->body_fd = body_file(req);
	s->env = make_env(srv, req, rest);
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->cond, &attr);
	pthread_condattr_destroy(&attr);
	if (s->body_fd >= 0 && !pthread_create(&s->thread, NULL, serve_thread, s))
		return s;
	if (s->body_fd >= 0)
		close(s->body_fd);
	gitcmd_env_free(s->env);
	free(s);
	return NULL;
}

static void serve(struct server *srv, const struct http_req *req, struct http_res *res,
		  const char *rest)
{
	CLEANUP(free_p) char *dir = xasprintf("%s/%s.git", srv->git_dir, req->params[0]);
	struct serve *s;

	if (!path_name_is_safe(req->params[0]) || !path_exists(dir)) {
		http_res_problem(res, 404, "there is no such repository");
		return;
	}
	if (!slot_take(srv->git_serve)) {
		http_res_problem(res, 503, "too many fetches at once; try again later");
		http_res_header(res, "Retry-After", "5");
		return;
	}
	s = serve_start(srv, req, rest);
	if (!s) {
		slot_give(srv->git_serve);
		http_res_problem(res, 503, "no more processes can be started");
		return;
	}
	if (!wait_head(s)) {
		serve_free(s);
		http_res_problem(res, 500, "git did not answer");
		return;
	}
	res->status = s->status;
	res->content_type = s->type ? s->type : "text/plain";
	res->stream = serve_fill;
	res->stream_free = serve_free;
	res->stream_arg = s;
	res->stream_finite = true;
}

void git_info_refs(struct server *srv, const struct http_req *req, struct http_res *res)
{
	const char *service = http_query(req, "service");

	if (!service || strcmp(service, "git-upload-pack"))
		http_res_problem(res, 403,
				 "these repositories are served for fetching by smart HTTP only");
	else
		serve(srv, req, res, "info/refs");
}

void git_upload_pack(struct server *srv, const struct http_req *req, struct http_res *res)
{
	const char *type = http_header(req, "Content-Type");

	if (!type || strcmp(type, "application/x-git-upload-pack-request"))
		http_res_problem(res, 415,
				 "git-upload-pack takes application/x-git-upload-pack-request");
	else
		serve(srv, req, res, "git-upload-pack");
}

void git_receive_pack(struct server *srv, const struct http_req *req, struct http_res *res)
{
	(void)srv;
	(void)req;
	http_res_problem(res, 403, "these repositories are read-only");
}
