// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/limits.h"
#include "lib/log.h"
#include "server/api.h"
#include "server/token.h"

void api_token_add(struct server *srv, const struct http_req *req, struct http_res *res)
{
	static const char *const keys[] = { "name", "role", NULL };
	CLEANUP(json_put_p) struct json_object *o = NULL;
	CLEANUP(free_p) char *token = NULL;
	const char *name = NULL, *word = NULL;
	struct json_object *answer;
	struct error err = ERROR_INIT;
	enum role role = ROLE_NONE;
	struct jval v;
	int r;

	if (!api_body(req, res, &o))
		return;
	v = json_root(o);
	r = json_only_keys(&v, keys, &err);
	if (!r)
		r = json_get_str(&v, "name", LIMIT_NAME_LEN, &name, &err);
	if (!r)
		r = json_get_str(&v, "role", LIMIT_NAME_LEN, &word, &err);
	if (!r && (!role_parse(word, &role) || role == ROLE_NONE))
		r = error_set(&err, -EINVAL, "$.role: one of admin, maintainer, agent, reader");
	if (!r)
		r = tokens_add(srv->tokens, name, role, &token, &err);
	if (r) {
		api_error(req, res, &err);
		return;
	}
	log_event(LOG_INFO, "token-added", "name=%s role=%s by=%lld", name, role_name(role),
		  (long long)req->token_id);
	answer = json_object_new_object();
	json_object_object_add(answer, "name", json_str(name));
	json_object_object_add(answer, "role", json_str(role_name(role)));
	json_object_object_add(answer, "token", json_str(token));
	http_res_json(res, 201, answer);
	http_res_header(res, "Cache-Control", "no-store");
}

void api_tokens(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct json_object *view = NULL;
	struct error err = ERROR_INIT;
	int r = store_tokens_view(srv->store, &view, &err);

	api_view(req, res, r, view, &err);
}

void api_token_revoke(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct error err = ERROR_INIT;
	CLEANUP(free_p) char *name = NULL;

	if (tokens_revoke(srv->tokens, req->params[0], &err)) {
		api_error(req, res, &err);
		return;
	}
	name = log_quote(req->params[0]);
	log_event(LOG_INFO, "token-revoked", "name=%s by=%lld", name, (long long)req->token_id);
	res->status = 204;
}

/* The copy goes to a file without a name that ends with the answer. */
void api_backup(struct server *srv, const struct http_req *req, struct http_res *res)
{
	CLEANUP(free_p) char *dir = xasprintf("%s/backup.XXXXXX", srv->tmp_dir);
	CLEANUP(free_p) char *path = NULL;
	CLEANUP(close_p) int fd = -1;
	struct error err = ERROR_INIT;
	struct stat st = { 0 };
	int r = 0;

	if (!mkdtemp(dir))
		r = error_errno(&err, -errno, "making a folder for the copy");
	path = xasprintf("%s/faultline.db", dir);
	if (!r)
		r = store_backup(srv->store, path, &err);
	if (!r)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (!r && (fd < 0 || fstat(fd, &st)))
		r = error_errno(&err, -errno, "opening the copy");
	unlink(path);
	rmdir(dir);
	if (r) {
		api_error(req, res, &err);
		return;
	}
	res->content_type = "application/vnd.sqlite3";
	http_res_header(res, "Cache-Control", "no-store");
	http_res_header(res, "Content-Disposition", "attachment; filename=\"faultline.db\"");
	res->file_len = st.st_size;
	res->file_fd = steal_fd(&fd);
}
