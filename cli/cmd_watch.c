// SPDX-License-Identifier: MIT
/*
 * faultline watch: follows a submission. It polls the submission itself rather than the event
 * stream, so that it survives restarts of the server and proxies.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/idarg.h"
#include "cli/matrix.h"
#include "lib/clean.h"
#include "lib/json.h"

#define POLL_MS 1000
#define PATIENCE 60 /* failed polls in a row: a server restart takes seconds */

struct state {
	char name[24], message[256];
	int64_t ended, total;
};

static int read_state(struct json_object *o, struct state *ret, struct error *err)
{
	static const char *const ended[] = { "done", "failed", "cancelled" };
	static const char *const open[] = { "waiting", "queued", "leased" };
	const char *name = "", *message = "";
	struct jval v = json_root(o), jobs = { 0 };
	int r = json_get_str(&v, "state", 20, &name, err);

	if (!r && json_object_object_get(o, "message"))
		r = json_opt_str(&v, "message", 4096, &message, err);
	if (!r)
		r = json_get_obj(&v, "jobs", &jobs, err);
	for (size_t i = 0; !r && i < ARRAY_SIZE(ended); i++) {
		int64_t n = 0, m = 0;

		r = json_opt_i64(&jobs, ended[i], 0, INT64_MAX, &n, err);
		if (!r)
			r = json_opt_i64(&jobs, open[i], 0, INT64_MAX, &m, err);
		ret->ended += n;
		ret->total += n + m;
	}
	if (r)
		return error_wrap(err, r, "the server's answer");
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	snprintf(ret->message, sizeof(ret->message), "%s", message ? message : "");
	return 0;
}

static int verdict(struct json_object *o, const struct state *s, bool quiet)
{
	int counts[STATUS_COUNT] = { 0 };

	progress_end();
	if (!strcmp(s->name, "refused")) {
		fprintf(stderr, "faultline: refused: %s\n", s->message);
		return EXIT_TROUBLE;
	}
	matrix_counts(o, counts);
	if (!quiet)
		print_matrix(o);
	print_summary(stderr, counts);
	return status_exit_code(counts);
}

int watch_submission(struct http_client *c, long long id, bool quiet)
{
	CLEANUP(free_p) char *path = xasprintf("/api/v1/submissions/%lld", id);
	const struct timespec pause = { POLL_MS / 1000, POLL_MS % 1000 * 1000000L };
	int failures = 0;

	for (;; nanosleep(&pause, NULL)) {
		CLEANUP(json_put_p) struct json_object *o = NULL;
		struct error err = ERROR_INIT;
		struct state s = { 0 };
		int r = cli_call(c, "GET", path, NULL, &o, &err);

		if (!r)
			r = read_state(o, &s, &err);
		if (r && (r == -ENOENT || r == -EACCES || r == -EINVAL || ++failures > PATIENCE))
			return cli_fail(&err);
		if (r) {
			progress_show("waiting", failures, PATIENCE, err.msg);
			continue;
		}
		failures = 0;
		if (!strcmp(s.name, "done") || !strcmp(s.name, "refused"))
			return verdict(o, &s, quiet);
		progress_show(s.name, (int)s.ended, (int)s.total, "jobs");
	}
}

int cmd_watch(int argc, char **argv)
{
	CLEANUP(http_client_free_p) struct http_client *c = NULL;
	struct id_args a = { .need_id = true };
	struct error err = ERROR_INIT;

	id_parse(argc, argv, "ID",
		 "Follows a submission until every job of it ended; exit status by its verdicts.",
		 &a);
	if (cli_connect(&a.server, &c, &err))
		return cli_fail(&err);
	return watch_submission(c, a.id, false);
}
