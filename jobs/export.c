/* SPDX-License-Identifier: MIT */
#include "jobs/export.h"

#include <stdlib.h>
#include <string.h>

#include "jobs/junit.h"
#include "jobs/kcidb.h"
#include "jobs/ktap_writer.h"
#include "jobs/parts.h"
#include "lib/hash.h"
#include "lib/limits.h"

const struct export_format export_formats[] = {
	{ "ktap", "text/plain; charset=utf-8", ktap_write, false },
	{ "junit", "application/xml; charset=utf-8", junit_write, false },
	{ "kcidb", "application/json", kcidb_write, true },
};
const size_t export_n_formats = ARRAY_SIZE(export_formats);

const struct export_format *export_format_find(const char *name)
{
	for (size_t i = 0; i < export_n_formats; i++)
		if (!strcmp(export_formats[i].name, name))
			return &export_formats[i];
	return NULL;
}

bool export_origin_is_valid(const char *s)
{
	size_t len = strlen(s);

	return len && len <= LIMIT_NAME_LEN &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

const struct export_run *export_row_run(const struct export *e, const struct export_row *row)
{
	return &e->runs[row->run];
}

const struct export_build *export_row_build(const struct export *e, const struct export_row *row)
{
	return &e->builds[e->runs[row->run].build];
}

void export_row_prefix(const struct export *e, const struct export_row *row, char out[16])
{
	const struct export_build *b = export_row_build(e, row);

	out[0] = '\0';
	if (b->number && b->commit)
		snprintf(out, 16, "%.12s ", b->commit);
}

/* Equal documents get equal names, and nothing else does. */
static char *local_id(const struct result_doc *doc)
{
	CLEANUP(json_put_p) struct json_object *o = result_doc_to_json(doc);
	CLEANUP(free_p) char *text = json_text(o);
	char hex[HASH_HEX_MAX];

	hash_bytes(text, strlen(text), hex);
	return xasprintf("local-%.16s", hex);
}

static char *known(const char *s)
{
	return s && *s ? xstrdup(s) : NULL;
}

void export_add_doc(struct export *e, const struct result_doc *doc)
{
	struct export_build *b;
	struct export_run *run;

	ARRAY_RESERVE(e->builds, e->n_builds, e->cap_builds);
	b = &e->builds[e->n_builds++];
	*b = (struct export_build){ .id = local_id(doc), .duration_us = -1 };
	b->commit = known(doc->kernel.commit);
	b->tree = known(doc->kernel.tree);
	b->config_hash = known(doc->kernel.config_hash);
	b->release = known(doc->kernel.release);
	b->config = doc->n_results ? known(doc->results[0].config) : NULL;
	ARRAY_RESERVE(e->runs, e->n_runs, e->cap_runs);
	run = &e->runs[e->n_runs++];
	*run = (struct export_run){ .build = e->n_builds - 1 };
	run->machine = result_machine_to_json(&doc->machine);
	for (size_t i = 0; i < doc->n_results; i++) {
		ARRAY_RESERVE(e->rows, e->n_rows, e->cap_rows);
		e->rows[e->n_rows++] = (struct export_row){ .result = &doc->results[i],
							    .number = (int64_t)i + 1,
							    .run = e->n_runs - 1 };
	}
}

static void build_free(struct export_build *b)
{
	free(b->id);
	free(b->repo);
	free(b->repo_url);
	free(b->branch);
	free(b->commit);
	free(b->tree);
	free(b->subject);
	free(b->config);
	free(b->config_hash);
	free(b->arch);
	free(b->compiler);
	free(b->release);
	free(b->status);
	free(b->reason);
	free(b->detail);
	free(b->started);
	free(b->errors);
	strings_free(b->artifacts, b->n_artifacts);
}

void export_free(struct export *e)
{
	for (size_t i = 0; i < e->n_builds; i++)
		build_free(&e->builds[i]);
	for (size_t i = 0; i < e->n_runs; i++) {
		free(e->runs[i].agent);
		free(e->runs[i].started);
		free(e->runs[i].ended);
		json_object_put(e->runs[i].machine);
	}
	for (size_t i = 0; i < e->n_rows; i++) {
		result_free(e->rows[i].owned);
		free(e->rows[i].owned);
	}
	free(e->builds);
	free(e->runs);
	free(e->rows);
	*e = (struct export){ .origin = e->origin, .url = e->url };
}
