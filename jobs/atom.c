// SPDX-License-Identifier: MIT
#include "jobs/atom.h"

#include <stdlib.h>
#include <string.h>

#include "lib/clean.h"
#include "lib/xml.h"

#define TEXT_MAX 65536

struct entry {
	int64_t id;
	const char *state, *title, *created, *changed, *repo, *ref, *scenario, *config, *bad, *good;
	const char *culprit, *culprit_subject, *fixed; /* NULL: not known */
};

static int read_entry(const struct jval *v, struct entry *e, struct error *err)
{
	const struct {
		const char *key;
		const char **to;
		bool needed;
	} texts[] = { { "state", &e->state, true },
		      { "title", &e->title, true },
		      { "created", &e->created, true },
		      { "changed", &e->changed, true },
		      { "repo", &e->repo, true },
		      { "ref", &e->ref, true },
		      { "scenario", &e->scenario, true },
		      { "config", &e->config, true },
		      { "bad", &e->bad, true },
		      { "good", &e->good, true },
		      { "culprit", &e->culprit, false },
		      { "culprit_subject", &e->culprit_subject, false },
		      { "fixed", &e->fixed, false } };
	int r = json_get_i64(v, "id", 1, INT64_MAX, &e->id, err);

	for (size_t i = 0; i < ARRAY_SIZE(texts) && !r; i++)
		r = texts[i].needed ? json_get_str(v, texts[i].key, TEXT_MAX, texts[i].to, err)
				    : json_opt_str(v, texts[i].key, TEXT_MAX, texts[i].to, err);
	return r;
}

static void element(struct xml *x, const char *name, const char *text)
{
	xml_open(x, name);
	xml_text(x, text);
	xml_close(x);
}

static void link_to(struct xml *x, const char *rel, const char *type, char *href /* taken */)
{
	CLEANUP(free_p) char *taken = href;

	xml_open(x, "link");
	xml_attr(x, "rel", rel);
	xml_attr(x, "type", type);
	xml_attr(x, "href", taken);
	xml_close(x);
}

/* A tag (RFC 4151). Its authority is a name that is reserved (RFC 2606), since an origin is none that
 * anybody registered; the origin keeps servers apart, as in what is exported. */
static void id(struct xml *x, const struct atom_feed *f, const char *what)
{
	CLEANUP(free_p) char *text = xasprintf("tag:faultline.invalid,2026:%s/%s", f->origin, what);

	element(x, "id", text);
}

static char *summary(const struct entry *e)
{
	struct buf b = BUF_INIT;

	buf_printf(&b, "%s of %s %s, configuration %s. ", e->scenario, e->repo, e->ref, e->config);
	if (e->culprit)
		buf_printf(&b, "First bad commit: %.12s (\"%s\"). ", e->culprit,
			   e->culprit_subject ? e->culprit_subject : "");
	buf_printf(&b, "Seen at %.12s, last good commit %.12s.", e->bad, e->good);
	if (e->fixed)
		buf_printf(&b, " Fixed by %.12s.", e->fixed);
	return buf_steal(&b);
}

/* What links begin with: "" makes them paths of the server that was asked. */
static char *base_of(const char *url)
{
	size_t len = url ? strlen(url) : 0;

	while (len && url[len - 1] == '/')
		len--;
	return xstrndup(url ? url : "", len);
}

static void put_entry(struct xml *x, const struct atom_feed *f, const struct entry *e)
{
	CLEANUP(free_p) char *text = summary(e);
	CLEANUP(free_p) char *name = xasprintf("regressions/%lld", (long long)e->id);
	CLEANUP(free_p)
	char *title =
		xasprintf("%s: %s (%.12s)", e->state, e->title, e->culprit ? e->culprit : e->bad);

	xml_open(x, "entry");
	id(x, f, name);
	element(x, "title", title);
	element(x, "updated", e->changed);
	element(x, "published", e->created);
	link_to(x, "alternate", "text/html", xasprintf("%s/%s", f->url, name));
	xml_open(x, "category");
	xml_attr(x, "term", e->state);
	xml_close(x);
	element(x, "summary", text);
	xml_close(x);
}

static void put_head(struct xml *x, const struct atom_feed *f, const char *updated)
{
	const char *mark = *f->query ? "?" : "";
	CLEANUP(free_p) char *name = xasprintf("regressions%s%s", mark, f->query);
	CLEANUP(free_p) char *title = xasprintf("faultline: regressions of %s", f->what);

	id(x, f, name);
	element(x, "title", title);
	element(x, "updated", updated);
	xml_open(x, "author");
	element(x, "name", f->origin);
	xml_close(x);
	link_to(x, "self", "application/atom+xml",
		xasprintf("%s/feeds/regressions.atom%s%s", f->url, mark, f->query));
	link_to(x, "alternate", "text/html",
		xasprintf("%s/regressions%s%s", f->url, mark, f->query));
}

int atom_regressions(const struct atom_feed *f, struct json_object *view, struct buf *out,
		     struct error *err)
{
	CLEANUP(free_p) struct entry *entries = NULL;
	CLEANUP(free_p) char *base = base_of(f->url);
	const struct atom_feed based = { f->origin, base, f->query, f->what };
	const char *updated = "1970-01-01T00:00:00Z"; /* nothing ever happened */
	struct jval v = json_root(view), items;
	struct xml x;
	size_t n;
	int r = json_get_arr(&v, "items", &items, err);

	if (r)
		return r;
	n = json_arr_len(&items);
	entries = xcalloc(n + 1, sizeof(*entries));
	for (size_t i = 0; i < n; i++) {
		struct jval item = json_arr_at(&items, i);

		r = read_entry(&item, &entries[i], err);
		if (r)
			return r;
		/* all are of the same form, so the later one is the greater text */
		if (strcmp(entries[i].changed, updated) > 0)
			updated = entries[i].changed;
	}
	xml_begin(&x, out);
	xml_open(&x, "feed");
	xml_attr(&x, "xmlns", "http://www.w3.org/2005/Atom");
	put_head(&x, &based, updated);
	for (size_t i = 0; i < n; i++)
		put_entry(&x, &based, &entries[i]);
	xml_close(&x);
	return 0;
}
