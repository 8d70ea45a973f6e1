/* SPDX-License-Identifier: MIT */
/* The search: what a text may be the name of, or a part. */
#include <string.h>
#include <strings.h>

#include "db/store_internal.h"
#include "jobs/scenario.h"

#define OF_A_KIND 10
#define SHA_DIGITS_MIN 4

struct search {
	struct db *db;
	const char *q;
	char *like, *digits; /* patterns; digits: NULL unless it may be the beginning of a hash */
	struct json_object *items;
	bool truncated;
};

/* "%text%" with what LIKE would take for a pattern escaped. */
static char *pattern(const char *q)
{
	struct buf b = BUF_INIT;

	buf_char(&b, '%');
	for (; *q; q++)
		buf_printf(&b, "%s%c", strchr("%_\\", *q) ? "\\" : "", *q);
	buf_char(&b, '%');
	return buf_steal(&b);
}

static char *hash_beginning(const char *q)
{
	size_t len = strlen(q);
	char *s;

	if (len < SHA_DIGITS_MIN || len > 40 || strspn(q, "0123456789abcdefABCDEF") != len)
		return NULL;
	s = xstrdup(q);
	for (char *p = s; *p; p++)
		*p = *p >= 'A' && *p <= 'F' ? (char)(*p - 'A' + 'a') : *p;
	return s;
}

/* Up to OF_A_KIND rows of a query, which was asked for one more. */
static int add(struct search *s, enum db_query name, const struct arg *args, int n,
	       struct error *err)
{
	CLEANUP(query_end) struct query q = { 0 };
	int r = query_start(&q, s->db, name, args, n, err), found = 0;

	while (!r && (r = query_next(&q, err)) == 1) {
		r = 0;
		if (found++ == OF_A_KIND) {
			s->truncated = true;
			break;
		}
		json_object_array_add(s->items, query_row(&q));
	}
	return r < 0 ? r : 0;
}

static void add_cases(struct search *s)
{
	size_t n = 0;
	const struct scenario *table = scenario_table(&n);
	int found = 0;

	for (size_t i = 0; i < n; i++) {
		CLEANUP(free_p) char *href = NULL;
		struct json_object *o;

		if (!strcasestr(table[i].name, s->q) && !strcasestr(table[i].summary, s->q))
			continue;
		if (found++ == OF_A_KIND) {
			s->truncated = true;
			return;
		}
		href = xasprintf("/cases/%s", table[i].name);
		o = json_object_new_object();
		json_object_object_add(o, "kind", json_str("case"));
		json_object_object_add(o, "name", json_str(table[i].name));
		json_object_object_add(o, "title", json_str(table[i].summary));
		json_object_object_add(o, "href", json_str(href));
		json_object_array_add(s->items, o);
	}
}

static int search_all(struct search *s, struct error *err)
{
	const int most = OF_A_KIND + 1;
	int r = 0;

	if (s->digits)
		r = add(s, Q_SEARCH_COMMITS_BY_SHA, ARGS(S(s->digits), I(most)), err);
	if (!r)
		r = add(s, Q_SEARCH_COMMITS, ARGS(S(s->like), I(most)), err);
	if (!r)
		r = add(s, Q_SEARCH_REGRESSIONS, ARGS(S(s->like), S(s->q), I(most)), err);
	if (!r)
		r = add(s, Q_SEARCH_BRANCHES, ARGS(S(s->like), I(most)), err);
	if (!r)
		r = add(s, Q_SEARCH_SUBMISSIONS, ARGS(S(s->like), I(most)), err);
	if (!r)
		r = add(s, Q_SEARCH_FAILURES, ARGS(S(s->like), S(s->q), I(most)), err);
	if (!r)
		add_cases(s);
	return r;
}

int view_search(struct store *s, const char *q, struct json_object **ret, struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(json_put_p) struct json_object *items = json_object_new_array();
	CLEANUP(free_p) char *like = pattern(q), *digits = hash_beginning(q);
	struct search all = { .q = q, .like = like, .digits = digits, .items = items };
	int r = reader_begin(&rd, s, err);

	all.db = rd.db;
	if (!r)
		r = search_all(&all, err);
	if (r)
		return r;
	*ret = view_list(STEAL(items));
	json_object_object_add(*ret, "q", json_str(q));
	json_object_object_add(*ret, "truncated", json_object_new_boolean(all.truncated));
	return 0;
}
