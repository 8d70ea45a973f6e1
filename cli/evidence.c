// SPDX-License-Identifier: MIT
/* What a table of results rests on: where the kernel failed, the stacks that were injected into, and
 * the places reached. */
#include <string.h>

#include "cli/cli.h"
#include "jobs/coverage.h"
#include "lib/buf.h"
#include "lib/clean.h"

static void print_frames(char *const *frames, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		CLEANUP(free_p) char *text = str_printable(frames[i], strlen(frames[i]));

		printf("%s%s", i ? " < " : "", text);
	}
}

void print_stacks(const struct export *e)
{
	for (size_t i = 0; i < e->n_rows; i++) {
		const struct result *r = e->rows[i].result;
		char title[200], prefix[16];

		if (!r->n_stacks)
			continue;
		result_title(r, title, sizeof(title));
		export_row_prefix(e, &e->rows[i], prefix);
		printf("\n%s%s%s\n", prefix, *prefix ? " " : "", title);
		for (size_t k = 0; k < r->n_stacks; k++) {
			const struct stack *s = &r->stacks[k];

			printf("  %3d %s  ", s->count, s->on_target ? "on target " : "off target");
			print_frames(s->frames, (size_t)s->n);
			putchar('\n');
		}
	}
}

void print_trace(const struct trace *t, const char *indent)
{
	for (size_t i = 0; i < t->n; i++) {
		CLEANUP(buf_free) struct buf line = BUF_INIT;
		CLEANUP(free_p) char *text = NULL;

		frame_text(&t->frames[i], &line);
		text = str_printable(line.data, line.len);
		printf("%s%s\n", indent, text);
	}
}

/* The trace of the first stack on target that has lines. */
static const struct trace *injected_at(const struct result *r)
{
	for (size_t i = 0; i < r->n_stacks; i++)
		if (r->stacks[i].on_target && trace_has_lines(&r->stacks[i].trace))
			return &r->stacks[i].trace;
	return NULL;
}

static bool shown_before(const struct result_doc *doc, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (trace_has_lines(&doc->results[k].splat.trace) &&
		    !strcmp(doc->results[k].splat.fingerprint, doc->results[i].splat.fingerprint))
			return true;
	return false;
}

void print_traces(const struct result_doc *doc)
{
	const char *undecoded = NULL;

	for (size_t i = 0; i < doc->n_results; i++) {
		const struct result *r = &doc->results[i];
		const struct trace *injected;
		char title[200];

		if (!undecoded)
			undecoded = r->undecoded;
		if (!trace_has_lines(&r->splat.trace) || shown_before(doc, i))
			continue;
		result_title(r, title, sizeof(title));
		printf("\n%s: %s\n", title, r->splat.title);
		print_trace(&r->splat.trace, "  ");
		injected = injected_at(r);
		if (injected)
			puts("  the allocation that was made to fail:");
		if (injected)
			print_trace(injected, "    ");
	}
	if (undecoded)
		fprintf(stderr, "faultline: traces without files and lines: %s\n", undecoded);
}

static void print_scenarios(const struct coverage_chain *chain)
{
	fputs("  (", stdout);
	for (size_t i = 0; i < chain->n_scenarios; i++)
		printf("%s%s", i ? ", " : "", chain->scenarios[i]);
	puts(")");
}

static void print_chains(const struct coverage *c, size_t from, size_t to,
			 enum coverage_state state, const char *word)
{
	for (size_t i = from; i < to; i++) {
		const struct coverage_chain *chain = &c->chains[i];

		if (coverage_state(chain) != state)
			continue;
		printf("  %s  ", word);
		print_frames(chain->frames, chain->n);
		print_scenarios(chain);
	}
}

static void print_count(size_t n, const char *what)
{
	if (n)
		printf(", %zu %s", n, what);
}

void print_coverage(const struct result_doc *doc)
{
	struct coverage c;
	size_t not_run;

	coverage_of_doc(doc, &c);
	not_run = coverage_count(&c, COVERAGE_NOT_RUN);
	if (not_run < c.n_known || c.n > c.n_known) {
		printf("\ncoverage: %zu of %zu known injection sites reached",
		       coverage_count(&c, COVERAGE_REACHED), c.n_known);
		print_count(coverage_count(&c, COVERAGE_MISSED), "not reached");
		print_count(coverage_count(&c, COVERAGE_SKIPPED), "skipped");
		print_count(not_run, "not run");
		print_count(c.n - c.n_known, "new");
		putchar('\n');
		print_chains(&c, 0, c.n_known, COVERAGE_MISSED, "not reached");
		print_chains(&c, 0, c.n_known, COVERAGE_SKIPPED, "skipped    ");
		print_chains(&c, c.n_known, c.n, COVERAGE_REACHED, "new        ");
	}
	coverage_free(&c);
}
