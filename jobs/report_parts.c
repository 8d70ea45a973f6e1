// SPDX-License-Identifier: MIT
/* The parts of a report that are tables or what others printed. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "jobs/report_internal.h"
#include "jobs/stat.h"
#include "jobs/trace.h"
#include "lib/clean.h"
#include "lib/mail.h"

#define COUNTERS_MAX 40 /* in a mail nobody reads more */
#define MESSAGES_MAX 100 /* of a build */
#define CHECKS_MAX 20
#define CASES_MAX 20

/* --- fail:runs --------------------------------------------------------------------------------- */

static double percent(int fails, int runs)
{
	return runs ? 100.0 * fails / runs : 0;
}

static void add_counts(int good_fails, int good_runs, int bad_fails, int bad_runs, const char *what,
		       struct buf *out)
{
	char good[32], bad[32];

	snprintf(good, sizeof(good), "%d:%d", good_fails, good_runs);
	snprintf(bad, sizeof(bad), "%d:%d", bad_fails, bad_runs);
	buf_printf(out, "%14s  %12.0f%%  %14s  ", good,
		   percent(bad_fails, bad_runs) - percent(good_fails, good_runs), bad);
	report_line(out, what);
	buf_char(out, '\n');
}

static void add_control(const struct report_side *good, const struct report_side *bad,
			struct buf *out)
{
	if (!bad->control_runs)
		return;
	report_prose(out, "%s %d:%d here and %d:%d on the good side.",
		     bad->control_fails ? "It fails without a fault as well:"
					: "Faults were injected; without them",
		     bad->control_fails, bad->control_runs, good->control_fails,
		     good->control_runs);
}

void report_table(struct json_object *view, struct buf *out)
{
	struct report_side good, bad;
	double p;

	report_sides(view, &good, &bad);
	if (!good.runs && !bad.runs)
		return;
	p = stat_fisher_greater(bad.fails, bad.runs, good.fails, good.runs);
	buf_printf(out, "%14.12s  %13s  %14.12s\n%14s  %13s  %14s\n", good.sha, "", bad.sha,
		   "------------", "", "------------");
	buf_printf(out, "%14s  %13s  %14s\n", "fail:runs", "%reproduction", "fail:runs");
	add_counts(good.fails, good.runs, bad.fails, bad.runs, report_str(view, "title"), out);
	if (good.control_runs || bad.control_runs)
		add_counts(good.control_fails, good.control_runs, bad.control_fails,
			   bad.control_runs, "without a fault", out);
	buf_printf(out, "\nFisher's exact test: p = %.2g\n\n", p);
	add_control(&good, &bad, out);
}

/* --- cases -------------------------------------------------------------------------------------- */

static void add_case(struct json_object *c, struct buf *out)
{
	char fault[FAULT_TEXT_MAX];

	report_fault(report_get(c, "fault", json_type_object), fault);
	buf_str(out, "  ");
	report_line(out, report_str(c, "scenario"));
	buf_printf(out, "%s%s, ", *fault ? " " : "", fault);
	report_line(out, report_str(c, "config"));
	buf_char(out, '\n');
}

void report_cases(struct json_object *view, struct buf *out)
{
	struct json_object *list = report_get(view, "cases", json_type_array);
	size_t n = list ? json_object_array_length(list) : 0;

	if (n < 2)
		return;
	report_prose(out, "It began to show in %zu cases at once:", n);
	for (size_t i = 0; i < n && i < CASES_MAX; i++)
		add_case(json_object_array_get_idx(list, i), out);
	if (n > CASES_MAX)
		buf_printf(out, "  and %zu more\n", n - CASES_MAX);
	buf_char(out, '\n');
}

/* --- counters ---------------------------------------------------------------------------------- */

static bool same_counter(struct json_object *a, struct json_object *b)
{
	return report_num(a, "delta") == report_num(b, "delta");
}

static void add_counter(struct buf *out, struct json_object *c)
{
	if (c)
		buf_printf(out, " %8lld %8lld %+7lld", report_num(c, "before"),
			   report_num(c, "after"), report_num(c, "delta"));
	else
		buf_printf(out, " %8s %8s %7s", "-", "-", "-");
}

void report_counters(struct json_object *view, struct buf *out)
{
	struct json_object *shown = report_get(view, "shown", json_type_object);
	struct json_object *before = report_get(view, "before", json_type_object);
	struct json_object *bad = report_get(shown, "counters", json_type_object);
	struct json_object *good = report_get(before, "counters", json_type_object);
	int n = 0;

	if (!bad)
		return;
	json_object_object_foreach(bad, name, c)
	{
		struct json_object *g = report_get(good, name, json_type_object);
		CLEANUP(buf_free) struct buf clean = BUF_INIT;

		if ((g ? same_counter(g, c) : !report_num(c, "delta")) || n == COUNTERS_MAX)
			continue;
		if (!n++)
			buf_printf(out,
				   "Counters that moved otherwise, each before, after, delta:\n\n"
				   "%-24s%26s%26s\n",
				   "", "good", "bad");
		mail_line(name, strlen(name), 24, &clean);
		buf_printf(out, "%-24s", clean.data);
		add_counter(out, g);
		add_counter(out, c);
		buf_char(out, '\n');
	}
	if (n)
		buf_char(out, '\n');
}

/* --- builds ------------------------------------------------------------------------------------ */

static const char *skip_number(const char *s)
{
	while (*s == ':' && isdigit((unsigned char)s[1]))
		for (s++; isdigit((unsigned char)*s);)
			s++;
	return s;
}

/* The same message, wherever in its file: lines move when others are added above them. */
static bool same_message(const char *a, const char *b)
{
	for (;; a++, b++) {
		a = skip_number(a);
		b = skip_number(b);
		if (*a != *b)
			return false;
		if (!*a)
			return true;
	}
}

static bool said_before(struct json_object *list, const char *message)
{
	size_t n = list ? json_object_array_length(list) : 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_array_get_idx(list, i);

		if (json_object_is_type(o, json_type_string) &&
		    same_message(json_object_get_string(o), message))
			return true;
	}
	return false;
}

static void add_messages(struct json_object *now, struct json_object *before, const char *key,
			 struct buf *out)
{
	struct json_object *list = report_get(now, key, json_type_array);
	size_t n = list ? json_object_array_length(list) : 0;

	if (n)
		buf_printf(out, "All %s (new ones prefixed by >>):\n\n", key);
	for (size_t i = 0; i < n && i < MESSAGES_MAX; i++) {
		struct json_object *o = json_object_array_get_idx(list, i);
		const char *s = json_object_is_type(o, json_type_string) ? json_object_get_string(o)
									 : "";
		bool old = said_before(report_get(before, "errors", json_type_array), s) ||
			   said_before(report_get(before, "warnings", json_type_array), s);

		buf_str(out, old ? "   " : ">> ");
		mail_line(s, strlen(s), 4096, out);
		buf_char(out, '\n');
	}
	if (n > MESSAGES_MAX)
		buf_printf(out, "   and %zu more\n", n - MESSAGES_MAX);
	if (n)
		buf_char(out, '\n');
}

void report_build(struct json_object *view, struct buf *out)
{
	struct json_object *now = report_get(view, "build", json_type_object);
	struct json_object *before = report_get(view, "build_before", json_type_object);

	add_messages(now, before, "errors", out);
	add_messages(now, before, "warnings", out);
}

/* --- what broke -------------------------------------------------------------------------------- */

static void add_checks(struct json_object *shown, struct buf *out)
{
	struct json_object *list = report_get(shown, "checks", json_type_array);
	size_t all = list ? json_object_array_length(list) : 0;
	int n = 0;

	for (size_t i = 0; i < all && n < CHECKS_MAX; i++) {
		struct json_object *c = json_object_array_get_idx(list, i);

		if (json_object_get_boolean(report_get(c, "ok", json_type_boolean)))
			continue;
		if (!n++)
			buf_str(out, "Checks that broke:\n\n");
		buf_str(out, "  ");
		report_line(out, report_str(c, "name"));
		buf_str(out, ": ");
		report_line(out, report_str(c, "detail"));
		buf_char(out, '\n');
	}
	if (n)
		buf_char(out, '\n');
}

/* Frames of member `key`; false when there are none that can be read. */
static bool add_trace(struct json_object *of, const char *key, struct buf *out)
{
	struct jval v = json_root(of);
	struct trace t = { 0 };
	bool any;

	if (!of || trace_from_json(&v, key, &t, NULL) < 0)
		return false;
	any = t.n > 0;
	for (size_t i = 0; i < t.n; i++) {
		CLEANUP(buf_free) struct buf line = BUF_INIT;

		frame_text(&t.frames[i], &line);
		buf_str(out, "  ");
		mail_line(line.data, line.len, SIZE_MAX, out);
		buf_char(out, '\n');
	}
	trace_free(&t);
	return any;
}

/* Where the kernel was, from the lines of its build. */
static void add_where(struct json_object *shown, struct buf *out)
{
	CLEANUP(buf_free) struct buf lines = BUF_INIT;

	if (!add_trace(report_get(shown, "splat", json_type_object), "stack", &lines))
		return;
	buf_str(out, "The decoded stack, innermost function first:\n\n");
	buf_add(out, lines.data, lines.len);
	buf_char(out, '\n');
	if (*report_str(shown, "undecoded"))
		report_prose(out, "There are no lines: %s.", report_str(shown, "undecoded"));
}

static void add_names(struct json_object *stack, struct buf *out)
{
	for (size_t i = 0; i < json_object_array_length(stack); i++) {
		struct json_object *f = json_object_array_get_idx(stack, i);

		buf_str(out, "  ");
		report_line(out, json_object_is_type(f, json_type_string)
					 ? json_object_get_string(f)
					 : "?");
		buf_char(out, '\n');
	}
}

/* The first stack on target, innermost first; without one that is, any. */
static void add_stack(struct json_object *shown, struct buf *out)
{
	struct json_object *stacks = report_get(shown, "stacks", json_type_array);
	struct json_object *infos = report_get(shown, "stack_info", json_type_array);
	size_t n = stacks ? json_object_array_length(stacks) : 0, which = 0;
	struct json_object *stack;

	if (!n)
		return;
	for (size_t i = n; infos && i-- > 0;)
		if (json_object_get_boolean(report_get(json_object_array_get_idx(infos, i),
						       "on_target", json_type_boolean)))
			which = i;
	stack = json_object_array_get_idx(stacks, which);
	if (!json_object_is_type(stack, json_type_array))
		return;
	buf_str(out, "The allocation that was made to fail, innermost function first:\n\n");
	if (!infos || !add_trace(json_object_array_get_idx(infos, which), "frames", out))
		add_names(stack, out);
	buf_char(out, '\n');
}

static void add_splat(struct json_object *shown, struct buf *out)
{
	struct json_object *splat = report_get(shown, "splat", json_type_object);
	const char *s = report_str(splat, "excerpt");
	size_t n;

	if (!*s)
		return;
	buf_str(out, "What the kernel said:\n\n");
	for (; *s; s += n + (s[n] == '\n')) {
		n = strcspn(s, "\n");
		buf_str(out, "  ");
		for (size_t i = 0, part; i < n; i += part + (s[i + part] == '\t')) {
			part = strcspn(s + i, "\t\n");
			mail_line(s + i, part, SIZE_MAX, out);
			if (s[i + part] == '\t')
				buf_char(out, '\t');
		}
		buf_char(out, '\n');
	}
	buf_char(out, '\n');
}

void report_failure(struct json_object *view, struct buf *out)
{
	struct json_object *shown = report_get(view, "shown", json_type_object);

	add_checks(shown, out);
	add_splat(shown, out);
	add_where(shown, out);
	add_stack(shown, out);
}
