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
	static const char *const names[] = { "table", "json", "csv", "ktap" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i], s))
			continue;
		*ret = (enum format)i;
		return true;
	}
	return false;
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

/* What explains the verdict best, in one line. */
static const char *explain(const struct result *r)
{
	if (r->splat.kind != SPLAT_NONE && r->splat.title)
		return r->splat.title;
	if (r->status == STATUS_FAIL || r->status == STATUS_ERROR) {
		for (size_t i = 0; !r->detail && i < r->n_checks; i++)
			if (!r->checks[i].ok)
				return r->checks[i].detail ? r->checks[i].detail : "";
	}
	return r->detail ? r->detail : "";
}

static void print_table(const struct row *rows, size_t n)
{
	size_t width = 4;

	for (size_t i = 0; i < n; i++) {
		char title[200];

		result_title(rows[i].result, title, sizeof(title));
		if (strlen(title) > width)
			width = strlen(title);
	}
	printf("%s%-*s  %-5s %-12s %8s  %s\n", n && rows[0].commit ? "COMMIT        " : "",
	       (int)width, "CASE", "", "REASON", "INJECTED", "DETAIL");
	for (size_t i = 0; i < n; i++) {
		const struct result *r = rows[i].result;
		CLEANUP(free_p) char *why = str_printable(explain(r), strlen(explain(r)));
		char title[200], injected[32] = "";

		result_title(r, title, sizeof(title));
		if (r->closing && r->status != STATUS_SKIP)
			snprintf(injected, sizeof(injected), "%d pt", r->points);
		else if (r->injected_off)
			snprintf(injected, sizeof(injected), "%d+%d", r->injected_on,
				 r->injected_off);
		else
			snprintf(injected, sizeof(injected), "%d", r->injected_on);
		if (rows[i].commit)
			printf("%.12s  ", rows[i].commit);
		printf("%-*s  %s%-5s%s %-12s %8s  %.160s\n", (int)width, title,
		       status_colour(r->status), status_name(r->status), colour_end(),
		       reason_name(r->reason), injected, why);
	}
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

static void print_csv(const struct row *rows, size_t n)
{
	fputs("id,commit,config,case,fault,repeat,closing,points,status,reason,injected_on_target,"
	      "injected_off_target,errno,duration_us,splat,fingerprint,detail\r\n",
	      stdout);
	for (size_t i = 0; i < n; i++) {
		const struct result *r = rows[i].result;
		char fault[FAULT_TEXT_MAX];

		fault_to_text(&r->fault, fault);
		csv_field(rows[i].id, false);
		csv_field(rows[i].commit, false);
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

/* KTAP's directives: a skipped or missed test is not a failed one. */
static const char *ktap_directive(const struct result *r)
{
	switch (r->status) {
	case STATUS_SKIP:
		return " # SKIP";
	case STATUS_ERROR:
	case STATUS_MISS:
		return " # ERROR";
	case STATUS_FAIL:
		if (r->reason == REASON_HANG || r->reason == REASON_LIVELOCK ||
		    r->reason == REASON_UNKILLABLE)
			return " # TIMEOUT";
		return "";
	default:
		return "";
	}
}

static void print_ktap(const struct row *rows, size_t n)
{
	printf("KTAP version 1\n1..%zu\n", n);
	for (size_t i = 0; i < n; i++) {
		const struct result *r = rows[i].result;
		bool ok = r->status == STATUS_PASS || r->status == STATUS_DONE ||
			  r->status == STATUS_SKIP;
		CLEANUP(free_p) char *why = str_printable(explain(r), strlen(explain(r)));
		const char *directive = ktap_directive(r);
		char title[200];

		result_title(r, title, sizeof(title));
		if (*why && !*directive)
			printf("# %s\n", why);
		printf("%s %zu %.12s%s%s%s%s%s\n", ok ? "ok" : "not ok", i + 1,
		       rows[i].commit ? rows[i].commit : "", rows[i].commit ? " " : "", title,
		       directive, *directive && *reason_name(r->reason) ? " " : "",
		       *directive ? reason_name(r->reason) : "");
	}
}

void print_rows(enum format f, const struct row *rows, size_t n)
{
	if (f == FORMAT_CSV)
		print_csv(rows, n);
	else if (f == FORMAT_KTAP)
		print_ktap(rows, n);
	else
		print_table(rows, n);
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

void print_doc(enum format f, bool stacks, const struct result_doc *doc)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	CLEANUP(free_p) char *text = NULL;
	CLEANUP(free_p) struct row *rows = NULL;

	if (f == FORMAT_JSON) {
		o = result_doc_to_json(doc);
		text = json_text_pretty(o);
		printf("%s\n", text);
		return;
	}
	rows = xcalloc(doc->n_results + 1, sizeof(*rows));
	for (size_t i = 0; i < doc->n_results; i++)
		rows[i].result = &doc->results[i];
	print_rows(f, rows, doc->n_results);
	if (f != FORMAT_TABLE)
		return;
	if (stacks)
		print_stacks(rows, doc->n_results);
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
