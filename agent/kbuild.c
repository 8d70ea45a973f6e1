// SPDX-License-Identifier: MIT
#include "agent/kbuild.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/kconfig.h"
#include "agent/lockfile.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/path.h"

#define DEFAULT_TIMEOUT_MS (60LL * 60 * 1000)
#define DEFAULT_MEMORY_BYTES (6LL << 30)
#define CONFIG_BYTES ((size_t)4 << 20)
#define NEW_CONFIG ".config.faultline"
#define ASKED ".config.asked"

static const struct kbuild_arch arches[] = {
	{ "x86_64", "x86_64", "x86", "x86_64-linux-gnu-", "bzImage", "arch/x86/boot/bzImage" },
	{ "arm64", "arm64", "arm64", "aarch64-linux-gnu-", "Image", "arch/arm64/boot/Image" },
	{ "ppc64", "powerpc", "powerpc", "powerpc64le-linux-gnu-", "vmlinux", "vmlinux" },
};

static const struct kbuild_arch *find_arch(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(arches); i++)
		if (!strcmp(arches[i].name, name))
			return &arches[i];
	return NULL;
}

const char *kbuild_srcarch(const char *arch)
{
	const struct kbuild_arch *a = find_arch(arch);

	return a ? a->srcarch : arch;
}

void kbuild_image_free(struct kbuild_image *i)
{
	if (!i)
		return;
	free(i->kernel);
	free(i->symbols);
	free(i->config);
	free(i->debug);
	*i = (struct kbuild_image){ 0 };
}

static void kbuild_free(struct kbuild *k)
{
	free(k->source);
	free(k->obj);
	free(k->ccache);
	free(k->state);
	free(k->tools);
	diag_free(&k->diag);
	diag_list_free(&k->warnings);
}

static void progress(const struct kbuild *k, int done, int total, const char *what)
{
	const struct engine_watch *w = k->o->watch;

	if (w && w->progress)
		w->progress(w->arg, k->phase, done, total, what);
}

static void on_step(void *arg, const char *verb, const char *target)
{
	struct kbuild *k = arg;
	char what[320];
	int total = k->total && k->diag.steps > k->total ? k->diag.steps : k->total;

	kbuild_tree_step(k, target);
	if (k->phase != PHASE_BUILD)
		return;
	snprintf(what, sizeof(what), "%s %s", verb, target);
	progress(k, k->diag.steps, total, what);
}

/* ---- configuration ------------------------------------------------------------------------- */

/* tinyconfig, what is asked behind it, and defaults for what that made visible. In a file of its
 * own, so that nothing is rebuilt when the outcome is the .config that is there. */
static const char configure[] = "export KCONFIG_CONFIG=" NEW_CONFIG "; rm -f " KBUILD_OBJ
				"/" NEW_CONFIG "; "
				"\"$0\" \"$@\" tinyconfig; "
				"cat " KBUILD_OBJ "/" ASKED " >>" KBUILD_OBJ "/" NEW_CONFIG "; "
				"\"$0\" \"$@\" olddefconfig";

static char *obj_path(const struct kbuild *k, const char *rel)
{
	return xasprintf("%s/%s", k->obj, rel);
}

/* The outcome becomes the .config, unless it is the same. */
static int install_config(const struct kbuild *k, const struct buf *made, struct error *err)
{
	CLEANUP(free_p) char *to = obj_path(k, ".config");
	CLEANUP(free_p) char *from = obj_path(k, NEW_CONFIG);
	CLEANUP(buf_free) struct buf have = BUF_INIT;

	if (kbuild_read(k->obj, ".config", CONFIG_BYTES, &have, NULL) == 0 &&
	    have.len == made->len && !memcmp(have.data, made->data, have.len)) {
		unlink(from);
		return 0;
	}
	return rename(from, to) < 0 ? error_errno(err, -errno, "cannot write '%s'", to) : 0;
}

static int run_kconfig(struct kbuild *k, const struct kconfig_asks *asks, bool *ret_failed,
		       struct error *err)
{
	CLEANUP(free_p) char *text = kconfig_asks_text(asks);
	CLEANUP(free_p) char *path = obj_path(k, ASKED);
	CLEANUP(buf_free) struct buf made = BUF_INIT;
	int r = path_write_atomic(path, text, strlen(text), 0644, err);

	if (r)
		return r;
	r = kbuild_make(k, configure, (const char *const[]){ NULL }, ret_failed, err);
	if (r || *ret_failed)
		return r;
	*ret_failed = true;
	if (kbuild_read(k->obj, NEW_CONFIG, CONFIG_BYTES, &made, NULL) < 0) {
		diag_list_add(&k->diag.errors, "", "the tree's kconfig made no .config");
		return 0;
	}
	kconfig_check(asks, made.data, k->source, &k->diag.errors);
	if (k->diag.errors.n)
		return 0;
	*ret_failed = false;
	return install_config(k, &made, err);
}

static int configure_tree(struct kbuild *k, bool *ret_failed, struct error *err)
{
	CLEANUP(kconfig_asks_free) struct kconfig_asks asks = { 0 };
	struct error bad = ERROR_INIT;
	int r;

	k->phase = PHASE_CONFIG;
	progress(k, 0, 0, k->o->config->name);
	if (kbuild_tree_configured(k))
		return 0;
	if (kconfig_asks_read(k->o->config, &asks, &bad) < 0) {
		diag_list_add(&k->diag.errors, "", bad.msg);
		*ret_failed = true;
		return 0;
	}
	r = run_kconfig(k, &asks, ret_failed, err);
	/* Steps of the host's tools are no part of the build's count. */
	k->diag.steps = 0;
	return r;
}

/* ---- build --------------------------------------------------------------------------------- */

static bool has_modules(const struct kbuild *k)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;

	return kbuild_read(k->obj, ".config", CONFIG_BYTES, &b, NULL) == 0 &&
	       strstr(buf_cstr(&b), "\nCONFIG_MODULES=y\n");
}

/* The image is made for every configuration: a job does not say whether its build is booted, and
 * the address of a build does not hold it either, so that another plan may boot this very one. */
static int compile_tree(struct kbuild *k, bool *ret_failed, struct error *err)
{
	const char *targets[] = { k->arch->target, has_modules(k) ? "modules" : NULL, NULL };
	CLEANUP(free_p) char *script = kbuild_debug_script(k);

	k->phase = PHASE_BUILD;
	kbuild_lines_decide(k);
	progress(k, 0, k->total, k->arch->target);
	return kbuild_make(k, script, targets, ret_failed, err);
}

/* ---- outcome ------------------------------------------------------------------------------- */

static void fill_image(const struct kbuild *k, struct kbuild_image *i)
{
	i->kernel = kbuild_file(k->obj, k->arch->image);
	i->symbols = kbuild_file(k->obj, "System.map");
	i->config = kbuild_file(k->obj, ".config");
	i->debug = kbuild_file(k->obj, KBUILD_DEBUG);
}

static char *release_of(const struct kbuild *k)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;

	if (kbuild_read(k->obj, "include/config/kernel.release", 256, &b, NULL) < 0)
		return NULL;
	return str_printable(b.data, strcspn(b.data, "\n"));
}

static void fill_result(struct kbuild *k, bool failed, struct build_result *b)
{
	struct diag_list none = { 0 };

	b->status = failed ? STATUS_FAIL : STATUS_PASS;
	b->reason = failed ? REASON_BUILD : REASON_NONE;
	b->release = release_of(k);
	b->warnings = diag_list_texts(&k->warnings, &b->n_warnings);
	b->errors = diag_list_texts(failed ? &k->diag.errors : &none, &b->n_errors);
	if (failed && b->n_errors > 1)
		b->detail = xasprintf("%s (and %zu more)", b->errors[0], b->n_errors - 1);
	else if (failed)
		b->detail = xstrdup(b->n_errors ? b->errors[0] : "the build failed");
}

/* A build that ends well without what it was for did not end well. */
static void check_image(struct kbuild *k, const struct kbuild_image *i, bool *failed)
{
	if (*failed || (i->symbols && i->config && i->kernel))
		return;
	diag_list_add(&k->diag.errors, "", "make succeeded, but made no kernel image");
	*failed = true;
}

static int build(struct kbuild *k, bool *ret_failed, struct error *err)
{
	int r = kbuild_tree_begin(k, err);

	if (!r)
		r = configure_tree(k, ret_failed, err);
	if (!r && !*ret_failed)
		r = compile_tree(k, ret_failed, err);
	/* On the host's trouble the marker of an unfinished build stays. */
	if (!r)
		kbuild_tree_end(k, !*ret_failed);
	return r;
}

static int open_paths(struct kbuild *k, const struct kbuild_opts *o, struct error *err)
{
	CLEANUP(free_p) char *work = NULL;
	int r;

	k->arch = find_arch(o->config->arch);
	if (!k->arch)
		return error_set(err, -EINVAL, "this program does not build for '%s'",
				 o->config->arch);
	if (strcmp(o->config->compiler, "gcc") && strcmp(o->config->compiler, "clang"))
		return error_set(err, -EINVAL, "unknown compiler '%s'", o->config->compiler);
	if (!path_name_is_safe(o->config->name))
		return error_set(err, -EINVAL, "'%s' is no name for a configuration",
				 o->config->name);
	r = path_mkdirs(o->work, 0755, err);
	if (r)
		return r;
	work = realpath(o->work, NULL);
	k->source = realpath(o->source, NULL);
	if (!work || !k->source)
		return error_errno(err, -errno, "'%s'", work ? o->source : o->work);
	k->obj = xasprintf("%s/obj/%s", work, o->config->name);
	k->state = xasprintf("%s/state/%s", work, o->config->name);
	k->ccache = xasprintf("%s/ccache", work);
	k->tools = xasprintf("%s/tools", k->state);
	r = path_mkdirs(k->obj, 0755, err);
	return r ? r : path_mkdirs(k->state, 0755, err);
}

int kbuild_run(const struct kbuild_opts *opts, struct build_result *ret,
	       struct kbuild_image *ret_image, struct error *err)
{
	static const char *const roots[] = { KBUILD_SOURCE "/", KBUILD_OBJ "/", NULL };
	struct kbuild_opts o = *opts;
	CLEANUP(kbuild_free)
	struct kbuild k = { .o = &o, .diag = { .roots = roots, .on_step = on_step } };
	CLEANUP(kbuild_image_free) struct kbuild_image image = { 0 };
	struct build_result result = { .status = STATUS_PASS };
	CLEANUP(free_p) char *lock = NULL;
	CLEANUP(close_p) int lock_fd = -1;
	int64_t start_us = clock_mono_us();
	bool failed = false;
	int r;

	o.timeout_ms = o.timeout_ms > 0 ? o.timeout_ms : DEFAULT_TIMEOUT_MS;
	o.memory_bytes = o.memory_bytes > 0 ? o.memory_bytes : DEFAULT_MEMORY_BYTES;
	k.deadline_ms = clock_real_mono_us() / US_PER_MS + o.timeout_ms;
	k.diag.arg = &k;
	r = open_paths(&k, &o, err);
	if (r)
		return r;
	lock = xasprintf("%s.lock", k.state);
	r = lockfile_take(lock, o.watch, &lock_fd, err);
	if (!r)
		r = kbuild_tree_open(&k, err);
	if (!r)
		r = kbuild_tools_write(&k, err);
	if (!r)
		r = build(&k, &failed, err);
	if (r)
		return r;
	if (!failed)
		fill_image(&k, &image);
	check_image(&k, &image, &failed);
	if (failed)
		kbuild_image_free(&image);
	fill_result(&k, failed, &result);
	result.image = !failed && image.kernel;
	result.duration_us = clock_mono_us() - start_us;
	*ret = result;
	*ret_image = image;
	image = (struct kbuild_image){ 0 };
	return 0;
}
