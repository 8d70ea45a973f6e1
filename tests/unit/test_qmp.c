/* SPDX-License-Identifier: MIT */
/* The monitor's client against answers that are right, wrong, late and hostile. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/qmp.h"
#include "lib/clean.h"
#include "lib/clock.h"

#define GREETING "{\"QMP\":{\"version\":{},\"capabilities\":[\"oob\"]}}\r\n"
#define OK "{\"return\":{}}\r\n"
#define EVENT "{\"timestamp\":{\"seconds\":1,\"microseconds\":2},\"event\":\"STOP\"}\r\n"

static int ours, theirs;

static void connect_monitor(const char *text)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	ours = fds[0];
	theirs = fds[1];
	assert_int_equal(write(theirs, text, strlen(text)), (ssize_t)strlen(text));
}

static void disconnect(void)
{
	close(ours);
	if (theirs >= 0)
		close(theirs);
}

/* What qmp_open() and one command make of these bytes, after which nothing more comes. */
static int talk(const char *text, struct json_object **ret, struct error *err)
{
	struct qmp q = { 0 };
	int r;

	connect_monitor(text);
	shutdown(theirs, SHUT_WR);
	r = qmp_open(&q, ours, 5000, err);
	if (!r)
		r = qmp_command(&q, "query-migrate", NULL, -1, ret, err);
	qmp_free(&q);
	disconnect();
	return r;
}

static void a_conversation(void **state)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct error err = ERROR_INIT;
	struct json_object *status;
	struct qmp q = { 0 };
	char said[400] = "";

	(void)state;
	connect_monitor(GREETING EVENT OK EVENT EVENT
			"{\"return\":{\"status\":\"active\"}}\r\n" OK);
	assert_int_equal(qmp_open(&q, ours, 5000, &err), 0);
	assert_int_equal(qmp_command(&q, "query-migrate", NULL, -1, &o, &err), 0);
	assert_true(json_object_object_get_ex(o, "status", &status));
	assert_string_equal(json_object_get_string(status), "active");
	assert_int_equal(qmp_command(&q, "migrate", "{\"uri\":\"fd:x\"}", -1, NULL, &err), 0);
	assert_true(read(theirs, said, sizeof(said) - 1) > 0);
	assert_string_equal(said, "{\"execute\":\"qmp_capabilities\"}\n"
				  "{\"execute\":\"query-migrate\"}\n"
				  "{\"execute\":\"migrate\",\"arguments\":{\"uri\":\"fd:x\"}}\n");
	qmp_free(&q);
	disconnect();
}

/* The descriptor that goes along is the same file. */
static void a_descriptor_goes_along(void **state)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char said[200];
	struct iovec iov = { .iov_base = said, .iov_len = sizeof(said) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	struct error err = ERROR_INIT;
	struct qmp q = { 0 };
	int pipe_fds[2], got;
	char c = 0;

	(void)state;
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	connect_monitor(GREETING OK OK);
	assert_int_equal(qmp_open(&q, ours, 5000, &err), 0);
	assert_true(recv(theirs, said, sizeof(said), 0) > 0); /* qmp_capabilities */
	assert_int_equal(qmp_command(&q, "getfd", "{\"fdname\":\"s\"}", pipe_fds[1], NULL, &err),
			 0);
	assert_true(recvmsg(theirs, &msg, 0) > 0);
	assert_non_null(CMSG_FIRSTHDR(&msg));
	memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(got));
	assert_int_equal(write(got, "x", 1), 1);
	assert_int_equal(read(pipe_fds[0], &c, 1), 1);
	assert_int_equal(c, 'x');
	close(got);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	qmp_free(&q);
	disconnect();
}

static void a_refusal_is_quoted(void **state)
{
	struct error err = ERROR_INIT;

	(void)state;
	assert_int_equal(talk(GREETING OK "{\"error\":{\"class\":\"GenericError\",\"desc\":"
					  "\"State blocked by \\u001b[31mdevice\"}}\r\n",
			      NULL, &err),
			 -EIO);
	assert_string_equal(err.msg, "QEMU refuses query-migrate: State blocked by ?[31mdevice");
	assert_int_equal(talk(GREETING OK "{\"error\":[]}\r\n", NULL, &err), -EIO);
	assert_int_equal(talk(GREETING OK "{\"error\":{\"desc\":7}}\r\n", NULL, &err), -EIO);
}

static void hostile_words(void **state)
{
	static const struct {
		const char *text;
		int r;
	} cases[] = {
		{ "", -EPIPE },
		{ "{\"QMP\"", -EPIPE },
		{ "SSH-2.0-OpenSSH\r\n", -EPROTO },
		{ "[]\r\n", -EPROTO },
		{ "7\r\n", -EPROTO },
		{ OK, -EPROTO },
		{ GREETING, -EPIPE },
		{ GREETING "{\"return\":}\r\n", -EPROTO },
		{ GREETING OK "{\"answer\":1}\r\n", -EPROTO },
		{ GREETING OK EVENT, -EPIPE },
		{ GREETING OK "{\"return\":{},\"return\":{}}\r\n", -EPROTO },
		{ GREETING OK "{\"return\":\"\xff\xfe\"}\r\n", -EPROTO },
	};
	struct error err = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int r = talk(cases[i].text, NULL, &err);

		if (r != cases[i].r)
			fail_msg("%s: %d, %s", cases[i].text, r, err.msg);
	}
}

/* Neither a line nor a flood of events without end takes more than its cap. */
static void endless_words(void **state)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	buf_str(&text, GREETING OK "{\"return\":\"");
	while (text.len < 100000)
		buf_str(&text, "xxxxxxxxxxxxxxxx");
	assert_int_equal(talk(buf_cstr(&text), NULL, &err), -EPROTO);
	assert_non_null(strstr(err.msg, "a line of more than"));
}

static bool yes(void *arg)
{
	(void)arg;
	return true;
}

static void silence(void **state)
{
	struct error err = ERROR_INIT;
	int64_t start = clock_real_mono_us();
	struct qmp q = { 0 };

	(void)state;
	connect_monitor(GREETING);
	assert_int_equal(qmp_open(&q, ours, 50, &err), -ETIMEDOUT);
	assert_true(clock_real_mono_us() - start >= 40 * US_PER_MS);
	qmp_free(&q);
	q.cancelled = yes;
	assert_int_equal(qmp_open(&q, ours, 60000, &err), -ECANCELED);
	qmp_free(&q);
	disconnect();
	connect_monitor(GREETING);
	close(theirs);
	theirs = -1;
	q.cancelled = NULL;
	assert_int_equal(qmp_open(&q, ours, 5000, &err), -EPIPE);
	qmp_free(&q);
	disconnect();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_conversation),      cmocka_unit_test(a_descriptor_goes_along),
		cmocka_unit_test(a_refusal_is_quoted), cmocka_unit_test(hostile_words),
		cmocka_unit_test(endless_words),       cmocka_unit_test(silence),
	};

	return cmocka_run_group_tests_name("qmp", tests, NULL, NULL);
}
