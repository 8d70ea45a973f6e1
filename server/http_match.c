// SPDX-License-Identifier: MIT
/* Addresses: decoding, query arguments, and the way from a path to a row of the route table. */
#include <stdlib.h>
#include <string.h>

#include "server/http_conn.h"

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static bool is_text(const char *s, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = utf8_len(s + i, len - i);

		if (!n || (unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return false;
		i += n;
	}
	return true;
}

char *http_decode(const char *s, size_t len, bool plus_is_blank)
{
	CLEANUP(free_p) char *out = xcalloc(len + 1, 1);
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		if (s[i] == '%') {
			int hi = i + 2 < len ? hex_digit(s[i + 1]) : -1;

			if (hi < 0 || hex_digit(s[i + 2]) < 0)
				return NULL;
			out[n++] = (char)(hi * 16 + hex_digit(s[i + 2]));
			i += 2;
		} else {
			out[n++] = plus_is_blank && s[i] == '+' ? ' ' : s[i];
		}
	}
	if (!is_text(out, n))
		return NULL;
	return STEAL(out);
}

static bool add_arg(struct http_conn *c, const char *s, size_t len)
{
	const char *eq = memchr(s, '=', len);
	size_t name_len = eq ? (size_t)(eq - s) : len;

	if (!len)
		return true;
	if (c->n_args == HTTP_MAX_QUERY)
		return false;
	c->args[c->n_args].name = http_decode(s, name_len, true);
	c->args[c->n_args].value = eq ? http_decode(eq + 1, len - name_len - 1, true) : xstrdup("");
	c->n_args++;
	return c->args[c->n_args - 1].name && c->args[c->n_args - 1].value;
}

bool http_parse_uri(struct http_conn *c, const char *uri)
{
	const char *mark = strchr(uri, '?');
	size_t path_len = mark ? (size_t)(mark - uri) : strlen(uri);

	c->raw_path = xstrndup(uri, path_len);
	c->path = http_decode(uri, path_len, false);
	c->query = xstrdup(mark ? mark + 1 : "");
	if (uri[0] != '/' || !c->path)
		return false;
	for (const char *s = c->query; *s;) {
		size_t len = strcspn(s, "&");

		if (!add_arg(c, s, len))
			return false;
		s += len + (s[len] == '&');
	}
	return true;
}

static const char *const endings[] = { "json", "csv", "txt", "html", "mbox" };

/* Length of the segment without a known ending; *ret_format is set when there was one. */
static size_t strip_ending(const char *seg, size_t len, const char **ret_format)
{
	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		size_t n = strlen(endings[i]);

		if (len > n + 1 && seg[len - n - 1] == '.' &&
		    !memcmp(seg + len - n, endings[i], n)) {
			*ret_format = endings[i];
			return len - n - 1;
		}
	}
	return len;
}

struct matcher {
	const char *raw;
	char *params[HTTP_MAX_PARAMS];
	int n_params;
	const char *format;
};

static void matcher_clear(struct matcher *m)
{
	for (int i = 0; i < m->n_params; i++)
		free(m->params[i]);
	memset(m->params, 0, sizeof(m->params));
	m->n_params = 0;
	m->format = NULL;
}

static bool take_param(struct matcher *m, const char *seg, size_t len)
{
	char *value = len && m->n_params < HTTP_MAX_PARAMS ? http_decode(seg, len, false) : NULL;

	if (!value)
		return false;
	m->params[m->n_params++] = value;
	return true;
}

/* One segment of the pattern (without its slash) against one of the path. */
static bool match_segment(struct matcher *m, const char *pat, size_t pat_len, const char *seg,
			  size_t len, bool last)
{
	bool param = pat_len > 2 && pat[0] == '{' && pat[pat_len - 1] == '}';
	bool verbatim = param && pat_len == 6 && !memcmp(pat, "{name}", 6);

	if (!param && len == pat_len && !memcmp(pat, seg, len))
		return true;
	if (last && !verbatim)
		len = strip_ending(seg, len, &m->format);
	if (param)
		return take_param(m, seg, len);
	return len == pat_len && !memcmp(pat, seg, len);
}

/* {path*} and {file*}: everything that is left, the latter with its ending. */
static bool take_rest(struct matcher *m, const char *pat, const char *s)
{
	size_t len = strlen(s);

	return take_param(m, s,
			  str_starts(pat, "{file*}") ? len : strip_ending(s, len, &m->format));
}

static bool match_row(struct matcher *m, const char *pattern)
{
	const char *p = pattern, *s = m->raw;

	while (*p == '/' && *s == '/') {
		size_t pat_len = strcspn(++p, "/"), len = strcspn(++s, "/");

		if (pat_len > 2 && p[pat_len - 2] == '*')
			return take_rest(m, p, s);
		/* "{repo}.git": what stands around the braces is literal. */
		if (p[0] == '{' && p[pat_len - 1] != '}') {
			size_t close = strcspn(p, "}") + 1, tail = pat_len - close;

			if (len <= tail || memcmp(s + len - tail, p + close, tail) ||
			    !take_param(m, s, len - tail))
				return false;
		} else if (!match_segment(m, p, pat_len, s, len, !s[len] && !p[pat_len])) {
			return false;
		}
		p += pat_len;
		s += len;
	}
	return !*p && !*s;
}

static void add_method(char allow[64], const char *method)
{
	size_t n = strlen(allow);

	if (!strstr(allow, method))
		snprintf(allow + n, 64 - n, "%s%s%s", n ? ", " : "", method,
			 !strcmp(method, "GET") ? ", HEAD" : "");
}

enum match http_match(const struct http_route *routes, size_t n, const char *method,
		      const char *raw_path, const struct http_route **ret_route,
		      char *params[HTTP_MAX_PARAMS], const char **ret_format, char ret_allow[64])
{
	struct matcher m = { .raw = raw_path };
	char allow[64] = "";

	for (size_t i = 0; i < n; i++) {
		matcher_clear(&m);
		if (!match_row(&m, routes[i].pattern))
			continue;
		if (!strcmp(routes[i].method, method)) {
			*ret_route = &routes[i];
			memcpy(params, m.params, sizeof(m.params));
			*ret_format = m.format;
			return MATCH_OK;
		}
		add_method(allow, routes[i].method);
	}
	matcher_clear(&m);
	if (!allow[0])
		return MATCH_NONE;
	memcpy(ret_allow, allow, sizeof(allow));
	return MATCH_METHOD;
}
