// SPDX-License-Identifier: MIT
#include "server/api.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "lib/hash.h"
#include "lib/log.h"
#include "lib/table.h"

/* "application/json" with nothing or charset=utf-8 behind it. */
static bool is_json_type(const char *type)
{
	size_t len = strcspn(type, "; ");

	return len == strlen("application/json") && !strncasecmp(type, "application/json", len);
}

bool api_body(const struct http_req *req, struct http_res *res, struct json_object **ret_obj)
{
	const char *type = http_header(req, "Content-Type");
	struct json_object *o = NULL;
	struct error err = ERROR_INIT;
	struct jval v;

	if (!type || !is_json_type(type)) {
		http_res_problem(res, 415, "the body must be application/json");
		return false;
	}
	if (json_parse(req->body ? req->body : "", req->body_len, &o, &err)) {
		http_res_problem(res, 400, "%s", err.msg);
		return false;
	}
	v = json_root(o);
	if (json_as_obj(&v, &err)) {
		json_object_put(o);
		http_res_problem(res, 422, "%s", err.msg);
		return false;
	}
	*ret_obj = o;
	return true;
}

bool api_id(const struct http_req *req, struct http_res *res, int i, int64_t *ret_id)
{
	long long id;

	if (str_to_i64(req->params[i], 1, INT64_MAX, &id)) {
		http_res_problem(res, 404, "there is nothing at this address");
		return false;
	}
	*ret_id = id;
	return true;
}

bool api_query_i64(const struct http_req *req, struct http_res *res, const char *name, int64_t min,
		   int64_t max, int64_t *ret)
{
	struct error err = ERROR_INIT;

	if (!http_query_i64(req, name, min, max, ret, &err))
		return true;
	http_res_problem(res, 400, "%s", err.msg);
	return false;
}

void api_error(const struct http_req *req, struct http_res *res, const struct error *err)
{
	http_res_error(res, err);
	if (res->status >= 500) {
		CLEANUP(free_p) char *why = log_quote(err->msg);
		CLEANUP(free_p) char *path = log_quote(req->path);

		log_event(LOG_ERROR, "request-failed", "method=%s path=%s why=%s", req->method,
			  path, why);
	}
}

void api_link_next(struct http_res *res, struct json_object *view)
{
	struct json_object *next;
	CLEANUP(free_p) char *value = NULL;
	const char *s;

	if (!json_object_object_get_ex(view, "next", &next) ||
	    !json_object_is_type(next, json_type_string))
		return;
	s = json_object_get_string(next);
	if (strspn(s, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._-") !=
	    strlen(s))
		return;
	value = xasprintf("<?cursor=%s>; rel=\"next\"", s);
	http_res_header(res, "Link", value);
}

void api_view(const struct http_req *req, struct http_res *res, int r, struct json_object *view,
	      const struct error *err)
{
	struct json_object *items = NULL;
	bool csv = !strcmp(req->format, "csv"), txt = !strcmp(req->format, "txt");

	if (r) {
		api_error(req, res, err);
		return;
	}
	if (!json_object_object_get_ex(view, "items", &items)) {
		/* A run's or submission's results are a table too. */
		json_object_object_get_ex(view, "results", &items);
	}
	api_link_next(res, view);
	if ((csv || txt) && json_object_is_type(items, json_type_array)) {
		res->content_type = csv ? "text/csv; charset=utf-8" : "text/plain; charset=utf-8";
		if (csv)
			table_csv(items, &res->body);
		else
			table_txt(items, &res->body);
		json_object_put(view);
		return;
	}
	if (csv || !strcmp(req->format, "mbox")) {
		json_object_put(view);
		http_res_problem(res, 404,
				 csv ? "this is no table: there is no .csv of it"
				     : "there is no mail of this");
		return;
	}
	if (txt) {
		CLEANUP(free_p) char *text = json_text_pretty(view);

		res->content_type = "text/plain; charset=utf-8";
		buf_printf(&res->body, "%s\n", text);
		json_object_put(view);
		return;
	}
	http_res_json(res, 200, view);
}

void api_view_by_id(struct server *srv, const struct http_req *req, struct http_res *res,
		    int (*view)(struct store *s, int64_t id, struct json_object **ret,
				struct error *err))
{
	struct json_object *o = NULL;
	struct error err = ERROR_INIT;
	int64_t id;
	int r;

	if (!api_id(req, res, 0, &id))
		return;
	r = view(srv->store, id, &o, &err);
	api_view(req, res, r, o, &err);
}

void api_send_fresh(const struct http_req *req, struct http_res *res, const char *type)
{
	const char *have = http_header(req, "If-None-Match");
	char hash[HASH_HEX_MAX];
	CLEANUP(free_p) char *etag = NULL;

	hash_bytes(res->body.data, res->body.len, hash);
	etag = xasprintf("\"%s\"", hash);
	http_res_header(res, "ETag", etag);
	http_res_header(res, "Cache-Control", "no-cache");
	res->content_type = type;
	if (have && strstr(have, etag)) {
		buf_reset(&res->body);
		res->status = 304;
	}
}
