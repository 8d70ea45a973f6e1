/* SPDX-License-Identifier: MIT */
/*
 * kconfig: from a plan's fragments to a .config, and whether every option took.
 *
 * A fragment's line is "CONFIG_X=value" or "# CONFIG_X is not set"; the later one wins, over lines
 * before it and over fragments before its own. kconfig itself drops what it does not know or whose
 * dependencies are not met without a word, so what came out is compared with what was asked.
 * Thread: any.
 */
#ifndef FAULTLINE_AGENT_KCONFIG_H
#define FAULTLINE_AGENT_KCONFIG_H

#include "agent/diag.h"
#include "jobs/plan.h"
#include "lib/error.h"

struct kconfig_ask {
	const char *fragment; /* borrowed from the plan */
	int line; /* 1.. */
	char *symbol; /* "CONFIG_KSM" */
	char *value; /* as written: "y", "20", "\"text\""; "n" for "is not set" */
};

struct kconfig_asks {
	struct kconfig_ask *items; /* one for each symbol: the one that wins */
	size_t n, cap;
};

/* -EINVAL naming fragment and line for a line that is neither option, comment nor blank. */
must_check int kconfig_asks_read(const struct plan_config *config, struct kconfig_asks *ret,
				 struct error *err);
void kconfig_asks_free(struct kconfig_asks *a);
/* The lines to append to a .config. Owned. */
char *kconfig_asks_text(const struct kconfig_asks *a);

/* Adds a line to `errors` for every option that did not take: "fragment fault.config line 12:
 * CONFIG_FAIL_PAGE_ALLOC=y did not take (is not set; depends on …)". `source` is the tree, where
 * the reason is looked for; NULL = no reason. */
void kconfig_check(const struct kconfig_asks *a, const char *dot_config, const char *source,
		   struct diag_list *errors);

/* What the tree's definition of `symbol` says against setting it. Owned, or NULL. */
char *kconfig_why(const char *source, const char *symbol, bool want_off);

/* One hash over everything that a .config is made from: fragments, the .config itself, the
 * compiler, and time and size of every Kconfig file and script of the tree. Without a configured
 * build in `obj` there is none: false. */
bool kconfig_stamp(const struct plan_config *config, const char *source, const char *obj,
		   char ret_hex[HASH_HEX_MAX]);

#endif
