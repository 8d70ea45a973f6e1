// SPDX-License-Identifier: MIT
#include "server/config.h"

#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/export.h"
#include "jobs/report.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/limits.h"
#include "lib/path.h"
#include "server/config_notify.h"
#include "server/config_regress.h"
#include "server/url.h"

#define CONFIG_MAX_BYTES (1 << 20)
#define CONFIG_LINE_MAX 198 /* libinih's buffer (INI_MAX_LINE 200), newline and NUL */

struct config *config_new(void)
{
	struct config *c = xcalloc(1, sizeof(*c));

	c->address = xstrdup("127.0.0.1");
	c->port = 8080;
	c->data = xstrdup("faultline-data");
	c->public_read = true;
	c->workers = 8;
	c->max_connections = 1000;
	c->max_per_ip = 250;
	c->max_streams = 200;
	c->request_timeout_s = 15;
	c->body_timeout_s = 60;
	c->drain_s = 20;
	c->lease_s = 60;
	c->poll_s = 60;
	c->origin = xstrdup(EXPORT_ORIGIN);
	c->report_from = xstrdup(REPORT_FROM);
	c->report_retry_s = 60;
	c->hook_timeout_s = 30;
	c->plan = xstrdup("thp-split");
	c->every_max = 16;
	c->confirm = CONFIRM_DEFAULTS;
	c->fetch_timeout_s = 1800;
	c->serve_timeout_s = 1800;
	c->max_serves = 8;
	c->fsck = true;
	return c;
}

static void branch_free(struct config_branch *b)
{
	free(b->ref);
	free(b->base);
	free(b->plan);
	free(b->mail);
	free(b->hook);
}

static void repo_free(struct config_repo *r)
{
	for (size_t i = 0; i < r->n_branches; i++)
		branch_free(&r->branches[i]);
	free(r->branches);
	free(r->name);
	free(r->url);
	free(r->base);
}

void config_free(struct config *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n_repos; i++)
		repo_free(&c->repos[i]);
	for (size_t i = 0; i < c->n_allow; i++)
		free(c->allow[i]);
	free(c->repos);
	free(c->allow);
	free(c->address);
	free(c->data);
	free(c->smtp_url);
	free(c->smtp_user);
	free(c->smtp_password);
	free(c->hook_secret);
	free(c->origin);
	free(c->url);
	free(c->report_from);
	free(c->plan);
	free(c);
}

const struct config_repo *config_repo(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n_repos; i++)
		if (!strcmp(c->repos[i].name, name))
			return &c->repos[i];
	return NULL;
}

static int set_bool(bool *ret, const char *value, struct error *err)
{
	static const char *const yes[] = { "yes", "true", "on", "1" };
	static const char *const no[] = { "no", "false", "off", "0" };

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		if (!strcmp(value, yes[i]) || !strcmp(value, no[i])) {
			*ret = !strcmp(value, yes[i]);
			return 0;
		}
	}
	return error_set(err, -EINVAL, "'%s' is neither yes nor no", value);
}

int config_set_listen(struct config *c, const char *value, struct error *err)
{
	const char *colon = strrchr(value, ':');
	size_t len = colon ? (size_t)(colon - value) : 0;
	long long port;

	if (!len || str_to_i64(colon + 1, 0, 65535, &port))
		return error_set(err, -EINVAL, "'%s' is not ADDRESS:PORT", value);
	if (value[0] == '[' && value[len - 1] == ']') {
		value++;
		len -= 2;
	}
	free(c->address);
	c->address = xstrndup(value, len);
	c->port = (int)port;
	return 0;
}

static int add_allow(struct config *c, const char *value, struct error *err)
{
	CLEANUP(free_p) char *copy = xstrdup(value);
	char *save = NULL;

	for (char *s = strtok_r(copy, " \t\n", &save); s; s = strtok_r(NULL, " \t\n", &save)) {
		int r = url_check_prefix(s, err);

		if (r)
			return error_wrap(err, r, "'%s'", s);
		ARRAY_RESERVE(c->allow, c->n_allow, c->cap_allow);
		c->allow[c->n_allow++] = xstrdup(s);
	}
	return 0;
}

/* "mm-unstable base=master plan=thp-split" */
static int add_branch(struct config_repo *repo, const char *value, struct error *err)
{
	CLEANUP(free_p) char *copy = xstrdup(value);
	struct config_branch b = { 0 };
	char *save = NULL, *ref = strtok_r(copy, " \t", &save), *s;
	int r = ref ? ref_check(ref, err) : error_set(err, -EINVAL, "the branch has no name");

	while (!r && (s = strtok_r(NULL, " \t", &save))) {
		if (str_starts(s, "base=") && !b.base) {
			r = ref_check(s + 5, err);
			b.base = xstrdup(s + 5);
		} else if (str_starts(s, "plan=") && !b.plan && path_name_is_safe(s + 5)) {
			b.plan = xstrdup(s + 5);
		} else if (str_starts(s, "mail=") && !b.mail) {
			b.mail = xstrdup(s + 5);
			r = config_check_recipients(b.mail, err);
		} else if (str_starts(s, "hook=") && !b.hook) {
			b.hook = xstrdup(s + 5);
			r = config_check_hook(b.hook, err);
		} else {
			r = error_set(err, -EINVAL,
				      "'%s' is none of base=REF, plan=NAME, mail=ADDRESS and "
				      "hook=URL",
				      s);
		}
	}
	if (r) {
		branch_free(&b);
		return r;
	}
	b.ref = xstrdup(ref);
	ARRAY_RESERVE(repo->branches, repo->n_branches, repo->cap_branches);
	repo->branches[repo->n_branches++] = b;
	return 0;
}

static const struct int_key {
	const char *section, *key;
	size_t offset;
	int min, max;
} int_keys[] = {
#define KEY(section, name, field, min, max)                             \
	{                                                               \
		section, name, offsetof(struct config, field), min, max \
	}
	KEY("server", "workers", workers, 1, 64),
	KEY("server", "max_connections", max_connections, 4, 100000),
	KEY("server", "max_connections_per_ip", max_per_ip, 1, 100000),
	KEY("server", "max_streams", max_streams, 1, 100000),
	KEY("server", "request_timeout_seconds", request_timeout_s, 1, 600),
	KEY("server", "body_timeout_seconds", body_timeout_s, 1, 3600),
	KEY("server", "drain_seconds", drain_s, 0, 600),
	KEY("server", "lease_seconds", lease_s, 2, 3600),
	KEY("server", "poll_seconds", poll_s, 0, 86400),
	KEY("server", "every_commit_max", every_max, 1, 256),
	KEY("report", "retry_seconds", report_retry_s, 1, 21600),
	KEY("hook", "timeout_seconds", hook_timeout_s, 1, 600),
	KEY("git", "fetch_timeout_seconds", fetch_timeout_s, 1, 86400),
	KEY("git", "serve_timeout_seconds", serve_timeout_s, 1, 86400),
	KEY("git", "max_serves", max_serves, 1, 64),
	KEY("regressions", "max_runs", confirm.max_runs, 10, 100000),
	KEY("regressions", "batch", confirm.batch, 1, 1000),
#undef KEY
};

static int set_int(struct config *c, const char *section, const char *key, const char *value,
		   bool *ret_known, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(int_keys); i++) {
		const struct int_key *k = &int_keys[i];
		long long v;

		if (strcmp(k->section, section) || strcmp(k->key, key))
			continue;
		*ret_known = true;
		if (str_to_i64(value, k->min, k->max, &v))
			return error_set(err, -EINVAL, "'%s' is not a number from %d to %d", value,
					 k->min, k->max);
		*(int *)((char *)c + k->offset) = (int)v;
		return 0;
	}
	return 0;
}

static int set_export(struct config *c, const char *key, const char *value, bool *ret_known,
		      struct error *err)
{
	int r;

	if (!strcmp(key, "origin")) {
		if (!export_origin_is_valid(value))
			return error_set(err, -EINVAL,
					 "'%s' is not a name of lower-case letters, digits and _",
					 value);
		config_put(&c->origin, value);
	} else if (!strcmp(key, "url")) {
		r = url_check_prefix(value, err);
		if (r)
			return r;
		if (!str_starts(value, "https://") && !str_starts(value, "http://"))
			return error_set(err, -EINVAL, "'%s' is not an http or https address",
					 value);
		config_put(&c->url, value);
	} else {
		*ret_known = false;
	}
	return 0;
}

static int set_plain(struct config *c, const char *section, const char *key, const char *value,
		     bool *ret_known, struct error *err)
{
	bool server = !strcmp(section, "server"), submit = !strcmp(section, "submit");
	int r;

	*ret_known = true;
	if (server && !strcmp(key, "listen"))
		return config_set_listen(c, value, err);
	if (server && !strcmp(key, "data")) {
		config_put(&c->data, value);
		return 0;
	}
	if (server && !strcmp(key, "public_read"))
		return set_bool(&c->public_read, value, err);
	if (submit && !strcmp(key, "allow"))
		return add_allow(c, value, err);
	if (submit && !strcmp(key, "plan")) {
		if (!path_name_is_safe(value))
			return error_set(err, -EINVAL, "'%s' is not a plan's name", value);
		config_put(&c->plan, value);
		return 0;
	}
	if (!strcmp(section, "export"))
		return set_export(c, key, value, ret_known, err);
	if (!strcmp(section, "git") && !strcmp(key, "fsck"))
		return set_bool(&c->fsck, value, err);
	r = config_set_notify(c, section, key, value, ret_known, err);
	if (!r && !*ret_known && !strcmp(section, "regressions"))
		r = config_set_rate(c, key, value, ret_known, err);
	if (r || *ret_known)
		return r;
	return set_int(c, section, key, value, ret_known, err);
}

static int set_repo(struct config *c, const char *name, const char *key, const char *value,
		    bool *ret_known, struct error *err)
{
	struct config_repo *repo = (struct config_repo *)config_repo(c, name);
	int r;

	*ret_known = true;
	if (!path_name_is_safe(name) || strlen(name) > LIMIT_NAME_LEN)
		return error_set(err, -EINVAL, "'%s' is not a name of letters, digits and ._+-",
				 name);
	if (!repo) {
		ARRAY_RESERVE(c->repos, c->n_repos, c->cap_repos);
		repo = &c->repos[c->n_repos++];
		memset(repo, 0, sizeof(*repo));
		repo->name = xstrdup(name);
	}
	if (!strcmp(key, "url"))
		config_put(&repo->url, value);
	else if (!strcmp(key, "local"))
		return set_bool(&repo->local, value, err);
	else if (!strcmp(key, "branch"))
		return add_branch(repo, value, err);
	else if (strcmp(key, "base"))
		*ret_known = false;
	else if ((r = ref_check(value, err)))
		return r;
	else
		config_put(&repo->base, value);
	return 0;
}

struct reader {
	struct config *config;
	const char *name, *text;
	int line;
	int r; /* first error */
	struct error *err;
};

static int on_key(void *arg, const char *section, const char *key, const char *value)
{
	struct reader *rd = arg;
	bool known = false;
	int r;

	if (rd->r)
		return 0;
	if (str_starts(section, "repo "))
		r = set_repo(rd->config, section + 5, key, value, &known, rd->err);
	else
		r = set_plain(rd->config, section, key, value, &known, rd->err);
	if (!r && !known)
		r = error_set(rd->err, -EINVAL, "there is no key '%s' in a section [%s]", key,
			      section);
	if (!r)
		return 1;
	rd->r = error_wrap(rd->err, r, "%s:%d", rd->name, rd->line);
	return 0;
}

/* fgets() over memory that counts lines and refuses what libinih would cut in two. */
static char *next_line(char *out, int num, void *arg)
{
	struct reader *rd = arg;
	size_t len = strcspn(rd->text, "\n");

	if (!*rd->text || rd->r)
		return NULL;
	rd->line++;
	if (len > CONFIG_LINE_MAX || len + 2 > (size_t)num) {
		rd->r = error_set(rd->err, -EINVAL, "%s:%d: the line is longer than %d bytes",
				  rd->name, rd->line, CONFIG_LINE_MAX);
		return NULL;
	}
	memcpy(out, rd->text, len);
	out[len] = '\n';
	out[len + 1] = 0;
	rd->text += len + (rd->text[len] == '\n');
	return out;
}

static int check_repo(const struct config_repo *repo, struct error *err)
{
	int r;

	if (!repo->url)
		return error_set(err, -EINVAL, "[repo %s] has no url", repo->name);
	if (repo->local) {
		if (repo->url[0] != '/')
			return error_set(err, -EINVAL,
					 "[repo %s]: the url of a local repository is an "
					 "absolute path",
					 repo->name);
		return 0;
	}
	r = url_check(repo->url, err);
	return r ? error_wrap(err, r, "[repo %s]: '%s'", repo->name, repo->url) : 0;
}

int config_parse(struct config *c, const char *name, const char *text, struct error *err)
{
	struct reader rd = { .config = c, .name = name, .text = text, .err = err };
	int line = ini_parse_stream(next_line, &rd, on_key, &rd);

	if (rd.r)
		return rd.r;
	if (line)
		return error_set(err, -EINVAL, "%s:%d: neither a [section] nor key = value", name,
				 line);
	for (size_t i = 0; i < c->n_repos; i++) {
		int r = check_repo(&c->repos[i], err);

		if (r)
			return error_wrap(err, r, "%s", name);
	}
	return config_check_rates(c, name, err);
}

int config_read(struct config *c, const char *path, struct error *err)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	int r = path_read(path, CONFIG_MAX_BYTES, &text, err);

	if (r)
		return error_wrap(err, r, "reading the configuration");
	if (text.len != strlen(buf_cstr(&text)))
		return error_set(err, -EINVAL, "%s: a NUL byte is in it", path);
	return config_parse(c, path, buf_cstr(&text), err);
}
