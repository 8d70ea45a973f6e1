/* SPDX-License-Identifier: MIT */
/* Which pages are measured: every kind, of the newest, the oldest and the fattest there is. */
#include <stdio.h>
#include <string.h>

#include "db/store_regress.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/path.h"
#include "tests/bench/dash_fill.h"

static struct buf out;

static void page(const char *kind, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void page(const char *kind, const char *fmt, ...)
{
	va_list ap;

	buf_printf(&out, "%s\t", kind);
	va_start(ap, fmt);
	buf_vprintf(&out, fmt, ap);
	va_end(ap);
	buf_char(&out, '\n');
}

static struct json_object *item(struct json_object *list, size_t i)
{
	return json_object_array_get_idx(json_object_object_get(list, "items"), i);
}

static long long number(struct json_object *o, const char *key)
{
	return (long long)json_object_get_int64(json_object_object_get(o, key));
}

static const char *cursor_of(struct json_object *list)
{
	return json_object_get_string(json_object_object_get(list, "next"));
}

static void results(struct fill *f, const char *scenario, const char *status, const char *sha)
{
	CLEANUP(json_put_p) struct json_object *list = NULL, *deep = NULL;
	struct result_filter by = { .status = status, .limit = 100 };

	page("results", "/results");
	page("results", "/results?scenario=%s", scenario);
	page("results", "/results?scenario=%s&status=%s", scenario, status);
	page("results", "/results?status=%s", status);
	page("results", "/results?commit=%s", sha);
	page("results", "/results?submission=%lld&status=ERROR", (long long)f->fattest);
	MUST(view_results(f->store, &by, &list, &f->err));
	page("results", "/results?status=%s&cursor=%s", status, cursor_of(list));
	page("result", "/results/%lld", number(item(list, 0), "id"));
	by.cursor = "r300.0";
	by.status = NULL;
	MUST(view_results(f->store, &by, &deep, &f->err));
	page("results", "/results?cursor=%s", by.cursor);
	page("case", "/cases/%s", scenario);
	page("case", "/cases/%s?status=%s", scenario, status);
	page("case", "/cases/%s?repo=linux&ref=mm-unstable&config=nobody", scenario);
	page("result", "/results/1");
	page("result", "/results/%lld", number(item(deep, 50), "id"));
}

static void regressions(struct fill *f)
{
	static const char *const states[] = { "new",   "bisected",	 "fixed",
					      "flaky", "infrastructure", "stale" };
	struct regression_filter by = { .limit = 100 };

	page("regressions", "/regressions");
	page("regressions", "/regressions?state=open");
	page("regressions", "/regressions?repo=linux&ref=mm-unstable");
	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++) {
		CLEANUP(json_put_p) struct json_object *list = NULL;

		by.state = states[i];
		MUST(view_regressions(f->store, &by, &list, &f->err));
		if (!item(list, 0)) {
			fprintf(stderr, "no regression is %s\n", states[i]);
			continue;
		}
		page("regressions", "/regressions?state=%s", states[i]);
		page("regression", "/regressions/%lld", number(item(list, 0), "id"));
	}
	page("report", "/regressions/1.txt");
}

static void commits(struct fill *f, char newest[41])
{
	struct dash_commit first, last, next;

	world_commit(DASH_BASE_LINE, 1, &first);
	world_commit(DASH_BASE_LINE, f->at[DASH_BASE_LINE], &last);
	world_commit(3, f->at[3] * world_line(3)->step, &next);
	page("commit", "/commits/%s", first.sha);
	page("commit", "/commits/%s", last.sha);
	page("commit", "/commits/%s", next.sha);
	page("coverage", "/commits/%s/coverage", last.sha);
	page("sites", "/coverage?repo=linux&ref=mm-unstable");
	page("compare", "/compare?a=linux/mm-stable&b=linux/mm-unstable");
	page("compare", "/compare?a=%s&b=%s", first.sha, last.sha);
	snprintf(newest, 41, "%s", last.sha);
}

static void submissions(struct fill *f)
{
	CLEANUP(json_put_p) struct json_object *list = NULL;

	MUST(view_submissions(f->store, NULL, 50, &list, &f->err));
	page("submissions", "/submissions");
	page("submissions", "/submissions?cursor=%s", cursor_of(list));
	page("submission", "/submissions/1");
	page("submission", "/submissions/%lld", number(item(list, 0), "id"));
	page("submission", "/submissions/%lld", number(item(list, 30), "id"));
	page("fat submission", "/submissions/%lld", (long long)f->fattest);
	page("open submission", "/submissions/%lld", (long long)f->open);
}

void fill_addresses(struct fill *f)
{
	CLEANUP(free_p) char *path = xasprintf("%s/addresses", f->dir);
	char sha[41];

	page("overview", "/");
	page("branches", "/branches");
	for (int i = 0; i < DASH_FOLLOWED; i++)
		page("branch", "/branches/%s/%s", world_line(i)->repo, world_line(i)->ref);
	page("series", "/series?repo=linux&ref=mm-unstable");
	page("series", "/series?repo=linux&ref=mm-unstable&limit=200");
	page("heat map", "/branches/linux/mm-unstable?limit=200");
	page("heat map", "/branches/linux/mm-stable?limit=200");
	submissions(f);
	commits(f, sha);
	page("build", "/builds/1");
	page("builds", "/builds");
	page("builds", "/builds?warnings=1");
	page("builds", "/builds?status=FAIL");
	page("run", "/runs/%lld", (long long)f->broken_run);
	page("run", "/runs/%lld", (long long)f->log_run);
	page("run", "/runs/2");
	page("log", "/runs/%lld/log", (long long)f->log_run);
	page("log", "/runs/%lld/log?offset=20000", (long long)f->log_run);
	results(f, "split.mprotect", "FAIL", sha);
	regressions(f);
	page("search", "/search?q=split.mprotect");
	page("search", "/search?q=%.12s", sha);
	page("search", "/search?q=kernel+BUG");
	page("search", "/search?q=mm%%3A");
	page("agents", "/agents");
	MUST(path_write_atomic(path, buf_cstr(&out), out.len, 0600, &f->err));
	buf_free(&out);
}
