// SPDX-License-Identifier: MIT
#include "server/tracker_range.h"

#include <errno.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "server/range_internal.h"

static void object_p(git_object **p)
{
	git_object_free(*p);
}

int range_git_failed(int code, struct error *err, const char *what)
{
	const git_error *e = git_error_last();
	int r = code == GIT_ENOTFOUND ? -ENOENT : code == GIT_EINVALIDSPEC ? -EINVAL : -EIO;

	return error_set(err, r, "%s: %s", what, e && e->message ? e->message : "unknown error");
}

int range_init(struct error *err)
{
	int r = git_libgit2_init();

	if (r < 0)
		return range_git_failed(r, err, "starting libgit2");
	/* Local repositories are named by the administrator, whoever owns them. */
	git_libgit2_opts(GIT_OPT_SET_OWNER_VALIDATION, 0);
	return 0;
}

int range_open(const char *dir, git_repository **ret, struct error *err)
{
	int r = git_repository_open_ext(ret, dir, GIT_REPOSITORY_OPEN_NO_SEARCH, NULL);

	return r ? range_git_failed(r, err, "opening the repository") : 0;
}

int range_objects_dir(const char *path, char **ret_dir, struct error *err)
{
	CLEANUP(repository_p) git_repository *repo = NULL;
	int r = range_open(path, &repo, err);

	if (r)
		return r;
	*ret_dir = xasprintf("%sobjects", git_repository_commondir(repo));
	return 0;
}

/* Names are tried as given and below refs/; never as expressions (HEAD~3, :/text, @{-1}). */
static int lookup(git_repository *repo, const char *rev, git_commit **ret)
{
	static const char *const prefixes[] = { "refs/", "refs/heads/", "refs/tags/" };
	CLEANUP(object_p) git_object *peeled = NULL;
	git_object *obj = NULL;
	git_oid oid;
	int r = GIT_ENOTFOUND;

	if (strlen(rev) == GIT_OID_HEXSZ && !git_oid_fromstr(&oid, rev))
		r = git_object_lookup(&obj, repo, &oid, GIT_OBJECT_ANY);
	for (size_t i = 0; r && i < ARRAY_SIZE(prefixes); i++) {
		CLEANUP(free_p) char *full = NULL;

		if (!i && !str_starts(rev, prefixes[0]))
			continue;
		full = i ? xasprintf("%s%s", prefixes[i], rev) : xstrdup(rev);
		if (!git_reference_name_to_id(&oid, repo, full))
			r = git_object_lookup(&obj, repo, &oid, GIT_OBJECT_ANY);
	}
	if (r)
		return r;
	r = git_object_peel(&peeled, obj, GIT_OBJECT_COMMIT);
	git_object_free(obj);
	if (r)
		return r;
	*ret = (git_commit *)STEAL(peeled);
	return 0;
}

static int find(git_repository *repo, const char *rev, git_commit **ret, struct error *err)
{
	int r = lookup(repo, rev, ret);

	if (r == GIT_ENOTFOUND)
		return error_set(err, -ENOENT, "there is no commit '%s'", rev);
	return r ? range_git_failed(r, err, rev) : 0;
}

int range_resolve(const char *dir, const char *rev, char ret_sha[SHA_MAX], struct error *err)
{
	CLEANUP(repository_p) git_repository *repo = NULL;
	CLEANUP(commit_p) git_commit *c = NULL;
	int r = range_open(dir, &repo, err);

	if (!r)
		r = find(repo, rev, &c, err);
	if (!r)
		git_oid_tostr(ret_sha, SHA_MAX, git_commit_id(c));
	return r;
}

int range_find_two(git_repository *repo, const char *a, const char *b, git_oid *ret_a,
		   git_oid *ret_b, struct error *err)
{
	CLEANUP(commit_p) git_commit *ca = NULL;
	CLEANUP(commit_p) git_commit *cb = NULL;
	int r = find(repo, a, &ca, err);

	if (!r)
		r = find(repo, b, &cb, err);
	if (r)
		return r;
	git_oid_cpy(ret_a, git_commit_id(ca));
	git_oid_cpy(ret_b, git_commit_id(cb));
	return 0;
}

int range_merge_base(const char *dir, const char *a, const char *b, char ret_sha[SHA_MAX],
		     struct error *err)
{
	CLEANUP(repository_p) git_repository *repo = NULL;
	git_oid oa, ob, base;
	int r = range_open(dir, &repo, err);

	if (!r)
		r = range_find_two(repo, a, b, &oa, &ob, err);
	if (r)
		return r;
	r = git_merge_base(&base, repo, &oa, &ob);
	if (r == GIT_ENOTFOUND)
		return error_set(err, -ENOENT, "'%s' and '%s' have no common ancestor", a, b);
	if (r)
		return range_git_failed(r, err, "merge base");
	git_oid_tostr(ret_sha, SHA_MAX, &base);
	return 0;
}

int range_first_parent(const char *dir, const char *sha, char ret_sha[SHA_MAX], struct error *err)
{
	CLEANUP(repository_p) git_repository *repo = NULL;
	CLEANUP(commit_p) git_commit *c = NULL;
	int r = range_open(dir, &repo, err);

	if (!r)
		r = find(repo, sha, &c, err);
	if (r)
		return r;
	if (!git_commit_parentcount(c))
		return error_set(err, -ENOENT, "'%s' has no parent", sha);
	git_oid_tostr(ret_sha, SHA_MAX, git_commit_parent_id(c, 0));
	return 0;
}

int range_is_ancestor(const char *dir, const char *ancestor, const char *sha, bool *ret,
		      struct error *err)
{
	CLEANUP(repository_p) git_repository *repo = NULL;
	git_oid old, tip;
	int r = range_open(dir, &repo, err);

	if (!r)
		r = range_find_two(repo, ancestor, sha, &old, &tip, err);
	if (r)
		return r;
	r = git_graph_descendant_of(repo, &tip, &old);
	if (r < 0)
		return range_git_failed(r, err, "ancestry");
	*ret = r == 1 || git_oid_equal(&tip, &old);
	return 0;
}

void commit_list_free(struct commit_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free((char *)l->items[i].sha);
		free((char *)l->items[i].tree);
		free((char *)l->items[i].parent);
		free((char *)l->items[i].author);
		free((char *)l->items[i].subject);
	}
	free(l->items);
	memset(l, 0, sizeof(*l));
}

static char *oid_text(const git_oid *oid)
{
	char *text = xcalloc(SHA_MAX, 1);

	git_oid_tostr(text, SHA_MAX, oid);
	return text;
}

static int add(git_repository *repo, const git_oid *oid, struct commit_list *l, struct error *err)
{
	CLEANUP(commit_p) git_commit *c = NULL;
	const git_signature *who;
	const char *subject;
	int r = git_commit_lookup(&c, repo, oid);

	if (r)
		return range_git_failed(r, err, "reading a commit");
	who = git_commit_author(c);
	subject = git_commit_summary(c);
	ARRAY_RESERVE(l->items, l->n, l->cap);
	l->items[l->n++] = (struct commit_info){
		.sha = oid_text(git_commit_id(c)),
		.tree = oid_text(git_commit_tree_id(c)),
		.parent = git_commit_parentcount(c) ? oid_text(git_commit_parent_id(c, 0)) : NULL,
		.author = xasprintf("%s <%s>", who && who->name ? who->name : "",
				    who && who->email ? who->email : ""),
		.subject = xstrdup(subject ? subject : ""),
		.committed_us = (int64_t)git_commit_time(c) * US_PER_S,
	};
	return 0;
}

static int walk(git_repository *repo, const git_oid *base, const git_oid *head, size_t max,
		struct commit_list *l, struct error *err)
{
	CLEANUP(revwalk_p) git_revwalk *w = NULL;
	git_oid *oids = NULL, oid;
	size_t n = 0, cap = 0;
	int r = git_revwalk_new(&w, repo);

	/* Newest first, so that a range that is too long is noticed after max + 1 commits. */
	if (!r)
		r = git_revwalk_sorting(w, GIT_SORT_TOPOLOGICAL | GIT_SORT_TIME);
	if (!r)
		r = git_revwalk_push(w, head);
	if (!r)
		r = git_revwalk_hide(w, base);
	if (r)
		return range_git_failed(r, err, "walking commits");
	while (!(r = git_revwalk_next(&oid, w)) && n <= max) {
		ARRAY_RESERVE(oids, n, cap);
		oids[n++] = oid;
	}
	if (n > max)
		r = error_set(err, -E2BIG, "the range has more than %zu commits", max);
	else if (r != GIT_ITEROVER)
		r = range_git_failed(r, err, "walking commits");
	else
		r = 0;
	while (!r && n)
		r = add(repo, &oids[--n], l, err);
	free(oids);
	return r;
}

int range_walk(const char *dir, const char *base, const char *head, size_t max,
	       struct commit_list *ret, struct error *err)
{
	CLEANUP(repository_p) git_repository *repo = NULL;
	struct commit_list l = { 0 };
	git_oid ob, oh;
	int r = range_open(dir, &repo, err);

	if (!r)
		r = range_find_two(repo, base ? base : head, head, &ob, &oh, err);
	if (!r)
		r = add(repo, &ob, &l, err);
	if (!r && !git_oid_equal(&ob, &oh))
		r = walk(repo, &ob, &oh, max, &l, err);
	if (r) {
		commit_list_free(&l);
		return r;
	}
	*ret = l;
	return 0;
}

int range_ends(const char *dir, const char *base, const char *head, struct commit_list *ret,
	       struct error *err)
{
	CLEANUP(repository_p) git_repository *repo = NULL;
	struct commit_list l = { 0 };
	git_oid ob, oh;
	int r = range_open(dir, &repo, err);

	if (!r)
		r = range_find_two(repo, base, head, &ob, &oh, err);
	if (!r)
		r = add(repo, &ob, &l, err);
	if (!r)
		r = add(repo, &oh, &l, err);
	if (r) {
		commit_list_free(&l);
		return r;
	}
	*ret = l;
	return 0;
}
