// SPDX-License-Identifier: MIT
#include "server/url.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/limits.h"

static const char *const schemes[] = { "https", "http", "git", "ssh" };

struct parts {
	const char *scheme; /* of the table */
	const char *user, *host, *port, *path; /* in the address */
	size_t user_len, host_len, port_len;
};

static int split(const char *url, struct parts *p, struct error *err)
{
	const char *sep = strstr(url, "://");
	const char *s, *end, *at;

	memset(p, 0, sizeof(*p));
	for (size_t i = 0; sep && i < ARRAY_SIZE(schemes); i++)
		if (strlen(schemes[i]) == (size_t)(sep - url) &&
		    !strncasecmp(schemes[i], url, (size_t)(sep - url)))
			p->scheme = schemes[i];
	if (!p->scheme)
		return error_set(err, -EINVAL,
				 "the address must begin with https://, http://, git:// or ssh://");
	s = sep + 3;
	end = s + strcspn(s, "/");
	at = memchr(s, '@', (size_t)(end - s));
	if (at) {
		p->user = s;
		p->user_len = (size_t)(at - s);
		s = at + 1;
	}
	p->host = s;
	if (*s == '[') {
		const char *close = memchr(s, ']', (size_t)(end - s));

		if (!close)
			return error_set(err, -EINVAL, "the host is not valid");
		p->host_len = (size_t)(close + 1 - s);
	} else {
		const char *colon = memchr(s, ':', (size_t)(end - s));

		p->host_len = (size_t)((colon ? colon : end) - s);
	}
	if (p->host + p->host_len < end) {
		p->port = p->host + p->host_len + 1;
		p->port_len = (size_t)(end - p->port);
		if (p->port[-1] != ':')
			return error_set(err, -EINVAL, "the host is not valid");
	}
	p->path = end;
	return 0;
}

static bool made_of(const char *s, size_t len, const char *others)
{
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && (!s[i] || !strchr(others, s[i])))
			return false;
	return len > 0;
}

static int check_parts(const struct parts *p, struct error *err)
{
	bool v6 = p->host_len > 2 && p->host[0] == '[';
	long long port = 1;

	if (p->user && strcmp(p->scheme, "ssh"))
		return error_set(err, -EINVAL, "the address must not hold a user or password");
	if (p->user && (!made_of(p->user, p->user_len, "._-") || p->user[0] == '-'))
		return error_set(err, -EINVAL, "the user in the address is not valid");
	if (v6 ? !made_of(p->host + 1, p->host_len - 2, ":.")
	       : !made_of(p->host, p->host_len, ".-") || p->host[0] == '-' || p->host[0] == '.')
		return error_set(err, -EINVAL, "the host is not valid");
	if (p->port) {
		CLEANUP(free_p) char *text = xstrndup(p->port, p->port_len);

		if (str_to_i64(text, 1, 65535, &port) || !isdigit((unsigned char)text[0]))
			return error_set(err, -EINVAL, "the port is not valid");
	}
	return 0;
}

static int check_path(const char *path, struct error *err)
{
	/* No escapes: whether "%2e%2e" is a dot segment depends on who reads it. */
	for (const char *s = path; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("/._~+-,=@:", *s))
			return error_set(
				err, -EINVAL,
				"the path of the address holds a character that is not taken");
	for (const char *s = path; *s;) {
		size_t len = strcspn(++s, "/");

		if ((len == 1 && s[0] == '.') || (len == 2 && !strncmp(s, "..", 2)))
			return error_set(err, -EINVAL, "the address holds a '.' or '..' segment");
		s += len;
	}
	if (!strncmp(path, "/-", 2))
		return error_set(err, -EINVAL, "the path begins with '-'");
	return 0;
}

int url_check_prefix(const char *url, struct error *err)
{
	struct parts p;
	int r;

	if (!*url || strlen(url) > LIMIT_URL_LEN)
		return error_set(err, -EINVAL, "the address must have 1 to %d bytes",
				 LIMIT_URL_LEN);
	r = split(url, &p, err);
	if (!r)
		r = check_parts(&p, err);
	return r ? r : check_path(p.path, err);
}

int url_check(const char *url, struct error *err)
{
	int r = url_check_prefix(url, err);
	struct parts p;

	if (r)
		return r;
	r = split(url, &p, err);
	if (!r && strlen(p.path) < 2)
		r = error_set(err, -EINVAL, "the address names no repository");
	return r;
}

static bool prefix_matches(const char *url, const char *prefix)
{
	struct parts u, p;
	size_t head, len = strlen(prefix);

	if (split(prefix, &p, NULL) || split(url, &u, NULL))
		return false;
	head = (size_t)(p.path - prefix);
	if ((size_t)(u.path - url) != head || strncasecmp(url, prefix, head))
		return false;
	while (len > head && prefix[len - 1] == '/')
		len--;
	if (strncmp(u.path, p.path, len - head))
		return false;
	return url[len] == '/' || !url[len];
}

bool url_allowed(const char *url, char *const *prefixes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (prefix_matches(url, prefixes[i]))
			return true;
	return false;
}

int url_check_allowed(const char *url, char *const *prefixes, size_t n, struct error *err)
{
	int r = url_check(url, err);

	if (r)
		return r;
	if (!url_allowed(url, prefixes, n))
		return error_set(
			err, -EACCES,
			"the administrator has not allowed repositories from this address");
	return 0;
}

static bool component_ok(const char *s, size_t len)
{
	if (!len || s[0] == '.' || s[len - 1] == '.')
		return false;
	return len < 5 || strncmp(s + len - 5, ".lock", 5);
}

int ref_check(const char *ref, struct error *err)
{
	size_t len = strlen(ref);

	if (!len || len > LIMIT_REF_LEN)
		return error_set(err, -EINVAL, "a reference name has 1 to %d bytes", LIMIT_REF_LEN);
	if (ref[0] == '-' || !strcmp(ref, "@") || strstr(ref, "..") || strstr(ref, "@{"))
		return error_set(err, -EINVAL, "this is not a valid reference name");
	for (const char *s = ref; *s; s++)
		if ((unsigned char)*s <= 0x20 || *s == 0x7f || strchr("~^:?*[\\", *s))
			return error_set(
				err, -EINVAL,
				"a reference name cannot hold blanks, control characters or any of ~^:?*[\\");
	for (const char *s = ref;; s++) {
		size_t n = strcspn(s, "/");

		if (!component_ok(s, n))
			return error_set(err, -EINVAL, "this is not a valid reference name");
		s += n;
		if (!*s)
			break;
	}
	for (size_t i = 0; i < len;) {
		size_t n = utf8_len(ref + i, len - i);

		if (!n)
			return error_set(err, -EINVAL, "a reference name must be UTF-8");
		i += n;
	}
	return 0;
}

bool sha_is_full(const char *s)
{
	return strlen(s) == 40 && strspn(s, "0123456789abcdef") == 40;
}

int rev_check(const char *rev, struct error *err)
{
	return sha_is_full(rev) ? 0 : ref_check(rev, err);
}
