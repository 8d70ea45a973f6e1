/* SPDX-License-Identifier: MIT */
/* A mail server of one connection that answers as it is told to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/smtp.h"

static struct {
	const char *at,
		*says; /* at this command the answer is another one; "" hangs up, "-" is none */
	int listener;
	char url[64];
	pthread_t thread;
	struct buf commands, data;
} server;

static struct error err;

static void say(int fd, const char *line)
{
	CLEANUP(free_p) char *s = xasprintf("%s\r\n", line);

	if (write(fd, s, strlen(s)) < 0)
		return;
}

static const char *usual(const char *command)
{
	if (strncmp(command, "DATA", 4) == 0)
		return "354 go on";
	if (strncmp(command, "QUIT", 4) == 0)
		return "221 bye";
	return "250 ok";
}

/* The message up to the dot. False when the client is gone. */
static bool read_data(FILE *in)
{
	char line[2048];

	while (fgets(line, sizeof(line), in)) {
		if (strcmp(line, ".\r\n") == 0)
			return true;
		buf_str(&server.data, line + (line[0] == '.'));
	}
	return false;
}

static void *serve(void *arg)
{
	int fd = accept(server.listener, NULL, NULL);
	FILE *in = fdopen(fd, "r");
	char line[2048];

	(void)arg;
	say(fd, "220 toy");
	while (fgets(line, sizeof(line), in)) {
		bool here = server.at && strncmp(line, server.at, strlen(server.at)) == 0;
		const char *answer = here ? server.says : usual(line);

		buf_str(&server.commands, line);
		if (!*answer)
			break;
		if (*answer == '-')
			continue;
		say(fd, answer);
		if (strncmp(answer, "354", 3) != 0)
			continue;
		if (!read_data(in))
			break;
		here = server.at && strcmp(server.at, ".") == 0;
		if (here && !*server.says)
			break;
		if (here && *server.says == '-')
			continue;
		say(fd, here ? server.says : "250 queued");
	}
	fclose(in);
	return NULL;
}

static void start(const char *at, const char *says)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);

	server.at = at;
	server.says = says;
	server.commands = server.data = (struct buf)BUF_INIT;
	server.listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(server.listener, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(server.listener, 1), 0);
	assert_int_equal(getsockname(server.listener, (struct sockaddr *)&a, &len), 0);
	snprintf(server.url, sizeof(server.url), "smtp://127.0.0.1:%d", ntohs(a.sin_port));
	assert_int_equal(pthread_create(&server.thread, NULL, serve, NULL), 0);
}

static void stop(void)
{
	pthread_join(server.thread, NULL);
	close(server.listener);
	buf_free(&server.commands);
	buf_free(&server.data);
}

static int begun, refuse;

static int begin(void *arg, struct error *e)
{
	(void)arg;
	begun++;
	return refuse ? error_set(e, refuse, "not now") : 0;
}

static int polled;

/* Cancels as soon as the message has begun to leave. */
static bool when_begun(void *arg)
{
	(void)arg;
	polled++;
	return begun > 0;
}

static const char message[] = "From: a@b.example\nSubject: x\n\n.dot\nlast line";

static int send_it(void)
{
	const struct smtp s = { .url = server.url, .timeout_ms = 10000, .begin = begin };
	const char *const to[] = { "c@d.example", "e@f.example" };

	err = (struct error)ERROR_INIT;
	begun = 0;
	return smtp_send(&s, "a@b.example", to, 2, message, strlen(message), &err);
}

static void test_sends(void **state)
{
	(void)state;
	start(NULL, NULL);
	if (send_it())
		fail_msg("%s", err.msg);
	assert_int_equal(begun, 1);
	pthread_join(server.thread, NULL);
	assert_non_null(strstr(buf_cstr(&server.commands), "MAIL FROM:<a@b.example>"));
	assert_non_null(strstr(buf_cstr(&server.commands), "RCPT TO:<c@d.example>\r\n"
							   "RCPT TO:<e@f.example>\r\n"));
	assert_string_equal(buf_cstr(&server.data),
			    "From: a@b.example\r\nSubject: x\r\n\r\n.dot\r\n"
			    "last line\r\n");
	close(server.listener);
	buf_free(&server.commands);
	buf_free(&server.data);
}

static const struct {
	const char *at, *says;
	int r, begun;
	const char *why;
} rows[] = {
	{ "RCPT", "550 no such user", -EPERM, 0, "550 no such user" },
	{ "RCPT", "451 try later", -EAGAIN, 0, "451 try later" },
	{ "MAIL", "552 too much", -EPERM, 0, "552 too much" },
	{ "DATA", "421 closing", -EAGAIN, 0, "421 closing" },
	{ ".", "554 is spam", -EPERM, 1, "554 is spam" },
	{ ".", "450 later", -EAGAIN, 1, "450 later" },
	/* after the message nobody knows; before it nothing has left */
	{ ".", "", -EIO, 1, "127.0.0.1" },
	{ "EHLO", "", -EAGAIN, 0, "127.0.0.1" },
};

static void test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int r;

		start(rows[i].at, rows[i].says);
		r = send_it();
		if (r != rows[i].r || begun != rows[i].begun || !strstr(err.msg, rows[i].why))
			fail_msg("row %zu: %d, begun %d: %s", i, r, begun, err.msg);
		stop();
	}
}

static void test_begin_refuses(void **state)
{
	(void)state;
	start(NULL, NULL);
	refuse = -ENOENT;
	assert_int_equal(send_it(), -ENOENT);
	assert_string_equal(err.msg, "not now");
	refuse = 0;
	assert_int_equal(server.data.len, 0);
	stop();
}

static void test_nobody_there(void **state)
{
	(void)state;
	start(NULL, NULL);
	assert_int_equal(send_it(), 0);
	stop(); /* the port is closed now */
	assert_int_equal(send_it(), -EAGAIN);
	assert_int_equal(begun, 0);
}

/* A message that was taken is sent, whatever becomes of the farewell. */
static void test_no_farewell(void **state)
{
	int64_t before = clock_real_mono_us();

	(void)state;
	start("QUIT", "-");
	if (send_it())
		fail_msg("%s", err.msg);
	assert_true(clock_real_mono_us() - before < 8 * US_PER_S);
	stop();
}

/* Who is told to stop does not wait for an answer that does not come. */
static void test_cancelled(void **state)
{
	static const char *const to[] = { "c@d.example" };
	struct smtp s = { .timeout_ms = 60000, .begin = begin, .cancelled = when_begun };
	int64_t before = clock_real_mono_us();

	(void)state;
	start(".", "-");
	s.url = server.url;
	begun = 0;
	assert_int_equal(smtp_send(&s, "a@b.example", to, 1, message, strlen(message), &err), -EIO);
	assert_int_equal(begun, 1);
	assert_true(polled > 0);
	assert_true(clock_real_mono_us() - before < 8 * US_PER_S);
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sends),	      cmocka_unit_test(test_answers),
		cmocka_unit_test(test_begin_refuses), cmocka_unit_test(test_nobody_there),
		cmocka_unit_test(test_no_farewell),   cmocka_unit_test(test_cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
