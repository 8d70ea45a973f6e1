/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "db/db.h"
#include "lib/clock.h"

#define SHORT_SHA_LEN 12

static struct json_object *embedded(const char *text)
{
	struct json_object *o = NULL;

	/* This program wrote it; what does not parse all the same is shown as it is. */
	if (json_parse(text, strlen(text), &o, NULL) < 0)
		return json_str(text);
	return o;
}

static struct json_object *column(const struct query *q, int col, const char *how)
{
	const char *text;
	char when[CLOCK_TEXT_MAX];

	if (sqlite3_column_type(q->st, col) == SQLITE_NULL)
		return NULL;
	if (strcmp(how, "time") == 0)
		return json_object_new_string(clock_text(query_i64(q, col), when));
	if (strcmp(how, "bool") == 0)
		return json_object_new_boolean(query_i64(q, col) != 0);
	if (sqlite3_column_type(q->st, col) == SQLITE_INTEGER)
		return json_object_new_int64(query_i64(q, col));
	text = query_text(q, col);
	if (strcmp(how, "json") == 0)
		return embedded(text);
	if (strcmp(how, "short") == 0)
		return json_strn(text, strnlen(text, SHORT_SHA_LEN));
	return json_str(text);
}

void query_row_into(const struct query *q, struct json_object *o)
{
	int n = sqlite3_column_count(q->st);

	for (int i = 0; i < n; i++) {
		char key[64], *how, *dot;
		struct json_object *to = o, *sub;

		snprintf(key, sizeof(key), "%s", sqlite3_column_name(q->st, i));
		how = strchr(key, ':');
		if (how)
			*how++ = '\0';
		dot = strchr(key, '.');
		if (dot) {
			*dot++ = '\0';
			if (!json_object_object_get_ex(o, key, &sub)) {
				sub = json_object_new_object();
				json_object_object_add(o, key, sub);
			}
			to = sub;
		}
		json_object_object_add(to, dot ? dot : key, column(q, i, how ? how : ""));
	}
}

struct json_object *query_row(const struct query *q)
{
	struct json_object *o = json_object_new_object();

	query_row_into(q, o);
	return o;
}

int db_rows(struct db *db, enum db_query name, const struct arg *args, int n,
	    struct json_object **ret, struct error *err)
{
	CLEANUP(query_end) struct query q = { .db = db };
	CLEANUP(json_put_p) struct json_object *rows = json_object_new_array();
	int r = query_start(&q, db, name, args, n, err);

	if (r < 0)
		return r;
	while ((r = query_next(&q, err)) == 1)
		json_object_array_add(rows, query_row(&q));
	if (!r)
		*ret = STEAL(rows);
	return r;
}

int db_add_rows(struct db *db, enum db_query name, int64_t id, const char *key,
		struct json_object *o, struct error *err)
{
	struct json_object *rows = NULL;
	int r = db_rows(db, name, ARGS(I(id)), &rows, err);

	if (!r)
		json_object_object_add(o, key, rows);
	return r;
}

int db_row(struct db *db, enum db_query name, const struct arg *args, int n,
	   struct json_object **ret, struct error *err)
{
	CLEANUP(query_end) struct query q = { .db = db };
	int r = query_start(&q, db, name, args, n, err);

	if (!r)
		r = query_next(&q, err);
	if (r == 1)
		*ret = query_row(&q);
	return r;
}
