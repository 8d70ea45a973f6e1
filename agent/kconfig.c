// SPDX-License-Identifier: MIT
#include "agent/kconfig.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/clean.h"

#define SYMBOL_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"
#define UNSET_TAIL " is not set"

/* ---- what is asked ------------------------------------------------------------------------- */

static void ask(struct kconfig_asks *a, const char *fragment, int line, const char *symbol,
		size_t symbol_len, const char *value, size_t value_len)
{
	struct kconfig_ask it = { fragment, line, xstrndup(symbol, symbol_len),
				  xstrndup(value, value_len) };

	for (size_t i = 0; i < a->n; i++) {
		if (strcmp(a->items[i].symbol, it.symbol))
			continue;
		free(a->items[i].symbol);
		free(a->items[i].value);
		a->items[i] = it;
		return;
	}
	ARRAY_RESERVE(a->items, a->n, a->cap);
	a->items[a->n++] = it;
}

static size_t symbol_len(const char *s)
{
	return str_starts(s, "CONFIG_") ? strspn(s, SYMBOL_CHARS) : 0;
}

/* One line without its newline. False when it is nothing that belongs into a fragment. */
static bool read_line(struct kconfig_asks *a, const char *fragment, int number, const char *s,
		      size_t len)
{
	size_t n;

	while (len && strchr(" \t\r", s[len - 1]))
		len--;
	if (!len)
		return true;
	if (*s == '#') {
		n = len > 2 ? symbol_len(s + 2) : 0;
		if (n && len == 2 + n + strlen(UNSET_TAIL) &&
		    !strncmp(s + 2 + n, UNSET_TAIL, strlen(UNSET_TAIL)))
			ask(a, fragment, number, s + 2, n, "n", 1);
		return true;
	}
	n = symbol_len(s);
	if (n < sizeof("CONFIG_") || n + 1 >= len || s[n] != '=')
		return false;
	ask(a, fragment, number, s, n, s + n + 1, len - n - 1);
	return true;
}

int kconfig_asks_read(const struct plan_config *config, struct kconfig_asks *ret, struct error *err)
{
	CLEANUP(kconfig_asks_free) struct kconfig_asks a = { 0 };

	for (size_t i = 0; i < config->n_fragments; i++) {
		const struct plan_fragment *f = &config->fragments[i];
		int number = 1;

		for (const char *s = f->text; *s; number++) {
			size_t len = strcspn(s, "\n");

			if (!read_line(&a, f->name, number, s, len))
				return error_set(err, -EINVAL,
						 "fragment %s.config line %d: '%.*s' is no option",
						 f->name, number, len > 60 ? 60 : (int)len, s);
			s += len + (s[len] == '\n');
		}
	}
	*ret = a;
	a = (struct kconfig_asks){ 0 };
	return 0;
}

void kconfig_asks_free(struct kconfig_asks *a)
{
	for (size_t i = 0; i < a->n; i++) {
		free(a->items[i].symbol);
		free(a->items[i].value);
	}
	free(a->items);
	*a = (struct kconfig_asks){ 0 };
}

static void ask_text(const struct kconfig_ask *it, struct buf *out)
{
	if (!strcmp(it->value, "n"))
		buf_printf(out, "# %s" UNSET_TAIL, it->symbol);
	else
		buf_printf(out, "%s=%s", it->symbol, it->value);
}

char *kconfig_asks_text(const struct kconfig_asks *a)
{
	struct buf out = BUF_INIT;

	for (size_t i = 0; i < a->n; i++) {
		ask_text(&a->items[i], &out);
		buf_char(&out, '\n');
	}
	return buf_steal(&out);
}

/* ---- what came of it ----------------------------------------------------------------------- */

/* The value of a symbol in a .config; NULL when it has none (*ret_off: it is named as not set). */
static char *value_of(const char *dot_config, const char *symbol, bool *ret_off)
{
	size_t n = strlen(symbol);

	*ret_off = false;
	for (const char *p = dot_config; (p = strstr(p, symbol)) != NULL; p += n) {
		bool line_start = p == dot_config || p[-1] == '\n';

		if (line_start && p[n] == '=')
			return xstrndup(p + n + 1, strcspn(p + n + 1, "\n"));
		if (str_starts(p + n, UNSET_TAIL "\n")) {
			*ret_off = true;
			return NULL;
		}
	}
	return NULL;
}

void kconfig_check(const struct kconfig_asks *a, const char *dot_config, const char *source,
		   struct diag_list *errors)
{
	for (size_t i = 0; i < a->n; i++) {
		const struct kconfig_ask *it = &a->items[i];
		bool off, want_off = !strcmp(it->value, "n");
		CLEANUP(free_p) char *got = value_of(dot_config, it->symbol, &off);
		CLEANUP(free_p) char *why = NULL;
		CLEANUP(buf_free) struct buf text = BUF_INIT;

		if (got ? !strcmp(got, it->value) : want_off)
			continue;
		buf_printf(&text, "fragment %s.config line %d: ", it->fragment, it->line);
		ask_text(it, &text);
		buf_printf(&text, " did not take (%s%s", got ? "is " : "", got ? got : "");
		if (!got)
			buf_str(&text, off ? "is not set" : "is not there");
		why = source ? kconfig_why(source, it->symbol, want_off) : NULL;
		if (why)
			buf_printf(&text, "; %s", why);
		buf_char(&text, ')');
		diag_list_add(errors, "", buf_cstr(&text));
	}
}
