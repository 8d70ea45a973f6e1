// SPDX-License-Identifier: MIT
#include "jobs/report.h"

#include <stdio.h>
#include <string.h>

#include "jobs/report_internal.h"
#include "lib/clean.h"
#include "lib/mail.h"

#define WIDTH 72 /* of prose */
#define LINE_MAX_BYTES 200 /* of a title, a subject, a name */
#define SUSPECTS_MAX 20

/* --- the view ---------------------------------------------------------------------------------- */

struct json_object *report_get(struct json_object *o, const char *key, enum json_type type)
{
	struct json_object *v = NULL;

	if (!json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, key, &v) ||
	    !json_object_is_type(v, type))
		return NULL;
	return v;
}

const char *report_str(struct json_object *o, const char *key)
{
	struct json_object *v = report_get(o, key, json_type_string);

	return v ? json_object_get_string(v) : "";
}

long long report_num(struct json_object *o, const char *key)
{
	struct json_object *v = report_get(o, key, json_type_int);

	return v ? json_object_get_int64(v) : 0;
}

static struct json_object *item(struct json_object *list, size_t i)
{
	return list && i < json_object_array_length(list) ? json_object_array_get_idx(list, i)
							  : NULL;
}

static size_t length(struct json_object *list)
{
	return list ? json_object_array_length(list) : 0;
}

struct json_object *report_commit(struct json_object *view, const char *sha)
{
	struct json_object *list = report_get(view, "commits", json_type_array);

	for (size_t i = 0; i < length(list); i++)
		if (strcmp(report_str(item(list, i), "sha"), sha) == 0)
			return item(list, i);
	return NULL;
}

struct json_object *report_evidence(struct json_object *view, const char *state, const char *key)
{
	struct json_object *list = report_get(view, "changes", json_type_array);

	for (size_t i = length(list); i-- > 0;) {
		struct json_object *e = report_get(item(list, i), "evidence", json_type_object);

		if (strcmp(report_str(item(list, i), "state"), state) == 0 &&
		    json_object_object_get_ex(e, key, NULL))
			return e;
	}
	return NULL;
}

static struct report_side side_of(struct json_object *view, const char *sha)
{
	struct json_object *list = report_get(view, "probes", json_type_array);
	struct report_side side = { .sha = sha };

	for (size_t i = 0; i < length(list); i++) {
		struct json_object *p = item(list, i);

		if (strcmp(report_str(p, "commit"), sha) != 0)
			continue;
		side.fails += (int)report_num(p, "fails");
		side.runs += (int)report_num(p, "runs");
		side.control_fails += (int)report_num(p, "control_fails");
		side.control_runs += (int)report_num(p, "control_runs");
	}
	if (!side.runs)
		side.runs = (int)length(report_metric_between(view, sha));
	return side;
}

void report_sides(struct json_object *view, struct report_side *ret_good,
		  struct report_side *ret_bad)
{
	const char *culprit = report_str(view, "culprit");
	const char *parent = report_str(report_commit(view, culprit), "parent");
	bool build = strcmp(report_str(view, "scenario"), "build") == 0;

	*ret_bad = side_of(view, culprit);
	*ret_good = side_of(view, parent);
	/* a build is decided by its source: its culprit follows the last one that could be built */
	if (!*culprit || build || !ret_bad->runs || !ret_good->runs) {
		*ret_bad = side_of(view, report_str(view, "bad"));
		*ret_good = side_of(view, report_str(view, "good"));
	}
}

/* --- text -------------------------------------------------------------------------------------- */

void report_line(struct buf *out, const char *s)
{
	mail_line(s, strlen(s), LINE_MAX_BYTES, out);
}

void report_prose(struct buf *out, const char *fmt, ...)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	size_t column = 0, n;
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	for (const char *s = buf_cstr(&text); *s; s += n) {
		CLEANUP(buf_free) struct buf word = BUF_INIT;

		n = strcspn(s, " ");
		mail_line(s, n, LINE_MAX_BYTES, &word);
		if (column && column + 1 + word.len > WIDTH) {
			buf_char(out, '\n');
			column = 0;
		}
		buf_printf(out, "%s%s", column ? " " : "", buf_cstr(&word));
		column += word.len + (column != 0);
		n += strspn(s + n, " ");
	}
	buf_str(out, "\n\n");
}

static void add_field(struct buf *out, const char *name, const char *value)
{
	if (!*value)
		return;
	buf_printf(out, "%s: ", name);
	report_line(out, value);
	buf_char(out, '\n');
}

static void add_commit(struct json_object *view, const char *name, const char *sha, struct buf *out)
{
	const char *subject = report_str(report_commit(view, sha), "subject");

	if (!*sha)
		return;
	buf_printf(out, "%s: ", name);
	report_line(out, sha);
	if (*subject) {
		buf_str(out, " (\"");
		report_line(out, subject);
		buf_str(out, "\")");
	}
	buf_char(out, '\n');
}

/* An address below the server's; nothing when it has none. */
static void add_link(const struct report_opts *o, const char *before, const char *what,
		     long long id, const char *after, struct buf *out)
{
	int len = o->url ? (int)strlen(o->url) : 0;

	while (len && o->url[len - 1] == '/')
		len--;
	if (len && id > 0)
		buf_printf(out, "%s%.*s/%s/%lld%s\n", before, len, o->url, what, id, after);
}

static struct json_object *suspects(struct json_object *view)
{
	struct json_object *e = report_evidence(view, "bisected", "suspects");
	struct json_object *list = report_get(e, "suspects", json_type_array);

	return *report_str(view, "culprit") || !length(list) ? NULL : list;
}

static void add_suspects(struct json_object *view, struct buf *out)
{
	struct json_object *list = suspects(view);
	const char *why = report_str(report_evidence(view, "bisected", "suspects"), "why");

	if (!list)
		return;
	if (report_metric(view) && *why)
		report_prose(out,
			     "It began with one of these %zu commits, and nobody is named: %s.",
			     length(list), why);
	else
		report_prose(out,
			     "It began with one of these %zu commits; those between could not be "
			     "tested, so nobody is named.",
			     length(list));
	for (size_t i = 0; i < length(list) && i < SUSPECTS_MAX; i++) {
		const char *sha = json_object_get_string(item(list, i));

		buf_printf(out, "  %.12s ", sha ? sha : "");
		report_line(out, report_str(report_commit(view, sha ? sha : ""), "subject"));
		buf_char(out, '\n');
	}
	if (length(list) > SUSPECTS_MAX)
		buf_printf(out, "  and %zu more\n", length(list) - SUSPECTS_MAX);
	buf_char(out, '\n');
}

static void add_confidence(struct json_object *view, struct buf *out)
{
	struct json_object *e = report_evidence(view, "bisected", "confidence");
	struct json_object *v = report_get(e, "confidence", json_type_double);

	if (v && *report_str(view, "culprit"))
		report_prose(out, "The first bad commit was searched for; confidence %.4g.",
			     json_object_get_double(v));
}

static void add_machine(struct json_object *shown, struct buf *out)
{
	struct json_object *m = report_get(shown, "machine", json_type_object);
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	if (!m)
		return;
	buf_printf(&text, "QEMU %s, %s, %lld CPUs, %lld MiB", report_str(m, "qemu"),
		   report_str(m, "accel"), report_num(m, "cpus"), report_num(m, "memory_mib"));
	add_field(out, "machine", text.data);
}

void report_fault(struct json_object *o, char ret[FAULT_TEXT_MAX])
{
	struct fault f;
	struct jval v = json_root(o);

	*ret = '\0';
	fault_defaults(&f);
	if (o && json_object_object_length(o) && !fault_from_json(&v, &f, NULL))
		fault_to_text(&f, ret);
}

static void add_fault(struct json_object *o, struct buf *out)
{
	char text[FAULT_TEXT_MAX];

	report_fault(o, text);
	add_field(out, "parameters", text);
}

static void add_facts(struct json_object *view, struct buf *out)
{
	struct json_object *shown = report_get(view, "shown", json_type_object);
	struct json_object *fault = report_get(shown, "fault", json_type_object);
	struct report_side good, bad;

	report_sides(view, &good, &bad);
	add_commit(view, "commit",
		   *report_str(view, "culprit") ? report_str(view, "culprit") : bad.sha, out);
	add_commit(view, "last good commit", good.sha, out);
	add_field(out, "tree", report_str(view, "repo"));
	add_field(out, "url", report_str(view, "repo_url"));
	add_field(out, "branch", report_str(view, "ref"));
	add_field(out, "testcase", report_str(view, "scenario"));
	/* a build has none, whatever its result says */
	if (strcmp(report_str(view, "scenario"), "build") != 0)
		add_fault(fault ? fault : report_get(view, "fault", json_type_object), out);
	add_field(out, "config", report_str(view, "config"));
	add_field(out, "config hash", report_str(view, "config_hash"));
	add_field(out, "architecture", report_str(view, "arch"));
	add_field(out, "compiler", report_str(view, "compiler"));
	add_machine(shown, out);
	buf_char(out, '\n');
}

/* --- the end of it ------------------------------------------------------------------------------- */

/* Whether it may stand in a command as it is. */
static bool is_plain_word(const char *s)
{
	return *s && *s != '-' &&
	       !s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:/+-")];
}

/* A build is repeated from its source. */
static void add_repro_build(struct json_object *view, struct buf *out)
{
	const char *sha = report_str(view, "bad"), *url = report_str(view, "repo_url");
	const char *plan = report_str(view, "plan"), *config = report_str(view, "config");

	if (!is_plain_word(sha) || !is_plain_word(plan) || !is_plain_word(config))
		return;
	buf_str(out, "To reproduce, in a kernel repository:\n\n  ");
	if (is_plain_word(url))
		buf_printf(out, "git fetch %s %s && ", url, sha);
	buf_printf(out, "git checkout %s && \\\n  faultline run --plan %s --config %s .\n\n", sha,
		   plan, config);
}

/* Anything else on the kernel that was tested. */
static void add_repro(struct json_object *view, const struct report_opts *o, struct buf *out)
{
	struct json_object *shown = report_get(view, "shown", json_type_object);
	const char *repro = report_str(shown, "repro");
	size_t before;

	if (!*repro)
		return;
	buf_str(out, "To reproduce");
	if (*report_str(shown, "commit"))
		buf_printf(out, " (the kernel of commit %.12s)", report_str(shown, "commit"));
	buf_str(out, ":\n\n  ");
	before = out->len;
	add_link(o, "curl -fsSo bzImage '", "api/v1/builds", report_num(shown, "build"),
		 "/artifacts/bzImage' && \\", out);
	if (out->len > before)
		buf_str(out, "  ");
	mail_line(repro, strlen(repro), 4096, out);
	/* one value says nothing */
	buf_str(out, report_metric(view) ? " --repeat=10\n\n" : "\n\n");
}

static bool is_settled(struct json_object *view)
{
	static const char *const settled[] = { "confirmed", "bisected", "fixed" };

	for (size_t i = 0; i < ARRAY_SIZE(settled); i++)
		if (strcmp(report_str(view, "state"), settled[i]) == 0)
			return true;
	return false;
}

static void add_tags(struct json_object *view, const struct report_opts *o, struct buf *out)
{
	struct report_side good, bad;

	report_sides(view, &good, &bad);
	report_prose(out, "A commit of its own that mends this may carry these tags:");
	buf_str(out, "| Reported-by: ");
	report_line(out, o->from);
	buf_char(out, '\n');
	add_link(o, "| Closes: ", "regressions", report_num(view, "id"), "", out);
	if (*good.sha && *bad.sha)
		buf_printf(out, "\n#regzbot introduced: %.40s..%.40s\n", good.sha,
			   *report_str(view, "culprit") ? report_str(view, "culprit") : bad.sha);
	buf_char(out, '\n');
}

static void add_links(struct json_object *view, const struct report_opts *o, struct buf *out)
{
	struct json_object *shown = report_get(view, "shown", json_type_object);

	add_link(o, "result:     ", "results", report_num(view, "result"), "", out);
	add_link(o, "log:        ", "api/v1/runs", report_num(shown, "run"), "/log", out);
	add_link(o, "build:      ", "builds", report_num(shown, "build"), "", out);
	add_link(o, "submission: ", "submissions", report_num(view, "submission"), "", out);
}

static void text_new(struct json_object *view, const struct report_opts *o, struct buf *out)
{
	struct json_object *shown = report_get(view, "shown", json_type_object);
	bool build = strcmp(report_str(view, "scenario"), "build") == 0;
	const char *title = report_str(view, "title"), *detail = report_str(shown, "detail");

	report_prose(out, "faultline noticed%s:", build ? " that a kernel does not build" : "");
	buf_str(out, "  ");
	report_line(out, title);
	/* one run's values are not what a metric is about */
	if (!build && !report_metric(view) && *detail && strcmp(detail, title) != 0) {
		buf_str(out, "\n  ");
		report_line(out, detail);
	}
	buf_str(out, "\n\n");
	if (!is_settled(view))
		report_prose(out, "This is not confirmed (state: %s).", report_str(view, "state"));
	else if (!report_evidence(view, "bisected", "suspects"))
		report_prose(out, "The search for the first bad commit has not ended.");
	add_facts(view, out);
	add_confidence(view, out);
	add_suspects(view, out);
	if (is_settled(view))
		add_tags(view, o, out);
	if (report_metric(view))
		report_metric_table(view, out);
	else if (!build)
		report_table(view, out);
	report_cases(view, out);
	if (build)
		report_build(view, out);
	else
		report_failure(view, out);
	report_counters(view, out);
	if (build)
		add_repro_build(view, out);
	else
		add_repro(view, o, out);
	add_links(view, o, out);
}

static void text_fixed(struct json_object *view, const struct report_opts *o, struct buf *out)
{
	struct json_object *e = report_evidence(view, "fixed", "runs");
	const char *fixed = report_str(view, "fixed");
	struct report_side good, bad;

	report_sides(view, &good, &bad);
	report_prose(out, report_metric(view) ? "This is back to where it was:"
					      : "This does not happen any more:");
	buf_str(out, "  ");
	report_line(out, report_str(view, "title"));
	buf_str(out, "\n\n");
	add_commit(view, "fixed in", fixed, out);
	add_commit(view, "introduced by", report_str(view, "culprit"), out);
	add_field(out, "tree", report_str(view, "repo"));
	add_field(out, "branch", report_str(view, "ref"));
	add_field(out, "testcase", report_str(view, "scenario"));
	add_field(out, "config", report_str(view, "config"));
	buf_char(out, '\n');
	report_prose(out, "Of the commits that were tested it is the first from which on the case "
			  "holds.");
	if (e)
		report_prose(out, "fail:runs %lld:%lld there, %d:%d on %.12s.",
			     report_num(e, "fails"), report_num(e, "runs"), bad.fails, bad.runs,
			     bad.sha);
	report_metric_fixed(view, out);
	if (*fixed)
		buf_printf(out, "#regzbot fix: %.40s\n\n", fixed);
	add_link(o, "regression: ", "regressions", report_num(view, "id"), "", out);
}

void report_text(struct json_object *view, const struct report_opts *o, struct buf *out)
{
	if (o->kind == REPORT_FIXED)
		text_fixed(view, o, out);
	else
		text_new(view, o, out);
}
