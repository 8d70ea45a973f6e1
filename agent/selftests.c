/* SPDX-License-Identifier: MIT */
#include "agent/selftests.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/lockfile.h"
#include "agent/sandbox.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/limits.h"
#include "lib/path.h"

#define PROGRAMS_MAX 256 /* 6.12 has 52 */
#define LIST_BYTES (64 << 10)
#define MEMORY_BYTES (4LL << 30)
#define TASKS_MAX 1024
#define FILE_BYTES_MAX (1LL << 30)
#define TIMEOUT_MS (20LL * 60 * 1000)
#define MM "tools/testing/selftests/mm"

/* Where the folders are inside the sandbox. The tests' Makefile writes beside its sources, so those
 * are a copy, bound over the tree's own folder. */
#define IN_TREE "/faultline/src"
#define IN_ORIGINAL "/faultline/original"
#define IN_HEADERS "/faultline/headers"
#define IN_OUT "/faultline/out"

void selftests_free(struct selftests *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->programs[i].name);
		free(s->programs[i].why);
	}
	free(s->programs);
	free(s->dir);
	*s = (struct selftests){ 0 };
}

const struct selftests_program *selftests_find(const struct selftests *s, const char *program)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->programs[i].name, program) == 0)
			return &s->programs[i];
	return NULL;
}

/* Takes `why` over. Of two reasons for one program the first is kept. */
static void add(struct selftests *s, const char *name, char *why)
{
	if (s->n == PROGRAMS_MAX || !path_name_is_safe(name) || selftests_find(s, name)) {
		free(why);
		return;
	}
	ARRAY_RESERVE(s->programs, s->n, s->cap);
	s->programs[s->n++] = (struct selftests_program){ .name = xstrdup(name), .why = why };
}

static int compare(const void *a, const void *b)
{
	const struct selftests_program *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void sort(struct selftests *s)
{
	if (s->n)
		qsort(s->programs, s->n, sizeof(*s->programs), compare);
}

static int read_dir(const char *dir, struct selftests *s, struct error *err)
{
	CLEANUP(closedir_p) DIR *d = opendir(dir);
	const struct dirent *e;

	if (!d)
		return error_errno(err, -errno, "the selftests in '%s'", dir);
	while ((e = readdir(d))) {
		struct stat st;

		if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(st.st_mode) && (st.st_mode & 0111))
			add(s, e->d_name, NULL);
	}
	return 0;
}

int selftests_open(const char *dir, struct selftests *ret, struct error *err)
{
	struct selftests s = { .dir = xstrdup(dir) };
	int r = read_dir(dir, &s, err);

	if (!r && s.n == 0)
		r = error_set(err, -ENOENT, "there is no program in '%s'", dir);
	if (r < 0) {
		selftests_free(&s);
		return r;
	}
	sort(&s);
	*ret = s;
	return 0;
}

/* ---- the build's output ------------------------------------------------------------------- */

/* "make: *** [../lib.mk:222: /faultline/out/khugepaged] Error 1" → "khugepaged". Owned, or NULL. */
static char *failed_target(const char *line)
{
	const char *end = strstr(line, "] Error ");
	const char *slash = end;

	if (!end || !strstr(line, "*** ["))
		return NULL;
	while (slash > line && slash[-1] != '/' && slash[-1] != ' ')
		slash--;
	return xstrndup(slash, (size_t)(end - slash));
}

static bool is_reason(const char *line)
{
	return strstr(line, " error: ") || strstr(line, "undefined reference") ||
	       strstr(line, "cannot find -l");
}

void selftests_read_log(const char *log, struct selftests *s)
{
	CLEANUP(free_p) char *reason = NULL;

	while (*log) {
		size_t n = strcspn(log, "\n");
		CLEANUP(free_p) char *line = str_printable(log, n < 300 ? n : 300);
		CLEANUP(free_p) char *target = failed_target(line);

		if (target) {
			add(s, target, xasprintf("does not compile: %s", reason ? reason : line));
			free(reason);
			reason = NULL;
		} else if (!reason && is_reason(line)) {
			reason = STEAL(line);
		}
		log += log[n] ? n + 1 : n;
	}
}

/* ---- the build ---------------------------------------------------------------------------- */

struct build {
	const struct engine_watch *watch;
	struct buf log;
};

static void on_output(void *arg, const char *data, size_t len)
{
	struct build *b = arg;

	if (b->watch && b->watch->log)
		b->watch->log(b->watch->arg, data, len);
	if (b->log.len + len <= LIMIT_BUILD_OUTPUT_BYTES)
		buf_add(&b->log, data, len);
}

static bool cancelled(void *arg)
{
	const struct build *b = arg;

	return b->watch && b->watch->cancelled && b->watch->cancelled(b->watch->arg);
}

/* The list is what the Makefile names: a program that is not there afterwards did not compile.
 * Exit 3: it does not even get as far as that. */
static const char script[] =
	"cp -a " IN_ORIGINAL "/" MM "/. " IN_TREE "/" MM "/ || exit 3\n"
	"make -s -j$1 -C " IN_TREE " O=" IN_HEADERS " ARCH=$2 headers || exit 3\n"
	"cd " IN_TREE "/" MM " || exit 3\n"
	"set -- -k -j$1 --output-sync=target ARCH=$2 OUTPUT=" IN_OUT " CC=gcc "
	"'KHDR_INCLUDES=-isystem " IN_HEADERS "/usr/include' 'EXTRA_CFLAGS=-static -s'\n"
	"make \"$@\" --eval='faultline-list: ; @printf \"%s\\n\" $(notdir $(TEST_GEN_FILES) "
	"$(TEST_GEN_PROGS))' -s faultline-list >" IN_OUT "/.list || exit 3\n"
	"make \"$@\" all; exit 0\n";

static int run_script(const char *const dirs[3], const char *source, int jobs, struct build *b,
		      int *ret_status, struct error *err)
{
	char jobs_text[16];
	const char *argv[] = { "/bin/sh", "-c", script, "sh", jobs_text, "x86_64", NULL };
	const struct sandbox_bind binds[] = {
		{ source, IN_TREE, false },	   { source, IN_ORIGINAL, false },
		{ dirs[0], IN_TREE "/" MM, true }, { dirs[1], IN_HEADERS, true },
		{ dirs[2], IN_OUT, true },
	};
	const struct sandbox_opts o = {
		.argv = argv,
		.binds = binds,
		.n_binds = ARRAY_SIZE(binds),
		.memory_bytes = MEMORY_BYTES,
		.tasks = TASKS_MAX,
		.file_bytes = FILE_BYTES_MAX,
		.timeout_ms = TIMEOUT_MS,
		.on_output = on_output,
		.cancelled = cancelled,
		.arg = b,
	};
	struct sandbox_end end = { 0 };
	int r;

	snprintf(jobs_text, sizeof(jobs_text), "%d", jobs);
	r = sandbox_run(&o, &end, err);
	*ret_status = end.status;
	return r;
}

/* What the Makefile names and neither the folder nor the log knows. */
static void read_list(const char *out, struct selftests *s)
{
	CLEANUP(free_p) char *path = xasprintf("%s/.list", out);
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct stat st;
	char *save = NULL;

	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode) ||
	    path_read(path, LIST_BYTES, &text, NULL) < 0)
		return;
	for (char *name = strtok_r(text.data, "\n", &save); name;
	     name = strtok_r(NULL, "\n", &save))
		if (!selftests_find(s, name))
			add(s, name, xstrdup("does not compile"));
}

static int make_dirs(const char *base, char *dirs[3], struct error *err)
{
	static const char *const names[] = { "source", "headers", "out" };
	int r = 0;

	for (int i = 0; i < 3 && !r; i++) {
		dirs[i] = xasprintf("%s/%s", base, names[i]);
		r = path_mkdirs(dirs[i], 0755, err);
	}
	return r;
}

/* From an empty folder: some twenty seconds, and nothing of another tree can be left over. */
static int build_in(const char *base, const char *source, int jobs, struct build *b,
		    struct selftests *s, struct error *err)
{
	char *dirs[3] = { NULL };
	int status = 0;
	int r = path_exists(base) ? path_remove_tree(base, err) : 0;

	if (!r)
		r = make_dirs(base, dirs, err);
	if (!r)
		r = run_script((const char *const *)dirs, source, jobs, b, &status, err);
	if (!r && status)
		r = error_set(err, -EINVAL, "the tree's %s cannot be built: its Makefile failed",
			      MM);
	if (!r)
		r = read_dir(dirs[2], s, err);
	if (!r) {
		selftests_read_log(buf_cstr(&b->log), s);
		read_list(dirs[2], s);
		sort(s);
		s->dir = STEAL(dirs[2]);
	}
	for (int i = 0; i < 3; i++)
		free(dirs[i]);
	return r;
}

int selftests_build(const char *work, const char *source, int jobs,
		    const struct engine_watch *watch, struct selftests *ret, struct error *err)
{
	CLEANUP(free_p) char *real = NULL;
	CLEANUP(free_p) char *tree = realpath(source, NULL);
	CLEANUP(free_p) char *base = NULL;
	CLEANUP(free_p) char *lock = NULL;
	CLEANUP(free_p) char *tests = xasprintf("%s/" MM, source);
	CLEANUP(close_p) int lock_fd = -1;
	struct build b = { .watch = watch, .log = BUF_INIT };
	struct selftests s = { 0 };
	int r = path_mkdirs(work, 0700, err);

	if (r < 0)
		return r;
	real = realpath(work, NULL);
	if (!real || !tree || !path_exists(tests))
		return error_set(err, -EINVAL, "'%s' has no " MM, source);
	base = xasprintf("%s/selftests", real);
	lock = xasprintf("%s.lock", base);
	r = lockfile_take(lock, watch, &lock_fd, err);
	if (!r && watch && watch->progress)
		watch->progress(watch->arg, PHASE_BUILD, 0, 0, MM);
	if (!r)
		r = build_in(base, tree, jobs > 0 ? jobs : 2, &b, &s, err);
	buf_free(&b.log);
	if (r < 0) {
		selftests_free(&s);
		return r;
	}
	*ret = s;
	return 0;
}
