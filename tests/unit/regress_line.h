/* SPDX-License-Identifier: MIT */
/*
 * regress_line: what the tests of whole lives of regressions share: a straight line of commits, drawn
 * numbers that a seed repeats, and what the store does with a decision.
 */
#ifndef FAULTLINE_TESTS_UNIT_REGRESS_LINE_H
#define FAULTLINE_TESTS_UNIT_REGRESS_LINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "server/regress_step.h"

#define COMMITS_MAX 80

static struct error err;
static uint64_t seed;

/* [0, 1): xorshift64*, Vigna 2014. */
static inline double uniform(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (double)((seed * UINT64_C(0x2545f4914f6cdd1d)) >> 11) / 9007199254740992.0;
}

/* The hash of the commit at a place of the line, and the place that a hash is of. */
static inline const char *sha(int i)
{
	static char text[COMMITS_MAX][41];

	snprintf(text[i], sizeof(text[i]), "%040x", 0x1000 + i);
	return text[i];
}

static inline int index_of(const char *s)
{
	return (int)strtol(s + 30, NULL, 16) - 0x1000;
}

/* Of struct regress_history. */
static inline int revlist(void *arg, const char *good, const char *bad, char **ret, struct error *e)
{
	struct buf b = BUF_INIT;

	(void)arg;
	(void)e;
	for (int i = index_of(bad); i > index_of(good); i--)
		buf_printf(&b, "%s %s\n", sha(i), sha(i - 1));
	*ret = buf_steal(&b);
	return 0;
}

static inline int commit(void *arg, const char *name, struct commit_info *ret, struct error *e)
{
	(void)arg;
	(void)e;
	*ret = (struct commit_info){ .sha = sha(index_of(name)), .tree = sha(index_of(name)) };
	return 0;
}

/* The row of a probe that was asked for, ended, without runs. */
static inline struct probe_row *add_probe(struct regression_state *g, const struct probe_new *p,
					  bool built)
{
	struct probe_row *row;

	g->probes = xrealloc(g->probes, g->n_probes + 1, sizeof(*g->probes));
	row = &g->probes[g->n_probes++];
	*row = (struct probe_row){ .id = (int64_t)g->n_probes,
				   .purpose = xstrdup(p->purpose),
				   .sha = xstrdup(p->commit.sha),
				   .ended = true,
				   .built = built };
	return row;
}

static inline void set(char **to, const char *s)
{
	free(*to);
	*to = xstrdup(s);
}

/* What a decision says of the regression itself; a state that it gets into is added to `states`. */
static inline void settle(struct regression_state *g, const struct regress_decision *d,
			  struct buf *states)
{
	if (d->step.culprit)
		set(&g->row.culprit, d->step.culprit);
	if (d->step.good)
		set(&g->row.good, d->step.good);
	if (!d->step.state)
		return;
	assert_non_null(d->step.evidence);
	buf_printf(states, "%s%s", states->len ? " " : "", d->step.state);
	set(&g->row.state, d->step.state);
}

/* Bisected, or ended. */
static inline bool is_settled(const struct regression_state *g)
{
	return strcmp(g->row.state, "new") != 0 && strcmp(g->row.state, "confirmed") != 0;
}

#endif
