/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/http_client.h"
#include "lib/path.h"

/* ---- a server of a few lines, in a process of its own --------------------------------------- */

static pid_t server;
static char base[64];

static void reply(int fd, const char *head, const char *body, size_t len)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;

	buf_printf(&b, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n", head, len);
	buf_add(&b, body, len);
	if (fd_write_all(fd, b.data, b.len) < 0)
		return;
}

/* Reads one request: head, then Content-Length bytes. False at the end of the connection. */
static bool read_request(int fd, struct buf *in)
{
	size_t want = 0;

	for (;;) {
		char chunk[4096];
		const char *end = in->data ? strstr(in->data, "\r\n\r\n") : NULL;
		const char *len = in->data ? strstr(in->data, "Content-Length: ") : NULL;
		ssize_t n;

		if (end) {
			want = (size_t)(end - in->data) + 4;
			if (len && len < end)
				want += strtoul(len + 16, NULL, 10);
			if (in->len >= want)
				return true;
		}
		n = read(fd, chunk, sizeof(chunk));
		if (n <= 0)
			return false;
		buf_add(in, chunk, (size_t)n);
	}
}

static void answer(int fd, const struct buf *in)
{
	static char big[100000];
	const char *path = strchr(in->data, ' ') + 1;

	if (str_starts(path, "/echo")) {
		reply(fd, "200 OK", in->data, in->len);
	} else if (str_starts(path, "/big")) {
		memset(big, 'x', sizeof(big));
		reply(fd, "200 OK", big, sizeof(big));
	} else if (str_starts(path, "/redirect")) {
		reply(fd, "302 Found\r\nLocation: /echo", "moved", 5);
	} else if (str_starts(path, "/error")) {
		reply(fd, "500 Oops", "why", 3);
	} else if (str_starts(path, "/cut")) {
		if (fd_write_all(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", 42) == 0)
			shutdown(fd, SHUT_RDWR);
	} else {
		pause(); /* /slow */
	}
}

static _Noreturn void serve(int listener)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fork())
			close(fd);
		else {
			struct buf in = BUF_INIT;

			prctl(PR_SET_PDEATHSIG, SIGKILL);
			while (read_request(fd, &in)) {
				answer(fd, &in);
				buf_reset(&in);
			}
			_exit(0);
		}
	}
}

static int start(void **state)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)state;
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&addr, len) || listen(fd, 16) ||
	    getsockname(fd, (struct sockaddr *)&addr, &len))
		return -1;
	server = fork();
	if (server == 0)
		serve(fd);
	close(fd);
	snprintf(base, sizeof(base), "http://127.0.0.1:%d", ntohs(addr.sin_port));
	/* A proxy of the environment must not see what goes to this machine. */
	setenv("http_proxy", "http://127.0.0.1:1", 1);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	return 0;
}

static struct http_client *client(const char *token)
{
	struct http_client *c = NULL;
	struct error err = ERROR_INIT;

	if (http_client_new(base, token, &c, &err) < 0)
		fail_msg("%s", err.msg);
	return c;
}

/* ---- tests ---------------------------------------------------------------------------------- */

static void test_get_with_token(void **state)
{
	CLEANUP(http_client_free_p) struct http_client *c = client("secret-token");
	CLEANUP(http_response_free) struct http_response res = { 0 };
	struct http_request req = HTTP_REQUEST_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	req.method = "GET";
	req.path = "/echo?x=1";
	req.headers = (const char *const[]){ "X-One: 1", "X-Two: 2", NULL };
	assert_int_equal(http_client_do(c, &req, &res, &err), 0);
	assert_int_equal(res.status, 200);
	assert_int_equal(strncmp(res.body.data, "GET /echo?x=1 HTTP/1.1\r\n", 24), 0);
	assert_non_null(strstr(res.body.data, "\r\nX-One: 1\r\n"));
	assert_non_null(strstr(res.body.data, "\r\nX-Two: 2\r\n"));
	assert_non_null(strstr(res.body.data, "\r\nAuthorization: Bearer secret-token\r\n"));
	assert_null(strstr(res.body.data, "Content-Type"));
}

static void test_post_bodies(void **state)
{
	CLEANUP(http_client_free_p) struct http_client *c = client(NULL);
	struct error err = ERROR_INIT;
	static const char *const methods[] = { "POST", "PUT" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		CLEANUP(http_response_free) struct http_response res = { 0 };
		CLEANUP(http_response_free) struct http_response empty = { 0 };
		struct http_request req = HTTP_REQUEST_INIT;

		req.method = methods[i];
		req.path = "/echo";
		req.body = "{\"a\":1}";
		req.body_len = 7;
		assert_int_equal(http_client_do(c, &req, &res, &err), 0);
		assert_int_equal(strncmp(res.body.data, methods[i], strlen(methods[i])), 0);
		assert_non_null(strstr(res.body.data, "\r\nContent-Type: application/json\r\n"));
		assert_non_null(strstr(res.body.data, "\r\n\r\n{\"a\":1}"));
		assert_null(strstr(res.body.data, "Authorization"));
		assert_null(strstr(res.body.data, "Expect"));
		req.body = NULL;
		req.body_len = 0;
		assert_int_equal(http_client_do(c, &req, &empty, &err), 0);
		assert_non_null(strstr(empty.body.data, "Content-Length: 0\r\n"));
	}
}

static void test_body_from_a_file(void **state)
{
	CLEANUP(http_client_free_p) struct http_client *c = client(NULL);
	CLEANUP(http_response_free) struct http_response res = { 0 };
	struct http_request req = HTTP_REQUEST_INIT;
	char path[] = "/tmp/http-test-XXXXXX";
	CLEANUP(close_p) int fd = mkstemp(path);
	CLEANUP(free_p) char *data = xcalloc(1, 200000);
	struct error err = ERROR_INIT;

	(void)state;
	unlink(path);
	memset(data, 'z', 200000);
	assert_int_equal(fd_write_all(fd, data, 200000), 0);
	req.method = "PUT";
	req.path = "/echo";
	req.content_type = "application/octet-stream";
	req.body_fd = fd;
	req.body_len = 200000;
	assert_int_equal(http_client_do(c, &req, &res, &err), 0);
	assert_memory_equal(strstr(res.body.data, "\r\n\r\n") + 4, data, 200000);
	/* The file is shorter than was said. */
	req.body_len = 300000;
	assert_int_equal(http_client_do(c, &req, &res, &err), -EIO);
}

static void test_status_is_no_error(void **state)
{
	CLEANUP(http_client_free_p) struct http_client *c = client(NULL);
	CLEANUP(http_response_free) struct http_response res = { 0 };
	CLEANUP(http_response_free) struct http_response moved = { 0 };
	struct http_request req = HTTP_REQUEST_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	req.method = "GET";
	req.path = "/error";
	assert_int_equal(http_client_do(c, &req, &res, &err), 0);
	assert_int_equal(res.status, 500);
	assert_string_equal(res.body.data, "why");
	/* A redirect is shown and not followed: the token stays where it belongs. */
	req.path = "/redirect";
	assert_int_equal(http_client_do(c, &req, &moved, &err), 0);
	assert_int_equal(moved.status, 302);
}

static void test_response_cap(void **state)
{
	CLEANUP(http_client_free_p) struct http_client *c = client(NULL);
	CLEANUP(http_response_free) struct http_response res = { .status = 7 };
	struct http_request req = HTTP_REQUEST_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	req.method = "GET";
	req.path = "/big";
	req.response_max_bytes = 99999;
	assert_int_equal(http_client_do(c, &req, &res, &err), -EFBIG);
	assert_int_equal(res.status, 7);
	req.response_max_bytes = 100000;
	assert_int_equal(http_client_do(c, &req, &res, &err), 0);
	assert_int_equal(res.body.len, 100000);
}

struct sink {
	size_t len;
	size_t stop_at;
};

static int on_data(void *arg, const char *data, size_t len)
{
	struct sink *s = arg;

	(void)data;
	s->len += len;
	return s->stop_at && s->len >= s->stop_at;
}

static void test_streaming(void **state)
{
	CLEANUP(http_client_free_p) struct http_client *c = client(NULL);
	CLEANUP(http_response_free) struct http_response res = { 0 };
	struct http_request req = HTTP_REQUEST_INIT;
	struct sink sink = { 0 };
	struct error err = ERROR_INIT;

	(void)state;
	req.method = "GET";
	req.path = "/big";
	req.on_data = on_data;
	req.arg = &sink;
	assert_int_equal(http_client_do(c, &req, &res, &err), 0);
	assert_int_equal(sink.len, 100000);
	assert_int_equal(res.body.len, 0);
	sink = (struct sink){ .stop_at = 10 };
	assert_int_equal(http_client_do(c, &req, &res, &err), -ECANCELED);
	/* What an error says is not data. */
	sink = (struct sink){ 0 };
	req.path = "/error";
	assert_int_equal(http_client_do(c, &req, &res, &err), 0);
	assert_int_equal(sink.len, 0);
	assert_string_equal(res.body.data, "why");
}

static bool cancel_third(void *arg)
{
	return ++*(int *)arg >= 3;
}

static void test_timeout_and_cancel(void **state)
{
	CLEANUP(http_client_free_p) struct http_client *c = client(NULL);
	struct http_response res;
	struct http_request req = HTTP_REQUEST_INIT;
	struct error err = ERROR_INIT;
	int64_t start_us = clock_real_mono_us();
	int polls = 0;

	(void)state;
	req.method = "GET";
	req.path = "/slow";
	req.timeout_ms = 200;
	assert_int_equal(http_client_do(c, &req, &res, &err), -ETIMEDOUT);
	req.timeout_ms = -1;
	req.cancelled = cancel_third;
	req.arg = &polls;
	assert_int_equal(http_client_do(c, &req, &res, &err), -ECANCELED);
	assert_true(clock_real_mono_us() - start_us < 10 * US_PER_S);
}

static int begun, refuse;

static int begin(void *arg, struct error *e)
{
	(void)arg;
	begun++;
	return refuse ? error_set(e, refuse, "not now") : 0;
}

/* Told once when the body is about to leave, and not when nobody is there to get it. */
static void test_begin(void **state)
{
	static const struct {
		const char *base; /* NULL: the server */
		int refuse, r, begun;
	} rows[] = {
		{ NULL, 0, 0, 1 },
		{ NULL, -ENOENT, -ENOENT, 1 },
		{ "http://127.0.0.1:1", 0, -ECONNREFUSED, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CLEANUP(http_client_free_p) struct http_client *c = NULL;
		CLEANUP(http_response_free) struct http_response res = { 0 };
		struct http_request req = HTTP_REQUEST_INIT;
		struct error err = ERROR_INIT;

		assert_int_equal(
			http_client_new(rows[i].base ? rows[i].base : base, NULL, &c, &err), 0);
		req.method = "POST";
		req.path = "/echo";
		req.body = "{}";
		req.body_len = 2;
		req.begin = begin;
		begun = 0;
		refuse = rows[i].refuse;
		assert_int_equal(http_client_do(c, &req, &res, &err), rows[i].r);
		assert_int_equal(begun, rows[i].begun);
		if (refuse)
			assert_string_equal(err.msg, "not now");
	}
}

static void test_broken_connections(void **state)
{
	CLEANUP(http_client_free_p) struct http_client *c = client(NULL);
	CLEANUP(http_client_free_p) struct http_client *nobody = NULL;
	struct http_response res;
	struct http_request req = HTTP_REQUEST_INIT;
	struct error err = ERROR_INIT;
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	CLEANUP(close_p) int fd = socket(AF_INET, SOCK_STREAM, 0);
	char url[64];

	(void)state;
	req.method = "GET";
	req.path = "/cut";
	assert_int_equal(http_client_do(c, &req, &res, &err), -EIO);
	/* A port that is ours and where nobody listens. */
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&addr, &len), 0);
	snprintf(url, sizeof(url), "http://localhost:%d/", ntohs(addr.sin_port));
	assert_int_equal(http_client_new(url, NULL, &nobody, &err), 0);
	req.path = "/echo";
	assert_int_equal(http_client_do(nobody, &req, &res, &err), -ECONNREFUSED);
}

static void test_refused_input(void **state)
{
	static const char *const urls[] = { "ftp://h/",		"file:///etc/passwd",
					    "127.0.0.1:80",	"",
					    "http://",		"http://a b/",
					    "http://a\r\nX: y/" };
	static const char *const tokens[] = { "", "a b", "a\r\nX-Role: admin" };
	static const char *const paths[] = { "", "echo", "/a b", "/a\r\nX: y", "@evil.example/" };
	CLEANUP(http_client_free_p) struct http_client *c = client(NULL);
	struct http_client *none = NULL;
	struct http_response res;
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(urls); i++)
		assert_int_equal(http_client_new(urls[i], NULL, &none, &err), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(tokens); i++)
		assert_int_equal(http_client_new(base, tokens[i], &none, &err), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct http_request req = HTTP_REQUEST_INIT;

		req.method = "GET";
		req.path = paths[i];
		assert_int_equal(http_client_do(c, &req, &res, &err), -EINVAL);
	}
	assert_null(none);
}

static void test_retry_delay(void **state)
{
	(void)state;
	for (int attempt = 0; attempt < 40; attempt++)
		for (int i = 0; i < 50; i++) {
			int ms = http_retry_delay_ms(attempt);

			assert_true(ms >= 250 && ms <= 30000);
			assert_true(attempt > 0 || ms <= 500);
			assert_true(attempt < 7 || ms >= 15000);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_get_with_token),
		cmocka_unit_test(test_post_bodies),
		cmocka_unit_test(test_body_from_a_file),
		cmocka_unit_test(test_status_is_no_error),
		cmocka_unit_test(test_response_cap),
		cmocka_unit_test(test_streaming),
		cmocka_unit_test(test_timeout_and_cancel),
		cmocka_unit_test(test_begin),
		cmocka_unit_test(test_broken_connections),
		cmocka_unit_test(test_refused_input),
		cmocka_unit_test(test_retry_delay),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
