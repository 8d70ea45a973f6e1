// SPDX-License-Identifier: MIT
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/bisect_internal.h"
#include "lib/buf.h"
#include "lib/limits.h"

#define PARENTS_MAX 128 /* of one commit; the widest merge in Linux, 2cde51fbd0f3, has 66 */

bool bisect_id_is_valid(const char *id)
{
	size_t len = strspn(id, "0123456789abcdef");

	return !id[len] && (len == 40 || len == 64);
}

void bisect_graph_free(struct bisect_graph *g)
{
	free(g->nodes);
	free(g->parents);
	free(g->by_id);
	free(g->order);
	*g = (struct bisect_graph){ 0 };
}

static int by_id(const void *a, const void *b, void *graph)
{
	const struct bisect_graph *g = graph;

	return strcmp(g->nodes[*(const int *)a].id, g->nodes[*(const int *)b].id);
}

static void sort_nodes(struct bisect_graph *g)
{
	g->by_id = xrealloc(g->by_id, g->n, sizeof(*g->by_id));
	for (size_t i = 0; i < g->n; i++)
		g->by_id[i] = (int)i;
	qsort_r(g->by_id, g->n, sizeof(*g->by_id), by_id, g);
}

int bisect_graph_find(const struct bisect_graph *g, const char *id)
{
	size_t low = 0, high = g->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = strcmp(id, g->nodes[g->by_id[mid]].id);

		if (!order)
			return g->by_id[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return -1;
}

static void add_node(struct bisect_graph *g, const char *id, bool listed)
{
	struct bisect_node *node;

	ARRAY_RESERVE(g->nodes, g->n, g->cap);
	node = &g->nodes[g->n];
	*node = (struct bisect_node){ .listed = listed, .image = (int)g->n };
	memcpy(node->id, id, strlen(id) + 1);
	g->n++;
}

/* ---- reading -------------------------------------------------------------------------------- */

/* The names of parents, in the order of their lines; borrowed from the text. */
struct names {
	char **items;
	size_t n, cap;
};

static int read_line(struct bisect_graph *g, char *line, struct names *parents, struct error *err)
{
	size_t before = parents->n;
	bool first = true;
	char *word;

	while ((word = strsep(&line, " "))) {
		if (!bisect_id_is_valid(word))
			return error_set(err, -EINVAL,
					 "line %zu of the commits: '%.70s' is no commit's name",
					 g->n + first, word);
		if (first) {
			if (g->n == LIMIT_BISECT_COMMITS)
				return error_set(err, -E2BIG, "there are more than %d commits",
						 LIMIT_BISECT_COMMITS);
			add_node(g, word, true);
			first = false;
			continue;
		}
		if (parents->n - before == PARENTS_MAX)
			return error_set(err, -EINVAL, "commit %s has more than %d parents",
					 g->nodes[g->n - 1].id, PARENTS_MAX);
		ARRAY_RESERVE(parents->items, parents->n, parents->cap);
		parents->items[parents->n++] = word;
	}
	g->nodes[g->n - 1].first_parent = (int)before;
	g->nodes[g->n - 1].n_parents = (int)(parents->n - before);
	return 0;
}

static int read_lines(struct bisect_graph *g, char *text, struct names *parents, struct error *err)
{
	char *line;
	int r;

	while ((line = strsep(&text, "\n"))) {
		if (!*line && !text)
			break; /* behind the last newline */
		r = read_line(g, line, parents, err);
		if (r < 0)
			return r;
	}
	if (!g->n)
		return error_set(err, -EINVAL, "there are no commits between the ends");
	sort_nodes(g);
	for (size_t i = 1; i < g->n; i++)
		if (!by_id(&g->by_id[i - 1], &g->by_id[i], g))
			return error_set(err, -EINVAL, "commit %s is listed twice",
					 g->nodes[g->by_id[i]].id);
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Parents that the list does not hold become nodes without parents. */
static void add_unlisted(struct bisect_graph *g, const struct names *parents)
{
	struct names rest = { 0 };

	for (size_t i = 0; i < parents->n; i++) {
		if (bisect_graph_find(g, parents->items[i]) >= 0)
			continue;
		ARRAY_RESERVE(rest.items, rest.n, rest.cap);
		rest.items[rest.n++] = parents->items[i];
	}
	if (rest.n)
		qsort(rest.items, rest.n, sizeof(*rest.items), by_text);
	for (size_t i = 0; i < rest.n; i++)
		if (!i || strcmp(rest.items[i - 1], rest.items[i]) != 0)
			add_node(g, rest.items[i], false);
	if (rest.n)
		sort_nodes(g);
	free(rest.items);
}

/* Fills g->order, depth first without recursion: a range is thousands of commits deep. */
static int sort_parents_first(struct bisect_graph *g, struct error *err)
{
	CLEANUP(free_p) int *stack = xcalloc(g->n + 1, sizeof(*stack));
	CLEANUP(free_p) int *at = xcalloc(g->n + 1, sizeof(*at)); /* next parent; -1: done */
	CLEANUP(free_p) bool *open = xcalloc(g->n + 1, sizeof(*open));
	size_t done = 0, depth = 0;

	g->order = xcalloc(g->n + 1, sizeof(*g->order));
	for (size_t i = 0; i < g->n; i++) {
		if (at[i] >= 0)
			stack[depth++] = (int)i;
		while (depth) {
			int v = stack[depth - 1], p;

			open[v] = true;
			if (at[v] == g->nodes[v].n_parents) {
				at[v] = -1;
				open[v] = false;
				g->order[done++] = v;
				depth--;
				continue;
			}
			p = g->parents[g->nodes[v].first_parent + at[v]++];
			if (open[p])
				return error_set(err, -EINVAL, "commit %s is its own ancestor",
						 g->nodes[p].id);
			if (at[p] >= 0)
				stack[depth++] = p;
		}
	}
	return 0;
}

int bisect_graph_parse(struct bisect_graph *g, const char *revlist, struct error *err)
{
	CLEANUP(free_p) char *text = xstrdup(revlist);
	struct names parents = { 0 };
	int r = read_lines(g, text, &parents, err);

	if (r == 0) {
		add_unlisted(g, &parents);
		g->n_parents = parents.n;
		g->parents = xcalloc(parents.n + 1, sizeof(*g->parents));
		for (size_t i = 0; i < parents.n; i++)
			g->parents[i] = bisect_graph_find(g, parents.items[i]);
		r = sort_parents_first(g, err);
	}
	free(parents.items);
	return r;
}

/* ---- walking -------------------------------------------------------------------------------- */

void bisect_graph_mark_ancestors(const struct bisect_graph *g, bool *marked)
{
	for (size_t i = g->n; i--;) {
		const struct bisect_node *node = &g->nodes[g->order[i]];

		for (int k = 0; marked[g->order[i]] && k < node->n_parents; k++)
			marked[g->parents[node->first_parent + k]] = true;
	}
}

/* Children come after their parents in g->order: one pass from the end sees each commit once. */
int bisect_graph_reach(const struct bisect_graph *g, int top, const bool *without,
		       const bool *count, bool *within)
{
	CLEANUP(free_p) bool *own = within ? NULL : xcalloc(g->n, sizeof(*own));
	bool *in = within ? within : own;
	int n = 0;

	memset(in, 0, g->n * sizeof(*in));
	in[top] = !without[top];
	for (size_t i = g->n; i--;) {
		int v = g->order[i];
		const struct bisect_node *node = &g->nodes[v];

		if (!in[v])
			continue;
		n += !count || count[v];
		for (int k = 0; k < node->n_parents; k++) {
			int p = g->parents[node->first_parent + k];

			in[p] = in[p] || !without[p];
		}
	}
	return n;
}

/* How many open commits of the set `v` reaches, itself included. Where histories
 * join they share ancestors, so only a walk tells. */
static int weigh(const struct bisect_graph *g, int v, const bool *set, const bool *outside,
		 const bool *open, const int *weight)
{
	const struct bisect_node *node = &g->nodes[v];
	int n = 0, last = -1;

	for (int k = 0; k < node->n_parents; k++) {
		int p = g->parents[node->first_parent + k];

		if (set[p]) {
			last = p;
			n++;
		}
	}
	if (n > 1)
		return bisect_graph_reach(g, v, outside, open, NULL);
	return open[v] + (n ? weight[last] : 0);
}

/* What is left to choose from after the worse of both answers: bad leaves what `v` reaches, good the
 * others and the bad commit above. */
static int worse(int weight, int total)
{
	return weight > total + 1 - weight ? weight : total + 1 - weight;
}

/* How many open commits away the nearest skip is; weights stand for places. */
static int skip_distance(const int *weight, int v, const int *skips, size_t n)
{
	int nearest = INT_MAX;

	for (size_t i = 0; i < n; i++) {
		int way = weight[v] - weight[skips[i]];

		way = way > 0 ? way : 1 - way;
		nearest = way < nearest ? way : nearest;
	}
	return nearest;
}

/* What does not build has neighbours that do not either. Each skip doubles the way that is kept from
 * all of them, as far as the worse answer costs no test more than the best choice would. */
static int middle_off_skips(const struct bisect_graph *g, const bool *open, const int *weight,
			    int total, const int *skips, size_t n, int best)
{
	int want = 1 << (n < 16 ? n - 1 : 15), left = 1, best_way;

	while (2 * left < total + 1)
		left *= 2;
	best_way = skip_distance(weight, best, skips, n);
	for (size_t i = 0; i < g->n; i++) {
		int v = g->order[i], way;

		if (!open[v] || worse(weight[v], total) > left)
			continue;
		way = skip_distance(weight, v, skips, n);
		way = way < want ? way : want;
		if (way > best_way ||
		    (way == best_way && worse(weight[v], total) < worse(weight[best], total))) {
			best = v;
			best_way = way;
		}
	}
	return best;
}

int bisect_graph_middle(const struct bisect_graph *g, const bool *set, const bool *open, int top)
{
	CLEANUP(free_p) int *weight = xcalloc(g->n, sizeof(*weight));
	CLEANUP(free_p) int *skips = xcalloc(g->n, sizeof(*skips));
	CLEANUP(free_p) bool *outside = xcalloc(g->n, sizeof(*outside));
	int total = 0, best = -1;
	size_t n_skips = 0;

	for (size_t i = 0; i < g->n; i++) {
		outside[i] = !set[i];
		total += open[i];
	}
	for (size_t i = 0; i < g->n; i++) {
		int v = g->order[i];

		if (!set[v])
			continue;
		weight[v] = weigh(g, v, set, outside, open, weight);
		if (!open[v] && v != top)
			skips[n_skips++] = v;
		if (open[v] && (best < 0 || worse(weight[v], total) < worse(weight[best], total)))
			best = v;
	}
	if (best < 0 || !n_skips)
		return best;
	return middle_off_skips(g, open, weight, total, skips, n_skips, best);
}
