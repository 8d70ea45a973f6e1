// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/kbuild.h"
#include "agent/kconfig.h"
#include "lib/clean.h"
#include "lib/path.h"

#define STATE_BYTES ((size_t)16 << 20)
#define FRESH_BYTES \
	(1536LL << 20) /* a small configuration takes 150 MB, one with debug info 1 GB */
#define REUSED_BYTES (384LL << 20)
#define STEPS_GUESS 1400 /* of the plans' configurations on Linux 6.12 */

/* ---- files that the build made ------------------------------------------------------------- */

char *kbuild_file(const char *obj, const char *rel)
{
	CLEANUP(free_p) char *path = xasprintf("%s/%s", obj, rel);
	CLEANUP(free_p) char *real = realpath(path, NULL);
	struct stat st;

	if (!real || strcmp(real, path) || lstat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return NULL;
	return STEAL(path);
}

int kbuild_read(const char *obj, const char *rel, size_t max_bytes, struct buf *out,
		struct error *err)
{
	CLEANUP(free_p) char *path = kbuild_file(obj, rel);

	if (!path)
		return error_set(err, -ENOENT, "the build made no file '%s'", rel);
	return path_read(path, max_bytes, out, err);
}

/* ---- state --------------------------------------------------------------------------------- */

static char *state_path(const struct kbuild *k, const char *name)
{
	return xasprintf("%s/%s", k->state, name);
}

/* Missing is the empty text. */
static void state_read(const struct kbuild *k, const char *name, struct buf *out)
{
	CLEANUP(free_p) char *path = state_path(k, name);

	if (path_read(path, STATE_BYTES, out, NULL) < 0)
		buf_add(out, "", 0);
}

static int state_write(const struct kbuild *k, const char *name, const char *text,
		       struct error *err)
{
	CLEANUP(free_p) char *path = state_path(k, name);

	return path_write_atomic(path, text, strlen(text), 0644, err);
}

static void state_drop(const struct kbuild *k, const char *name)
{
	CLEANUP(free_p) char *path = state_path(k, name);

	unlink(path);
}

/* ---- what an earlier build left ------------------------------------------------------------ */

static _Thread_local struct timespec since; /* nftw() passes no argument */

static int remove_newer(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)at;
	if (type == FTW_D || type == FTW_DP || type == FTW_DNR)
		return 0;
	if (st->st_mtim.tv_sec > since.tv_sec ||
	    (st->st_mtim.tv_sec == since.tv_sec && st->st_mtim.tv_nsec >= since.tv_nsec))
		unlink(path);
	return 0;
}

/* A killed compiler leaves half a file that is newer than its source: make would take it. What was
 * written since make started goes; ccache has the good ones. */
static void heal(const struct kbuild *k)
{
	CLEANUP(free_p) char *marker = state_path(k, "building");
	struct stat st;

	if (stat(marker, &st) < 0)
		return;
	since = st.st_mtim;
	(void)nftw(k->obj, remove_newer, 16, FTW_PHYS);
	state_drop(k, "stamp");
	state_drop(k, "warnings");
	unlink(marker);
}

static int check_source(struct kbuild *k, struct error *err)
{
	CLEANUP(free_p) char *now = NULL;
	CLEANUP(buf_free) struct buf before = BUF_INIT;
	struct stat st;
	int r;

	if (stat(k->source, &st) < 0)
		return error_errno(err, -errno, "kernel tree '%s'", k->source);
	now = xasprintf("%s %llu\n", k->source, (unsigned long long)st.st_ino);
	state_read(k, "source", &before);
	if (!strcmp(buf_cstr(&before), now))
		return 0;
	/* make compares times: objects of another tree may be newer than this one's sources. */
	r = path_remove_tree(k->obj, err);
	if (!r)
		r = path_remove_tree(k->state, err);
	if (!r)
		r = path_mkdirs(k->obj, 0755, err);
	if (!r)
		r = path_mkdirs(k->state, 0755, err);
	return r ? r : state_write(k, "source", now, err);
}

static int check_space(const struct kbuild *k, struct error *err)
{
	int64_t need = k->fresh ? FRESH_BYTES : REUSED_BYTES;
	int64_t have = path_free_bytes(k->obj);

	if (have < 0 || have >= need)
		return 0;
	return error_set(err, -ENOSPC, "%lld MiB free in '%s'; a kernel build takes %lld MiB",
			 (long long)(have >> 20), k->obj, (long long)(need >> 20));
}

static void load_warnings(struct kbuild *k)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	char *save = NULL;

	state_read(k, "warnings", &b);
	for (char *l = strtok_r(b.data, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		char *tab = strchr(l, '\t');

		if (tab) {
			*tab = '\0';
			diag_list_add(&k->warnings, l, tab + 1);
		}
	}
}

int kbuild_tree_open(struct kbuild *k, struct error *err)
{
	CLEANUP(buf_free) struct buf steps = BUF_INIT;
	int whole = STEPS_GUESS, partial = 0;
	int r = path_mkdirs(k->obj, 0755, err);

	if (!r)
		r = path_mkdirs(k->state, 0755, err);
	if (!r)
		r = path_mkdirs(k->ccache, 0755, err);
	if (!r)
		r = check_source(k, err);
	if (r)
		return r;
	heal(k);
	state_read(k, "steps", &steps);
	k->fresh = sscanf(buf_cstr(&steps), "%d %d", &whole, &partial) < 1;
	k->total = k->fresh ? STEPS_GUESS : partial;
	load_warnings(k);
	return check_space(k, err);
}

bool kbuild_tree_configured(const struct kbuild *k)
{
	CLEANUP(buf_free) struct buf stamp = BUF_INIT;
	char now[HASH_HEX_MAX];

	state_read(k, "stamp", &stamp);
	return kconfig_stamp(k->o->config, k->source, k->obj, now) &&
	       !strcmp(buf_cstr(&stamp), now);
}

int kbuild_tree_begin(struct kbuild *k, struct error *err)
{
	return state_write(k, "building", "", err);
}

void kbuild_tree_step(struct kbuild *k, const char *target)
{
	struct diag_list *l = &k->warnings;
	size_t kept = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (strcmp(l->items[i].target, target)) {
			l->items[kept++] = l->items[i];
			continue;
		}
		free(l->items[i].target);
		free(l->items[i].text);
	}
	l->n = kept;
}

static void save_warnings(struct kbuild *k)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;

	for (size_t i = 0; i < k->diag.warnings.n; i++)
		diag_list_add(&k->warnings, k->diag.warnings.items[i].target,
			      k->diag.warnings.items[i].text);
	for (size_t i = 0; i < k->warnings.n; i++)
		buf_printf(&b, "%s\t%s\n", k->warnings.items[i].target, k->warnings.items[i].text);
	if (state_write(k, "warnings", buf_cstr(&b), NULL) < 0)
		state_drop(k, "warnings");
}

static void save_steps(struct kbuild *k)
{
	CLEANUP(buf_free) struct buf before = BUF_INIT;
	CLEANUP(free_p) char *text = NULL;
	int whole = 0;

	state_read(k, "steps", &before);
	if (k->fresh)
		whole = k->diag.steps;
	else if (sscanf(buf_cstr(&before), "%d", &whole) != 1)
		return;
	text = xasprintf("%d %d\n", whole, k->diag.steps);
	(void)!state_write(k, "steps", text, NULL);
}

void kbuild_tree_end(struct kbuild *k, bool succeeded)
{
	char stamp[HASH_HEX_MAX];

	/* The marker stays: the next build removes what this one was writing. */
	if (k->killed)
		return;
	save_warnings(k);
	if (succeeded)
		save_steps(k);
	if (!kconfig_stamp(k->o->config, k->source, k->obj, stamp) ||
	    state_write(k, "stamp", stamp, NULL) < 0)
		state_drop(k, "stamp");
	state_drop(k, "building");
}
