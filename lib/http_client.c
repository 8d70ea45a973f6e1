/* SPDX-License-Identifier: MIT */
#include "lib/http_client.h"

#include <curl/curl.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <unistd.h>

#include "lib/clean.h"
#include "lib/clock.h"

#define TIMEOUT_DEFAULT_MS 60000
#define CONNECT_TIMEOUT_MS 10000
#define RESPONSE_DEFAULT_BYTES ((size_t)16 << 20)
#define CANCEL_POLL_MS 200

struct http_client {
	char *base_url; /* without a slash at the end */
	char *auth; /* header line, or NULL */
	bool loopback;
	CURL *easy;
	CURLM *multi; /* keeps the connections */
};

/* One request under way. */
struct transfer {
	CURL *easy;
	const struct http_request *req;
	struct buf body;
	size_t sent; /* of the request's body */
	size_t received;
	int stop; /* why a callback ended the transfer: -errno */
	bool begun; /* the caller knows that the body leaves */
	struct error why; /* what it said against that */
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void init_curl(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		abort();
}

static bool has_control(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s <= ' ' || *s == 0x7f)
			return true;
	return false;
}

static void url_free_p(CURLU **u)
{
	curl_url_cleanup(*u);
}

/* Checks the base URL and says whether it names this machine. */
static int check_base_url(const char *url, bool *ret_loopback, struct error *err)
{
	CLEANUP(url_free_p) CURLU *u = curl_url();
	char *scheme = NULL;
	char *host = NULL;
	bool http;

	if (!u)
		abort();
	if (has_control(url) || curl_url_set(u, CURLUPART_URL, url, 0) ||
	    curl_url_get(u, CURLUPART_SCHEME, &scheme, 0))
		return error_set(err, -EINVAL, "'%s' is not a URL", url);
	http = !strcmp(scheme, "http") || !strcmp(scheme, "https");
	curl_free(scheme);
	if (!http)
		return error_set(err, -EINVAL, "'%s': only http and https are supported", url);
	if (curl_url_get(u, CURLUPART_HOST, &host, 0))
		return error_set(err, -EINVAL, "'%s' names no host", url);
	*ret_loopback = !strcasecmp(host, "localhost") || !strncmp(host, "127.", 4) ||
			!strcmp(host, "[::1]");
	curl_free(host);
	return 0;
}

int http_client_new(const char *base_url, const char *token, struct http_client **ret_client,
		    struct error *err)
{
	CLEANUP(http_client_free_p) struct http_client *c = NULL;
	size_t len = strlen(base_url);
	bool loopback = false;
	int r;

	pthread_once(&curl_once, init_curl);
	r = check_base_url(base_url, &loopback, err);
	if (r < 0)
		return r;
	if (token && (!*token || has_control(token)))
		return error_set(err, -EINVAL, "the token is empty or holds blanks");
	while (len && base_url[len - 1] == '/')
		len--;
	c = xcalloc(1, sizeof(*c));
	c->base_url = xstrndup(base_url, len);
	c->auth = token ? xasprintf("Authorization: Bearer %s", token) : NULL;
	c->loopback = loopback;
	c->easy = curl_easy_init();
	c->multi = curl_multi_init();
	if (!c->easy || !c->multi)
		return error_set(err, -ENOMEM, "libcurl does not start");
	*ret_client = STEAL(c);
	return 0;
}

void http_client_free(struct http_client *c)
{
	if (!c)
		return;
	if (c->multi)
		curl_multi_cleanup(c->multi);
	if (c->easy)
		curl_easy_cleanup(c->easy);
	if (c->auth)
		explicit_bzero(c->auth, strlen(c->auth));
	free(c->auth);
	free(c->base_url);
	free(c);
}

void http_response_free(struct http_response *r)
{
	buf_free(&r->body);
}

static size_t on_read(char *to, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	size_t want = size * n;
	size_t left = t->req->body_len - t->sent;
	ssize_t got;

	if (want > left)
		want = left;
	if (!want)
		return 0;
	if (t->req->begin && !t->begun) {
		t->stop = t->req->begin(t->req->arg, &t->why);
		if (t->stop)
			return CURL_READFUNC_ABORT;
		t->begun = true;
	}
	if (t->req->body_fd < 0) {
		memcpy(to, (const char *)t->req->body + t->sent, want);
		t->sent += want;
		return want;
	}
	do
		got = pread(t->req->body_fd, to, want, (off_t)t->sent);
	while (got < 0 && errno == EINTR);
	/* A file that shrank cannot become the body that was announced. */
	if (got <= 0) {
		t->stop = got < 0 ? -errno : -EIO;
		return CURL_READFUNC_ABORT;
	}
	t->sent += (size_t)got;
	return (size_t)got;
}

/* libcurl sends again from the start when a kept connection turns out to be closed. */
static int on_seek(void *arg, curl_off_t offset, int origin)
{
	struct transfer *t = arg;

	if (origin != SEEK_SET || offset < 0 || (size_t)offset > t->req->body_len)
		return CURL_SEEKFUNC_FAIL;
	t->sent = (size_t)offset;
	return CURL_SEEKFUNC_OK;
}

static size_t on_write(char *data, size_t size, size_t n, void *arg)
{
	struct transfer *t = arg;
	size_t len = size * n;
	size_t max = t->req->response_max_bytes;
	long status = 0;

	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	t->received += len;
	if (t->req->on_data && status >= 200 && status < 300) {
		if (max && t->received > max)
			t->stop = -EFBIG;
		else if (t->req->on_data(t->req->arg, data, len))
			t->stop = -ECANCELED;
	} else if (t->received > (max ? max : RESPONSE_DEFAULT_BYTES)) {
		t->stop = -EFBIG;
	} else {
		buf_add(&t->body, data, len);
	}
	return t->stop ? 0 : len;
}

static struct curl_slist *add_header(struct curl_slist *list, const char *line)
{
	struct curl_slist *more = curl_slist_append(list, line);

	if (!more)
		abort();
	return more;
}

/* Owned; curl_slist_free_all(). */
static struct curl_slist *headers_of(const struct http_client *c, const struct http_request *req,
				     bool body)
{
	struct curl_slist *list = NULL;

	/* No waiting for "100 Continue": the server reads what it gets. */
	list = add_header(list, "Expect:");
	if (c->auth)
		list = add_header(list, c->auth);
	if (body) {
		CLEANUP(free_p)
		char *type = xasprintf("Content-Type: %s",
				       req->content_type ? req->content_type : "application/json");

		list = add_header(list, type);
	}
	for (const char *const *h = req->headers; h && *h; h++)
		list = add_header(list, *h);
	return list;
}

static void set_limits(CURL *e, const struct http_client *c, const struct http_request *req)
{
	int64_t timeout = req->timeout_ms ? req->timeout_ms : TIMEOUT_DEFAULT_MS;

	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, timeout < 0 ? 0L : (long)timeout);
	curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS,
			 timeout > 0 && timeout < CONNECT_TIMEOUT_MS ? (long)timeout
								     : (long)CONNECT_TIMEOUT_MS);
	/* A dead peer is noticed even where no answer is due for long (event streams). */
	curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(e, CURLOPT_USERAGENT, "faultline");
	if (c->loopback)
		curl_easy_setopt(e, CURLOPT_NOPROXY, "*");
}

static void set_body(CURL *e, struct transfer *t, bool body)
{
	const struct http_request *req = t->req;

	if (body) {
		curl_easy_setopt(e, CURLOPT_POST, 1L);
		curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->body_len);
		curl_easy_setopt(e, CURLOPT_READFUNCTION, on_read);
		curl_easy_setopt(e, CURLOPT_READDATA, t);
		curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, on_seek);
		curl_easy_setopt(e, CURLOPT_SEEKDATA, t);
	}
	if (!strcmp(req->method, "HEAD"))
		curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
	else
		curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, req->method);
}

/* Drives the transfer to its end. 0 with *ret_result, or -ECANCELED, -EIO. */
static int drive(struct http_client *c, const struct http_request *req, CURLcode *ret_result)
{
	for (;;) {
		int running;
		int left;
		CURLMsg *m;

		if (curl_multi_perform(c->multi, &running))
			return -EIO;
		while ((m = curl_multi_info_read(c->multi, &left)))
			if (m->msg == CURLMSG_DONE) {
				*ret_result = m->data.result;
				return 0;
			}
		if (!running)
			return -EIO;
		if (req->cancelled && req->cancelled(req->arg))
			return -ECANCELED;
		if (curl_multi_poll(c->multi, NULL, 0, CANCEL_POLL_MS, NULL))
			return -EIO;
	}
}

static int result_to_errno(CURLcode code)
{
	switch (code) {
	case CURLE_OK:
		return 0;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
		return -ECONNREFUSED;
	case CURLE_OPERATION_TIMEDOUT:
		return -ETIMEDOUT;
	default:
		return -EIO;
	}
}

static int perform(struct http_client *c, struct transfer *t, const char *url, struct error *err)
{
	char detail[CURL_ERROR_SIZE] = "";
	CURLcode result = CURLE_OK;
	int r;

	curl_easy_setopt(c->easy, CURLOPT_ERRORBUFFER, detail);
	if (curl_multi_add_handle(c->multi, c->easy))
		return error_set(err, -EIO, "%s: libcurl does not take the request", url);
	r = drive(c, t->req, &result);
	curl_multi_remove_handle(c->multi, c->easy);
	curl_easy_setopt(c->easy, CURLOPT_ERRORBUFFER, NULL);
	if (t->stop)
		r = t->stop;
	if (t->why.code)
		return error_set(err, r, "%s", t->why.msg);
	if (r == -EFBIG)
		return error_set(err, r, "%s: the answer is too long", url);
	if (r == -ECANCELED)
		return error_set(err, r, "%s: cancelled", url);
	if (r < 0)
		return error_errno(err, r, "%s", url);
	r = result_to_errno(result);
	if (r < 0)
		return error_set(err, r, "%s: %s", url,
				 detail[0] ? detail : curl_easy_strerror(result));
	return 0;
}

int http_client_do(struct http_client *c, const struct http_request *req, struct http_response *ret,
		   struct error *err)
{
	CLEANUP(free_p) char *url = NULL;
	struct transfer t = { .easy = c->easy, .req = req };
	struct curl_slist *headers;
	bool body = req->body_len || !strcmp(req->method, "POST") || !strcmp(req->method, "PUT");
	long status = 0;
	int r;

	if (req->path[0] != '/' || has_control(req->path))
		return error_set(err, -EINVAL, "'%s' is not a path", req->path);
	url = xasprintf("%s%s", c->base_url, req->path);
	headers = headers_of(c, req, body);
	/* Options of the last request go, connections stay. */
	curl_easy_reset(c->easy);
	curl_easy_setopt(c->easy, CURLOPT_URL, url);
	curl_easy_setopt(c->easy, CURLOPT_HTTPHEADER, headers);
	set_limits(c->easy, c, req);
	set_body(c->easy, &t, body);
	curl_easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, on_write);
	curl_easy_setopt(c->easy, CURLOPT_WRITEDATA, &t);
	r = perform(c, &t, url, err);
	curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_reset(c->easy);
	curl_slist_free_all(headers);
	if (r < 0) {
		buf_free(&t.body);
		return r;
	}
	ret->status = (int)status;
	ret->body = t.body;
	return 0;
}

int http_retry_delay_ms(int attempt)
{
	unsigned int full = 500;
	unsigned int random = 0;

	for (int i = 0; i < attempt && full < 30000; i++)
		full *= 2;
	if (full > 30000)
		full = 30000;
	/* Half fixed, half random: agents that lost the server together come back apart. */
	if (getrandom(&random, sizeof(random), GRND_NONBLOCK) != (ssize_t)sizeof(random))
		random = (unsigned int)clock_real_mono_us();
	return (int)(full / 2 + random % (full / 2 + 1));
}
