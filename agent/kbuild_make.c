// SPDX-License-Identifier: MIT
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/kbuild.h"
#include "agent/sandbox.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/limits.h"
#include "lib/path.h"

#define ARGS_MAX 24
#define TASKS_MAX 4096 /* make -j64 with its shells stays below 1000 */
#define FILE_BYTES_MAX (4LL << 30)
#define HOST_FULL_BYTES (32LL << 20) /* below this "no space" is the host's, not a limit's */

/* Everything that would make two builds of one source differ is fixed. */
static const char *const build_env[] = {
	"KBUILD_BUILD_TIMESTAMP=Thu Jan  1 00:00:00 UTC 2026",
	"KBUILD_BUILD_USER=faultline",
	"KBUILD_BUILD_HOST=faultline",
	"KBUILD_BUILD_VERSION=1",
	"LOCALVERSION=",
	"USER=faultline",
	"CCACHE_DIR=" KBUILD_CCACHE,
	/* Not the file in CCACHE_DIR, which every build can write. */
	"CCACHE_CONFIGPATH=/faultline/ccache.conf",
	"CCACHE_BASEDIR=/faultline",
	"CCACHE_NOHASHDIR=1",
	"CCACHE_COMPILERCHECK=content",
	"CCACHE_MAXSIZE=5G",
	"CCACHE_UMASK=022",
	/* kbuild asks for a dependency file: what a miss costs beyond plain gcc is next to nothing
	 * when that file is used instead of a preprocessor run. */
	"CCACHE_DEPEND=1",
	NULL,
};

static bool have_ccache(void)
{
	return access("/usr/bin/ccache", X_OK) == 0 || access("/usr/local/bin/ccache", X_OK) == 0;
}

/* ---- output -------------------------------------------------------------------------------- */

static void on_output(void *arg, const char *data, size_t len)
{
	struct kbuild *k = arg;
	const struct engine_watch *w = k->o->watch;

	if (w && w->log)
		w->log(w->arg, data, len);
	diag_feed(&k->diag, data, len);
}

static bool cancelled(void *arg)
{
	const struct kbuild *k = arg;
	const struct engine_watch *w = k->o->watch;

	return w && w->cancelled && w->cancelled(w->arg);
}

/* ---- arguments ----------------------------------------------------------------------------- */

struct words {
	char *v[ARGS_MAX]; /* owned */
	int n;
};

static void words_free(struct words *w)
{
	for (int i = 0; i < w->n; i++)
		free(w->v[i]);
	w->n = 0;
}

static void add(struct words *w, char *owned)
{
	if (w->n < ARGS_MAX - 1)
		w->v[w->n++] = owned;
	else
		free(owned);
}

static void add_make(struct words *w, const struct kbuild *k)
{
	const struct plan_config *c = k->o->config;
	const char *cross = kbuild_cross(k);
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int jobs = k->o->jobs > 0 ? k->o->jobs : cpus > 0 ? (int)cpus : 1;
	bool clang = !strcmp(c->compiler, "clang");

	add(w, xasprintf("-j%d", jobs));
	/* What one compiler says stays together, behind the line that names its object. */
	add(w, xstrdup("--output-sync=target"));
	add(w, xstrdup("--no-print-directory"));
	add(w, xstrdup("O=" KBUILD_OBJ));
	add(w, xasprintf("ARCH=%s", k->arch->arch));
	if (*cross)
		add(w, xasprintf("CROSS_COMPILE=%s", cross));
	add(w, xasprintf("CC=%s%s%s", have_ccache() ? "ccache " : "", clang ? "" : cross,
			 c->compiler));
	add(w, xstrdup("LD=" KBUILD_TOOLS "/ld"));
	if (k->lines) {
		add(w, xstrdup("KCFLAGS=-g1"));
		add(w, xstrdup("KAFLAGS=-g1"));
	}
}

/* ---- what the end means -------------------------------------------------------------------- */

static int host_trouble(const struct kbuild *k, const struct sandbox_end *end, struct error *err)
{
	if (k->diag.no_space && path_free_bytes(k->obj) < HOST_FULL_BYTES)
		return error_set(err, -ENOSPC, "no space left in '%s' during the build", k->obj);
	if (end->memory_hit || k->diag.no_memory)
		return error_set(err, -ENOMEM,
				 "the build needs more than its %" PRId64
				 " MiB of memory: raise the limit or lower the jobs",
				 k->o->memory_bytes >> 20);
	return 0;
}

int kbuild_make(struct kbuild *k, const char *script, const char *const *targets, bool *ret_failed,
		struct error *err)
{
	CLEANUP(words_free) struct words w = { .n = 0 };
	const struct sandbox_bind binds[] = {
		{ k->source, KBUILD_SOURCE, false },
		{ k->obj, KBUILD_OBJ, true },
		{ k->ccache, KBUILD_CCACHE, true },
		{ k->tools, KBUILD_TOOLS, false },
	};
	int64_t now = clock_real_mono_us() / US_PER_MS;
	struct sandbox_opts o = {
		.argv = (const char *const *)w.v,
		.env = build_env,
		.cwd = KBUILD_SOURCE,
		.binds = binds,
		.n_binds = ARRAY_SIZE(binds),
		.memory_bytes = k->o->memory_bytes,
		.tasks = TASKS_MAX,
		.file_bytes = FILE_BYTES_MAX,
		.timeout_ms = k->deadline_ms > now ? k->deadline_ms - now : 1,
		.output_max_bytes = LIMIT_BUILD_OUTPUT_BYTES,
		.on_output = on_output,
		.cancelled = cancelled,
		.arg = k,
	};
	struct sandbox_end end = { 0 };
	int r;

	if (script) {
		add(&w, xstrdup("/bin/sh"));
		add(&w, xstrdup("-ec"));
		add(&w, xstrdup(script));
	}
	add(&w, xstrdup("make"));
	add_make(&w, k);
	for (; *targets; targets++)
		add(&w, xstrdup(*targets));
	r = sandbox_run(&o, &end, err);
	if (r == -EFBIG) {
		diag_list_add(&k->diag.errors, "", "the build wrote more than 64 MiB of output");
		diag_finish(&k->diag, true);
		*ret_failed = k->killed = true;
		return 0;
	}
	if (r < 0)
		return r;
	*ret_failed = !WIFEXITED(end.status) || WEXITSTATUS(end.status) != 0;
	if (*ret_failed)
		r = host_trouble(k, &end, err);
	if (r < 0)
		return r;
	if (*ret_failed && end.tasks_hit)
		diag_list_add(&k->diag.errors, "", "the build started more than 4096 processes");
	diag_finish(&k->diag, *ret_failed);
	return 0;
}
