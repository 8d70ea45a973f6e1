/* SPDX-License-Identifier: MIT */
#include "agent/qmp.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/clock.h"
#include "lib/limits.h"

/* What we ask for is answered in some hundred bytes. */
#define LINE_MAX_BYTES (64 << 10)
/* Answers and the events between them, over the life of a connection. */
#define LINES_MAX 20000
#define TICK_MS 100

static int wait_readable(struct qmp *q, struct error *err)
{
	for (;;) {
		int64_t left_ms = (q->deadline_us - clock_real_mono_us()) / US_PER_MS;
		struct pollfd p = { .fd = q->fd, .events = POLLIN };

		if (q->cancelled && q->cancelled(q->arg))
			return error_set(err, -ECANCELED, "stopped while talking to QEMU");
		if (left_ms <= 0)
			return error_set(err, -ETIMEDOUT, "QEMU's monitor does not answer");
		if (poll(&p, 1, left_ms < TICK_MS ? (int)left_ms : TICK_MS) > 0)
			return 0;
	}
}

/* The next line without its break into `line`. */
static int read_line(struct qmp *q, struct buf *line, struct error *err)
{
	char data[4096];

	for (;;) {
		const char *end = q->in.len ? memchr(q->in.data, '\n', q->in.len) : NULL;
		ssize_t n;
		int r;

		if (end) {
			size_t len = (size_t)(end - q->in.data);

			buf_reset(line);
			buf_add(line, q->in.data, len);
			buf_consume(&q->in, len + 1);
			return 0;
		}
		if (q->in.len > LINE_MAX_BYTES)
			return error_set(err, -EPROTO,
					 "QEMU's monitor: a line of more than %d bytes",
					 LINE_MAX_BYTES);
		r = wait_readable(q, err);
		if (r < 0)
			return r;
		n = recv(q->fd, data, sizeof(data), MSG_DONTWAIT);
		if (n > 0)
			buf_add(&q->in, data, (size_t)n);
		else if (n == 0 || (errno != EAGAIN && errno != EINTR))
			return error_set(err, -EPIPE, "QEMU's monitor is closed");
	}
}

static int read_object(struct qmp *q, struct json_object **ret, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	CLEANUP(buf_free) struct buf line = BUF_INIT;
	int r;

	if (++q->lines > LINES_MAX)
		return error_set(err, -EPROTO, "QEMU's monitor: more than %d lines", LINES_MAX);
	r = read_line(q, &line, err);
	if (r < 0)
		return r;
	r = json_parse(buf_cstr(&line), line.len, &o, err);
	if (r < 0)
		return error_wrap(err, -EPROTO, "QEMU's monitor");
	if (!json_object_is_type(o, json_type_object))
		return error_set(err, -EPROTO, "QEMU's monitor: not an object");
	*ret = STEAL(o);
	return 0;
}

static int refused(const struct json_object *error, const char *name, struct error *err)
{
	const char *why = "without a word";
	CLEANUP(free_p) char *words = NULL;
	struct json_object *desc = NULL;

	if (json_object_is_type(error, json_type_object))
		(void)json_object_object_get_ex(error, "desc", &desc);
	if (json_object_is_type(desc, json_type_string))
		why = json_object_get_string(desc);
	words = str_printable(why, strlen(why));
	return error_set(err, -EIO, "QEMU refuses %s: %.200s", name, words);
}

/* Events may come in between, at any time. */
static int read_answer(struct qmp *q, const char *name, struct json_object **ret, struct error *err)
{
	for (;;) {
		CLEANUP(json_put_p) struct json_object *o = NULL;
		struct json_object *value;
		int r = read_object(q, &o, err);

		if (r < 0)
			return r;
		if (json_object_object_get_ex(o, "return", &value)) {
			if (ret)
				*ret = json_object_get(value);
			return 0;
		}
		if (json_object_object_get_ex(o, "error", &value))
			return refused(value, name, err);
		if (!json_object_object_get_ex(o, "event", NULL))
			return error_set(err, -EPROTO,
					 "QEMU's monitor: neither an answer nor an event");
	}
}

static int send_line(const struct qmp *q, const struct buf *line, int send_fd, struct error *err)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)),
				.cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_RIGHTS } };
	struct iovec iov = { .iov_base = line->data, .iov_len = line->len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (send_fd >= 0) {
		memcpy(CMSG_DATA(&control.head), &send_fd, sizeof(send_fd));
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control.space);
	}
	/* A command is far smaller than a socket's buffer: all of it or an error. */
	if (sendmsg(q->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)line->len)
		return error_set(err, -EPIPE, "QEMU's monitor takes no commands");
	return 0;
}

void qmp_format(struct buf *out, const char *name, const char *arguments)
{
	buf_printf(out, "{\"execute\":\"%s\"", name);
	if (arguments)
		buf_printf(out, ",\"arguments\":%s", arguments);
	buf_str(out, "}\n");
}

int qmp_command(struct qmp *q, const char *name, const char *arguments, int send_fd,
		struct json_object **ret, struct error *err)
{
	CLEANUP(buf_free) struct buf line = BUF_INIT;
	int r;

	qmp_format(&line, name, arguments);
	r = send_line(q, &line, send_fd, err);
	return r < 0 ? r : read_answer(q, name, ret, err);
}

int qmp_open(struct qmp *q, int fd, int timeout_ms, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *greeting = NULL;
	int r;

	q->fd = fd;
	q->deadline_us = clock_real_mono_us() + timeout_ms * US_PER_MS;
	q->lines = 0;
	q->in = (struct buf)BUF_INIT;
	r = read_object(q, &greeting, err);
	if (r < 0)
		return r;
	if (!json_object_object_get_ex(greeting, "QMP", NULL))
		return error_set(err, -EPROTO, "QEMU's monitor does not greet");
	return qmp_command(q, "qmp_capabilities", NULL, -1, NULL, err);
}

void qmp_free(struct qmp *q)
{
	buf_free(&q->in);
}
