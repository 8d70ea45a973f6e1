/* SPDX-License-Identifier: MIT */
/* proc_run() and proc_check(): a child from start to end, with its output, limits and deadline. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/path.h"
#include "lib/proc.h"

#define OUTPUT_DEFAULT_BYTES ((size_t)1 << 20)
#define CANCEL_POLL_MS 100
#define CANCEL_GRACE_MS 1000
/* A process that left the group may hold our pipe: what it writes later is not waited for. */
#define DRAIN_MS 500

struct run {
	const struct proc_run_opts *o;
	struct proc proc;
	int pid_fd;
	int out_fd, err_fd; /* our ends, -1 when closed */
	size_t total;
	size_t max;
	int64_t deadline_ms; /* monotonic; 0 = none */
};

static int64_t now_ms(void)
{
	return clock_real_mono_us() / US_PER_MS;
}

/* Takes what can be read now. 0, -EFBIG past the cap; *fd becomes -1 at its end. */
static int drain(struct run *r, int *fd, struct buf *to)
{
	char chunk[16384];

	while (*fd >= 0) {
		ssize_t n = read(*fd, chunk, sizeof(chunk));
		size_t keep;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n <= 0) {
			close(steal_fd(fd));
			return 0;
		}
		keep = (size_t)n < r->max - r->total ? (size_t)n : r->max - r->total;
		if (to)
			buf_add(to, chunk, keep);
		if (r->o->on_output && keep)
			r->o->on_output(r->o->arg, chunk, keep);
		r->total += keep;
		if (keep < (size_t)n)
			return -EFBIG;
		/* One chunk a turn when it was a full one: the deadline is looked at between. */
		if ((size_t)n == sizeof(chunk))
			return 0;
	}
	return 0;
}

static int drain_both(struct run *r)
{
	int res = drain(r, &r->out_fd, r->o->out);

	return res < 0 ? res : drain(r, &r->err_fd, r->o->err_out);
}

static int poll_timeout(const struct run *r)
{
	int64_t left = r->o->cancelled ? CANCEL_POLL_MS : INT_MAX;

	if (r->deadline_ms) {
		int64_t until = r->deadline_ms - now_ms();

		if (until < left)
			left = until > 0 ? until : 0;
	}
	return left == INT_MAX ? -1 : (int)left;
}

/* Turns until the child has ended (0) or has to be ended (-ETIMEDOUT, -ECANCELED, -EFBIG). */
static int run_loop(struct run *r)
{
	for (;;) {
		struct pollfd p[3] = { { .fd = r->pid_fd, .events = POLLIN },
				       { .fd = r->out_fd, .events = POLLIN },
				       { .fd = r->err_fd, .events = POLLIN } };
		int res;

		if (poll(p, 3, poll_timeout(r)) < 0 && errno != EINTR)
			return -errno;
		res = drain_both(r);
		if (res < 0)
			return res;
		if (p[0].revents)
			return 0;
		if (r->deadline_ms && now_ms() >= r->deadline_ms)
			return -ETIMEDOUT;
		if (r->o->cancelled && r->o->cancelled(r->o->arg))
			return -ECANCELED;
	}
}

/* After the group is gone the pipes end by themselves, unless somebody left the group. */
static int drain_rest(struct run *r)
{
	int64_t until = now_ms() + DRAIN_MS;

	while (r->out_fd >= 0 || r->err_fd >= 0) {
		struct pollfd p[2] = { { .fd = r->out_fd, .events = POLLIN },
				       { .fd = r->err_fd, .events = POLLIN } };
		int64_t left = until - now_ms();
		int res;

		if (left <= 0)
			return 0;
		if (poll(p, 2, (int)left) < 0 && errno != EINTR)
			return -errno;
		res = drain_both(r);
		if (res < 0)
			return res;
	}
	return 0;
}

static int output_pipe(int *ret_ours, int *ret_childs)
{
	int fds[2];
	int r = fd_pipe(fds);

	if (r < 0)
		return r;
	if (fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0) {
		r = -errno;
		close(fds[0]);
		close(fds[1]);
		return r;
	}
	*ret_ours = fds[0];
	*ret_childs = fds[1];
	return 0;
}

/* The input as a file without a name: no pipe to fill while output has to be emptied. */
static int input_file(const void *data, size_t len, int *ret_fd)
{
	CLEANUP(close_p) int fd = memfd_create("input", MFD_CLOEXEC);
	int r;

	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, data, len);
	if (r < 0)
		return r;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	*ret_fd = steal_fd(&fd);
	return 0;
}

static int run_spawn(struct run *r, const struct proc_spec *spec, struct error *err)
{
	struct proc_spec s = *spec;
	CLEANUP(close_p) int in = -1;
	CLEANUP(close_p) int out = -1;
	CLEANUP(close_p) int err_w = -1;
	int res = 0;

	if (r->o->input)
		res = input_file(r->o->input, r->o->input_len, &in);
	if (res == 0 && (r->o->out || r->o->on_output))
		res = output_pipe(&r->out_fd, &out);
	if (res == 0 && r->o->err_out)
		res = output_pipe(&r->err_fd, &err_w);
	if (res < 0)
		return error_errno(err, res, "cannot run '%s'", spec->argv[0]);
	s.stdin_fd = in;
	s.stdout_fd = out;
	s.stderr_fd = r->o->err_out ? err_w : out;
	res = proc_spawn(&s, &r->proc, err);
	if (res < 0)
		return res;
	r->pid_fd = (int)syscall(SYS_pidfd_open, r->proc.pid, 0);
	if (r->pid_fd < 0) {
		res = -errno;
		proc_end(&r->proc, 0);
		return error_errno(err, res, "cannot run '%s'", spec->argv[0]);
	}
	return 0;
}

static int run_finish(struct run *r, int res, const char *name, int *status, struct error *err)
{
	if (res == -ECANCELED)
		proc_end(&r->proc, CANCEL_GRACE_MS);
	else if (res < 0)
		proc_end(&r->proc, 0);
	else
		res = proc_wait(&r->proc, -1, status, err) < 0 ? -EIO : drain_rest(r);
	if (res == -ETIMEDOUT)
		return error_set(err, res, "'%s' took longer than %lld ms", name,
				 (long long)r->o->timeout_ms);
	if (res == -ECANCELED)
		return error_set(err, res, "'%s' was cancelled", name);
	if (res == -EFBIG)
		return error_set(err, res, "'%s' wrote more than %zu bytes", name, r->max);
	return res < 0 ? error_errno(err, res, "running '%s'", name) : 0;
}

int proc_run(const struct proc_spec *spec, const struct proc_run_opts *opts, int *ret_status,
	     struct error *err)
{
	static const struct proc_run_opts none;
	struct run r = { .o = opts ? opts : &none, .pid_fd = -1, .out_fd = -1, .err_fd = -1 };
	int status = 0;
	int res;

	r.max = r.o->output_max_bytes ? r.o->output_max_bytes : OUTPUT_DEFAULT_BYTES;
	r.deadline_ms = r.o->timeout_ms > 0 ? now_ms() + r.o->timeout_ms : 0;
	res = run_spawn(&r, spec, err);
	if (res == 0) {
		res = run_loop(&r);
		res = run_finish(&r, res, spec->argv[0], &status, err);
	}
	close_p(&r.pid_fd);
	close_p(&r.out_fd);
	close_p(&r.err_fd);
	if (res == 0 && ret_status)
		*ret_status = status;
	return res;
}

/* The end of what was written, on one line. Owned. */
static char *tail_of(const struct buf *b, size_t from)
{
	const size_t want = 160;
	CLEANUP(free_p) char *line = NULL;
	size_t end = b->len > from ? b->len : from;
	size_t start;

	while (end > from && strchr(" \r\n\t", b->data[end - 1]))
		end--;
	start = end - from > want ? end - want : from;
	/* Not from the middle of a character. */
	while (start < end && start > from && ((unsigned char)b->data[start] & 0xc0) == 0x80)
		start++;
	line = xstrndup(buf_cstr(b) + start, end - start);
	for (char *p = line; *p; p++)
		if (strchr("\r\n\t", *p))
			*p = ' ';
	return str_printable(line, strlen(line));
}

int proc_check(const struct proc_spec *spec, const struct proc_run_opts *opts, struct error *err)
{
	CLEANUP(buf_free) struct buf own = BUF_INIT;
	CLEANUP(free_p) char *tail = NULL;
	struct proc_run_opts o = { 0 };
	size_t out_start, err_start;
	char text[64];
	int status;
	int r;

	if (opts)
		o = *opts;
	if (!o.out)
		o.out = &own;
	out_start = o.out->len;
	err_start = o.err_out ? o.err_out->len : 0;
	r = proc_run(spec, &o, &status, err);
	if (r < 0)
		return r;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (o.err_out && o.err_out->len > err_start)
		tail = tail_of(o.err_out, err_start);
	else
		tail = tail_of(o.out, out_start);
	return error_set(err, -EIO, "'%s': %s%s%s", spec->argv[0], proc_status_text(status, text),
			 *tail ? ": " : "", tail);
}
