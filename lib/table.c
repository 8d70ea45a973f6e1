/* SPDX-License-Identifier: MIT */
#include "lib/table.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clean.h"

#define MAX_COLUMNS 64
#define MAX_CELL_TXT 60 /* wider cells would push everything else off the screen */
#define MAX_DEPTH 3

struct table {
	char *columns[MAX_COLUMNS];
	int widths[MAX_COLUMNS];
	int n;
};

static void table_free(struct table *t)
{
	for (int i = 0; i < t->n; i++)
		free(t->columns[i]);
}

static void columns_of(struct table *t, struct json_object *o, const char *prefix, int depth)
{
	json_object_object_foreach(o, key, value)
	{
		CLEANUP(free_p) char *name = xasprintf("%s%s%s", prefix, *prefix ? "." : "", key);
		int i = 0;

		if (json_object_is_type(value, json_type_array))
			continue;
		if (json_object_is_type(value, json_type_object)) {
			if (depth < MAX_DEPTH)
				columns_of(t, value, name, depth + 1);
			continue;
		}
		while (i < t->n && strcmp(t->columns[i], name))
			i++;
		if (i == t->n && t->n < MAX_COLUMNS)
			t->columns[t->n++] = STEAL(name);
	}
}

/* The text of a cell, owned; "" for null and absent. */
static char *cell(struct json_object *o, const char *column)
{
	CLEANUP(free_p) char *path = xstrdup(column);
	char *save = NULL;

	for (char *key = strtok_r(path, ".", &save); key; key = strtok_r(NULL, ".", &save))
		if (!json_object_object_get_ex(o, key, &o))
			return xstrdup("");
	if (json_object_is_type(o, json_type_object))
		return xstrdup("");
	return xstrdup(o ? json_object_get_string(o) : "");
}

static bool is_number(const char *s)
{
	return *s && strspn(s, "+-0123456789.eE") == strlen(s) && strpbrk(s, "0123456789");
}

static void csv_cell(struct buf *out, const char *s)
{
	/* Text that came from a guest must not run as a formula in somebody's spreadsheet. */
	bool formula = *s && strchr("=+-@\t\r", *s) && !is_number(s);

	if (!formula && !strpbrk(s, ",\"\r\n")) {
		buf_str(out, s);
		return;
	}
	buf_str(out, formula ? "\"'" : "\"");
	for (; *s; s++) {
		if (*s == '"')
			buf_char(out, '"');
		buf_char(out, *s);
	}
	buf_char(out, '"');
}

static void collect(struct table *t, struct json_object *items)
{
	size_t n = json_object_array_length(items);

	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_array_get_idx(items, i);

		if (json_object_is_type(o, json_type_object))
			columns_of(t, o, "", 0);
	}
}

void table_csv(struct json_object *items, struct buf *out)
{
	CLEANUP(table_free) struct table t = { .n = 0 };
	size_t n = json_object_array_length(items);

	collect(&t, items);
	for (int c = 0; c < t.n; c++) {
		buf_str(out, c ? "," : "");
		csv_cell(out, t.columns[c]);
	}
	buf_str(out, "\r\n");
	for (size_t i = 0; i < n; i++) {
		for (int c = 0; c < t.n; c++) {
			CLEANUP(free_p)
			char *s = cell(json_object_array_get_idx(items, i), t.columns[c]);

			buf_str(out, c ? "," : "");
			csv_cell(out, s);
		}
		buf_str(out, "\r\n");
	}
}

static char *txt_cell(struct json_object *o, const char *column)
{
	CLEANUP(free_p) char *raw = cell(o, column);
	char *s = str_printable(raw, strlen(raw));

	if (strlen(s) > MAX_CELL_TXT) {
		size_t len = MAX_CELL_TXT;

		while (len && ((unsigned char)s[len] & 0xc0) == 0x80)
			len--;
		s[len] = 0;
	}
	return s;
}

static int width(const char *s)
{
	int n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static void txt_put(struct buf *out, const char *s, int w, bool last)
{
	buf_str(out, s);
	for (int i = width(s); !last && i < w + 2; i++)
		buf_char(out, ' ');
	if (last)
		buf_char(out, '\n');
}

void table_txt(struct json_object *items, struct buf *out)
{
	CLEANUP(table_free) struct table t = { .n = 0 };
	size_t n = json_object_array_length(items);

	collect(&t, items);
	for (int c = 0; c < t.n; c++)
		t.widths[c] = width(t.columns[c]);
	for (size_t i = 0; i < n; i++) {
		for (int c = 0; c < t.n; c++) {
			CLEANUP(free_p)
			char *s = txt_cell(json_object_array_get_idx(items, i), t.columns[c]);

			if (width(s) > t.widths[c])
				t.widths[c] = width(s);
		}
	}
	for (int c = 0; c < t.n; c++)
		txt_put(out, t.columns[c], t.widths[c], c + 1 == t.n);
	for (size_t i = 0; i < n; i++) {
		for (int c = 0; c < t.n; c++) {
			CLEANUP(free_p)
			char *s = txt_cell(json_object_array_get_idx(items, i), t.columns[c]);

			txt_put(out, s, t.widths[c], c + 1 == t.n);
		}
	}
}
