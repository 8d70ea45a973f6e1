// SPDX-License-Identifier: MIT
/* /api/v1/openapi.json (OpenAPI 3.1), made from the route table: it cannot be out of date. */
#include <ctype.h>
#include <string.h>

#include "server/api.h"
#include "version.h"

/* "{id}" and "{path*}" in a pattern, as OpenAPI's parameters. */
static struct json_object *parameters(const char *pattern)
{
	struct json_object *list = json_object_new_array();

	for (const char *s = strchr(pattern, '{'); s; s = strchr(s + 1, '{')) {
		struct json_object *p = json_object_new_object(),
				   *schema = json_object_new_object();
		size_t len = strcspn(s + 1, "}*");
		bool id = len == 2 && !memcmp(s + 1, "id", 2);

		json_object_object_add(p, "name", json_strn(s + 1, len));
		json_object_object_add(p, "in", json_str("path"));
		json_object_object_add(p, "required", json_object_new_boolean(true));
		json_object_object_add(schema, "type", json_str(id ? "integer" : "string"));
		json_object_object_add(p, "schema", schema);
		json_object_array_add(list, p);
	}
	return list;
}

static struct json_object *described(const char *text)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "description", json_str(text));
	return o;
}

static struct json_object *responses(const struct http_route *row)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "2XX", described("Done"));
	if (row->role != ROLE_NONE) {
		json_object_object_add(o, "401", described("A token is needed"));
		json_object_object_add(o, "403", described("The token has another role"));
	}
	json_object_object_add(o, "default", described("application/problem+json (RFC 9457)"));
	return o;
}

static struct json_object *operation(const struct http_route *row)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "summary", json_str(row->summary));
	json_object_object_add(o, "parameters", parameters(row->pattern));
	json_object_object_add(o, "responses", responses(row));
	if (row->role != ROLE_NONE) {
		struct json_object *list = json_object_new_array(),
				   *need = json_object_new_object();

		json_object_object_add(need, "bearer", json_object_new_array());
		json_object_array_add(list, need);
		json_object_object_add(o, "security", list);
		json_object_object_add(o, "x-role", json_str(role_name(row->role)));
	}
	if (row->max_body_bytes)
		json_object_object_add(o, "x-max-body-bytes",
				       json_object_new_int64(row->max_body_bytes));
	return o;
}

static void add_path(struct json_object *paths, const struct http_route *row)
{
	CLEANUP(free_p) char *method = xstrdup(row->method), *path = xstrdup(row->pattern);
	char *star = strstr(path, "*}");
	struct json_object *item;

	for (char *s = method; *s; s++)
		*s = (char)tolower((unsigned char)*s);
	if (star)
		memmove(star, star + 1, strlen(star));
	if (!json_object_object_get_ex(paths, path, &item)) {
		item = json_object_new_object();
		json_object_object_add(paths, path, item);
	}
	json_object_object_add(item, method, operation(row));
}

void api_openapi(struct server *srv, const struct http_req *req, struct http_res *res)
{
	struct json_object *o = json_object_new_object(), *info = json_object_new_object();
	struct json_object *paths = json_object_new_object(), *parts = json_object_new_object();
	struct json_object *schemes = json_object_new_object(), *bearer = json_object_new_object();

	(void)srv;
	(void)req;
	json_object_object_add(info, "title", json_str("faultline"));
	json_object_object_add(info, "version", json_str(FAULTLINE_VERSION));
	json_object_object_add(bearer, "type", json_str("http"));
	json_object_object_add(bearer, "scheme", json_str("bearer"));
	json_object_object_add(schemes, "bearer", bearer);
	json_object_object_add(parts, "securitySchemes", schemes);
	for (size_t i = 0; i < http_n_routes; i++)
		add_path(paths, &http_routes[i]);
	json_object_object_add(o, "openapi", json_str("3.1.0"));
	json_object_object_add(o, "info", info);
	json_object_object_add(o, "paths", paths);
	json_object_object_add(o, "components", parts);
	http_res_json(res, 200, o);
}
