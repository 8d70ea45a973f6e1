/* SPDX-License-Identifier: MIT */
#include "jobs/bisect_trail.h"

#include <stdlib.h>
#include <string.h>

#include "jobs/bisect_internal.h"
#include "lib/buf.h"

/* The same search before anything was told. */
static int begin_again(const struct bisect *b, struct bisect **ret, struct error *err)
{
	CLEANUP(buf_free) struct buf lines = BUF_INIT;

	for (size_t i = 0; i < b->g.n && b->g.nodes[i].listed; i++) {
		const struct bisect_node *node = &b->g.nodes[i];

		buf_str(&lines, node->id);
		for (int k = 0; k < node->n_parents; k++)
			buf_printf(&lines, " %s",
				   b->g.nodes[b->g.parents[node->first_parent + k]].id);
		buf_char(&lines, '\n');
	}
	return bisect_new(&b->config, b->g.nodes[b->good].id, b->g.nodes[b->bad].id, b->fingerprint,
			  buf_cstr(&lines), ret, err);
}

static int tell(struct bisect *b, const struct bisect_step *s, struct error *err)
{
	if (s->noop_of)
		return bisect_noop(b, s->commit, s->noop_of, err);
	if (s->skip)
		return bisect_skip(b, s->commit, s->skip, s->detail, err);
	return bisect_record(b, s->commit, s->runs, s->fails, s->fingerprint, err);
}

static struct bisect_place *place_of(struct bisect_place *all, size_t n, const char *id)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(all[i].id, id) == 0)
			return &all[i];
	return NULL;
}

/* Tells it all again, and notes what each step left. */
static int note_turns(const struct bisect *b, struct bisect_place *all, size_t n, struct error *err)
{
	CLEANUP(free_p) bool *left = xcalloc(b->g.n, sizeof(*left));
	CLEANUP(bisect_p) struct bisect *again = NULL;
	int turn = 0, r = begin_again(b, &again, err);

	for (size_t i = 0; i < b->n_steps && !r; i++) {
		struct bisect_place *p = place_of(all, n, b->steps[i].commit);

		r = tell(again, &b->steps[i], err);
		if (r || !p)
			continue;
		if (!p->turn)
			p->turn = ++turn;
		p->left_after = bisect_left(again, left);
	}
	return r;
}

int bisect_trail(const struct bisect *b, struct bisect_place **ret, size_t *ret_n,
		 struct error *err)
{
	CLEANUP(free_p) struct bisect_place *all = xcalloc(b->g.n, sizeof(*all));
	CLEANUP(free_p) bool *out = xcalloc(b->g.n, sizeof(*out));
	CLEANUP(free_p) bool *range = xcalloc(b->g.n, sizeof(*range));
	CLEANUP(free_p) bool *left = xcalloc(b->g.n, sizeof(*left));
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < b->g.n; i++)
		out[i] = (int)i == b->good || !b->g.nodes[i].listed;
	bisect_graph_mark_ancestors(&b->g, out);
	bisect_graph_reach(&b->g, b->bad, out, NULL, range);
	range[b->good] = true;
	bisect_left(b, left);
	for (size_t i = 0; i < b->g.n && !r; i++) {
		int v = b->g.order[i];

		if (!range[v])
			continue;
		all[n] = (struct bisect_place){ .id = b->g.nodes[v].id, .left = left[v] };
		r = bisect_known(b, all[n].id, &all[n].known, err);
		n++;
	}
	if (!r)
		r = note_turns(b, all, n, err);
	if (r)
		return r;
	*ret = STEAL(all);
	*ret_n = n;
	return 0;
}
