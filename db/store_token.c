/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "db/store_internal.h"
#include "lib/clock.h"

static const char *const role_names[] = {
	[ROLE_NONE] = "none",	[ROLE_READER] = "reader",
	[ROLE_AGENT] = "agent", [ROLE_MAINTAINER] = "maintainer",
	[ROLE_ADMIN] = "admin",
};

const char *role_name(enum role r)
{
	return (size_t)r < ARRAY_SIZE(role_names) ? role_names[r] : "?";
}

bool role_parse(const char *s, enum role *ret)
{
	for (size_t i = ROLE_READER; s && i < ARRAY_SIZE(role_names); i++)
		if (strcmp(s, role_names[i]) == 0) {
			*ret = (enum role)i;
			return true;
		}
	return false;
}

int store_token_add(struct store *s, const char *name, enum role role, const char *hash,
		    int64_t *ret_id, struct error *err)
{
	int r = store_insert(s, Q_TOKEN_ADD,
			     ARGS(S(name), S(role_name(role)), S(hash), I(clock_now_us())), ret_id,
			     err);

	if (r == -EEXIST)
		return error_set(err, r, "token '%s' is there already", name);
	return r < 0 ? r : 0;
}

int store_token_revoke(struct store *s, const char *name, struct error *err)
{
	int changes = 0;
	int r = store_run(s, Q_TOKEN_REVOKE, ARGS(S(name), I(clock_now_us())), &changes, err);

	if (!r && !changes)
		return error_set(err, -ENOENT, "there is no token '%s'", name);
	return r;
}

int store_token_find(struct store *s, const char *hash, int64_t *ret_id, enum role *ret_role,
		     struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	CLEANUP(query_end) struct query q = { 0 };
	enum role role = ROLE_NONE;
	int64_t id = 0;
	int r = reader_begin(&rd, s, err);

	if (!r)
		r = query_start(&q, rd.db, Q_TOKEN_FIND, ARGS(S(hash)), err);
	if (!r)
		r = query_next(&q, err);
	if (r < 0)
		return r;
	if (r == 1) {
		id = query_i64(&q, 0);
		if (!role_parse(query_text(&q, 1), &role))
			return error_set(err, -EBADMSG, "token %lld has no role", (long long)id);
	}
	*ret_id = id;
	*ret_role = role;
	return 0;
}

int store_tokens_view(struct store *s, struct json_object **ret, struct error *err)
{
	CLEANUP(reader_end) struct reader rd = { 0 };
	struct json_object *items = NULL;
	int r = reader_begin(&rd, s, err);

	if (!r)
		r = db_rows(rd.db, Q_TOKENS_VIEW, NO_ARGS, &items, err);
	if (!r)
		*ret = view_list(items);
	return r;
}
