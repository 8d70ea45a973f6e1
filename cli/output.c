// SPDX-License-Identifier: MIT
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "jobs/metric.h"
#include "lib/buf.h"
#include "lib/clean.h"

bool format_parse(const char *s, enum format *ret)
{
	static const char *const names[FORMAT_EXPORT] = { "table", "json", "csv" };
	const struct export_format *export = export_format_find(s);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i], s))
			continue;
		*ret = (enum format)i;
		return true;
	}
	if (export)
		*ret = (enum format)(FORMAT_EXPORT + (export - export_formats));
	return export;
}

enum format cli_list_format(const struct argp_state *state, const char *arg)
{
	enum format f = FORMAT_TABLE;

	if (!format_parse(arg, &f) || f >= FORMAT_EXPORT)
		argp_error(state, "--format: '%s' is not table, json or csv", arg);
	return f;
}

const struct export_format *format_export(enum format f)
{
	return f < FORMAT_EXPORT ? NULL : &export_formats[f - FORMAT_EXPORT];
}

const char *cli_origin(const struct argp_state *state, const char *arg)
{
	if (!export_origin_is_valid(arg))
		argp_error(state,
			   "--origin: '%s' is not a name of lower-case letters, digits and _", arg);
	return arg;
}

const char *status_colour(enum status s)
{
	if (!cli_colour())
		return "";
	switch (s) {
	case STATUS_FAIL:
		return "\033[1;31m";
	case STATUS_ERROR:
		return "\033[1;35m";
	case STATUS_MISS:
		return "\033[33m";
	case STATUS_PASS:
	case STATUS_DONE:
		return "\033[32m";
	default:
		return "\033[2m";
	}
}

const char *colour_end(void)
{
	return cli_colour() ? "\033[0m" : "";
}

static void print_row(const struct export *e, const struct export_row *row, int width)
{
	const struct result *r = row->result;
	const char *raw = result_explain(r);
	CLEANUP(free_p) char *why = str_printable(raw, strlen(raw));
	char title[200], prefix[16], injected[32];

	result_title(r, title, sizeof(title));
	export_row_prefix(e, row, prefix);
	if (r->closing && r->status != STATUS_SKIP)
		snprintf(injected, sizeof(injected), "%d pt", r->points);
	else if (r->injected_off)
		snprintf(injected, sizeof(injected), "%d+%d", r->injected_on, r->injected_off);
	else
		snprintf(injected, sizeof(injected), "%d", r->injected_on);
	printf("%s%s%-*s  %s%-5s%s %-12s %8s  %.160s\n", prefix, *prefix ? " " : "", width, title,
	       status_colour(r->status), status_name(r->status), colour_end(),
	       reason_name(r->reason), injected, why);
}

static void print_table(const struct export *e)
{
	char prefix[16] = "";
	size_t width = 4;

	for (size_t i = 0; i < e->n_rows; i++) {
		char title[200];

		result_title(e->rows[i].result, title, sizeof(title));
		if (strlen(title) > width)
			width = strlen(title);
	}
	if (e->n_rows)
		export_row_prefix(e, &e->rows[0], prefix);
	printf("%s%-*s  %-5s %-12s %8s  %s\n", *prefix ? "COMMIT        " : "", (int)width, "CASE",
	       "", "REASON", "INJECTED", "DETAIL");
	for (size_t i = 0; i < e->n_rows; i++)
		print_row(e, &e->rows[i], (int)width);
}

/* RFC 4180; a leading =, +, -, @ is quoted with an apostrophe, since spreadsheets run it. */
static void csv_field(const char *s, bool last)
{
	const char *text = s ? s : "";

	putchar('"');
	if (*text && strchr("=+-@", *text))
		putchar('\'');
	for (; *text; text++) {
		if (*text == '"')
			putchar('"');
		putchar(*text);
	}
	fputs(last ? "\"\r\n" : "\",", stdout);
}

static void print_csv(const struct export *e)
{
	fputs("id,commit,config,case,fault,repeat,closing,points,status,reason,injected_on_target,"
	      "injected_off_target,errno,duration_us,splat,fingerprint,detail\r\n",
	      stdout);
	for (size_t i = 0; i < e->n_rows; i++) {
		const struct export_row *row = &e->rows[i];
		const struct result *r = row->result;
		char fault[FAULT_TEXT_MAX], id[24] = "";

		fault_to_text(&r->fault, fault);
		if (export_row_run(e, row)->number)
			snprintf(id, sizeof(id), "%lld", (long long)row->number);
		csv_field(id, false);
		csv_field(export_row_build(e, row)->commit, false);
		csv_field(r->config, false);
		csv_field(r->scenario, false);
		csv_field(fault, false);
		printf("%d,%d,%d,", r->repeat, r->closing, r->points);
		csv_field(status_name(r->status), false);
		csv_field(reason_name(r->reason), false);
		printf("%d,%d,%d,%lld,", r->injected_on, r->injected_off, r->err_no,
		       (long long)r->duration_us);
		csv_field(r->splat.title, false);
		csv_field(r->splat.kind != SPLAT_NONE ? r->splat.fingerprint : "", false);
		csv_field(r->detail, true);
	}
}

void print_rows(enum format f, const struct export *e)
{
	const struct export_format *format = format_export(f);
	CLEANUP(buf_free) struct buf text = BUF_INIT;

	if (f == FORMAT_CSV) {
		print_csv(e);
	} else if (format) {
		format->write(e, &text);
		fwrite(buf_cstr(&text), 1, text.len, stdout);
	} else {
		print_table(e);
	}
}

/* What was measured, without the number of the repeat. */
static void metric_title(const struct metric_summary *m, char *out, size_t size)
{
	struct result any = *m->first;

	any.repeat = 1;
	result_title(&any, out, size);
}

/* "zeropage.remap none  rss.freed  64 pages  ±0.0 % (n=5)": the median and the spread. */
static void print_metric(const struct metric_summary *m, int title_width, int name_width)
{
	CLEANUP(free_p) char *name = str_printable(m->name, strlen(m->name));
	CLEANUP(free_p) char *unit = str_printable(m->unit, strlen(m->unit));
	char title[200], value[64], spread[32] = "";

	metric_title(m, title, sizeof(title));
	snprintf(value, sizeof(value), "%.6g %.40s", m->median, unit);
	if (isfinite(m->spread))
		snprintf(spread, sizeof(spread), "±%.1f %% ", m->spread);
	printf("%-*s  %-*s  %-16s  %s(n=%zu)\n", title_width, title, name_width, name, value,
	       spread, m->n);
}

static void print_metrics(const struct result_doc *doc)
{
	CLEANUP(free_p) struct metric_summary *m = NULL;
	int title_width = 0, name_width = 0;
	size_t n;

	metric_summarise(doc, &m, &n);
	for (size_t i = 0; i < n; i++) {
		char title[200];

		metric_title(&m[i], title, sizeof(title));
		if ((int)strlen(title) > title_width)
			title_width = (int)strlen(title);
		if ((int)strlen(m[i].name) > name_width)
			name_width = (int)strlen(m[i].name);
	}
	if (n)
		putchar('\n');
	for (size_t i = 0; i < n; i++)
		print_metric(&m[i], title_width, name_width);
}

void print_doc(enum format f, bool stacks, const char *origin, const struct result_doc *doc)
{
	CLEANUP(export_free) struct export e = { .origin = origin };
	CLEANUP(json_put_p) struct json_object *o = NULL;
	CLEANUP(free_p) char *text = NULL;

	if (f == FORMAT_JSON) {
		o = result_doc_to_json(doc);
		text = json_text_pretty(o);
		printf("%s\n", text);
		return;
	}
	export_add_doc(&e, doc);
	print_rows(f, &e);
	if (f != FORMAT_TABLE)
		return;
	print_traces(doc);
	if (stacks)
		print_stacks(&e);
	print_metrics(doc);
	print_coverage(doc);
}

void print_summary(FILE *out, const int counts[STATUS_COUNT])
{
	bool any = false;

	for (int s = 0; s < STATUS_COUNT; s++) {
		if (!counts[s])
			continue;
		fprintf(out, "%s%d %s", any ? ", " : "", counts[s], status_name((enum status)s));
		any = true;
	}
	fputs(any ? "\n" : "no results\n", out);
}
