/* SPDX-License-Identifier: MIT */
/* test_kbuild: a folder with a toy tree in src/, built as a kernel is, in work/. */
#ifndef FAULTLINE_TESTS_UNIT_TEST_KBUILD_H
#define FAULTLINE_TESTS_UNIT_TEST_KBUILD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "agent/engine.h"
#include "agent/kbuild.h"
#include "agent/sandbox.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/path.h"

static char *top, *source, *work;
static struct buf logged;
static bool stop; /* the build said that it wants to be cancelled */
static struct plan_fragment fragments[1] = { { (char *)"base", (char *)"CONFIG_KSM=y\n" } };

/* A file of the tree. */
static inline void put(const char *rel, const char *text)
{
	CLEANUP(free_p) char *path = xasprintf("%s/%s", source, rel);
	CLEANUP(free_p) char *dir = xstrndup(path, (size_t)(strrchr(path, '/') - path));

	assert_int_equal(path_mkdirs(dir, 0755, NULL), 0);
	assert_int_equal(path_write_atomic(path, text, strlen(text), 0644, NULL), 0);
}

static inline void tree_begin(const char *makefile)
{
	char dir[] = "/tmp/faultline-kbuild-XXXXXX";

	top = xstrdup(mkdtemp(dir));
	source = xasprintf("%s/src", top);
	work = xasprintf("%s/work", top);
	stop = false;
	put("Makefile", makefile);
	put("Kconfig", "config KSM\n\tbool \"merge\"\n");
	put("extra.sh", ":\n");
}

static inline int teardown(void **state)
{
	int r = path_remove_tree(top, NULL);

	(void)state;
	buf_free(&logged);
	free(top);
	free(source);
	free(work);
	return r;
}

static inline void on_log(void *arg, const char *data, size_t len)
{
	(void)arg;
	buf_add(&logged, data, len);
	if (memmem(data, len, "STOP", 4))
		stop = true;
}

static inline bool cancelled(void *arg)
{
	(void)arg;
	return stop;
}

/* kbuild_run() of the tree; skips the test where no sandbox can be made. */
static inline int build_tree(int64_t timeout_ms, struct build_result *ret,
			     struct kbuild_image *image, struct error *err)
{
	const struct engine_watch watch = { .log = on_log, .cancelled = cancelled };
	const struct plan_config config = { .name = (char *)"default",
					    .arch = (char *)"x86_64",
					    .compiler = (char *)"gcc",
					    .fragments = fragments,
					    .n_fragments = 1 };
	const struct kbuild_opts opts = { .work = work,
					  .source = source,
					  .config = &config,
					  .jobs = 2,
					  .timeout_ms = timeout_ms,
					  .watch = &watch };

	if (sandbox_check(NULL) < 0)
		skip();
	buf_reset(&logged);
	return kbuild_run(&opts, ret, image, err);
}

#endif
