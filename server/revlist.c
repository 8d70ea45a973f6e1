// SPDX-License-Identifier: MIT
#include "server/revlist.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "server/range_internal.h"

static int check_ends(git_repository *repo, const char *good, const char *bad,
		      const git_oid *good_oid, const git_oid *bad_oid, struct error *err)
{
	int r;

	if (git_oid_equal(good_oid, bad_oid))
		return error_set(err, -EINVAL, "'%s' and '%s' are the same commit", good, bad);
	r = git_graph_descendant_of(repo, bad_oid, good_oid);
	if (r < 0)
		return range_git_failed(r, err, "ancestry");
	if (!r)
		return error_set(err, -EINVAL, "'%s' is no ancestor of '%s'", good, bad);
	return 0;
}

static int add_line(git_repository *repo, const git_oid *oid, struct buf *text, struct error *err)
{
	CLEANUP(commit_p) git_commit *c = NULL;
	char sha[SHA_MAX];
	int r = git_commit_lookup(&c, repo, oid);

	if (r)
		return range_git_failed(r, err, "reading a commit");
	buf_str(text, git_oid_tostr(sha, sizeof(sha), oid));
	for (unsigned i = 0; i < git_commit_parentcount(c); i++)
		buf_printf(text, " %s",
			   git_oid_tostr(sha, sizeof(sha), git_commit_parent_id(c, i)));
	buf_char(text, '\n');
	return 0;
}

static int walk(git_repository *repo, const git_oid *good, const git_oid *bad, size_t max,
		struct buf *text, size_t *ret_n, struct error *err)
{
	CLEANUP(revwalk_p) git_revwalk *w = NULL;
	git_oid oid;
	size_t n = 0;
	int r = git_revwalk_new(&w, repo);

	if (!r)
		r = git_revwalk_sorting(w, GIT_SORT_TOPOLOGICAL | GIT_SORT_TIME);
	if (!r)
		r = git_revwalk_push(w, bad);
	if (!r)
		r = git_revwalk_hide(w, good);
	while (!r && !(r = git_revwalk_next(&oid, w))) {
		if (n == max)
			return error_set(err, -E2BIG, "more than %zu commits", max);
		r = add_line(repo, &oid, text, err);
		if (r < 0)
			return r;
		n++;
	}
	if (r != GIT_ITEROVER)
		return range_git_failed(r, err, "walking commits");
	*ret_n = n;
	return 0;
}

int revlist_read(const char *dir, const char *good, const char *bad, size_t max,
		 struct revlist *ret, struct error *err)
{
	CLEANUP(repository_p) git_repository *repo = NULL;
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	git_oid good_oid, bad_oid;
	size_t n = 0;
	int r = range_open(dir, &repo, err);

	if (r == 0)
		r = range_find_two(repo, good, bad, &good_oid, &bad_oid, err);
	if (r == 0)
		r = check_ends(repo, good, bad, &good_oid, &bad_oid, err);
	if (r == 0) {
		r = walk(repo, &good_oid, &bad_oid, max, &text, &n, err);
		if (r < 0)
			return error_wrap(err, r, "%s..%s", good, bad);
	}
	if (r < 0)
		return r;
	git_oid_tostr(ret->good, sizeof(ret->good), &good_oid);
	git_oid_tostr(ret->bad, sizeof(ret->bad), &bad_oid);
	ret->text = buf_steal(&text);
	ret->n = n;
	return 0;
}

void revlist_free(struct revlist *l)
{
	free(l->text);
	memset(l, 0, sizeof(*l));
}
