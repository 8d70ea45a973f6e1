/* SPDX-License-Identifier: MIT */
#include "agent/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/qmp.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/path.h"

/* It takes some milliseconds. */
#define TAKE_TIMEOUT_MS 20000
#define CAPABILITIES "{\"capabilities\":[{\"capability\":\"x-ignore-shared\",\"state\":true}]}"

int snapshot_memory(int64_t size_bytes, int *ret_fd, struct error *err)
{
	CLEANUP(close_p) int fd = -1;
	int r = fd_memory("faultline-ram", &fd);

	if (!r && ftruncate(fd, size_bytes) < 0)
		r = -errno;
	if (r < 0)
		return error_errno(err, r, "the memory of a machine");
	*ret_fd = steal_fd(&fd);
	return 0;
}

/* Through /proc, because a copy of the descriptor would share its offset. */
int snapshot_open_state(const struct snapshot *s, int *ret_fd, struct error *err)
{
	char path[40];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", s->state_fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, -errno, "a snapshot's state");
	*ret_fd = fd;
	return 0;
}

void snapshot_restore_words(int state_fd, struct buf *out)
{
	char uri[40];

	snprintf(uri, sizeof(uri), "{\"uri\":\"fd:%d\"}", state_fd);
	qmp_format(out, "qmp_capabilities", NULL);
	qmp_format(out, "migrate-set-capabilities", CAPABILITIES);
	qmp_format(out, "migrate-incoming", uri);
}

/* 1 = completed, 0 = not yet, or an error. */
static int migration_state(struct qmp *q, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	const char *status = "", *why = "no reason given";
	struct jval v;
	int r = qmp_command(q, "query-migrate", NULL, -1, &o, err);

	if (r < 0)
		return r;
	v = json_root(o);
	r = json_as_obj(&v, err);
	if (!r)
		r = json_opt_str(&v, "status", 40, &status, err);
	if (!r)
		r = json_opt_str(&v, "error-desc", 4096, &why, err);
	if (r < 0)
		return error_wrap(err, -EPROTO, "QEMU's migration");
	if (strcmp(status, "failed") == 0 || strcmp(status, "cancelled") == 0)
		return error_set(err, -EIO, "QEMU's migration %s: %.160s", status, why);
	return strcmp(status, "completed") == 0;
}

/* The guest runs until the last moment, so that a restored one runs without being told to. */
static int migrate(struct qmp *q, int state_fd, struct error *err)
{
	int r = qmp_command(q, "migrate-set-capabilities", CAPABILITIES, -1, NULL, err);

	if (!r)
		r = qmp_command(q, "getfd", "{\"fdname\":\"state\"}", state_fd, NULL, err);
	if (!r)
		r = qmp_command(q, "migrate", "{\"uri\":\"fd:state\"}", -1, NULL, err);
	while (!r) {
		r = migration_state(q, err);
		if (!r)
			poll(NULL, 0, 1);
	}
	return r < 0 ? r : 0;
}

/* Only possible once nobody has the file mapped for writing. */
static int seal(int fd, struct error *err)
{
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return error_errno(err, -errno, "cannot seal a snapshot");
	return 0;
}

int snapshot_take(struct machine *m, struct snapshot **ret, struct error *err)
{
	struct qmp q = { .cancelled = m->opts.cancelled, .arg = m->opts.arg };
	int64_t start = clock_real_mono_us();
	CLEANUP(close_p) int state = -1;
	struct snapshot *s;
	int r = fd_memory("faultline-state", &state);

	if (r < 0) {
		r = error_errno(err, r, "a snapshot's state");
	} else {
		r = qmp_open(&q, m->qmp_fd, TAKE_TIMEOUT_MS, err);
		if (!r)
			r = migrate(&q, state, err);
		qmp_free(&q);
	}
	machine_stop(m);
	if (!r)
		r = seal(m->ram_fd, err);
	if (!r)
		r = seal(state, err);
	if (r < 0)
		return r;
	s = xcalloc(1, sizeof(*s));
	s->ram_fd = steal_fd(&m->ram_fd);
	s->state_fd = steal_fd(&state);
	s->release = xstrdup(m->release);
	s->took_us = clock_real_mono_us() - start;
	*ret = s;
	return 0;
}

void snapshot_free(struct snapshot *s)
{
	if (!s)
		return;
	close(s->ram_fd);
	close(s->state_fd);
	free(s->release);
	free(s);
}
