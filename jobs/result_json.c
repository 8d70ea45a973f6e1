/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/coverage.h"
#include "jobs/metric.h"
#include "jobs/parts.h"
#include "jobs/result.h"
#include "jobs/scenario.h"
#include "lib/buf.h"
#include "lib/limits.h"

#define RESULT_VERSION 1
/* Every case swept to the cap, with its closing result. */
#define RESULTS_MAX ((size_t)LIMIT_CASES * (LIMIT_SWEEP_POINTS + 1))

/* A byte that is no UTF-8 becomes three on its way out; texts are cut on their way out, so that a
 * long one never costs the whole document. */
#define UTF8_SLACK 3

static void put_text(struct json_object *o, const char *key, const char *s, size_t max)
{
	json_object_object_add(o, key, s ? json_strn(s, strnlen(s, max)) : json_str(""));
}

/* Unknown is empty, so that every member is always there and always a string. */
static void put_str(struct json_object *o, const char *key, const char *s)
{
	put_text(o, key, s, LIMIT_TEXT_LEN);
}

static void put_int(struct json_object *o, const char *key, int64_t n)
{
	json_object_object_add(o, key, json_object_new_int64(n));
}

static int take_str(const struct jval *v, const char *key, size_t max, char **ret,
		    struct error *err)
{
	const char *s = "";
	int r = json_opt_str(v, key, max * UTF8_SLACK, &s, err);

	if (!r && *s)
		*ret = xstrdup(s);
	return r;
}

static int take_int(const struct jval *v, const char *key, int64_t min, int *ret, struct error *err)
{
	int64_t n = *ret;
	int r = json_opt_i64(v, key, min, INT32_MAX, &n, err);

	if (!r)
		*ret = (int)n;
	return r;
}

static struct json_object *splat_to_json(const struct splat *s)
{
	struct json_object *o;

	if (s->kind == SPLAT_NONE)
		return NULL;
	o = json_object_new_object();
	put_str(o, "kind", splat_kind_name(s->kind));
	put_str(o, "title", s->title);
	put_str(o, "fingerprint", s->fingerprint);
	put_text(o, "excerpt", s->excerpt, PARTS_EXCERPT_BYTES);
	put_int(o, "console_offset", s->console_offset);
	if (s->trace.n)
		json_object_object_add(o, "stack", trace_to_json(&s->trace));
	if (s->corrupted) {
		json_object_object_add(o, "corrupted", json_object_new_boolean(true));
		put_str(o, "why", s->corrupted);
	}
	return o;
}

struct json_object *result_to_json(const struct result *r)
{
	struct json_object *o = json_object_new_object(), *sub;

	put_str(o, "case", r->scenario);
	put_str(o, "config", r->config);
	json_object_object_add(o, "fault", fault_to_json(&r->fault));
	put_int(o, "repeat", r->repeat);
	json_object_object_add(o, "closing", json_object_new_boolean(r->closing));
	if (r->closing)
		put_int(o, "points", r->points);
	put_str(o, "status", status_name(r->status));
	put_str(o, "reason", reason_name(r->reason));
	put_str(o, "detail", r->detail);
	sub = json_object_new_object();
	put_int(sub, "on_target", r->injected_on);
	put_int(sub, "off_target", r->injected_off);
	put_int(sub, "unclassified", r->injected_unclassified);
	json_object_object_add(o, "injected", sub);
	stacks_to_json(r->stacks, r->n_stacks, o);
	put_int(o, "errno", r->err_no);
	json_object_object_add(o, "checks", checks_to_json(r->checks, r->n_checks));
	json_object_object_add(o, "counters", counters_to_json(r->counters, r->n_counters));
	json_object_object_add(o, "metrics", metrics_to_json(r->metrics, r->n_metrics));
	json_object_object_add(o, "splat", splat_to_json(&r->splat));
	if (r->undecoded)
		put_str(o, "undecoded", r->undecoded);
	put_int(o, "duration_us", r->duration_us);
	if (r->console_offset >= 0) {
		sub = json_object_new_object();
		put_int(sub, "offset", r->console_offset);
		put_int(sub, "length", r->console_len);
		json_object_object_add(o, "console", sub);
	}
	put_str(o, "repro", r->repro);
	return o;
}

static int verdict_from_json(const struct jval *v, struct result *r, struct error *err)
{
	const char *status, *reason = "";
	bool bare;
	int e = json_get_str(v, "status", LIMIT_NAME_LEN, &status, err);

	if (!e)
		e = json_opt_str(v, "reason", LIMIT_NAME_LEN, &reason, err);
	if (e < 0)
		return e;
	if (!status_parse(status, &r->status))
		return error_set(err, -EINVAL, "%s.status: '%s' is not a status", v->path, status);
	if (!reason_parse(reason, &r->reason))
		return error_set(err, -EINVAL, "%s.reason: '%s' is not a reason", v->path, reason);
	bare = r->status == STATUS_PASS || r->status == STATUS_DONE;
	if (bare ? r->reason != REASON_NONE
		 : r->reason == REASON_NONE || reason_status(r->reason) != r->status)
		return error_set(err, -EINVAL, "%s.reason: '%s' does not go with %s", v->path,
				 reason, status);
	return 0;
}

static int splat_from_json(const struct jval *v, struct splat *s, struct error *err)
{
	const char *kind, *print = "";
	struct json_object *o = NULL;
	struct jval sub = { .o = NULL };
	bool corrupted = false;
	int r;

	/* null says that there was none; the getters take null for a wrong type. */
	if (!json_object_object_get_ex(v->o, "splat", &o) || !o)
		return 0;
	r = json_get_obj(v, "splat", &sub, err);
	if (!r)
		r = json_get_str(&sub, "kind", LIMIT_NAME_LEN, &kind, err);
	if (!r)
		r = json_opt_str(&sub, "fingerprint", sizeof(s->fingerprint) - 1, &print, err);
	if (!r)
		r = take_str(&sub, "title", LIMIT_TEXT_LEN, &s->title, err);
	if (!r)
		r = take_str(&sub, "excerpt", PARTS_EXCERPT_BYTES, &s->excerpt, err);
	if (!r)
		r = json_opt_i64(&sub, "console_offset", -1, INT64_MAX, &s->console_offset, err);
	if (!r)
		r = json_opt_bool(&sub, "corrupted", &corrupted, err);
	if (!r && corrupted)
		r = take_str(&sub, "why", LIMIT_TEXT_LEN, &s->corrupted, err);
	if (!r)
		r = trace_from_json(&sub, "stack", &s->trace, err);
	if (r < 0)
		return r;
	if (!splat_kind_parse(kind, &s->kind) || s->kind == SPLAT_NONE)
		return error_set(err, -EINVAL, "%s.kind: '%s' is not a kind of splat", sub.path,
				 kind);
	if (*print && strspn(print, "0123456789abcdef") != sizeof(s->fingerprint) - 1)
		return error_set(err, -EINVAL, "%s.fingerprint: is not 16 hex digits", sub.path);
	memcpy(s->fingerprint, print, strlen(print) + 1);
	return 0;
}

/* The case: scenario, fault, repeat, and whether this closes a sweep. */
static int case_from_json(const struct jval *v, struct result *r, struct error *err)
{
	const char *name;
	struct jval sub;
	int e = json_get_str(v, "case", LIMIT_NAME_LEN, &name, err);

	if (!e)
		e = json_get_obj(v, "fault", &sub, err);
	if (!e)
		e = fault_from_json(&sub, &r->fault, err);
	if (!e)
		e = take_int(v, "repeat", 1, &r->repeat, err);
	if (!e)
		e = json_opt_bool(v, "closing", &r->closing, err);
	if (!e)
		e = take_int(v, "points", 0, &r->points, err);
	if (e < 0)
		return e;
	if (!scenario_name_is_valid(name))
		return error_set(err, -EINVAL, "%s.case: is not a scenario's name", v->path);
	r->scenario = xstrdup(name);
	return take_str(v, "config", LIMIT_NAME_LEN, &r->config, err);
}

static int numbers_from_json(const struct jval *v, struct result *r, struct error *err)
{
	struct jval sub = { .o = NULL };
	int e = json_get_obj(v, "injected", &sub, err);

	if (!e)
		e = take_int(&sub, "on_target", 0, &r->injected_on, err);
	if (!e)
		e = take_int(&sub, "off_target", 0, &r->injected_off, err);
	if (!e)
		e = take_int(&sub, "unclassified", 0, &r->injected_unclassified, err);
	if (!e)
		e = take_int(v, "errno", 0, &r->err_no, err);
	if (!e)
		e = json_opt_i64(v, "duration_us", 0, INT64_MAX, &r->duration_us, err);
	sub.o = NULL;
	if (!e)
		e = json_opt_obj(v, "console", &sub, err);
	if (!e && sub.o)
		e = json_get_i64(&sub, "offset", 0, INT64_MAX, &r->console_offset, err);
	if (!e && sub.o)
		e = json_get_i64(&sub, "length", 0, INT64_MAX, &r->console_len, err);
	return e;
}

int result_from_json(const struct jval *v, struct result *ret, struct error *err)
{
	struct result r;
	int e;

	result_init(&r);
	e = json_as_obj(v, err);
	if (!e)
		e = case_from_json(v, &r, err);
	if (!e)
		e = verdict_from_json(v, &r, err);
	if (!e)
		e = numbers_from_json(v, &r, err);
	if (!e)
		e = stacks_from_json(v, &r.fault, &r.stacks, &r.n_stacks, err);
	if (!e)
		e = checks_from_json(v, "checks", &r.checks, &r.n_checks, err);
	if (!e)
		e = counters_from_json(v, "counters", &r.counters, &r.n_counters, err);
	if (!e)
		e = metrics_from_json(v, "metrics", &r.metrics, &r.n_metrics, err);
	if (!e)
		e = splat_from_json(v, &r.splat, err);
	if (!e)
		e = take_str(v, "undecoded", LIMIT_TEXT_LEN, &r.undecoded, err);
	if (!e)
		e = take_str(v, "detail", LIMIT_TEXT_LEN, &r.detail, err);
	if (!e)
		e = take_str(v, "repro", LIMIT_TEXT_LEN, &r.repro, err);
	if (e < 0) {
		result_free(&r);
		return e;
	}
	*ret = r;
	return 0;
}

struct json_object *result_machine_to_json(const struct result_machine *m)
{
	struct json_object *o = json_object_new_object();

	put_str(o, "accel", m->accel);
	put_str(o, "qemu", m->qemu);
	put_int(o, "cpus", m->cpus);
	put_int(o, "memory_mib", m->memory_mib);
	put_int(o, "boots", m->boots);
	put_int(o, "shuffle_seed", m->shuffle_seed);
	put_str(o, "isolation", m->isolation);
	put_int(o, "restores", m->restores);
	put_int(o, "boot_us", m->boot_us);
	put_int(o, "result_us", m->result_us);
	return o;
}

struct json_object *result_doc_to_json(const struct result_doc *d)
{
	struct json_object *o = json_object_new_object(), *sub = json_object_new_object();
	struct metric_summary *metrics;
	int counts[STATUS_COUNT];
	size_t n;
	struct coverage coverage;

	put_int(o, "version", RESULT_VERSION);
	put_str(sub, "release", d->kernel.release);
	put_str(sub, "commit", d->kernel.commit);
	put_str(sub, "tree", d->kernel.tree);
	put_str(sub, "config_hash", d->kernel.config_hash);
	put_str(sub, "symbols", d->kernel.symbols);
	json_object_object_add(sub, "lacks", strings_to_json(d->kernel.lacks, d->kernel.n_lacks));
	json_object_object_add(o, "kernel", sub);
	json_object_object_add(o, "machine", result_machine_to_json(&d->machine));
	sub = json_object_new_array();
	for (size_t i = 0; i < d->n_results; i++)
		json_object_array_add(sub, result_to_json(&d->results[i]));
	json_object_object_add(o, "results", sub);
	sub = json_object_new_object();
	result_doc_summary(d, counts);
	for (int i = 0; i < STATUS_COUNT; i++)
		put_int(sub, status_name((enum status)i), counts[i]);
	json_object_object_add(o, "summary", sub);
	metric_summarise(d, &metrics, &n);
	json_object_object_add(o, "metric_summary", metric_summaries_to_json(metrics, n));
	free(metrics);
	coverage_of_doc(d, &coverage);
	json_object_object_add(o, "coverage", coverage_to_json(&coverage));
	coverage_free(&coverage);
	return o;
}

static int kernel_from_json(const struct jval *v, struct result_kernel *k, struct error *err)
{
	struct jval sub;
	int r = json_get_obj(v, "kernel", &sub, err);

	if (!r)
		r = take_str(&sub, "release", LIMIT_NAME_LEN, &k->release, err);
	if (!r)
		r = take_str(&sub, "commit", LIMIT_NAME_LEN, &k->commit, err);
	if (!r)
		r = take_str(&sub, "tree", LIMIT_NAME_LEN, &k->tree, err);
	if (!r)
		r = take_str(&sub, "config_hash", LIMIT_NAME_LEN, &k->config_hash, err);
	if (!r)
		r = take_str(&sub, "symbols", LIMIT_TEXT_LEN, &k->symbols, err);
	if (!r)
		r = strings_from_json(&sub, "lacks", FAULT_SITE_MAX, &k->lacks, &k->n_lacks, err);
	return r;
}

static int machine_from_json(const struct jval *v, struct result_machine *m, struct error *err)
{
	struct jval sub;
	int r = json_get_obj(v, "machine", &sub, err);

	if (!r)
		r = take_str(&sub, "accel", LIMIT_NAME_LEN, &m->accel, err);
	if (!r)
		r = take_str(&sub, "qemu", LIMIT_NAME_LEN, &m->qemu, err);
	if (!r)
		r = take_int(&sub, "cpus", 0, &m->cpus, err);
	if (!r)
		r = take_int(&sub, "memory_mib", 0, &m->memory_mib, err);
	if (!r)
		r = take_int(&sub, "boots", 0, &m->boots, err);
	if (!r)
		r = json_opt_i64(&sub, "shuffle_seed", 0, INT64_MAX, &m->shuffle_seed, err);
	if (!r)
		r = take_str(&sub, "isolation", LIMIT_NAME_LEN, &m->isolation, err);
	if (!r)
		r = take_int(&sub, "restores", 0, &m->restores, err);
	if (!r)
		r = json_opt_i64(&sub, "boot_us", 0, INT64_MAX, &m->boot_us, err);
	if (!r)
		r = json_opt_i64(&sub, "result_us", 0, INT64_MAX, &m->result_us, err);
	return r;
}

/* A summary that says something else than the results is a damaged or a forged document. */
static int summary_check(const struct jval *v, const struct result_doc *d, struct error *err)
{
	struct jval sub = { .o = NULL };
	int counts[STATUS_COUNT];
	int r = json_opt_obj(v, "summary", &sub, err);

	if (r < 0 || !sub.o)
		return r;
	result_doc_summary(d, counts);
	for (int i = 0; i < STATUS_COUNT; i++) {
		const char *name = status_name((enum status)i);
		int64_t n = 0;

		r = json_opt_i64(&sub, name, 0, INT32_MAX, &n, err);
		if (r < 0)
			return r;
		if (n != counts[i])
			return error_set(err, -EINVAL, "%s.%s: is %lld, the results say %d",
					 sub.path, name, (long long)n, counts[i]);
	}
	return 0;
}

static int results_from_json(const struct jval *v, struct result_doc *d, struct error *err)
{
	struct jval arr;
	int r = json_get_arr(v, "results", &arr, err);

	if (r < 0)
		return r;
	if (json_arr_len(&arr) > RESULTS_MAX)
		return error_set(err, -EINVAL, "%s: more than %zu results", arr.path, RESULTS_MAX);
	for (size_t i = 0; i < json_arr_len(&arr); i++) {
		struct jval e = json_arr_at(&arr, i);

		r = result_from_json(&e, result_doc_add(d), err);
		if (r < 0)
			return r;
	}
	return 0;
}

int result_doc_from_json(const struct jval *v, struct result_doc *ret, struct error *err)
{
	struct result_doc d = { 0 };
	int64_t version;
	int r = json_as_obj(v, err);

	if (!r)
		r = json_get_i64(v, "version", RESULT_VERSION, RESULT_VERSION, &version, err);
	if (!r)
		r = kernel_from_json(v, &d.kernel, err);
	if (!r)
		r = machine_from_json(v, &d.machine, err);
	if (!r)
		r = results_from_json(v, &d, err);
	if (!r)
		r = summary_check(v, &d, err);
	if (r < 0) {
		result_doc_free(&d);
		return r;
	}
	*ret = d;
	return 0;
}
