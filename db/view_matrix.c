/* SPDX-License-Identifier: MIT */
/*
 * The matrix: rows are commit × configuration, columns are scenarios, a cell is the worst of its
 * results in the newest finished run.
 *
 * A page of 200 commits has tens of thousands of cells, and nearly all of them say PASS. For pages
 * the rows are therefore made from `runs.strip`, a letter a cell, and only what failed is read.
 */
#include <errno.h>
#include <string.h>

#include "db/store_internal.h"

/* The columns of a list of cases. */
struct case_list {
	int64_t id;
	size_t *columns;
	size_t n, cap;
};

/* What is known of a row's cells. */
struct row_run {
	int64_t id; /* final run of its test; 0: none yet */
	int64_t list; /* of cases */
	char *strip; /* see runs.strip */
	bool told; /* some of its cells say more than their letters do */
};

struct matrix {
	struct json_object *rows; /* array */
	struct json_object *columns; /* scenario → its index */
	struct json_object *cases; /* array of names, in column order */
	struct json_object *seen; /* rows that are there, by what they show */
	struct json_object *commits; /* distinct sha */
	struct json_object *words; /* statuses and reasons */
	struct case_list *lists; /* whose scenarios are columns already */
	size_t n_lists, cap_lists;
	struct row_run *runs; /* one a row */
	size_t n_rows, cap_runs;
};

struct matrix *matrix_new(void)
{
	struct matrix *m = xcalloc(1, sizeof(*m));

	m->rows = json_object_new_array();
	m->columns = json_object_new_object();
	m->cases = json_object_new_array();
	m->seen = json_object_new_object();
	m->commits = json_object_new_object();
	m->words = json_object_new_object();
	return m;
}

void matrix_free_p(struct matrix **pm)
{
	struct matrix *m = *pm;

	if (!m)
		return;
	json_object_put(m->rows);
	json_object_put(m->columns);
	json_object_put(m->cases);
	json_object_put(m->seen);
	json_object_put(m->commits);
	json_object_put(m->words);
	for (size_t i = 0; i < m->n_lists; i++)
		free(m->lists[i].columns);
	for (size_t i = 0; i < m->n_rows; i++)
		free(m->runs[i].strip);
	free(m->lists);
	free(m->runs);
	free(m);
}

int matrix_commits(const struct matrix *m)
{
	return json_object_object_length(m->commits);
}

/* Columns of the queries matrix_of_*. */
enum {
	COL_POSITION,
	COL_CONFIG,
	COL_KIND,
	COL_JOB,
	COL_STATE,
	COL_BUILD,
	COL_BUILD_STATUS,
	COL_RUN,
	COL_FINAL_RUN,
	COL_CASE_LIST,
	COL_SHA,
	COL_SUBJECT,
	COL_SUBMISSION,
	COL_STRIP,
	COL_TOLD
};

static bool set_add(struct json_object *set, const char *key)
{
	if (json_object_object_get_ex(set, key, NULL))
		return false;
	json_object_object_add(set, key, json_object_new_boolean(true));
	return true;
}

static size_t column_of(struct matrix *m, const char *scenario)
{
	size_t n = json_object_array_length(m->cases);
	struct json_object *column;

	if (json_object_object_get_ex(m->columns, scenario, &column))
		return (size_t)json_object_get_int64(column);
	json_object_object_add(m->columns, scenario, json_object_new_int64((int64_t)n));
	json_object_array_add(m->cases, json_str(scenario));
	return n;
}

static const struct case_list *case_list(const struct matrix *m, int64_t id)
{
	for (size_t i = 0; i < m->n_lists; i++)
		if (m->lists[i].id == id)
			return &m->lists[i];
	return NULL;
}

/* The columns of a list of cases, in the plan's order; so that what has not run yet shows too. */
static int case_list_add(struct matrix *m, struct db *db, int64_t id, struct error *err)
{
	CLEANUP(query_end) struct query q = { 0 };
	CLEANUP(json_put_p) struct json_object *names = NULL;
	struct case_list *l;
	int r;

	if (!id || case_list(m, id))
		return 0;
	r = query_start(&q, db, Q_CASE_LIST_SCENARIOS, ARGS(I(id)), err);
	if (!r)
		r = query_next(&q, err);
	if (r == 1) {
		const char *text = query_text(&q, 0);

		r = json_parse(text, strlen(text), &names, err);
	}
	if (r < 0)
		return r;
	ARRAY_RESERVE(m->lists, m->n_lists, m->cap_lists);
	l = &m->lists[m->n_lists++];
	*l = (struct case_list){ .id = id };
	for (size_t i = 0; i < json_object_array_length(names); i++) {
		struct json_object *name = json_object_array_get_idx(names, i);

		ARRAY_RESERVE(l->columns, l->n, l->cap);
		l->columns[l->n++] = column_of(m, json_object_get_string(name));
	}
	return 0;
}

static void add_id(struct json_object *o, const char *key, int64_t id)
{
	json_object_object_add(o, key, id ? json_object_new_int64(id) : NULL);
}

static struct json_object *build_object(const struct query *q)
{
	struct json_object *o = json_object_new_object();

	add_id(o, "id", query_i64(q, COL_BUILD));
	json_object_object_add(o, "state", json_str(query_text(q, COL_STATE)));
	json_object_object_add(o, "status", json_str(query_text(q, COL_BUILD_STATUS)));
	add_id(o, "run", query_i64(q, COL_RUN));
	return o;
}

/* The keys of rows and cells are literals and each is added once: nothing to copy, nothing to look
 * up. */
static void add_new(struct json_object *o, const char *key, struct json_object *value)
{
	json_object_object_add_ex(o, key, value,
				  JSON_C_OBJECT_ADD_KEY_IS_NEW | JSON_C_OBJECT_ADD_CONSTANT_KEY);
}

static struct json_object *row_new(const struct query *q)
{
	struct json_object *o = json_object_new_object();
	const char *sha = query_text(q, COL_SHA);

	add_new(o, "sha", json_str(sha));
	add_new(o, "short", json_strn(sha, strnlen(sha, 12)));
	add_new(o, "subject", json_str(query_text(q, COL_SUBJECT)));
	add_new(o, "position", json_object_new_int64(query_i64(q, COL_POSITION)));
	add_new(o, "submission", json_object_new_int64(query_i64(q, COL_SUBMISSION)));
	add_new(o, "config", json_str(query_text(q, COL_CONFIG)));
	add_new(o, "build", NULL);
	add_new(o, "test", NULL);
	add_new(o, "run", NULL);
	return o;
}

/* Puts a job into its row. */
static void row_put(struct json_object *row, const struct query *q, struct row_run *run)
{
	struct json_object *test;

	if (!query_i64(q, COL_CASE_LIST)) {
		json_object_object_add(row, "build", build_object(q));
		return;
	}
	test = json_object_new_object();
	add_id(test, "job", query_i64(q, COL_JOB));
	json_object_object_add(test, "state", json_str(query_text(q, COL_STATE)));
	add_id(test, "run", query_i64(q, COL_RUN));
	json_object_object_add(row, "test", test);
	free(run->strip);
	*run = (struct row_run){ .id = query_i64(q, COL_FINAL_RUN),
				 .list = query_i64(q, COL_CASE_LIST),
				 .strip = query_dup(q, COL_STRIP),
				 .told = query_i64(q, COL_TOLD) != 0 };
	add_id(row, "run", run->id);
}

/* Takes the row and what `run` owns. */
static void row_add(struct matrix *m, struct json_object *row, int64_t build, int64_t job,
		    struct row_run *run)
{
	struct json_object *sha = json_object_object_get(row, "sha");
	struct json_object *config = json_object_object_get(row, "config");
	CLEANUP(free_p)
	char *key = xasprintf("%s %s %lld %lld", json_object_get_string(sha),
			      json_object_get_string(config), (long long)build, (long long)job);

	if (!set_add(m->seen, key)) {
		json_object_put(row);
		free(run->strip);
	} else {
		set_add(m->commits, json_object_get_string(sha));
		ARRAY_RESERVE(m->runs, m->n_rows, m->cap_runs);
		m->runs[m->n_rows++] = *run;
		json_object_array_add(m->rows, row);
	}
	*run = (struct row_run){ 0 };
}

int matrix_add(struct matrix *m, struct db *db, enum db_query name, int64_t id, int max_commits,
	       struct error *err)
{
	CLEANUP(query_end) struct query q = { 0 };
	struct json_object *row = NULL;
	int64_t position = -1, submission = -1, build = 0, job = 0;
	struct row_run run = { 0 };
	CLEANUP(free_p) char *config = xstrdup("");
	int r = query_start(&q, db, name, ARGS(I(id)), err);

	if (r < 0)
		return r;
	while ((r = query_next(&q, err)) == 1) {
		if (!row || query_i64(&q, COL_POSITION) != position ||
		    query_i64(&q, COL_SUBMISSION) != submission ||
		    strcmp(query_text(&q, COL_CONFIG), config) != 0) {
			if (row)
				row_add(m, STEAL(row), build, job, &run);
			if (!json_object_object_get_ex(m->commits, query_text(&q, COL_SHA), NULL) &&
			    matrix_commits(m) >= max_commits)
				break;
			row = row_new(&q);
			position = query_i64(&q, COL_POSITION);
			submission = query_i64(&q, COL_SUBMISSION);
			build = query_i64(&q, COL_BUILD);
			job = 0;
			free(config);
			config = query_dup(&q, COL_CONFIG);
		}
		if (query_i64(&q, COL_CASE_LIST))
			job = query_i64(&q, COL_JOB);
		row_put(row, &q, &run);
		r = case_list_add(m, db, query_i64(&q, COL_CASE_LIST), err);
		if (r < 0)
			break;
	}
	if (row)
		row_add(m, row, build, job, &run);
	return r < 0 ? r : 0;
}

/* One object a word, shared by all cells: there are thousands of cells and some dozen words. */
static struct json_object *word(struct matrix *m, const char *text)
{
	struct json_object *o = NULL;

	if (!json_object_object_get_ex(m->words, text, &o)) {
		o = json_str(text);
		json_object_object_add(m->words, text, o);
	}
	return json_object_get(o);
}

static struct json_object *cell_new(struct matrix *m, const struct query *q)
{
	struct json_object *cell = json_object_new_object();

	add_new(cell, "status", word(m, query_text(q, 1)));
	add_new(cell, "reason", word(m, query_text(q, 2)));
	add_new(cell, "result", json_object_new_int64(query_i64(q, 3)));
	add_new(cell, "injected", json_object_new_int64(query_i64(q, 4)));
	return cell;
}

/* The cells of one run by column; columns that the plan does not name are appended. */
static int row_cells(struct matrix *m, struct db *db, int64_t run, struct json_object *cells,
		     struct error *err)
{
	CLEANUP(query_end) struct query q = { 0 };
	int r = query_start(&q, db, Q_CELLS_OF_RUN, ARGS(I(run)), err);

	if (r < 0)
		return r;
	while ((r = query_next(&q, err)) == 1)
		json_object_array_put_idx(cells, column_of(m, query_text(&q, 0)), cell_new(m, &q));
	return r;
}

/* All cells of all rows. */
static int add_cells(struct matrix *m, struct db *db, struct error *err)
{
	size_t columns;
	int r = 0;

	for (size_t i = 0; i < m->n_rows && !r; i++) {
		struct json_object *cells = json_object_new_array();

		json_object_object_add(json_object_array_get_idx(m->rows, i), "cells", cells);
		if (m->runs[i].id)
			r = row_cells(m, db, m->runs[i].id, cells, err);
	}
	columns = json_object_array_length(m->cases);
	for (size_t i = 0; i < m->n_rows && !r; i++) {
		struct json_object *row = json_object_array_get_idx(m->rows, i);
		struct json_object *cells = json_object_object_get(row, "cells");

		while (json_object_array_length(cells) < columns)
			json_object_array_add(cells, NULL);
	}
	return r;
}

/* --- strips ----------------------------------------------------------------------------------- */

/* Where each cell of a row stands: its letter, and what is told of it. */
struct strip {
	char *letters; /* one a column, '.' for none */
	struct json_object **told; /* one a column, NULL for none */
	size_t n;
};

static void strip_free(struct strip *s)
{
	for (size_t i = 0; s->told && i < s->n; i++)
		json_object_put(s->told[i]);
	free(s->letters);
	free(s->told);
}

static struct json_object *told_new(struct matrix *m, const struct query *q)
{
	struct json_object *o = cell_new(m, q);

	add_new(o, "case", word(m, query_text(q, 0)));
	add_new(o, "n", json_object_new_int64(0));
	return o;
}

/* From the cells of its run: all of them where there is no strip, else those that failed. */
static int strip_read(struct strip *s, struct matrix *m, struct db *db, const struct row_run *run,
		      struct error *err)
{
	CLEANUP(query_end) struct query q = { 0 };
	int r = query_start(&q, db, run->strip ? Q_CELLS_TOLD : Q_CELLS_OF_RUN, ARGS(I(run->id)),
			    err);

	if (r < 0)
		return r;
	while ((r = query_next(&q, err)) == 1) {
		size_t column = column_of(m, query_text(&q, 0));
		char letter = *query_text(&q, 1);

		s->letters[column] = letter;
		if (strchr("FEM", letter))
			s->told[column] = told_new(m, &q);
	}
	return r;
}

/* Neighbours that say the same, or one cell that is told of. */
static void add_segment(struct matrix *m, struct json_object *segments, char letter, size_t n)
{
	static const char *const statuses[] = { "FAIL", "ERROR", "MISS", "PASS", "DONE", "SKIP" };
	char key[32];
	struct json_object *o;

	snprintf(key, sizeof(key), "%c %zu", letter, n);
	if (!json_object_object_get_ex(m->words, key, &o)) {
		o = json_object_new_object();
		json_object_object_add(o, "n", json_object_new_int64((int64_t)n));
		json_object_object_add(o, "result", NULL);
		json_object_object_add(o, "status", NULL);
		for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
			if (*statuses[i] == letter)
				json_object_object_add(o, "status", json_str(statuses[i]));
		json_object_object_add(m->words, key, o);
	}
	json_object_array_add(segments, json_object_get(o));
}

static struct json_object *segments_of(struct matrix *m, struct strip *s)
{
	struct json_object *segments = json_object_new_array();

	for (size_t i = 0, next; i < s->n; i = next) {
		next = i + 1;
		if (s->told[i]) {
			json_object_array_add(segments, STEAL(s->told[i]));
			continue;
		}
		while (next < s->n && !s->told[next] && s->letters[next] == s->letters[i])
			next++;
		add_segment(m, segments, s->letters[i], next - i);
	}
	return segments;
}

static int row_strip(struct matrix *m, struct db *db, const struct row_run *run,
		     struct json_object **ret, struct error *err)
{
	CLEANUP(strip_free) struct strip s = { .n = json_object_array_length(m->cases) };
	const struct case_list *l = case_list(m, run->list);
	int r = 0;

	s.letters = xcalloc(s.n + 1, 1);
	s.told = xcalloc(s.n + 1, sizeof(*s.told));
	memset(s.letters, '.', s.n);
	for (size_t i = 0; l && run->strip && i < l->n && run->strip[i]; i++)
		s.letters[l->columns[i]] = run->strip[i];
	if (run->id && (run->told || !run->strip))
		r = strip_read(&s, m, db, run, err);
	if (!r)
		*ret = segments_of(m, &s);
	return r;
}

/* Columns that no plan names, so that every row has all of them. */
static int columns_of_run(struct matrix *m, struct db *db, int64_t run, struct error *err)
{
	CLEANUP(query_end) struct query q = { 0 };
	int r = query_start(&q, db, Q_CELLS_OF_RUN, ARGS(I(run)), err);

	if (r < 0)
		return r;
	while ((r = query_next(&q, err)) == 1)
		(void)column_of(m, query_text(&q, 0));
	return r;
}

static int add_strips(struct matrix *m, struct db *db, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < m->n_rows && !r; i++)
		if (m->runs[i].id && !m->runs[i].strip)
			r = columns_of_run(m, db, m->runs[i].id, err);
	for (size_t i = 0; i < m->n_rows && !r; i++) {
		struct json_object *strip = NULL;

		r = row_strip(m, db, &m->runs[i], &strip, err);
		if (!r)
			json_object_object_add(json_object_array_get_idx(m->rows, i), "strip",
					       strip);
	}
	return r;
}

int matrix_finish(struct matrix *m, struct db *db, bool brief, struct json_object **ret,
		  struct error *err)
{
	int r = brief ? add_strips(m, db, err) : add_cells(m, db, err);
	struct json_object *o;

	if (r < 0)
		return r;
	o = json_object_new_object();
	json_object_object_add(o, "cases", STEAL(m->cases));
	json_object_object_add(o, "rows", STEAL(m->rows));
	*ret = o;
	return 0;
}
