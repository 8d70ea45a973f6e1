/* SPDX-License-Identifier: MIT */
/* How a machine comes to life: its channels, and the QEMU that inherits them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/initramfs.h"
#include "agent/machine.h"
#include "agent/snapshot.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/path.h"

#define INITRAMFS_BYTES_MAX (80 << 20) /* a program of 64 MiB and what is around it */
#define CONSOLE_PIPE_BYTES (1 << 20) /* /proc/sys/fs/pipe-max-size */

static int console_pipe(int *ret_ours, int *ret_theirs, struct error *err)
{
	int fds[2];
	int r = fd_pipe(fds);

	if (r < 0)
		return error_errno(err, r, "cannot make a channel");
	/* A smaller pipe works as well while we keep up. */
	(void)fcntl(fds[1], F_SETPIPE_SZ, CONSOLE_PIPE_BYTES);
	(void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
	*ret_ours = fds[0];
	*ret_theirs = fds[1];
	return 0;
}

static int channel_pair(int *ret_ours, int *ret_theirs, struct error *err)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return error_errno(err, -errno, "cannot make a channel");
	(void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
	*ret_ours = fds[0];
	*ret_theirs = fds[1];
	return 0;
}

/* The ends that QEMU inherits; -1 = none. */
struct inherited {
	int results, console, says, monitor, memory, state, initramfs;
};

static void inherited_close(struct inherited *i)
{
	close_p(&i->results);
	close_p(&i->console);
	close_p(&i->says);
	close_p(&i->monitor);
	close_p(&i->memory);
	close_p(&i->state);
	close_p(&i->initramfs);
}

/* What the monitor is to do is in its socket before QEMU runs: nobody waits for anybody. */
static int ask_to_restore(struct machine *m, struct error *err)
{
	CLEANUP(buf_free) struct buf words = BUF_INIT;

	snapshot_restore_words(QEMU_FD_STATE, &words);
	if (send(m->qmp_fd, words.data, words.len, MSG_NOSIGNAL) != (ssize_t)words.len)
		return error_errno(err, -errno, "cannot talk to QEMU's monitor");
	return 0;
}

static int copy_fd(int fd, int *ret, struct error *err)
{
	*ret = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return *ret < 0 ? error_errno(err, -errno, "cannot copy a descriptor") : 0;
}

static int role_channels(struct machine *m, struct inherited *in, struct error *err)
{
	const struct snapshot *from = m->opts.from;
	int64_t size = (int64_t)m->opts.qemu.memory_mib << 20;
	int r;

	if (m->opts.qemu.role == QEMU_PLAIN)
		return 0;
	r = channel_pair(&m->qmp_fd, &in->monitor, err);
	if (!r && !from)
		r = snapshot_memory(size, &m->ram_fd, err);
	if (!r)
		r = copy_fd(from ? from->ram_fd : m->ram_fd, &in->memory, err);
	if (!r && from)
		r = snapshot_open_state(from, &in->state, err);
	if (!r && from)
		r = ask_to_restore(m, err);
	return r;
}

/* The initramfs with one file more. */
static int initramfs_channel(struct machine *m, struct inherited *in, struct error *err)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	int r;

	if (!m->opts.request)
		return 0;
	r = path_read(m->opts.qemu.initramfs, INITRAMFS_BYTES_MAX, &b, err);
	if (r < 0)
		return r;
	initramfs_write_file("request", m->opts.request, strlen(m->opts.request), &b);
	r = fd_memory("faultline-initramfs", &in->initramfs);
	if (!r)
		r = fd_write_all(in->initramfs, b.data, b.len);
	if (r < 0)
		return error_errno(err, r, "the initramfs with the request");
	m->opts.qemu.own_initramfs = m->brought_request = true;
	m->opts.request = NULL;
	return 0;
}

static int spawn(struct machine *m, const struct inherited *in, struct error *err)
{
	const int more[] = {
		[QEMU_FD_MONITOR - 3] = in->monitor,
		[QEMU_FD_MEMORY - 3] = in->memory,
		[QEMU_FD_STATE - 3] = in->state,
		[QEMU_FD_INITRAMFS - 3] = in->initramfs,
		[QEMU_FD_GDB - 3] = m->opts.gdb_fd ? m->opts.gdb_fd : -1,
	};
	char **argv = qemu_argv(&m->opts.qemu);
	const struct proc_spec spec = { .argv = (const char *const *)argv,
					.stdin_fd = in->results,
					.stdout_fd = in->console,
					.stderr_fd = in->says,
					.more_fds = more,
					.n_more_fds = (int)ARRAY_SIZE(more) };
	int r;

	m->started_us = clock_real_mono_us();
	r = proc_spawn(&spec, &m->proc, err);
	qemu_argv_free(argv);
	return r;
}

int machine_start(const struct machine_opts *opts, struct machine **ret, struct error *err)
{
	CLEANUP(machine_free_p) struct machine *m = xcalloc(1, sizeof(*m));
	CLEANUP(inherited_close) struct inherited in = { -1, -1, -1, -1, -1, -1, -1 };
	int r;

	m->opts = *opts;
	m->opts.qemu.role = opts->from		 ? QEMU_RESTORED
			    : opts->snapshotable ? QEMU_TEMPLATE
						 : QEMU_PLAIN;
	m->opts.qemu.gdb = opts->gdb_fd > 0;
	m->results_fd = m->console_fd = m->stderr_fd = m->qmp_fd = m->ram_fd = -1;
	console_init(&m->console);
	collect_init(&m->collect, machine_record, m);
	r = channel_pair(&m->results_fd, &in.results, err);
	if (!r)
		r = console_pipe(&m->console_fd, &in.console, err);
	if (!r)
		r = channel_pair(&m->stderr_fd, &in.says, err);
	if (!r)
		r = role_channels(m, &in, err);
	if (!r)
		r = initramfs_channel(m, &in, err);
	if (!r)
		r = spawn(m, &in, err);
	if (r < 0)
		return r;
	if (opts->from) {
		m->release = xstrdup(opts->from->release);
		collect_restored(&m->collect);
	}
	*ret = STEAL(m);
	return 0;
}
