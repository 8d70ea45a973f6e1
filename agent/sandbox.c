// SPDX-License-Identifier: MIT
#include "agent/sandbox.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/cgroup.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/limits.h"

#define PROBE_TIMEOUT_MS 10000
#define TMP_SIZE "1073741824" /* make -O and gcc keep a few megabytes there */
#define USER_TASKS 4096 /* of an ordinary user without a control group, on the whole machine */

/* Joins the control groups that come before "--", then becomes the rest: nothing of the sandbox
 * ever runs outside of them. */
static const char JOIN[] =
	"while [ \"$1\" != -- ]; do { echo 0 >\"$1\"; } 2>/dev/null || "
	"echo \"faultline: cannot join $1: its limit does not hold\" >&2; shift; done; shift; "
	"[ \"$1\" = - ] || ulimit -p \"$1\" 2>/dev/null; shift; exec \"$@\"";

/* ---- argument lists ------------------------------------------------------------------------ */

struct args {
	char **v; /* owned strings, NULL-terminated */
	size_t n, cap;
};

static void args_free(struct args *a)
{
	for (size_t i = 0; i < a->n; i++)
		free(a->v[i]);
	free(a->v);
	*a = (struct args){ 0 };
}

static void add(struct args *a, const char *s)
{
	if (a->n + 1 >= a->cap) {
		a->cap = a->cap ? 2 * a->cap : 64;
		a->v = xrealloc(a->v, a->cap, sizeof(*a->v));
	}
	a->v[a->n++] = xstrdup(s);
	a->v[a->n] = NULL;
}

static void add_list(struct args *a, const char *const *list)
{
	for (; list && *list; list++)
		add(a, *list);
}

static const char *const *args_list(const struct args *a)
{
	return (const char *const *)a->v;
}

/* ---- which sandbox the kernel allows ------------------------------------------------------- */

enum variant { VARIANT_FULL, VARIANT_USER, VARIANT_ROOT, VARIANT_COUNT };

/* Best first: the second for a bwrap without --disable-userns, the third for root on a kernel
 * without user namespaces. */
static const char *const variant_args[VARIANT_COUNT][8] = {
	[VARIANT_FULL] = { "--unshare-user", "--disable-userns", "--uid", "1000", "--gid", "1000" },
	[VARIANT_USER] = { "--unshare-user", "--uid", "1000", "--gid", "1000" },
	[VARIANT_ROOT] = { NULL },
};

/* Folders of the root that are links on some systems and real on others. */
static void add_root_dirs(struct args *a)
{
	static const char *const dirs[] = { "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32" };

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		char target[PATH_MAX];
		ssize_t n = readlink(dirs[i], target, sizeof(target) - 1);
		struct stat st;

		if (n > 0) {
			target[n] = '\0';
			add_list(a, (const char *const[]){ "--symlink", target, dirs[i], NULL });
		} else if (lstat(dirs[i], &st) == 0 && S_ISDIR(st.st_mode)) {
			add_list(a, (const char *const[]){ "--ro-bind", dirs[i], dirs[i], NULL });
		}
	}
}

static void add_sandbox(struct args *a, enum variant v)
{
	static const char *const head[] = {
		"bwrap",
		"--unshare-ipc",
		"--unshare-pid",
		"--unshare-net",
		"--unshare-uts",
		"--unshare-cgroup-try",
		"--die-with-parent",
		"--new-session",
		"--hostname",
		"faultline",
		"--cap-drop",
		"ALL",
		"--ro-bind",
		"/usr",
		"/usr",
		NULL,
	};
	static const char *const tail[] = {
		"--ro-bind-try",
		"/etc/alternatives",
		"/etc/alternatives",
		"--ro-bind-try",
		"/etc/ld.so.cache",
		"/etc/ld.so.cache",
		"--proc",
		"/proc",
		"--dev",
		"/dev",
		NULL,
	};

	add_list(a, head);
	add_list(a, variant_args[v]);
	add_root_dirs(a);
	add_list(a, tail);
	if (v == VARIANT_FULL)
		add_list(a, (const char *const[]){ "--size", TMP_SIZE, NULL });
	add_list(a, (const char *const[]){ "--tmpfs", "/tmp", NULL });
}

static int probe(enum variant v, struct buf *out, int *ret_status, struct error *err)
{
	CLEANUP(args_free) struct args a = { 0 };
	struct proc_spec spec = { .env = (const char *const[]){ "LC_ALL=C", NULL } };
	struct proc_run_opts run = { .timeout_ms = PROBE_TIMEOUT_MS, .out = out };

	add_sandbox(&a, v);
	add_list(&a, (const char *const[]){ "--remount-ro", "/", "/bin/true", NULL });
	spec.argv = args_list(&a);
	return proc_run(&spec, &run, ret_status, err);
}

/* Why the best variant failed, and what helps. */
static int explain(const struct buf *said, struct error *err)
{
	CLEANUP(free_p) char *why = str_printable(buf_cstr(said), strcspn(buf_cstr(said), "\n"));

	return error_set(err, -EPERM,
			 "no sandbox, so nothing is built: %.110s. Allow user namespaces (sysctl "
			 "user.max_user_namespaces, kernel.unprivileged_userns_clone=1, "
			 "kernel.apparmor_restrict_unprivileged_userns=0), or run as root",
			 *why ? why : "bwrap fails without a word");
}

/* Probed until it works, then remembered. */
static int find_variant(enum variant *ret, struct error *err)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static int known = -1;
	CLEANUP(buf_free) struct buf said = BUF_INIT;
	int r = 0;

	pthread_mutex_lock(&lock);
	for (int v = 0; known < 0 && !r && v < VARIANT_COUNT; v++) {
		CLEANUP(buf_free) struct buf out = BUF_INIT;
		int status = 0;

		if (v == VARIANT_ROOT && geteuid() != 0)
			continue;
		r = probe((enum variant)v, &out, &status, err);
		if (r == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
			known = v;
		else if (!strstr(buf_cstr(&out), "Unknown option") && !said.len)
			buf_str(&said, buf_cstr(&out));
	}
	if (known >= 0)
		*ret = (enum variant)known;
	pthread_mutex_unlock(&lock);
	if (known >= 0)
		return 0;
	if (r == -ENOENT)
		return error_wrap(err, r, "no sandbox, install bubblewrap");
	return r < 0 ? r : explain(&said, err);
}

int sandbox_check(struct error *err)
{
	enum variant v;

	return find_variant(&v, err);
}

/* ---- running ------------------------------------------------------------------------------- */

struct sandbox {
	const struct sandbox_opts *o;
	struct cgroup group;
	char head[160]; /* how the output begins: bwrap's own complaint? */
	size_t head_len;
};

static void on_output(void *arg, const char *data, size_t len)
{
	struct sandbox *s = arg;
	size_t room = sizeof(s->head) - 1 - s->head_len;
	size_t n = len < room ? len : room;

	memcpy(s->head + s->head_len, data, n);
	s->head_len += n;
	if (s->o->on_output)
		s->o->on_output(s->o->arg, data, len);
}

static bool cancelled(void *arg)
{
	const struct sandbox *s = arg;

	return s->o->cancelled(s->o->arg);
}

static void say_limits(const struct sandbox *s)
{
	const char *text = NULL;

	if (s->o->memory_bytes && !s->group.memory)
		text = "faultline: no memory control group: the limit holds for each process\n";
	if (text && s->o->on_output)
		s->o->on_output(s->o->arg, text, strlen(text));
	text = NULL;
	if (s->o->tasks && !s->group.tasks)
		text = "faultline: no pids control group: the number of tasks is not limited\n";
	if (text && s->o->on_output)
		s->o->on_output(s->o->arg, text, strlen(text));
}

static void add_command(struct args *a, const struct sandbox *s, enum variant v)
{
	const struct sandbox_opts *o = s->o;
	char tasks[16] = "-";

	add_list(a, (const char *const[]){ "/bin/sh", "-c", JOIN, "sh", NULL });
	for (int i = 0; i < s->group.n; i++) {
		CLEANUP(free_p) char *procs = xasprintf("%s/cgroup.procs", s->group.dirs[i]);

		add(a, procs);
	}
	if (o->tasks && !s->group.tasks && geteuid() != 0)
		snprintf(tasks, sizeof(tasks), "%d", o->tasks > USER_TASKS ? o->tasks : USER_TASKS);
	add_list(a, (const char *const[]){ "--", tasks, NULL });
	add_sandbox(a, v);
	for (int i = 0; i < o->n_binds; i++)
		add_list(a, (const char *const[]){ o->binds[i].writable ? "--bind" : "--ro-bind",
						   o->binds[i].host, o->binds[i].inside, NULL });
	add_list(a, (const char *const[]){ "--remount-ro", "/", "--chdir", o->cwd ? o->cwd : "/",
					   "--", NULL });
	add_list(a, o->argv);
}

static int run(struct sandbox *s, enum variant v, struct sandbox_end *end, struct error *err)
{
	static const char *const env[] = { "PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
					   "HOME=/tmp", "LC_ALL=C", "TZ=UTC", NULL };
	const struct sandbox_opts *o = s->o;
	CLEANUP(args_free) struct args a = { 0 };
	CLEANUP(args_free) struct args e = { 0 };
	const struct proc_run_opts run_opts = {
		.timeout_ms = o->timeout_ms,
		.output_max_bytes = o->output_max_bytes ? o->output_max_bytes
							: LIMIT_BUILD_OUTPUT_BYTES,
		.on_output = on_output,
		.cancelled = o->cancelled ? cancelled : NULL,
		.arg = s,
	};
	struct proc_spec spec = {
		.cwd = "/",
		.limit_file_bytes = o->file_bytes,
		.limit_address_space_bytes = s->group.memory ? 0 : o->memory_bytes,
	};

	add_command(&a, s, v);
	add_list(&e, env);
	add_list(&e, o->env);
	spec.argv = args_list(&a);
	spec.env = args_list(&e);
	return proc_run(&spec, &run_opts, &end->status, err);
}

int sandbox_run(const struct sandbox_opts *opts, struct sandbox_end *ret, struct error *err)
{
	struct sandbox s = { .o = opts };
	struct sandbox_end end = { 0 };
	enum variant v;
	int r = find_variant(&v, err);

	if (r < 0)
		return r;
	cgroup_make(opts->memory_bytes, opts->tasks, &s.group);
	say_limits(&s);
	r = run(&s, v, &end, err);
	end.memory_hit = cgroup_memory_was_hit(&s.group);
	end.tasks_hit = cgroup_tasks_was_hit(&s.group);
	cgroup_remove(&s.group);
	if (r < 0)
		return r;
	if (str_starts(s.head, "bwrap: ") && WIFEXITED(end.status) && WEXITSTATUS(end.status) == 1)
		return error_set(err, -EIO, "the sandbox failed: %.*s", (int)strcspn(s.head, "\n"),
				 s.head);
	*ret = end;
	return 0;
}
