/* SPDX-License-Identifier: MIT */
#include "agent/machine.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/path.h"

#define QEMU_SAYS_MAX 4096
/* How often a caller's wish to stop is looked at, and a QEMU that has gone without closing. */
#define TICK_MS 100
/* The reset after a panic takes microseconds; QEMU's exit some ten milliseconds. */
#define PANIC_EXIT_MS 5000
/* The console comes in single bytes: after each read it may fill for so long, so that a log does
 * not wake us, and take a CPU from the machine, once a byte. Its pipe holds much more. */
#define CONSOLE_REST_MS 5
/* From the last record to its mark on the console: both are written by one task, one after the
 * other; what is waited for is the host's scheduling. */
#define MARK_WAIT_MS 2000
/* Between two points the guest only builds and tears down fixtures. */
#define BETWEEN_MS 10000

enum { CHANNEL_RESULTS, CHANNEL_CONSOLE, CHANNEL_STDERR, CHANNEL_COUNT };

static void set_deadline(struct machine *m, int64_t in_ms)
{
	m->deadline_us = clock_real_mono_us() + in_ms * US_PER_MS;
}

/* --- records ------------------------------------------------------------------------------ */

static int case_deadline_ms(const struct machine *m, int64_t id)
{
	for (size_t i = 0; i < m->n_cases; i++)
		if (m->cases[i].expect.id == id)
			return m->cases[i].deadline_ms;
	return 0;
}

static void on_begin(struct machine *m, const struct collect_event *e)
{
	ARRAY_RESERVE(m->points, m->n_points, m->cap_points);
	m->points[m->n_points++] = (struct machine_point){
		.record = { .id = e->id, .nth = e->nth, .outcome = POINT_LOST, .hits = -1 },
	};
	m->open = true;
	set_deadline(m, (int64_t)case_deadline_ms(m, e->id) + m->opts.grace_ms);
}

void machine_record(void *arg, const struct collect_event *e)
{
	struct machine *m = arg;

	switch (e->type) {
	case COLLECT_READY:
		m->release = xstrdup(e->release);
		m->boot_us = clock_real_mono_us() - m->started_us;
		break;
	case COLLECT_BEGIN:
		on_begin(m, e);
		break;
	case COLLECT_RESULT:
		m->points[m->n_points - 1].record = *e->point;
		*e->point = (struct point){ 0 };
		m->open = false;
		if (!m->result_us)
			m->result_us = clock_real_mono_us() - m->started_us;
		set_deadline(m, BETWEEN_MS + m->opts.grace_ms);
		break;
	case COLLECT_CALIBRATION:
	case COLLECT_CASE:
		set_deadline(m, BETWEEN_MS + m->opts.grace_ms);
		break;
	case COLLECT_BAIL:
		m->bailed = true;
		break;
	case COLLECT_END:
		m->answered = true;
		break;
	}
}

/* --- channels ----------------------------------------------------------------------------- */

static void feed(struct machine *m, int channel, const char *data, size_t len)
{
	struct error err = ERROR_INIT;

	if (channel == CHANNEL_CONSOLE) {
		console_feed(&m->console, data, len);
	} else if (channel == CHANNEL_STDERR) {
		if (m->qemu_says.len < QEMU_SAYS_MAX)
			buf_add(&m->qemu_says, data, len);
	} else if (!m->broken_by && collect_feed(&m->collect, data, len, &err) < 0) {
		/* the guest's own words may be in it, and are not to be trusted, least of all now */
		m->broken_by = str_printable(err.msg, strlen(err.msg));
	}
}

static int *channel_fd(struct machine *m, int channel)
{
	int *const fds[] = { &m->results_fd, &m->console_fd, &m->stderr_fd };

	return fds[channel];
}

/* One read, so that a flooding channel cannot starve the others. True if there may be more. */
static bool channel_read(struct machine *m, int channel)
{
	int *fd = channel_fd(m, channel);
	char data[65536];
	ssize_t n;

	if (*fd < 0)
		return false;
	n = read(*fd, data, sizeof(data));
	if (n > 0) {
		feed(m, channel, data, (size_t)n);
		return true;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	close(*fd);
	*fd = -1;
	return false;
}

static void send_some(struct machine *m)
{
	ssize_t n;

	if (!m->out.len || m->results_fd < 0)
		return;
	n = send(m->results_fd, m->out.data, m->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n > 0)
		buf_consume(&m->out, (size_t)n);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		buf_reset(&m->out); /* the other end is gone; reading will tell */
}

/* QEMU has ended: what it wrote before is still in the channels. */
static void drain(struct machine *m)
{
	for (int i = 0; i < CHANNEL_COUNT; i++) {
		while (channel_read(m, i))
			if (i == CHANNEL_CONSOLE && console_flooded(&m->console))
				break;
		if (*channel_fd(m, i) >= 0) {
			close(*channel_fd(m, i));
			*channel_fd(m, i) = -1;
		}
	}
	console_end(&m->console);
}

static void look_for_exit(struct machine *m)
{
	if (m->exited || proc_wait(&m->proc, 0, &m->status, NULL) != 1)
		return;
	m->exited = true;
	drain(m);
}

/* How long poll() may wait, in ms: until_us, one tick, the console's rest; and briefly when a
 * channel is closed, because then QEMU is about to exit. */
static int poll_ms(const struct machine *m, int64_t until_us, bool resting)
{
	int64_t now = clock_real_mono_us();
	int64_t ms = (until_us - now) / US_PER_MS + 1;

	if (resting && ms > (m->console_rest_us - now) / US_PER_MS + 1)
		ms = (m->console_rest_us - now) / US_PER_MS + 1;
	if ((m->results_fd < 0 || m->console_fd < 0) && ms > 5)
		ms = 5;
	return ms < 0 ? 0 : ms > TICK_MS ? TICK_MS : (int)ms;
}

/* Waits until something happens on a channel or `until_us`, one tick at most. */
static void pump(struct machine *m, int64_t until_us)
{
	bool resting = clock_real_mono_us() < m->console_rest_us;
	struct pollfd p[CHANNEL_COUNT];
	int n;

	for (int i = 0; i < CHANNEL_COUNT; i++)
		p[i] = (struct pollfd){ .fd = *channel_fd(m, i), .events = POLLIN };
	if (m->out.len)
		p[CHANNEL_RESULTS].events |= POLLOUT;
	if (resting)
		p[CHANNEL_CONSOLE].fd = -1;
	n = poll(p, CHANNEL_COUNT, poll_ms(m, until_us, resting));
	if (n <= 0 && !resting) {
		look_for_exit(m);
		return;
	}
	if (p[CHANNEL_RESULTS].revents & POLLOUT)
		send_some(m);
	if (p[CHANNEL_CONSOLE].revents && channel_read(m, CHANNEL_CONSOLE))
		m->console_rest_us = clock_real_mono_us() + CONSOLE_REST_MS * US_PER_MS;
	if (p[CHANNEL_RESULTS].revents & ~POLLOUT)
		channel_read(m, CHANNEL_RESULTS);
	if (p[CHANNEL_STDERR].revents)
		channel_read(m, CHANNEL_STDERR);
	if (m->results_fd < 0 || m->console_fd < 0)
		look_for_exit(m);
}

/* --- ends --------------------------------------------------------------------------------- */

static enum machine_end exit_end(const struct machine *m)
{
	if (WIFEXITED(m->status) && WEXITSTATUS(m->status) == 0)
		return MACHINE_RESET;
	return MACHINE_QEMU_DIED;
}

void machine_stop(struct machine *m)
{
	if (!m->exited) {
		proc_end(&m->proc, 0);
		m->exited = true;
		drain(m);
	}
}

/* MACHINE_ALIVE while there is no reason to give the machine up. */
static enum machine_end look(struct machine *m)
{
	if (m->opts.cancelled && m->opts.cancelled(m->opts.arg))
		return MACHINE_HOST_STOP;
	if (m->broken_by)
		return MACHINE_GARBAGE;
	if (console_flooded(&m->console))
		return MACHINE_FLOOD;
	if (m->exited)
		return exit_end(m);
	if (clock_real_mono_us() > m->deadline_us)
		return MACHINE_SILENT;
	return MACHINE_ALIVE;
}

/* After a panic the reset is due: it needs no more than the point's own deadline. */
static enum machine_end await_reset(struct machine *m)
{
	set_deadline(m, PANIC_EXIT_MS);
	while (!m->exited && clock_real_mono_us() < m->deadline_us && !console_flooded(&m->console))
		pump(m, m->deadline_us);
	if (!m->exited) {
		machine_stop(m);
		return MACHINE_RESET;
	}
	return exit_end(m);
}

/* One step of waiting; MACHINE_ALIVE as long as it makes sense to go on. */
static enum machine_end step(struct machine *m)
{
	pump(m, m->deadline_us);
	if (m->console.panicked && !m->exited && !m->broken_by)
		return await_reset(m);
	return look(m);
}

/* --- points ------------------------------------------------------------------------------- */

/* A point that was skipped has no fixture and leaves no marks. */
static bool is_skipped(const struct machine_point *p)
{
	return p->record.outcome == POINT_SKIP;
}

static void close_point(struct machine *m, struct machine_point *p, enum machine_end end)
{
	bool over = is_skipped(p);

	p->log = console_find(&m->console, p->record.id, p->record.nth);
	if (p->log && (p->log->ended || console_is_past(&m->console, p->log)))
		over = true;
	/* A machine that ended after the point was over ended in nobody's point. */
	p->end = p->record.outcome != POINT_LOST && over ? MACHINE_ALIVE : end;
	m->fn(m->arg, p);
	point_free(&p->record);
	if (p->log)
		console_release(p->log);
}

/* True once nothing can be added to the point's log any more. */
static bool is_closed(const struct machine *m, size_t i)
{
	const struct machine_point *p = &m->points[i];
	const struct console_point *log;

	if (m->open && i + 1 == m->n_points)
		return false;
	log = console_find(&m->console, p->record.id, p->record.nth);
	return log ? console_is_past(&m->console, log) : is_skipped(p);
}

/* Hands over the points that are closed; with `all` every one. */
static void close_points(struct machine *m, bool all, enum machine_end end)
{
	size_t i = 0;

	while (i < m->n_points && (all || is_closed(m, i)))
		close_point(m, &m->points[i++], end);
	if (!i)
		return;
	memmove(m->points, m->points + i, (m->n_points - i) * sizeof(*m->points));
	m->n_points -= i;
}

/* The last record came; its mark on the console is on its way. */
static void await_mark(struct machine *m)
{
	int64_t until = clock_real_mono_us() + MARK_WAIT_MS * US_PER_MS;
	size_t last = m->n_points;

	while (last && is_skipped(&m->points[last - 1]))
		last--;
	while (last && !m->exited && m->console_fd >= 0 && clock_real_mono_us() < until) {
		const struct point *p = &m->points[last - 1].record;
		const struct console_point *log = console_find(&m->console, p->id, p->nth);

		if (log && log->ended)
			return;
		pump(m, until);
	}
}

void machine_request_text(const char *lead, const struct machine_case *cases, size_t n,
			  const char *verb, struct buf *out)
{
	buf_str(out, "faultline-request 1\n");
	buf_str(out, lead ? lead : "");
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%s\n", cases[i].line);
	buf_printf(out, "%s\n", verb);
}

static void send_request(struct machine *m)
{
	struct collect_case *expect = xcalloc(m->n_cases, sizeof(*expect));

	for (size_t i = 0; i < m->n_cases; i++) {
		expect[i] = m->cases[i].expect;
		expect[i].only_skip = m->lead != NULL;
	}
	collect_expect(&m->collect, expect, m->n_cases);
	free(expect);
	if (m->brought_request)
		return;
	machine_request_text(m->lead, m->cases, m->n_cases, m->lead ? "skips" : "run", &m->out);
	send_some(m);
}

/* A machine that brought its request ends by itself, and says so: all of its console belongs to
 * what is the same every time. */
static void await_exit(struct machine *m)
{
	set_deadline(m, BETWEEN_MS + m->opts.grace_ms);
	while (!m->exited && look(m) == MACHINE_ALIVE)
		pump(m, m->deadline_us);
}

enum machine_end machine_run(struct machine *m, const struct machine_case *cases, size_t n,
			     machine_point_fn fn, void *arg)
{
	enum machine_end end = MACHINE_ALIVE;

	m->cases = cases;
	m->n_cases = n;
	m->fn = fn;
	m->arg = arg;
	m->answered = m->bailed = m->open = false;
	set_deadline(m, (int64_t)m->opts.boot_timeout_ms + m->opts.grace_ms);
	send_request(m);
	while (!m->answered && !m->bailed && end == MACHINE_ALIVE) {
		size_t pieces = m->console.n;

		end = step(m);
		if (m->console.n != pieces)
			close_points(m, false, MACHINE_ALIVE);
	}
	if (end == MACHINE_ALIVE || m->answered)
		await_mark(m);
	if (end == MACHINE_ALIVE && m->brought_request)
		await_exit(m);
	if (end != MACHINE_ALIVE)
		machine_stop(m);
	close_points(m, true, end);
	return end;
}

enum machine_end machine_learn(struct machine *m, const char *lines,
			       const struct machine_case *cases, size_t n, machine_point_fn fn,
			       void *arg)
{
	enum machine_end end;

	m->lead = lines;
	end = machine_run(m, cases, n, fn, arg);
	m->lead = NULL;
	return end;
}

bool machine_has_answered(const struct machine *m)
{
	return m->collect.state != COLLECT_WAIT_READY && m->collect.state != COLLECT_WAIT_HEAD;
}

/* --- life --------------------------------------------------------------------------------- */

enum machine_end machine_boot(struct machine *m)
{
	enum machine_end end = MACHINE_ALIVE;

	set_deadline(m, m->opts.boot_timeout_ms);
	while (!m->release && end == MACHINE_ALIVE)
		end = step(m);
	if (end != MACHINE_ALIVE)
		machine_stop(m);
	return end;
}

void machine_free(struct machine *m)
{
	if (!m)
		return;
	if (m->proc.pid > 0)
		proc_end(&m->proc, 0);
	for (int i = 0; i < CHANNEL_COUNT; i++)
		if (*channel_fd(m, i) >= 0)
			close(*channel_fd(m, i));
	close_p(&m->qmp_fd);
	close_p(&m->ram_fd);
	for (size_t i = 0; i < m->n_points; i++)
		point_free(&m->points[i].record);
	free(m->points);
	console_free(&m->console);
	collect_free(&m->collect);
	buf_free(&m->out);
	buf_free(&m->qemu_says);
	free(m->release);
	free(m->broken_by);
	free(m);
}
