// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>

#include "jobs/bisect_internal.h"
#include "lib/buf.h"
#include "lib/limits.h"

#define BISECT_VERSION 1
#define LINE_BYTES (16 << 10) /* a commit with as many parents as the graph takes */

static void put_str(struct json_object *o, const char *key, const char *s)
{
	if (s)
		json_object_object_add(o, key, json_str(s));
}

static void put_int(struct json_object *o, const char *key, int n)
{
	json_object_object_add(o, key, json_object_new_int(n));
}

static struct json_object *config_to_json(const struct bisect_config *c)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "false_rate", json_object_new_double(c->false_rate));
	json_object_object_add(o, "error", json_object_new_double(c->error));
	put_int(o, "batch", c->batch);
	put_int(o, "end_fails", c->end_fails);
	put_int(o, "end_runs", c->end_runs);
	put_int(o, "max_runs", c->max_runs);
	return o;
}

static struct json_object *commits_to_json(const struct bisect_graph *g)
{
	struct json_object *arr = json_object_new_array();
	CLEANUP(buf_free) struct buf line = BUF_INIT;

	for (size_t i = 0; i < g->n && g->nodes[i].listed; i++) {
		const struct bisect_node *node = &g->nodes[i];

		buf_reset(&line);
		buf_str(&line, node->id);
		for (int k = 0; k < node->n_parents; k++)
			buf_printf(&line, " %s", g->nodes[g->parents[node->first_parent + k]].id);
		json_object_array_add(arr, json_strn(line.data, line.len));
	}
	return arr;
}

static struct json_object *step_to_json(const struct bisect_step *s)
{
	struct json_object *o = json_object_new_object();

	put_str(o, "commit", s->commit);
	put_str(o, "purpose", bisect_purpose_name(s->purpose));
	if (s->noop_of) {
		put_str(o, "noop", s->noop_of);
	} else if (s->skip) {
		put_str(o, "skip", bisect_why_name(s->skip));
		put_str(o, "detail", s->detail);
	} else {
		put_int(o, "runs", s->runs);
		put_int(o, "fails", s->fails);
		put_str(o, "fingerprint", s->fingerprint);
	}
	put_str(o, "verdict", bisect_verdict_name(s->verdict));
	return o;
}

struct json_object *bisect_to_json(const struct bisect *b)
{
	struct json_object *o = json_object_new_object();
	struct json_object *steps = json_object_new_array();

	for (size_t i = 0; i < b->n_steps; i++)
		json_object_array_add(steps, step_to_json(&b->steps[i]));
	put_int(o, "version", BISECT_VERSION);
	put_str(o, "good", b->g.nodes[b->good].id);
	put_str(o, "bad", b->g.nodes[b->bad].id);
	put_str(o, "fingerprint", b->fingerprint);
	json_object_object_add(o, "config", config_to_json(&b->config));
	json_object_object_add(o, "commits", commits_to_json(&b->g));
	json_object_object_add(o, "steps", steps);
	return o;
}

/* ---- reading -------------------------------------------------------------------------------- */

static int get_count(const struct jval *v, const char *key, int min, int *ret, struct error *err)
{
	int64_t n;
	int r = json_get_i64(v, key, min, BISECT_RUNS_MAX, &n, err);

	if (r == 0)
		*ret = (int)n;
	return r;
}

static int config_from_json(const struct jval *root, struct bisect_config *ret, struct error *err)
{
	static const char *const keys[] = { "false_rate", "error",    "batch", "end_fails",
					    "end_runs",	  "max_runs", NULL };
	struct jval v;
	int r = json_get_obj(root, "config", &v, err);

	if (r == 0)
		r = json_get_double(&v, "false_rate", &ret->false_rate, err);
	if (r == 0)
		r = json_get_double(&v, "error", &ret->error, err);
	if (r == 0)
		r = get_count(&v, "batch", 1, &ret->batch, err);
	if (r == 0)
		r = get_count(&v, "end_fails", 1, &ret->end_fails, err);
	if (r == 0)
		r = get_count(&v, "end_runs", 1, &ret->end_runs, err);
	if (r == 0)
		r = get_count(&v, "max_runs", 1, &ret->max_runs, err);
	return r < 0 ? r : json_only_keys(&v, keys, err);
}

static int commits_from_json(const struct jval *root, struct buf *ret_text, struct error *err)
{
	struct jval v;
	int r = json_get_arr(root, "commits", &v, err);

	for (size_t i = 0; r == 0 && i < json_arr_len(&v); i++) {
		struct jval item = json_arr_at(&v, i);
		const char *line;

		r = json_as_str(&item, LINE_BYTES, &line, err);
		if (r == 0 && strchr(line, '\n'))
			r = error_set(err, -EINVAL, "%s: is more than one line", item.path);
		if (r == 0)
			buf_printf(ret_text, "%s\n", line);
	}
	return r;
}

/* What the search itself refuses names no path yet. */
static int told(const struct jval *v, int r, struct error *err)
{
	return r < 0 ? error_wrap(err, r, "%s", v->path) : 0;
}

static int skip_from_json(struct bisect *b, const struct jval *v, const char *commit,
			  const char *name, struct error *err)
{
	static const char *const keys[] = { "commit", "purpose", "skip", "detail", "verdict", NULL };
	const char *detail = NULL;
	int why = 0, r = json_opt_str(v, "detail", LIMIT_TEXT_LEN, &detail, err);

	if (r == 0)
		r = json_only_keys(v, keys, err);
	if (r < 0)
		return r;
	while (why < BISECT_WHY_COUNT && strcmp(name, bisect_why_name(why)) != 0)
		why++;
	if (why == BISECT_WHY_COUNT)
		return error_set(err, -EINVAL, "%s.skip: unknown reason", v->path);
	return told(v, bisect_skip(b, commit, why, detail, err), err);
}

static int runs_from_json(struct bisect *b, const struct jval *v, const char *commit,
			  struct error *err)
{
	static const char *const keys[] = { "commit",	   "purpose", "runs", "fails",
					    "fingerprint", "verdict", NULL };
	const char *fingerprint = NULL;
	int runs = 0, fails = 0, r = get_count(v, "runs", 1, &runs, err);

	if (r == 0)
		r = get_count(v, "fails", 0, &fails, err);
	if (r == 0)
		r = json_opt_str(v, "fingerprint", LIMIT_NAME_LEN, &fingerprint, err);
	if (r == 0)
		r = json_only_keys(v, keys, err);
	if (r < 0)
		return r;
	return told(v, bisect_record(b, commit, runs, fails, fingerprint, err), err);
}

static int noop_from_json(struct bisect *b, const struct jval *v, const char *commit,
			  const char *parent, struct error *err)
{
	static const char *const keys[] = { "commit", "purpose", "noop", "verdict", NULL };
	int r = json_only_keys(v, keys, err);

	return r < 0 ? r : told(v, bisect_noop(b, commit, parent, err), err);
}

/* What the step says of itself must be what the search makes of it. */
static int check_step(const struct bisect *b, const struct jval *v, struct error *err)
{
	const struct bisect_step *s = &b->steps[b->n_steps - 1];
	const char *purpose, *verdict;
	int r = json_get_str(v, "purpose", LIMIT_NAME_LEN, &purpose, err);

	if (r == 0)
		r = json_get_str(v, "verdict", LIMIT_NAME_LEN, &verdict, err);
	if (r < 0)
		return r;
	if (strcmp(purpose, bisect_purpose_name(s->purpose)) != 0)
		return error_set(err, -EINVAL, "%s.purpose: must be %s after what is before it",
				 v->path, bisect_purpose_name(s->purpose));
	if (strcmp(verdict, bisect_verdict_name(s->verdict)) != 0)
		return error_set(err, -EINVAL, "%s.verdict: must be %s after what is before it",
				 v->path, bisect_verdict_name(s->verdict));
	return 0;
}

static int step_from_json(struct bisect *b, const struct jval *v, struct error *err)
{
	const char *commit, *skip = NULL, *noop = NULL;
	int r = json_get_str(v, "commit", BISECT_ID_MAX, &commit, err);

	if (r == 0)
		r = json_opt_str(v, "skip", LIMIT_NAME_LEN, &skip, err);
	if (r == 0)
		r = json_opt_str(v, "noop", BISECT_ID_MAX, &noop, err);
	if (r < 0)
		return r;
	if (noop)
		r = noop_from_json(b, v, commit, noop, err);
	else if (skip)
		r = skip_from_json(b, v, commit, skip, err);
	else
		r = runs_from_json(b, v, commit, err);
	return r < 0 ? r : check_step(b, v, err);
}

int bisect_from_json(const struct jval *v, struct bisect **ret, struct error *err)
{
	static const char *const keys[] = { "version", "good",	  "bad",   "fingerprint",
					    "config",  "commits", "steps", NULL };
	CLEANUP(bisect_p) struct bisect *b = NULL;
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct bisect_config config;
	const char *good, *bad, *fingerprint;
	struct jval steps;
	int64_t version;
	int r = json_get_i64(v, "version", BISECT_VERSION, BISECT_VERSION, &version, err);

	if (r == 0)
		r = json_get_str(v, "good", BISECT_ID_MAX, &good, err);
	if (r == 0)
		r = json_get_str(v, "bad", BISECT_ID_MAX, &bad, err);
	if (r == 0)
		r = json_get_str(v, "fingerprint", LIMIT_NAME_LEN, &fingerprint, err);
	if (r == 0)
		r = config_from_json(v, &config, err);
	if (r == 0)
		r = commits_from_json(v, &text, err);
	if (r == 0)
		r = json_get_arr(v, "steps", &steps, err);
	if (r == 0)
		r = json_only_keys(v, keys, err);
	if (r == 0)
		r = bisect_new(&config, good, bad, fingerprint, buf_cstr(&text), &b, err);
	for (size_t i = 0; r == 0 && i < json_arr_len(&steps); i++) {
		struct jval step = json_arr_at(&steps, i);

		r = step_from_json(b, &step, err);
	}
	if (r == 0)
		*ret = STEAL(b);
	return r;
}
