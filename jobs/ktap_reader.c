/* SPDX-License-Identifier: MIT */
#include "jobs/ktap_reader.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/buf.h"
#include "lib/clean.h"

#define DEPTH_MAX 8
#define NUMBER_DIGITS 6

/* One level of nesting. */
struct level {
	bool open; /* its version line was there */
	long planned; /* -1 = no plan */
	long seen;
};

struct reader {
	struct ktap *k;
	bool complete;
	struct level levels[DEPTH_MAX];
};

void ktap_free(struct ktap *k)
{
	for (size_t i = 0; i < k->n; i++)
		free(k->tests[i].name);
	free(k->tests);
	free(k->comment);
	*k = (struct ktap){ 0 };
}

bool ktap_test_fails(const struct ktap_test *t)
{
	if (t->directive == KTAP_TIMEOUT || t->directive == KTAP_ERROR)
		return true;
	return !t->ok && t->directive == KTAP_PLAIN;
}

static bool is_version(const char *s)
{
	return str_starts(s, "KTAP version ") || str_starts(s, "TAP version ");
}

/* Digits, at most NUMBER_DIGITS; -1 when there are none or too many. */
static long take_number(const char **s)
{
	size_t n = strspn(*s, "0123456789");
	long v;

	if (n == 0 || n > NUMBER_DIGITS)
		return -1;
	v = strtol(*s, NULL, 10);
	*s += n;
	return v;
}

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " \t");
}

/* "# SKIP", "# XFAIL" …; *ret_after is behind the word. */
static enum ktap_directive take_directive(const char *s, const char **ret_after)
{
	static const struct {
		const char *word;
		enum ktap_directive directive;
	} words[] = {
		{ "SKIP", KTAP_SKIP },	     { "XFAIL", KTAP_XFAIL }, { "TODO", KTAP_XFAIL },
		{ "TIMEOUT", KTAP_TIMEOUT }, { "ERROR", KTAP_ERROR },
	};

	if (*s != '#')
		return KTAP_PLAIN;
	s = skip_blanks(s + 1);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t n = strlen(words[i].word);

		if (strncasecmp(s, words[i].word, n) || isalnum((unsigned char)s[n]))
			continue;
		*ret_after = s + n;
		return words[i].directive;
	}
	return KTAP_PLAIN;
}

/* Closes what is nested deeper than `depth`. */
static void close_levels(struct reader *r, int depth)
{
	for (int d = DEPTH_MAX - 1; d > depth; d--) {
		struct level *l = &r->levels[d];

		if (l->planned >= 0 && l->seen != l->planned && r->complete)
			r->k->broken = true;
		*l = (struct level){ .planned = -1 };
	}
}

static void set_comment(struct ktap *k, const char *s)
{
	s = skip_blanks(s);
	if (*s && !k->comment)
		k->comment = str_printable(s, strlen(s));
}

static void take_plan(struct reader *r, int depth, const char *s)
{
	struct level *l = &r->levels[depth];
	long n = take_number(&s);

	s = skip_blanks(s);
	if (n < 0 || (*s && *s != '#'))
		return;
	r->k->found = true;
	if (l->planned >= 0)
		r->k->broken = true; /* the second plan of one level */
	l->planned = n;
	if (n == 0 && depth == 0) {
		const char *after = s;

		r->k->skipped = true;
		if (take_directive(s, &after) == KTAP_SKIP)
			set_comment(r->k, after);
	}
}

static char *test_name(const char *s, size_t len, long number)
{
	while (len && isspace((unsigned char)s[len - 1]))
		len--;
	if (!len)
		return xasprintf("test %ld", number);
	return str_printable(s, len < KTAP_NAME_LEN ? len : KTAP_NAME_LEN);
}

static void take_result(struct reader *r, int depth, const char *s, bool ok)
{
	struct level *l = &r->levels[depth];
	struct ktap_test t = { .ok = ok, .depth = depth };
	const char *name, *after, *hash;
	long number;

	s = skip_blanks(s);
	number = take_number(&s);
	if (number < 0 || (*s && !isspace((unsigned char)*s)))
		return; /* a sentence that begins with "ok" */
	close_levels(r, depth);
	r->k->found = true;
	if (number != ++l->seen)
		r->k->broken = true;
	name = skip_blanks(s);
	if (str_starts(name, "- "))
		name = skip_blanks(name + 2);
	after = name;
	t.directive = take_directive(name, &after);
	name = skip_blanks(after);
	/* The directive comes behind the name everywhere but in kselftest.h. */
	hash = t.directive == KTAP_PLAIN ? strstr(name, " #") : NULL;
	if (hash)
		t.directive = take_directive(hash + 1, &after);
	if (t.directive == KTAP_PLAIN)
		hash = NULL; /* a name with a '#' in it */
	if (r->k->n == KTAP_TESTS_MAX)
		return;
	t.name = test_name(name, hash ? (size_t)(hash - name) : strlen(name), number);
	ARRAY_RESERVE(r->k->tests, r->k->n, r->k->cap);
	r->k->tests[r->k->n++] = t;
}

/* Takes "# " and "  " away; the number of times is the depth. */
static int take_indent(const char **line)
{
	int depth = 0;

	while ((str_starts(*line, "# ") || str_starts(*line, "  ")) && depth < DEPTH_MAX - 1) {
		*line += 2;
		depth++;
	}
	return depth;
}

static void take_line(struct reader *r, const char *line)
{
	int depth = take_indent(&line);
	struct level *l = &r->levels[depth];

	if (is_version(line)) {
		close_levels(r, depth);
		r->k->found = l->open = true;
		return;
	}
	/* What is indented without a version line of its own is a diagnostic, not a test. */
	if (depth > 0 && !l->open)
		return;
	if (str_starts(line, "1.."))
		return take_plan(r, depth, line + 3);
	if (str_starts(line, "ok "))
		return take_result(r, depth, line + 3, true);
	if (str_starts(line, "not ok "))
		return take_result(r, depth, line + 7, false);
	if (str_starts(line, "Bail out!")) {
		r->k->found = r->k->bailed = true;
		set_comment(r->k, line + strlen("Bail out!"));
	}
}

void ktap_read(const char *text, bool complete, struct ktap *ret)
{
	struct reader r = { .k = ret, .complete = complete };
	const struct level *top = &r.levels[0];

	*ret = (struct ktap){ 0 };
	for (int d = 0; d < DEPTH_MAX; d++)
		r.levels[d].planned = -1;
	while (*text) {
		size_t n = strcspn(text, "\n");
		CLEANUP(free_p) char *line = xstrndup(text, n);

		line[strcspn(line, "\r")] = '\0';
		take_line(&r, line);
		text += text[n] ? n + 1 : n;
	}
	close_levels(&r, 0);
	/* Results without a plan cannot be told from results that were cut off. */
	if (complete && !ret->bailed && top->seen != (top->planned < 0 ? 0 : top->planned))
		ret->broken = true;
}
