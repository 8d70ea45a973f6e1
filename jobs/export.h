/* SPDX-License-Identifier: MIT */
/*
 * export: results in the formats that others read (docs/exchange.md).
 *
 * What is written is collected first: rows, each of a run of a build. It comes from a result
 * document, or from the JSON views of the API (export_view.c), which the server and the command
 * line both have.
 *
 * A further format is a file pair jobs/NAME.{c,h} with one function of type export_writer and one
 * row in export_formats[]: command line and API take it from there. Which ones there are is told to
 * people by FORMAT_NAMES (cli/cli.h), a summary in server/routes.c, and docs/exchange.md.
 * Thread: one owner at a time.
 */
#ifndef FAULTLINE_JOBS_EXPORT_H
#define FAULTLINE_JOBS_EXPORT_H

#include <stdio.h>

#include "jobs/result.h"
#include "lib/buf.h"
#include "lib/json.h"

/* A kernel that was tested, and where its source came from. NULL: not known. */
struct export_build {
	int64_t number; /* of the server; 0: there is none */
	char *id; /* unique within the origin: "build-12" */
	char *repo, *repo_url; /* name of the repository; https address */
	char *branch, *commit, *tree, *subject;
	char *config, *config_hash, *arch, *compiler, *release;
	char *status; /* of the making of it: PASS, FAIL, MISS */
	char *reason, *detail, *started; /* started: RFC 3339 */
	char *errors; /* of the compiler, one a line */
	char **artifacts; /* names */
	size_t n_artifacts;
	int64_t duration_us; /* -1: not known */
	int64_t run; /* whose log tells of the making; 0: not known */
};

/* One run of cases on one build. */
struct export_run {
	int64_t number; /* of the server; 0: there is none */
	size_t build; /* index in export.builds */
	char *agent, *started, *ended; /* instants: RFC 3339 */
	struct json_object *machine; /* the result document's "machine"; NULL: not known */
};

struct export_row {
	const struct result *result;
	struct result *owned; /* the same when it was parsed here; else NULL */
	int64_t number; /* of the server; else 1.. in the document */
	size_t run; /* index in export.runs */
};

struct export
{
	const char *origin; /* who says so, for formats that want it: export_origin_is_valid() */
	const char *url; /* of the server, for links; NULL: no links */
	struct export_build *builds;
	size_t n_builds, cap_builds;
	struct export_run *runs;
	size_t n_runs, cap_runs;
	struct export_row *rows; /* those of a run stand together */
	size_t n_rows, cap_rows;
};

#define EXPORT_ORIGIN "faultline" /* of those who set no other */

/* Lower-case letters, digits and '_': KCIDB's alphabet; at most LIMIT_NAME_LEN bytes. */
bool export_origin_is_valid(const char *s);

/* From a document alone: one run, one build. `doc` is borrowed until export_free(). */
void export_add_doc(struct export *e, const struct result_doc *doc);
/* From an item of GET /results?full=1. -EINVAL naming the path of what is wrong. */
must_check int export_add_item(struct export *e, const struct jval *item, struct error *err);
/* From GET /builds/{id}: what is known of a build, be it one that rows belong to or not. -EINVAL as
 * above. */
must_check int export_add_build(struct export *e, const struct jval *build, struct error *err);
/* The builds of GET /submissions/{id}; *ret is the caller's, free() it. -EINVAL as above. */
must_check int export_build_numbers(const struct jval *submission, int64_t **ret, size_t *ret_n,
				    struct error *err);
void export_free(struct export *e);

const struct export_run *export_row_run(const struct export *e, const struct export_row *row);
const struct export_build *export_row_build(const struct export *e, const struct export_row *row);
/* "12 hex digits of the commit and a blank" before the titles of a list over several commits; ""
 * for a single build. */
void export_row_prefix(const struct export *e, const struct export_row *row, char out[16]);

/* Appends the whole document; cannot fail, whatever the texts hold. */
typedef void (*export_writer)(const struct export *e, struct buf *out);

struct export_format {
	const char *name; /* as in --format and ?format= */
	const char *content_type;
	export_writer write;
	bool needs_builds; /* writes what export_add_build() knows */
};

extern const struct export_format export_formats[];
extern const size_t export_n_formats;

/* NULL when there is no such format. */
const struct export_format *export_format_find(const char *name);

#endif
