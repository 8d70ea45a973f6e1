/* SPDX-License-Identifier: MIT */
#include "jobs/kcidb.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "jobs/parts.h"
#include "lib/clean.h"
#include "lib/clock.h"

#define ARCH_ALPHABET "abcdefghijklmnopqrstuvwxyz0123456789_"
#define ISSUE_VERSION 1 /* a fingerprint always means the same */

struct report {
	const struct export *e;
	const char *origin;
	int url_len; /* of e->url without slashes at its end */
	struct json_object *checkouts, *builds, *tests, *issues, *incidents;
};

/* --- members ----------------------------------------------------------------------------------- */

/* Nothing for what is not known. */
static void put(struct json_object *o, const char *key, const char *s)
{
	if (s && *s)
		json_object_object_add(o, key, json_str(s));
}

static void put_int(struct json_object *o, const char *key, int64_t v)
{
	json_object_object_add(o, key, json_object_new_int64(v));
}

static void put_bool(struct json_object *o, const char *key, bool v)
{
	json_object_object_add(o, key, json_object_new_boolean(v));
}

static void put_seconds(struct json_object *o, const char *key, int64_t us)
{
	if (us >= 0)
		json_object_object_add(o, key, json_object_new_double((double)us / US_PER_S));
}

/* Nothing for an object or array without members; `sub` is taken. */
static void put_some(struct json_object *o, const char *key, struct json_object *sub)
{
	size_t n = json_object_is_type(sub, json_type_array)
			   ? json_object_array_length(sub)
			   : (size_t)json_object_object_length(sub);

	if (n)
		json_object_object_add(o, key, sub);
	else
		json_object_put(sub);
}

/* The first KCIDB_EXCERPT_CHARS characters. */
static void put_excerpt(struct json_object *o, const char *text)
{
	size_t len = text ? strlen(text) : 0, at = 0;

	for (int n = 0; at < len && n < KCIDB_EXCERPT_CHARS; n++) {
		size_t step = utf8_len(text + at, len - at);

		at += step ? step : 1;
	}
	if (at)
		json_object_object_add(o, "log_excerpt", json_strn(text, at));
}

static char *make_id(const struct report *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static char *make_id(const struct report *r, const char *fmt, ...)
{
	CLEANUP(buf_free) struct buf id = BUF_INIT;
	va_list ap;

	buf_printf(&id, "%s:", r->origin);
	va_start(ap, fmt);
	buf_vprintf(&id, fmt, ap);
	va_end(ap);
	return buf_steal(&id);
}

static struct json_object *object_with_id(const struct report *r, const char *id)
{
	struct json_object *o = json_object_new_object();

	put(o, "id", id);
	put(o, "origin", r->origin);
	return o;
}

static bool has_id(struct json_object *list, const char *id)
{
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		if (!strcmp(json_object_get_string(json_object_object_get(o, "id")), id))
			return true;
	}
	return false;
}

/* --- paths ------------------------------------------------------------------------------------- */

/* The alphabet of one word of a path; dots only where the name has words. */
static void add_word(struct buf *path, const char *s, bool dots)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789_-";
	size_t begin = path->len;

	for (; *s; s++) {
		bool dot = dots && *s == '.' && path->len > begin &&
			   path->data[path->len - 1] != '.' && s[1];

		buf_char(path, dot || strchr(allowed, *s) ? *s : '_');
	}
	if (path->len == begin)
		buf_char(path, '_');
}

static void add_fault(struct buf *path, const struct fault *f)
{
	struct fault defaults;

	fault_defaults(&defaults);
	if (strcmp(f->site, defaults.site) != 0) {
		buf_char(path, '.');
		add_word(path, f->site, false);
	}
	if (f->within != defaults.within)
		buf_printf(path, ".within-%s", fault_within_name(f->within));
	if (f->facility != defaults.facility)
		buf_printf(path, ".%s", fault_facility_name(f->facility));
	if (f->mode == FAULT_NTH)
		buf_printf(path, ".nth-%d", f->nth);
	else if (f->mode == FAULT_BURST)
		buf_printf(path, ".burst-%d", f->times);
	else if (f->mode == FAULT_PROBABILITY)
		buf_printf(path, ".probability-%d", f->probability);
	else
		buf_printf(path, ".%s", fault_mode_name(f->mode));
	if (f->mode == FAULT_SWEEP && f->nth > 0)
		buf_printf(path, ".nth-%d", f->nth);
}

char *kcidb_path(const struct result *r)
{
	CLEANUP(buf_free) struct buf path = BUF_INIT;

	buf_str(&path, "faultline.");
	add_word(&path, r->scenario ? r->scenario : "", true);
	if (!r->scenario || strcmp(r->scenario, "build") != 0)
		add_fault(&path, &r->fault);
	return buf_steal(&path);
}

/* --- checkouts and builds ---------------------------------------------------------------------- */

static char *checkout_id(const struct report *r, const struct export_build *b)
{
	if (b->repo && b->commit)
		return make_id(r, "%s-%s", b->repo, b->commit);
	return make_id(r, "%s", b->id);
}

static bool is_sha(const char *s)
{
	return s && strlen(s) == 40 && strspn(s, "0123456789abcdef") == 40;
}

static void add_checkout(struct report *r, const struct export_build *b, const char *id)
{
	struct json_object *o, *misc = json_object_new_object();

	if (has_id(r->checkouts, id)) {
		json_object_put(misc);
		return;
	}
	o = object_with_id(r, id);
	put(o, "tree_name", b->repo);
	if (b->repo_url && str_starts(b->repo_url, "https://"))
		put(o, "git_repository_url", b->repo_url);
	if (is_sha(b->commit)) {
		put(o, "git_commit_hash", b->commit);
		/* Commits are tested as they are in git, without patches on top. */
		json_object_object_add(o, "patchset_hash", json_object_new_string(""));
		put_bool(o, "valid", true);
	} else {
		put(misc, "commit", b->commit);
	}
	put(o, "git_repository_branch", b->branch);
	put(o, "comment", b->subject);
	put(misc, "tree_hash", b->tree);
	put_some(o, "misc", misc);
	json_object_array_add(r->checkouts, o);
}

static void add_files(const struct report *r, const struct export_build *b, struct json_object *o)
{
	struct json_object *list;

	if (!r->e->url || !b->number)
		return;
	list = json_object_new_array();
	for (size_t i = 0; i < b->n_artifacts; i++) {
		struct json_object *file = json_object_new_object();
		CLEANUP(free_p)
		char *url = xasprintf("%.*s/api/v1/builds/%lld/artifacts/%s", r->url_len, r->e->url,
				      (long long)b->number, b->artifacts[i]);

		put(file, "name", b->artifacts[i]);
		put(file, "url", url);
		json_object_array_add(list, file);
	}
	put_some(o, "output_files", list);
}

static void put_log_url(const struct report *r, struct json_object *o, int64_t run)
{
	CLEANUP(free_p) char *url = NULL;

	if (!r->e->url || !run)
		return;
	url = xasprintf("%.*s/api/v1/runs/%lld/log", r->url_len, r->e->url, (long long)run);
	put(o, "log_url", url);
}

static void add_build(struct report *r, const struct export_build *b)
{
	CLEANUP(free_p) char *id = make_id(r, "%s", b->id), *checkout = checkout_id(r, b);
	struct json_object *o = object_with_id(r, id), *misc = json_object_new_object();

	add_checkout(r, b, checkout);
	put(o, "checkout_id", checkout);
	put(o, "comment", b->detail);
	put(o, "start_time", b->started);
	put_seconds(o, "duration", b->duration_us);
	put(b->arch && strspn(b->arch, ARCH_ALPHABET) == strlen(b->arch) ? o : misc, "architecture",
	    b->arch);
	put(o, "compiler", b->compiler);
	put(o, "config_name", b->config);
	put(o, "status", b->status);
	put_excerpt(o, b->errors);
	put_log_url(r, o, b->run);
	add_files(r, b, o);
	put(misc, "reason", b->reason);
	put(misc, "release", b->release);
	put(misc, "config_hash", b->config_hash);
	put_some(o, "misc", misc);
	json_object_array_add(r->builds, o);
}

/* --- tests ------------------------------------------------------------------------------------- */

static struct json_object *injected_of(const struct result *x)
{
	struct json_object *o = json_object_new_object();

	put_int(o, "on_target", x->injected_on);
	put_int(o, "off_target", x->injected_off);
	put_int(o, "unclassified", x->injected_unclassified);
	return o;
}

static struct json_object *failed_checks(const struct result *x)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < x->n_checks; i++) {
		struct json_object *o;

		if (x->checks[i].ok)
			continue;
		o = json_object_new_object();
		put(o, "name", x->checks[i].name);
		put(o, "detail", x->checks[i].detail);
		json_object_array_add(list, o);
	}
	return list;
}

static struct json_object *test_misc(const struct export_row *row, const struct export_run *run)
{
	const struct result *x = row->result;
	struct json_object *o = json_object_new_object();

	put(o, "reason", reason_name(x->reason));
	json_object_object_add(o, "fault", fault_to_json(&x->fault));
	put_int(o, "repeat", x->repeat);
	if (x->closing)
		put_int(o, "points", x->points);
	json_object_object_add(o, "injected", injected_of(x));
	put_int(o, "errno", x->err_no);
	put_some(o, "failed_checks", failed_checks(x));
	put_some(o, "counters", counters_to_json(x->counters, x->n_counters));
	put_some(o, "metrics", metrics_to_json(x->metrics, x->n_metrics));
	put(o, "reproduce", x->repro);
	if (run->number) {
		put_int(o, "run", run->number);
		put(o, "run_ended", run->ended);
	}
	if (x->console_offset >= 0) {
		put_int(o, "console_offset", x->console_offset);
		put_int(o, "console_length", x->console_len);
	}
	return o;
}

/* A copy without what says nothing: null and "". */
static struct json_object *known_members(struct json_object *from)
{
	struct json_object *o = json_object_new_object();

	json_object_object_foreach(from, key, value)
	{
		if (value && *json_object_get_string(value))
			json_object_object_add(o, key, json_object_get(value));
	}
	return o;
}

static struct json_object *environment(const struct export_run *run)
{
	struct json_object *o = json_object_new_object(), *misc;

	put(o, "comment", "a virtual machine under QEMU");
	if (json_object_is_type(run->machine, json_type_object))
		misc = known_members(run->machine);
	else
		misc = json_object_new_object();
	put(misc, "agent", run->agent);
	put_some(o, "misc", misc);
	return o;
}

/* Bytes scale by 1024, seconds and rates by 1000; counts of things are shown as they are. */
static const char *prefix_of(const char *unit)
{
	if (!strcmp(unit, "B") || !strcmp(unit, "B/s"))
		return "binary";
	return !strcmp(unit, "s") || !strcmp(unit, "Hz") ? "metric" : NULL;
}

static void add_metric(struct report *r, const struct metric *m, size_t i, const char *test_id,
		       const char *build_id, const char *test_path, struct json_object *like)
{
	CLEANUP(free_p) char *id = xasprintf("%s-metric-%zu", test_id, i + 1);
	CLEANUP(buf_free) struct buf path = BUF_INIT;
	struct json_object *o = object_with_id(r, id), *number = json_object_new_object();

	buf_printf(&path, "%s.", test_path);
	add_word(&path, m->name, true);
	put(o, "build_id", build_id);
	put(o, "path", buf_cstr(&path));
	put(o, "status", status_name(STATUS_DONE));
	json_object_object_add(number, "value", json_object_new_double(m->value));
	put(number, "unit", m->unit);
	put(number, "prefix", prefix_of(m->unit ? m->unit : ""));
	json_object_object_add(o, "number", number);
	json_object_object_add(o, "environment",
			       json_object_get(json_object_object_get(like, "environment")));
	put(o, "start_time", json_object_get_string(json_object_object_get(like, "start_time")));
	json_object_array_add(r->tests, o);
}

static void add_splat(struct report *r, const struct splat *s, const char *test_id)
{
	CLEANUP(free_p) char *issue_id = make_id(r, "%s", s->fingerprint);
	CLEANUP(free_p) char *id = xasprintf("%s-%s", test_id, s->fingerprint);
	struct json_object *o, *sub;

	if (!has_id(r->issues, issue_id)) {
		o = object_with_id(r, issue_id);
		put_int(o, "version", ISSUE_VERSION);
		put(o, "report_subject", s->title);
		put(o, "comment", s->title);
		sub = json_object_new_object();
		put_bool(sub, "code", true);
		put_bool(sub, "tool", false);
		put_bool(sub, "harness", false);
		json_object_object_add(o, "culprit", sub);
		sub = json_object_new_object();
		put(sub, "kind", splat_kind_name(s->kind));
		put(sub, "fingerprint", s->fingerprint);
		json_object_object_add(o, "misc", sub);
		json_object_array_add(r->issues, o);
	}
	o = object_with_id(r, id);
	put(o, "issue_id", issue_id);
	put_int(o, "issue_version", ISSUE_VERSION);
	put(o, "test_id", test_id);
	put_bool(o, "present", true);
	/* The same fingerprint may have been printed in other words. */
	put(o, "comment", s->title);
	json_object_array_add(r->incidents, o);
}

static void add_test(struct report *r, const struct export_row *row)
{
	const struct export_run *run = export_row_run(r->e, row);
	const struct export_build *b = export_row_build(r->e, row);
	const struct result *x = row->result;
	CLEANUP(free_p) char *path = kcidb_path(x), *build_id = make_id(r, "%s", b->id);
	CLEANUP(free_p)
	char *id = run->number ? make_id(r, "result-%lld", (long long)row->number)
			       : make_id(r, "%s-%lld", b->id, (long long)row->number);
	struct json_object *o = object_with_id(r, id);

	put(o, "build_id", build_id);
	put(o, "path", path);
	put(o, "status", status_name(x->status));
	put(o, "comment", x->detail);
	json_object_object_add(o, "environment", environment(run));
	put(o, "start_time", run->started);
	put_seconds(o, "duration", x->duration_us);
	put_excerpt(o, x->splat.kind != SPLAT_NONE ? x->splat.excerpt : NULL);
	put_log_url(r, o, run->number);
	json_object_object_add(o, "misc", test_misc(row, run));
	json_object_array_add(r->tests, o);
	for (size_t i = 0; x->status == STATUS_DONE && i < x->n_metrics; i++)
		if (isfinite(x->metrics[i].value))
			add_metric(r, &x->metrics[i], i, id, build_id, path, o);
	if (x->splat.kind != SPLAT_NONE && *x->splat.fingerprint)
		add_splat(r, &x->splat, id);
}

/* That a kernel does not build is said by its build. */
static bool is_told_by_build(const struct report *r, const struct export_row *row)
{
	const struct export_build *b = export_row_build(r->e, row);

	return row->result->scenario && !strcmp(row->result->scenario, "build") && b->status &&
	       !strcmp(b->status, status_name(row->result->status));
}

void kcidb_write(const struct export *e, struct buf *out)
{
	CLEANUP(json_put_p) struct json_object *o = json_object_new_object();
	struct json_object *version = json_object_new_object();
	CLEANUP(free_p) char *text = NULL;
	struct report r = { .e = e,
			    .origin = e->origin ? e->origin : EXPORT_ORIGIN,
			    .checkouts = json_object_new_array(),
			    .builds = json_object_new_array(),
			    .tests = json_object_new_array(),
			    .issues = json_object_new_array(),
			    .incidents = json_object_new_array() };

	r.url_len = e->url ? (int)strlen(e->url) : 0;
	while (r.url_len && e->url[r.url_len - 1] == '/')
		r.url_len--;
	put_int(version, "major", KCIDB_MAJOR);
	put_int(version, "minor", KCIDB_MINOR);
	for (size_t i = 0; i < e->n_builds; i++)
		add_build(&r, &e->builds[i]);
	for (size_t i = 0; i < e->n_rows; i++)
		if (!is_told_by_build(&r, &e->rows[i]))
			add_test(&r, &e->rows[i]);
	json_object_object_add(o, "version", version);
	json_object_object_add(o, "checkouts", r.checkouts);
	json_object_object_add(o, "builds", r.builds);
	json_object_object_add(o, "tests", r.tests);
	json_object_object_add(o, "issues", r.issues);
	json_object_object_add(o, "incidents", r.incidents);
	text = json_text_pretty(o);
	buf_printf(out, "%s\n", text);
}
