/* SPDX-License-Identifier: MIT */
/*
 * cli: what the sub-commands share. One file a sub-command (cmd_NAME.c), one row in the table of
 * main.c. Data goes to stdout, progress and messages to stderr.
 */
#ifndef FAULTLINE_CLI_CLI_H
#define FAULTLINE_CLI_CLI_H

#include <argp.h>
#include <stdbool.h>

#include "jobs/export.h"
#include "jobs/result.h"
#include "lib/http_client.h"

#define EXIT_OK 0
#define EXIT_FAILED 1 /* the kernel failed something */
#define EXIT_TROUBLE 2 /* infrastructure or harness */
#define EXIT_USAGE 64

struct command {
	const char *name;
	int (*run)(int argc, char **argv); /* argv[0] is "faultline NAME"; returns the exit code */
	const char *summary;
};

extern const struct command cli_commands[];
extern const size_t cli_n_commands;

/* argp_parse() with our exit codes. */
void cli_parse(const struct argp *argp, int argc, char **argv, void *input);
/* "faultline: <message>" on stderr; returns EXIT_TROUBLE, or EXIT_USAGE for -EINVAL. */
int cli_fail(const struct error *err);
/* A positive number argument; ends with usage when it is not one. */
int cli_number(const struct argp_state *state, const char *what, const char *arg, int max);
/* The one id of a command: a second one, or what is no number above 0, ends with usage. */
void cli_id(const struct argp_state *state, const char *arg, long long *id);
bool cli_colour(void); /* stdout is a terminal and NO_COLOR is not set */

/* Server and token: options --server, --token-file, else environment, else 127.0.0.1:8080. */
struct server_args {
	const char *server, *token_file;
};
extern const struct argp server_argp; /* as a child; its input is struct server_args */
must_check int cli_connect(const struct server_args *a, struct http_client **ret,
			   struct error *err);
/* The address of the server that is meant. Owned. */
char *cli_url(const struct server_args *a);
/* The server's address as a base for links that others can follow; NULL when it is not https, since
 * then it is this machine's or this network's own. Lives as long as the process. */
const char *cli_public_url(const struct server_args *a);
/* One call; a status other than 2xx is an error with the problem's detail. *ret may be NULL. */
must_check int cli_call(struct http_client *c, const char *method, const char *path,
			struct json_object *body, struct json_object **ret, struct error *err);
/* Appends a value for an address' query: everything but RFC 3986's unreserved characters as %XX. */
void cli_query_value(struct buf *b, const char *s);
/* The text of a whole answer, for logs and other formats. */
must_check int cli_text(struct http_client *c, const char *path, struct buf *out,
			struct error *err);

/* --- output of results ---------------------------------------------------------------------- */

/* FORMAT_EXPORT and above: export_formats[f - FORMAT_EXPORT] (jobs/export.h). */
enum format { FORMAT_TABLE, FORMAT_JSON, FORMAT_CSV, FORMAT_EXPORT };

#define FORMAT_NAMES "table|json|csv|ktap|junit|kcidb" /* for --help */

bool format_parse(const char *s, enum format *ret);
/* Of a command that lists: table, json or csv; anything else ends with usage. */
enum format cli_list_format(const struct argp_state *state, const char *arg);
/* NULL for a format of the command line's own. */
const struct export_format *format_export(enum format f);
/* --origin: checked, for argp's parsers. */
const char *cli_origin(const struct argp_state *state, const char *arg);
void print_rows(enum format f, const struct export *e); /* not FORMAT_JSON */
/* FORMAT_JSON is the document itself; the others go through print_rows(). A table is followed by
 * the traces of failures, the stacks, if asked for, and the coverage. `origin` NULL is the default. */
void print_doc(enum format f, bool stacks, const char *origin, const struct result_doc *doc);
/* The distinct stacks that were injected into, on target and off, result by result. */
void print_stacks(const struct export *e);
/* Where the kernel failed, function by function with file and line: one trace for each splat that is
 * different, and the allocation that was made to fail before it. Why there are no lines goes to
 * stderr. */
void print_traces(const struct result_doc *doc);
/* One trace, a frame a line behind `indent`. */
void print_trace(const struct trace *t, const char *indent);
/* Which known injection sites were reached; nothing when no fault was asked for. */
void print_coverage(const struct result_doc *doc);
/* "12 passed, 3 failed, …" with what each word means left to the reader; to `out`. */
void print_summary(FILE *out, const int counts[STATUS_COUNT]);
const char *status_colour(enum status s); /* "" without colours */
const char *colour_end(void);

/* --- progress on stderr --------------------------------------------------------------------- */

/* On a terminal a bar that is redrawn; else one line for each phase. */
void progress_show(const char *phase, int done, int total, const char *what);
/* A result of a run: the first failure of each reason is a line, with the seconds since the start.
 * Not thread-safe, like all of these. */
void progress_found(const struct result *r);
void progress_start(void); /* from here the seconds of progress_found() count */
void progress_end(void); /* leaves the terminal's line clean */

int cmd_run(int argc, char **argv);
int cmd_submit(int argc, char **argv);
int cmd_watch(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_results(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_regressions(int argc, char **argv);
int cmd_log(int argc, char **argv);
int cmd_repro(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_classify(int argc, char **argv);
int cmd_scenarios(int argc, char **argv);
int cmd_plans(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_token(int argc, char **argv);
int cmd_export_static(int argc, char **argv);

/* Follows a submission until it ends; exit code by its verdicts. Used by watch and submit. */
int watch_submission(struct http_client *c, long long id, bool quiet);

#endif
