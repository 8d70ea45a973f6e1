// SPDX-License-Identifier: MIT
#include "cli/matrix.h"

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "lib/buf.h"
#include "lib/clean.h"

/* A member as text, "" when it is absent: the terminal shows what there is. */
static const char *text(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, key, &v))
		return "";
	return v ? json_object_get_string(v) : "";
}

static struct json_object *member(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	if (!json_object_is_type(o, json_type_object))
		return NULL;
	json_object_object_get_ex(o, key, &v);
	return v;
}

static size_t length(struct json_object *arr)
{
	return json_object_is_type(arr, json_type_array) ? json_object_array_length(arr) : 0;
}

static void print_cell(struct json_object *cell, struct json_object *row)
{
	const char *name = text(cell, "status"), *reason = text(cell, "reason");
	const char *build = text(member(row, "build"), "status");
	enum status s;

	if (!cell && !strcmp(build, "FAIL")) {
		printf("  %-16s", "(no build)");
		return;
	}
	if (!cell || !status_parse(name, &s)) {
		printf("  %-16s", ".");
		return;
	}
	printf("  %s%-5s%s%s%-10.10s", status_colour(s), name, colour_end(), *reason ? "/" : " ",
	       reason);
}

void print_matrix(struct json_object *submission)
{
	struct json_object *m = member(submission, "matrix");
	struct json_object *cases = member(m, "cases"), *rows = member(m, "rows");

	printf("%-22s", "");
	for (size_t r = 0; r < length(rows); r++) {
		struct json_object *row = json_object_array_get_idx(rows, r);

		printf("  %-16.12s", text(row, "sha"));
	}
	printf("\n%-22s", "");
	for (size_t r = 0; r < length(rows); r++) {
		struct json_object *row = json_object_array_get_idx(rows, r);
		const char *subject = text(row, "subject");
		CLEANUP(free_p) char *s = str_printable(subject, strlen(subject));

		printf("  %-16.16s", s);
	}
	printf("\n");
	for (size_t c = 0; c < length(cases); c++) {
		const char *name = json_object_get_string(json_object_array_get_idx(cases, c));

		printf("%-22s", name);
		for (size_t r = 0; r < length(rows); r++) {
			struct json_object *row = json_object_array_get_idx(rows, r);
			struct json_object *cells = member(row, "cells");

			print_cell(c < length(cells) ? json_object_array_get_idx(cells, c) : NULL,
				   row);
		}
		printf("\n");
	}
}

void matrix_counts(struct json_object *submission, int counts[])
{
	struct json_object *rows = member(member(submission, "matrix"), "rows");

	for (size_t r = 0; r < length(rows); r++) {
		struct json_object *row = json_object_array_get_idx(rows, r);
		struct json_object *cells = member(row, "cells");
		enum status s;

		if (!strcmp(text(member(row, "build"), "status"), "FAIL"))
			counts[STATUS_FAIL]++;
		for (size_t c = 0; c < length(cells); c++)
			if (status_parse(text(json_object_array_get_idx(cells, c), "status"), &s))
				counts[s]++;
	}
}
