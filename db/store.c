/* SPDX-License-Identifier: MIT */
#include "db/store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "db/store_internal.h"
#include "lib/clock.h"
#include "lib/path.h"

/* Idle readers that are kept: as many as threads usually read at once. */
#define READERS_KEPT 16

struct store {
	char *path; /* of the database */
	int lock_fd;
	struct writer *writer;
	pthread_mutex_t mutex; /* guards the idle readers */
	struct db *idle[READERS_KEPT];
	int n_idle;
};

static int lock_take(const char *dir, int *ret_fd, struct error *err)
{
	CLEANUP(free_p) char *path = xasprintf("%s/lock", dir);
	CLEANUP(close_p) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return error_errno(err, -errno, "%s", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return error_set(err, -EBUSY, "%s: another process has this store open",
					 path);
		return error_errno(err, -errno, "%s", path);
	}
	*ret_fd = steal_fd(&fd);
	return 0;
}

static int open_database(struct store *s, struct error *err)
{
	struct db *db = NULL;
	int r = db_open(s->path, true, &db, err);

	if (!r)
		r = db_migrate(db, err);
	if (!r)
		r = writer_start(db, &s->writer, err);
	if (r < 0)
		db_close(db);
	return r < 0 ? error_wrap(err, r, "%s", s->path) : 0;
}

int store_open(const char *dir, struct store **ret, struct error *err)
{
	struct store *s;
	int r = path_mkdirs(dir, 0700, err);

	if (r < 0)
		return r;
	s = xcalloc(1, sizeof(*s));
	s->lock_fd = -1;
	s->path = xasprintf("%s/faultline.db", dir);
	pthread_mutex_init(&s->mutex, NULL);
	r = lock_take(dir, &s->lock_fd, err);
	if (!r)
		r = open_database(s, err);
	if (r < 0) {
		store_close(s);
		return r;
	}
	*ret = s;
	return 0;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	/* Readers first: the last one to close empties the write-ahead log, and only the writer
	 * may do that. */
	for (int i = 0; i < s->n_idle; i++)
		db_close(s->idle[i]);
	writer_stop(s->writer);
	pthread_mutex_destroy(&s->mutex);
	close_p(&s->lock_fd);
	free(s->path);
	free(s);
}

int store_write(struct store *s, write_fn fn, void *arg, struct error *err)
{
	return writer_do(s->writer, fn, arg, err);
}

void store_counts(struct store *s, int64_t *ret_writes, int64_t *ret_groups)
{
	writer_counts(s->writer, ret_writes, ret_groups);
}

void store_on_events(struct store *s, void (*fn)(void *arg), void *arg)
{
	writer_on_events(s->writer, fn, arg);
}

void store_on_queued(struct store *s, void (*fn)(void *arg), void *arg)
{
	writer_on_queued(s->writer, fn, arg);
}

int reader_begin(struct reader *rd, struct store *s, struct error *err)
{
	struct db *db = NULL;
	int r = 0;

	pthread_mutex_lock(&s->mutex);
	if (s->n_idle)
		db = s->idle[--s->n_idle];
	pthread_mutex_unlock(&s->mutex);
	if (!db)
		r = db_open(s->path, false, &db, err);
	if (!r)
		r = db_run(db, Q_BEGIN_READ, NO_ARGS, NULL, err);
	if (r < 0) {
		db_close(db);
		return r;
	}
	*rd = (struct reader){ .store = s, .db = db };
	return 0;
}

void reader_end(struct reader *rd)
{
	struct store *s = rd->store;
	struct db *db = rd->db;

	if (!db)
		return;
	rd->db = NULL;
	if (db_run(db, Q_COMMIT, NO_ARGS, NULL, NULL) < 0) {
		db_close(db);
		return;
	}
	pthread_mutex_lock(&s->mutex);
	if (s->n_idle < READERS_KEPT) {
		s->idle[s->n_idle++] = db;
		db = NULL;
	}
	pthread_mutex_unlock(&s->mutex);
	db_close(db);
}

struct statement {
	enum db_query name;
	const struct arg *args;
	int n;
	int *ret_changes;
	int64_t *ret_id; /* NULL: the statement returns no row */
};

static int tx_statement(struct db *db, void *arg, struct error *err)
{
	const struct statement *st = arg;

	if (st->ret_id)
		return db_find(db, st->name, st->args, st->n, st->ret_id, err);
	return db_run(db, st->name, st->args, st->n, st->ret_changes, err);
}

int store_run(struct store *s, enum db_query name, const struct arg *args, int n, int *ret_changes,
	      struct error *err)
{
	struct statement st = { .name = name, .args = args, .n = n, .ret_changes = ret_changes };

	return store_write(s, tx_statement, &st, err);
}

int store_insert(struct store *s, enum db_query name, const struct arg *args, int n,
		 int64_t *ret_id, struct error *err)
{
	int64_t id;
	struct statement st = { .name = name, .args = args, .n = n, .ret_id = &id };
	int r = store_write(s, tx_statement, &st, err);

	if (r == 1)
		*ret_id = id;
	return r;
}

int store_check(struct store *s, struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	int64_t now = clock_now_us(), seen;
	int r = store_run(s, Q_HEALTH_WRITE, ARGS(I(now)), NULL, err);

	if (!r)
		r = reader_begin(&rd, s, err);
	if (!r)
		r = db_find(rd.db, Q_HEALTH_READ, NO_ARGS, &seen, err);
	return r == 0  ? error_set(err, -EIO, "database: what was written is not there")
	       : r < 0 ? r
		       : 0;
}

static int copy_database(sqlite3 *from, const char *path, struct error *err)
{
	sqlite3 *to = NULL;
	sqlite3_backup *b = NULL;
	int r = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);

	if (r == SQLITE_OK)
		b = sqlite3_backup_init(to, "main", from, "main");
	/* In one step, inside the reader's transaction: one moment, whatever is being written. */
	if (b && sqlite3_backup_step(b, -1) == SQLITE_DONE)
		r = sqlite3_backup_finish(b);
	else if (b)
		r = sqlite3_backup_finish(b) ? SQLITE_IOERR : SQLITE_BUSY;
	else
		r = SQLITE_CANTOPEN;
	if (r != SQLITE_OK)
		r = error_set(err, -EIO, "backup to %s: %s", path, to ? sqlite3_errmsg(to) : "");
	sqlite3_close(to);
	return r;
}

int store_backup(struct store *s, const char *path, struct error *err)
{
	CLEANUP(free_p) char *tmp = xasprintf("%s.part", path);
	CLEANUP(reader_end) struct reader rd = { 0 };
	int r = reader_begin(&rd, s, err);

	if (r < 0)
		return r;
	if (unlink(tmp) < 0 && errno != ENOENT)
		return error_errno(err, -errno, "%s", tmp);
	r = copy_database(rd.db->conn, tmp, err);
	if (!r && (chmod(tmp, 0600) < 0 || rename(tmp, path) < 0))
		r = error_errno(err, -errno, "%s", path);
	if (r < 0)
		unlink(tmp);
	return r;
}

int event_add(struct db *db, enum db_query name, int64_t id, struct error *err)
{
	int r = db_run(db, name, ARGS(I(id), I(clock_now_us())), NULL, err);

	if (!r)
		db->events = true;
	return r;
}

char *text_utf8(const char *s)
{
	struct buf out = BUF_INIT;
	size_t len;

	if (!s)
		return NULL;
	len = strlen(s);
	while (len) {
		size_t n = utf8_len(s, len);

		if (n)
			buf_add(&out, s, n);
		else
			buf_str(&out, "\xef\xbf\xbd"); /* U+FFFD */
		n = n ? n : 1;
		s += n;
		len -= n;
	}
	return buf_steal(&out);
}
