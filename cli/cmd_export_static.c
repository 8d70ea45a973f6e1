// SPDX-License-Identifier: MIT
/*
 * faultline export-static: the dashboard, as everybody sees it, as files for a mirror. It is read
 * as a visitor would, from link to link; what has been read is written with links between the files.
 */
#include <dirent.h>
#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/mirror.h"
#include "lib/clean.h"
#include "lib/path.h"

#define PAGES_DEFAULT 200000
#define PAGE_BYTES (64 << 20)
#define MARK "faultline-mirror" /* in a folder that may be replaced */

struct args {
	struct server_args server;
	const char *dir;
	int pages_max;
};

static const struct argp_option options[] = {
	{ "max-pages", 'n', "N", 0, "stop after so many files (default 200000)", 0 }, { 0 }
};

/* What an address came to. */
struct page {
	char *target;
	bool there, html;
};

struct crawl {
	struct http_client *client;
	const char *dir, *live;
	struct page **pages; /* in the order in which they were met */
	size_t n, cap, max;
	void *by_target; /* tsearch(3) */
	bool cut;
	int missing, closed;
};

static int page_cmp(const void *a, const void *b)
{
	return strcmp(((const struct page *)a)->target, ((const struct page *)b)->target);
}

static struct page *known(struct crawl *c, const char *target)
{
	struct page key = { .target = (char *)target };
	struct page **found = tfind(&key, &c->by_target, page_cmp);

	return found ? *found : NULL;
}

/* The interface for programs, what changes with every request, and repositories stay on the server. */
static bool mirrored(const char *target)
{
	return !str_starts(target, "/api/") && !str_starts(target, "/git/") &&
	       !str_starts(target, "/metrics") && !str_starts(target, "/healthz") &&
	       !str_starts(target, "/readyz");
}

static bool meet(void *arg, const char *target)
{
	struct crawl *c = arg;
	struct page *p;

	if (!mirrored(target) || known(c, target))
		return false;
	if (c->n >= c->max) {
		c->cut = true;
		return false;
	}
	p = xcalloc(1, sizeof(*p));
	p->target = xstrdup(target);
	ARRAY_RESERVE(c->pages, c->n, c->cap);
	c->pages[c->n++] = p;
	if (!tsearch(p, &c->by_target, page_cmp))
		abort(); /* no memory */
	return false;
}

static bool is_there(void *arg, const char *target)
{
	const struct page *p = known(arg, target);

	return p && p->there;
}

static int write_file(const struct crawl *c, const char *target, const struct buf *text,
		      struct error *err)
{
	CLEANUP(free_p) char *name = mirror_file(target);
	CLEANUP(free_p) char *path = xasprintf("%s/%s", c->dir, name);
	CLEANUP(free_p) char *folder = xstrndup(path, (size_t)(strrchr(path, '/') - path));
	FILE *f;
	int r = path_mkdirs(folder, 0755, err);

	if (r)
		return r;
	f = fopen(path, "we");
	if (!f)
		return error_errno(err, -errno, "%s", path);
	if (fwrite(buf_cstr(text), 1, text->len, f) != text->len)
		r = error_errno(err, -errno, "%s", path);
	if (fclose(f) && !r)
		r = error_errno(err, -errno, "%s", path);
	return r;
}

static int fetch(struct crawl *c, struct page *p, struct error *err)
{
	struct http_request req = HTTP_REQUEST_INIT;
	struct http_response res = { 0 };
	/* pages and their formats have one address; the header says which is meant */
	static const char *const headers[] = { "Accept: text/html,*/*;q=0.8", NULL };
	const struct mirror_page page = { .target = p->target, .live = "", .has = meet, .arg = c };
	int r;

	req.method = "GET";
	req.path = p->target;
	req.headers = headers;
	req.response_max_bytes = PAGE_BYTES;
	r = http_client_do(c->client, &req, &res, err);
	if (r)
		return error_wrap(err, r, "%s", p->target);
	p->there = res.status == 200;
	if (res.status == 401 || res.status == 403) {
		c->closed++; /* not for everybody: its links lead to the server */
	} else if (!p->there) {
		c->missing++;
		fprintf(stderr, "faultline: %s: the server answers %d\n", p->target, res.status);
	} else {
		p->html = mirror_is_page(p->target);
		if (p->html)
			mirror_rewrite(&page, buf_cstr(&res.body), res.body.len, NULL);
		r = write_file(c, p->target, &res.body, err);
	}
	http_response_free(&res);
	return r;
}

/* Which links lead to files is known once everything was read. */
static int link_page(struct crawl *c, const struct page *p, struct error *err)
{
	const struct mirror_page page = {
		.target = p->target, .live = c->live, .has = is_there, .arg = c
	};
	CLEANUP(buf_free) struct buf html = BUF_INIT, out = BUF_INIT;
	CLEANUP(free_p) char *name = mirror_file(p->target);
	CLEANUP(free_p) char *path = xasprintf("%s/%s", c->dir, name);
	int r = path_read(path, PAGE_BYTES, &html, err);

	if (r)
		return r;
	mirror_rewrite(&page, buf_cstr(&html), html.len, &out);
	return write_file(c, p->target, &out, err);
}

static int read_all(struct crawl *c, struct error *err)
{
	int r = 0;

	(void)meet(c, "/");
	for (size_t i = 0; i < c->n && !r; i++) {
		progress_show("reading", (int)i, (int)c->n, c->pages[i]->target);
		r = fetch(c, c->pages[i], err);
	}
	if (!r && !c->pages[0]->there)
		r = error_set(err, -EIO, "the server shows no dashboard");
	for (size_t i = 0; i < c->n && !r; i++) {
		progress_show("linking", (int)i, (int)c->n, c->pages[i]->target);
		if (c->pages[i]->html)
			r = link_page(c, c->pages[i], err);
	}
	progress_end();
	return r;
}

/* A folder that somebody else made is left alone. */
static int check_folder(const char *dir, struct error *err)
{
	CLEANUP(free_p) char *mark = xasprintf("%s/" MARK, dir);
	struct dirent **names = NULL;
	int n = scandir(dir, &names, NULL, NULL), r = 0;

	if (n < 0 && errno != ENOENT)
		r = error_errno(err, -errno, "%s", dir);
	else if (n > 2 && !path_exists(mark))
		r = error_set(err, -EINVAL,
			      "'%s' holds something else than a mirror: name another folder", dir);
	for (int i = 0; i < n; i++)
		free(names[i]);
	free(names);
	return r;
}

/* The new mirror is there at once, or not at all. */
static int replace(const char *dir, const char *part, struct error *err)
{
	CLEANUP(free_p) char *old = xasprintf("%s.old", dir);
	int r = path_remove_tree(old, err);

	if (!r && rename(dir, old) && errno != ENOENT)
		r = error_errno(err, -errno, "%s", dir);
	if (!r && rename(part, dir))
		r = error_errno(err, -errno, "%s", part);
	return r ? r : path_remove_tree(old, err);
}

static void crawl_free(struct crawl *c)
{
	for (size_t i = 0; i < c->n; i++) {
		tdelete(c->pages[i], &c->by_target, page_cmp);
		free(c->pages[i]->target);
		free(c->pages[i]);
	}
	free(c->pages);
}

static error_t on_arg(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->server;
		return 0;
	case 'n':
		a->pages_max = cli_number(state, "--max-pages", arg, 100000000);
		return 0;
	case ARGP_KEY_ARG:
		if (a->dir)
			argp_error(state, "more than one folder");
		a->dir = arg;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "a folder is needed");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static int export_to(const struct args *a, struct crawl *c, struct error *err)
{
	static const char text[] =
		"Written by faultline export-static, which replaces this folder.\n";
	CLEANUP(free_p) char *part = xasprintf("%s.part", a->dir);
	CLEANUP(free_p) char *mark = xasprintf("%s/" MARK, part);
	int r = check_folder(a->dir, err);

	if (!r)
		r = path_remove_tree(part, err);
	if (!r)
		r = path_mkdirs(part, 0755, err);
	if (!r)
		r = path_write_atomic(mark, text, strlen(text), 0644, err);
	c->dir = part;
	if (!r)
		r = read_all(c, err);
	return r ? r : replace(a->dir, part, err);
}

int cmd_export_static(int argc, char **argv)
{
	static const struct argp_child children[] = { { &server_argp, 0, NULL, 0 }, { 0 } };
	static const struct argp argp = {
		options,
		on_arg,
		"DIR",
		"Writes the dashboard of a server as files that any web server, or none, can show.",
		children,
		NULL,
		NULL
	};
	CLEANUP(http_client_free_p) struct http_client *client = NULL;
	CLEANUP(crawl_free) struct crawl c = { 0 };
	CLEANUP(free_p) char *live = NULL;
	struct args a = { .pages_max = PAGES_DEFAULT };
	struct error err = ERROR_INIT;
	int r;

	cli_parse(&argp, argc, argv, &a);
	live = cli_url(&a.server);
	while (*live && live[strlen(live) - 1] == '/')
		live[strlen(live) - 1] = '\0';
	/* without a token: what is for everybody */
	r = http_client_new(live, NULL, &client, &err);
	c.client = client;
	c.live = live;
	c.max = (size_t)a.pages_max;
	if (!r)
		r = export_to(&a, &c, &err);
	if (r)
		return cli_fail(&err);
	fprintf(stderr, "faultline: %zu files in %s%s\n", c.n - (size_t)(c.missing + c.closed),
		a.dir, c.cut ? "; there is more (--max-pages)" : "");
	return c.cut || c.missing ? EXIT_TROUBLE : EXIT_OK;
}
