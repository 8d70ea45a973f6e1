/* SPDX-License-Identifier: MIT */
#include "jobs/junit.h"

#include <string.h>

#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/xml.h"

struct tally {
	int tests, failures, errors, skipped;
	int64_t us;
};

static void count(struct tally *t, const struct result *r)
{
	t->tests++;
	t->failures += r->status == STATUS_FAIL;
	t->errors += r->status == STATUS_ERROR || r->status == STATUS_MISS;
	t->skipped += r->status == STATUS_SKIP;
	/* A closing result's time is the sum of its points. */
	if (!r->closing)
		t->us += r->duration_us;
}

static void attr_seconds(struct xml *x, int64_t us)
{
	char text[40];

	snprintf(text, sizeof(text), "%lld.%06lld", (long long)(us / US_PER_S),
		 (long long)(us % US_PER_S));
	xml_attr(x, "time", text);
}

static void attr_tally(struct xml *x, const struct tally *t)
{
	xml_attr_i64(x, "tests", t->tests);
	xml_attr_i64(x, "failures", t->failures);
	xml_attr_i64(x, "errors", t->errors);
	attr_seconds(x, t->us);
}

static void add_property(struct xml *x, const char *name, const char *value)
{
	if (!value)
		return;
	xml_open(x, "property");
	xml_attr(x, "name", name);
	xml_attr(x, "value", value);
	xml_close(x);
}

static void metric_text(const struct metric *m, struct buf *out)
{
	buf_printf(out, "%.17g %s", m->value, m->unit ? m->unit : "");
}

/* "zeropage.remap none: rss.freed" = "64 pages" */
static void add_metrics(struct xml *x, const struct result *r)
{
	char title[200];

	if (r->status != STATUS_DONE)
		return;
	result_title(r, title, sizeof(title));
	for (size_t i = 0; i < r->n_metrics; i++) {
		CLEANUP(free_p) char *name = xasprintf("%s: %s", title, r->metrics[i].name);
		CLEANUP(buf_free) struct buf value = BUF_INIT;

		metric_text(&r->metrics[i], &value);
		add_property(x, name, buf_cstr(&value));
	}
}

static void add_properties(struct xml *x, const struct export *e, size_t from, size_t to)
{
	const struct export_row *row = &e->rows[from];
	const struct export_build *b = export_row_build(e, row);
	struct json_object *machine = export_row_run(e, row)->machine;

	xml_open(x, "properties");
	add_property(x, "repository", b->repo);
	add_property(x, "commit", b->commit);
	add_property(x, "subject", b->subject);
	add_property(x, "kernel", b->release);
	add_property(x, "configuration", b->config);
	add_property(x, "architecture", b->arch);
	add_property(x, "compiler", b->compiler);
	if (json_object_is_type(machine, json_type_object)) {
		json_object_object_foreach(machine, key, value)
		{
			CLEANUP(free_p) char *name = xasprintf("machine.%s", key);
			const char *text = value ? json_object_get_string(value) : "";

			add_property(x, name, *text ? text : NULL);
		}
	}
	for (size_t i = from; i < to; i++)
		add_metrics(x, e->rows[i].result);
	xml_close(x);
}

/* What a person wants to read first: why, what was injected, how to see it again. */
static void add_verdict(struct xml *x, const struct result *r)
{
	static const char *const elements[STATUS_COUNT] = { [STATUS_FAIL] = "failure",
							    [STATUS_ERROR] = "error",
							    [STATUS_MISS] = "error",
							    [STATUS_SKIP] = "skipped" };
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	if (!elements[r->status])
		return;
	xml_open(x, elements[r->status]);
	xml_attr(x, "type", reason_name(r->reason));
	xml_attr(x, "message", result_explain(r));
	buf_printf(&text, "%s %s", status_name(r->status), reason_name(r->reason));
	if (r->detail && *r->detail)
		buf_printf(&text, ": %s", r->detail);
	buf_printf(&text, "\ninjected: %d on target, %d elsewhere, %d unclassified\n",
		   r->injected_on, r->injected_off, r->injected_unclassified);
	for (size_t i = 0; i < r->n_checks; i++)
		if (!r->checks[i].ok)
			buf_printf(&text, "check %s: %s\n", r->checks[i].name,
				   r->checks[i].detail ? r->checks[i].detail : "");
	if (r->repro && *r->repro)
		buf_printf(&text, "reproduce: %s\n", r->repro);
	xml_text(x, buf_cstr(&text));
	xml_close(x);
}

static void add_output(struct xml *x, const struct result *r)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	for (size_t i = 0; i < r->n_metrics; i++) {
		buf_printf(&text, "%s: ", r->metrics[i].name);
		metric_text(&r->metrics[i], &text);
		buf_char(&text, '\n');
	}
	if (r->splat.kind != SPLAT_NONE && r->splat.excerpt)
		buf_str(&text, r->splat.excerpt);
	if (trace_has_lines(&r->splat.trace)) {
		buf_str(&text, "\nThe decoded stack:\n");
		trace_text(&r->splat.trace, &text);
	}
	if (!text.len)
		return;
	xml_open(x, "system-out");
	xml_text(x, buf_cstr(&text));
	xml_close(x);
}

static void add_case(struct xml *x, const struct result *r)
{
	CLEANUP(free_p) char *class = xasprintf("faultline.%s", r->scenario ? r->scenario : "?");
	char title[200];
	const char *fault;

	/* The title begins with the scenario. */
	result_title(r, title, sizeof(title));
	fault = strchr(title, ' ');
	xml_open(x, "testcase");
	xml_attr(x, "classname", class);
	xml_attr(x, "name", fault ? fault + 1 : title);
	attr_seconds(x, r->duration_us);
	add_verdict(x, r);
	add_output(x, r);
	xml_close(x);
}

static void add_suite(struct xml *x, const struct export *e, size_t from, size_t to)
{
	const struct export_run *run = export_row_run(e, &e->rows[from]);
	const struct export_build *b = export_row_build(e, &e->rows[from]);
	CLEANUP(free_p) char *name = NULL;
	struct tally t = { 0 };
	char prefix[16];

	export_row_prefix(e, &e->rows[from], prefix);
	name = xasprintf("%s%s", prefix, b->config ? b->config : "faultline");
	for (size_t i = from; i < to; i++)
		count(&t, e->rows[i].result);
	xml_open(x, "testsuite");
	xml_attr(x, "name", name);
	attr_tally(x, &t);
	xml_attr_i64(x, "skipped", t.skipped);
	xml_attr(x, "timestamp", run->started);
	xml_attr(x, "hostname", run->agent);
	if (run->number)
		xml_attr_i64(x, "id", run->number);
	add_properties(x, e, from, to);
	for (size_t i = from; i < to; i++)
		add_case(x, e->rows[i].result);
	xml_close(x);
}

void junit_write(const struct export *e, struct buf *out)
{
	struct tally t = { 0 };
	struct xml x;

	xml_begin(&x, out);
	for (size_t i = 0; i < e->n_rows; i++)
		count(&t, e->rows[i].result);
	xml_open(&x, "testsuites");
	xml_attr(&x, "name", "faultline");
	attr_tally(&x, &t);
	for (size_t from = 0, to; from < e->n_rows; from = to) {
		for (to = from + 1; to < e->n_rows && e->rows[to].run == e->rows[from].run;)
			to++;
		add_suite(&x, e, from, to);
	}
	xml_close(&x);
}
