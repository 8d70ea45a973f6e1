// SPDX-License-Identifier: MIT
#include "agent/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/path.h"

#define FILE_BYTES ((size_t)1 << 20)
#define EMPTY_WAIT_MS 3000 /* a killed compiler frees its memory first */

static int read_text(const char *path, struct buf *out)
{
	return path_read(path, FILE_BYTES, out, NULL);
}

/* No O_CREAT: these files are the kernel's. */
static bool write_text(const char *dir, const char *name, const char *text)
{
	CLEANUP(free_p) char *path = xasprintf("%s/%s", dir, name);
	CLEANUP(close_p) int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
}

/* Is `word` in a list separated by `sep` or blanks? */
static bool has_word(const char *list, size_t len, const char *word, char sep)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= len; i++) {
		char before = i ? list[i - 1] : sep, behind = i + n < len ? list[i + n] : sep;

		if (!strncmp(list + i, word, n) && (before == sep || before == ' ') &&
		    (behind == sep || behind == ' ' || behind == '\n'))
			return true;
	}
	return false;
}

/* ---- names of leaves ----------------------------------------------------------------------- */

/* Field 22 of /proc/PID/stat; 0 when there is no such process. */
static uint64_t start_time(long pid)
{
	CLEANUP(free_p) char *path = xasprintf("/proc/%ld/stat", pid);
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	const char *p;

	if (read_text(path, &b) < 0)
		return 0;
	p = strrchr(buf_cstr(&b), ')');
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	return p ? strtoull(p + 1, NULL, 10) : 0;
}

static uint64_t pid_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 ? (uint64_t)st.st_ino : 0;
}

static char *leaf_name(void)
{
	static atomic_int number;

	return xasprintf("faultline-%" PRIu64 "-%ld-%" PRIu64 "-%d", pid_namespace(),
			 (long)getpid(), start_time(getpid()), atomic_fetch_add(&number, 1));
}

static bool leaf_is_stale(const char *name)
{
	uint64_t ns, start;
	long pid;

	/* Another namespace's process numbers mean nothing here. */
	return sscanf(name, "faultline-%" SCNu64 "-%ld-%" SCNu64 "-", &ns, &pid, &start) == 3 &&
	       ns == pid_namespace() && start_time(pid) != start;
}

/* Kills until the group is empty, then removes it. */
static void remove_leaf(const char *dir)
{
	CLEANUP(free_p) char *procs = xasprintf("%s/cgroup.procs", dir);

	for (int waited = 0; waited < EMPTY_WAIT_MS; waited += 10) {
		CLEANUP(buf_free) struct buf b = BUF_INIT;
		struct timespec pause = { 0, 10 * 1000000L };
		char *save = NULL;

		if (rmdir(dir) == 0 || errno == ENOENT)
			return;
		if (read_text(procs, &b) < 0)
			return;
		for (char *p = strtok_r(b.data, "\n", &save); p; p = strtok_r(NULL, "\n", &save)) {
			long pid = strtol(p, NULL, 10);

			if (pid > 1 && pid != getpid())
				kill((pid_t)pid, SIGKILL);
		}
		nanosleep(&pause, NULL);
	}
}

void cgroup_clean(const char *parent)
{
	CLEANUP(closedir_p) DIR *d = opendir(parent);
	struct dirent *e;

	while (d && (e = readdir(d)) != NULL) {
		CLEANUP(free_p) char *dir = NULL;

		if (!leaf_is_stale(e->d_name))
			continue;
		dir = xasprintf("%s/%s", parent, e->d_name);
		remove_leaf(dir);
	}
}

/* ---- where the controllers are ------------------------------------------------------------- */

/* Our own group in the hierarchy that has `controller` ("" = the unified one), as a folder. Owned,
 * or NULL. */
static char *own_group(const char *controller)
{
	CLEANUP(buf_free) struct buf groups = BUF_INIT;
	CLEANUP(buf_free) struct buf mounts = BUF_INIT;
	CLEANUP(free_p) char *group = NULL;
	char *save = NULL;

	if (read_text("/proc/self/cgroup", &groups) < 0 ||
	    read_text("/proc/self/mountinfo", &mounts) < 0)
		return NULL;
	for (char *l = strtok_r(groups.data, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		char *names = strchr(l, ':');
		char *path = names ? strchr(names + 1, ':') : NULL;

		if (path &&
		    (*controller ? has_word(names + 1, (size_t)(path - names - 1), controller, ',')
				 : path == names + 1))
			group = xstrdup(path + 1);
	}
	save = NULL;
	for (char *l = strtok_r(mounts.data, "\n", &save); l && group;
	     l = strtok_r(NULL, "\n", &save)) {
		char *tail = strstr(l, " - ");
		char root[512], at[512], type[32], opts[512];
		const char *below = group;

		if (!tail || sscanf(l, "%*s %*s %*s %511s %511s", root, at) != 2 ||
		    sscanf(tail, " - %31s %*s %511s", type, opts) != 2)
			continue;
		if (strcmp(type, *controller ? "cgroup" : "cgroup2") ||
		    (*controller && !has_word(opts, strlen(opts), controller, ',')))
			continue;
		/* A mount of a part: what is above it cannot be reached. */
		if (strcmp(root, "/") && str_starts(group, root))
			below = group + strlen(root);
		return xasprintf("%s%s", at, strcmp(below, "/") ? below : "");
	}
	return NULL;
}

/* ---- making a leaf ------------------------------------------------------------------------- */

/* Owned path of a new leaf, or NULL. */
static char *make_leaf(const char *parent)
{
	CLEANUP(free_p) char *name = leaf_name();
	CLEANUP(free_p) char *dir = xasprintf("%s/%s", parent, name);

	cgroup_clean(parent);
	return mkdir(dir, 0755) == 0 ? STEAL(dir) : NULL;
}

static bool set_number(const char *dir, const char *file, int64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, value);
	return write_text(dir, file, text);
}

static const char *keep(struct cgroup *c, char *dir)
{
	c->dirs[c->n] = dir;
	return c->dirs[c->n++];
}

static void make_v1(int64_t memory_bytes, int tasks, struct cgroup *c)
{
	CLEANUP(free_p) char *memory = own_group("memory");
	CLEANUP(free_p) char *pids = own_group("pids");
	char *dir = memory && memory_bytes ? make_leaf(memory) : NULL;

	if (dir && set_number(dir, "memory.limit_in_bytes", memory_bytes)) {
		/* Without accounting of swap the file is missing. */
		(void)set_number(dir, "memory.memsw.limit_in_bytes", memory_bytes);
		c->memory = true;
		c->memory_dir = keep(c, STEAL(dir));
	}
	if (dir)
		remove_leaf(dir);
	free(dir);
	dir = pids && tasks ? make_leaf(pids) : NULL;
	if (dir && set_number(dir, "pids.max", tasks)) {
		c->tasks = true;
		c->tasks_dir = keep(c, STEAL(dir));
	}
	if (dir)
		remove_leaf(dir);
	free(dir);
}

/* Controllers reach a leaf only from a group without processes of its own, so below a service's
 * group or beside it. */
static void make_v2(int64_t memory_bytes, int tasks, struct cgroup *c)
{
	CLEANUP(free_p) char *parent = own_group("");

	for (int up = 0; parent && up < 2 && !c->n; up++) {
		char *dir, *slash;

		(void)write_text(parent, "cgroup.subtree_control", "+memory +pids");
		dir = make_leaf(parent);
		if (dir) {
			c->memory = memory_bytes && set_number(dir, "memory.max", memory_bytes);
			c->tasks = tasks && set_number(dir, "pids.max", tasks);
			(void)set_number(dir, "memory.swap.max", 0);
		}
		if (c->memory || c->tasks)
			c->memory_dir = c->tasks_dir = keep(c, STEAL(dir));
		else if (dir)
			remove_leaf(dir);
		free(dir);
		slash = strrchr(parent, '/');
		if (slash && slash != parent)
			*slash = '\0';
	}
	c->unified = c->n > 0;
}

void cgroup_make(int64_t memory_bytes, int tasks, struct cgroup *ret)
{
	*ret = (struct cgroup){ 0 };
	make_v1(memory_bytes, tasks, ret);
	if (!ret->n)
		make_v2(memory_bytes, tasks, ret);
}

/* "oom_kill 3" in a file of counters. */
static bool counted(const char *dir, const char *file, const char *word)
{
	CLEANUP(free_p) char *path = xasprintf("%s/%s", dir, file);
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	char *save = NULL;

	if (read_text(path, &b) < 0)
		return false;
	for (char *l = strtok_r(b.data, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		if (str_starts(l, word) && l[strlen(word)] == ' ')
			return strtoull(l + strlen(word), NULL, 10) > 0;
	return false;
}

bool cgroup_memory_was_hit(const struct cgroup *c)
{
	return c->memory &&
	       counted(c->memory_dir, c->unified ? "memory.events" : "memory.oom_control",
		       "oom_kill");
}

bool cgroup_tasks_was_hit(const struct cgroup *c)
{
	return c->tasks && counted(c->tasks_dir, "pids.events", "max");
}

void cgroup_remove(struct cgroup *c)
{
	for (int i = 0; i < c->n; i++) {
		remove_leaf(c->dirs[i]);
		free(c->dirs[i]);
	}
	*c = (struct cgroup){ 0 };
}
