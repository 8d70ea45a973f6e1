/* SPDX-License-Identifier: MIT */
#include "jobs/job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/plan_internal.h"
#include "lib/buf.h"
#include "lib/limits.h"
#include "lib/path.h"

#define TOKEN_LEN_MAX 128 /* 256 bits as hex are 64 */
#define ATTEMPT_MAX 1000 /* the cap of attempts is far below */
#define TTL_MS_MAX (24 * 3600 * 1000) /* a lease of a day is a mistake */
#define ARTIFACTS_MAX 300 /* image, symbols, configuration, and the programs of the selftests */
#define FRAGMENTS_MAX 64 /* as in a plan */
#define FRAGMENT_BYTES (256 << 10) /* as in a plan */
#define COMMIT_HEX_LEN 40

static const char *const kinds[] = { [JOB_BUILD] = "build", [JOB_TEST] = "test" };

const char *job_kind_name(enum job_kind k)
{
	return (size_t)k < ARRAY_SIZE(kinds) ? kinds[k] : "?";
}

bool job_kind_parse(const char *s, enum job_kind *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(s, kinds[i]) == 0) {
			*ret = (enum job_kind)i;
			return true;
		}
	}
	return false;
}

void job_free(struct job *j)
{
	if (!j)
		return;
	free(j->lease_token);
	free(j->git_path);
	free(j->commit);
	free(j->tree);
	plan_config_free(&j->config);
	for (size_t i = 0; i < j->n_artifacts; i++) {
		free(j->artifacts[i].name);
		free(j->artifacts[i].url);
	}
	free(j->artifacts);
	plan_cases_free(j->cases, j->n_cases);
	*j = (struct job){ 0 };
}

void build_key(const char *tree, const char *config_hash, const char *compiler, const char *arch,
	       char ret_hex[HASH_HEX_MAX])
{
	const char *const parts[] = { "build", tree, config_hash, compiler, arch, NULL };

	hash_strings(parts, ret_hex);
}

/* ---- to JSON ---------------------------------------------------------------------------- */

static struct json_object *config_to_json(const struct job *j)
{
	struct json_object *o = json_object_new_object(), *arr;

	json_object_object_add(o, "name", json_str(j->config.name));
	json_object_object_add(o, "arch", json_str(j->config.arch));
	json_object_object_add(o, "compiler", json_str(j->config.compiler));
	json_object_object_add(o, "hash", json_str(j->config.hash));
	if (j->kind != JOB_BUILD)
		return o;
	arr = json_object_new_array();
	for (size_t i = 0; i < j->config.n_fragments; i++) {
		struct json_object *f = json_object_new_object();

		json_object_object_add(f, "name", json_str(j->config.fragments[i].name));
		json_object_object_add(f, "text", json_str(j->config.fragments[i].text));
		json_object_array_add(arr, f);
	}
	json_object_object_add(o, "fragments", arr);
	return o;
}

static struct json_object *artifacts_to_json(const struct job *j)
{
	struct json_object *arr = json_object_new_array();

	for (size_t i = 0; i < j->n_artifacts; i++) {
		const struct job_artifact *a = &j->artifacts[i];
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "name", json_str(a->name));
		json_object_object_add(o, "url", json_str(a->url));
		json_object_object_add(o, "sha256", json_str(a->sha256));
		json_object_object_add(o, "size", json_object_new_int64(a->size_bytes));
		json_object_array_add(arr, o);
	}
	return arr;
}

struct json_object *job_to_json(const struct job *j)
{
	struct json_object *o = json_object_new_object(), *sub = json_object_new_object();

	json_object_object_add(o, "id", json_object_new_int64(j->id));
	json_object_object_add(o, "run", json_object_new_int64(j->run_id));
	json_object_object_add(o, "kind", json_str(job_kind_name(j->kind)));
	json_object_object_add(sub, "token", json_str(j->lease_token));
	json_object_object_add(sub, "attempt", json_object_new_int(j->attempt));
	json_object_object_add(sub, "ttl_ms", json_object_new_int64(j->lease_ttl_ms));
	json_object_object_add(o, "lease", sub);
	sub = json_object_new_object();
	json_object_object_add(sub, "git", json_str(j->git_path));
	json_object_object_add(sub, "commit", json_str(j->commit));
	json_object_object_add(sub, "tree", json_str(j->tree));
	json_object_object_add(o, "source", sub);
	json_object_object_add(o, "config", config_to_json(j));
	if (j->kind == JOB_TEST) {
		json_object_object_add(o, "artifacts", artifacts_to_json(j));
		json_object_object_add(o, "machine", plan_machine_to_json(&j->machine));
		json_object_object_add(o, "cases", plan_cases_to_json(j->cases, j->n_cases));
	}
	return o;
}

/* ---- from JSON -------------------------------------------------------------------------- */

static bool is_hex(const char *s, size_t len)
{
	return strlen(s) == len && strspn(s, "0123456789abcdef") == len;
}

static int get_hex(const struct jval *v, const char *key, size_t len, const char **ret,
		   struct error *err)
{
	const char *s;
	int r = json_get_str(v, key, HASH_HEX_LEN, &s, err);

	if (r < 0)
		return r;
	if (!is_hex(s, len))
		return error_set(err, -EINVAL, "%s.%s: is not %zu hex digits", v->path, key, len);
	*ret = s;
	return 0;
}

/* A path on the server that gave the job: never another host's, nothing for a shell or a log. */
static int get_path(const struct jval *v, const char *key, char **ret, struct error *err)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789/._+~%=-";
	const char *s;
	int r = json_get_str(v, key, LIMIT_URL_LEN, &s, err);

	if (r < 0)
		return r;
	if (s[0] != '/' || s[1] == '/' || s[strspn(s, letters)] || strstr(s, "/../"))
		return error_set(err, -EINVAL, "%s.%s: is not a path on the server", v->path, key);
	*ret = xstrdup(s);
	return 0;
}

/* The token goes into a header line. */
static int lease_from_json(const struct jval *v, struct job *j, struct error *err)
{
	static const char *const keys[] = { "token", "attempt", "ttl_ms", NULL };
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789._-";
	const char *token;
	int64_t attempt;
	struct jval sub;
	int r = json_get_obj(v, "lease", &sub, err);

	if (!r)
		r = json_only_keys(&sub, keys, err);
	if (!r)
		r = json_get_str(&sub, "token", TOKEN_LEN_MAX, &token, err);
	if (!r)
		r = json_get_i64(&sub, "attempt", 1, ATTEMPT_MAX, &attempt, err);
	if (!r)
		r = json_get_i64(&sub, "ttl_ms", 1, TTL_MS_MAX, &j->lease_ttl_ms, err);
	if (r < 0)
		return r;
	if (!*token || token[strspn(token, letters)])
		return error_set(err, -EINVAL, "%s.token: is not a token", sub.path);
	j->lease_token = xstrdup(token);
	j->attempt = (int)attempt;
	return 0;
}

static int source_from_json(const struct jval *v, struct job *j, struct error *err)
{
	static const char *const keys[] = { "git", "commit", "tree", NULL };
	const char *commit, *tree;
	struct jval sub;
	int r = json_get_obj(v, "source", &sub, err);

	if (!r)
		r = json_only_keys(&sub, keys, err);
	if (!r)
		r = get_path(&sub, "git", &j->git_path, err);
	if (!r)
		r = get_hex(&sub, "commit", COMMIT_HEX_LEN, &commit, err);
	if (!r)
		r = get_hex(&sub, "tree", COMMIT_HEX_LEN, &tree, err);
	if (r < 0)
		return r;
	j->commit = xstrdup(commit);
	j->tree = xstrdup(tree);
	return 0;
}

static int fragment_from_json(const struct jval *v, struct plan_fragment *f, struct error *err)
{
	static const char *const keys[] = { "name", "text", NULL };
	const char *name, *text;
	int r = json_as_obj(v, err);

	if (!r)
		r = json_only_keys(v, keys, err);
	if (!r)
		r = json_get_str(v, "name", LIMIT_NAME_LEN, &name, err);
	if (!r)
		r = json_get_str(v, "text", FRAGMENT_BYTES, &text, err);
	if (r < 0)
		return r;
	if (!path_name_is_safe(name))
		return error_set(err, -EINVAL, "%s.name: '%s' is not a name", v->path, name);
	*f = (struct plan_fragment){ .name = xstrdup(name), .text = xstrdup(text) };
	return 0;
}

/* The hash is recomputed: a build is stored under it, so it must be that of these texts. */
static int fragments_from_json(const struct jval *v, struct plan_config *c, struct error *err)
{
	char hash[HASH_HEX_MAX];
	struct jval arr;
	int r = json_get_arr(v, "fragments", &arr, err);

	if (r < 0)
		return r;
	if (json_arr_len(&arr) == 0 || json_arr_len(&arr) > FRAGMENTS_MAX)
		return error_set(err, -EINVAL, "%s: has %zu elements, not 1..%d", arr.path,
				 json_arr_len(&arr), FRAGMENTS_MAX);
	c->fragments = xcalloc(json_arr_len(&arr), sizeof(*c->fragments));
	for (size_t i = 0; i < json_arr_len(&arr); i++) {
		struct jval e = json_arr_at(&arr, i);

		r = fragment_from_json(&e, &c->fragments[i], err);
		if (r < 0)
			return r;
		c->n_fragments++;
	}
	plan_config_hash(c, hash);
	if (strcmp(hash, c->hash) != 0)
		return error_set(err, -EINVAL, "%s.hash: is not that of the fragments", v->path);
	return 0;
}

static int config_from_json(const struct jval *v, struct job *j, struct error *err)
{
	static const char *const keys[] = { "name", "arch", "compiler", "hash", NULL };
	static const char *const build_keys[] = { "name", "arch",      "compiler",
						  "hash", "fragments", NULL };
	const char *hash;
	struct jval sub;
	int r = json_get_obj(v, "config", &sub, err);

	if (!r)
		r = json_only_keys(&sub, j->kind == JOB_BUILD ? build_keys : keys, err);
	if (!r)
		r = plan_config_words(&sub, &j->config, err);
	if (!r)
		r = get_hex(&sub, "hash", HASH_HEX_LEN, &hash, err);
	if (r < 0)
		return r;
	memcpy(j->config.hash, hash, HASH_HEX_MAX);
	return j->kind == JOB_BUILD ? fragments_from_json(&sub, &j->config, err) : 0;
}

static int artifact_from_json(const struct jval *v, struct job_artifact *a, struct error *err)
{
	static const char *const keys[] = { "name", "url", "sha256", "size", NULL };
	const char *name, *hash;
	int r = json_as_obj(v, err);

	if (!r)
		r = json_only_keys(v, keys, err);
	if (!r)
		r = json_get_str(v, "name", LIMIT_NAME_LEN, &name, err);
	if (!r)
		r = get_hex(v, "sha256", HASH_HEX_LEN, &hash, err);
	if (!r)
		r = json_get_i64(v, "size", 0, LIMIT_ARTIFACT_BYTES, &a->size_bytes, err);
	if (!r && !path_name_is_safe(name))
		r = error_set(err, -EINVAL, "%s.name: is not a file's name", v->path);
	if (!r)
		r = get_path(v, "url", &a->url, err);
	if (r < 0)
		return r;
	a->name = xstrdup(name);
	memcpy(a->sha256, hash, HASH_HEX_MAX);
	return 0;
}

static int test_from_json(const struct jval *v, struct job *j, struct error *err)
{
	struct jval arr, sub;
	int r = json_get_arr(v, "artifacts", &arr, err);

	if (r < 0)
		return r;
	if (json_arr_len(&arr) > ARTIFACTS_MAX)
		return error_set(err, -EINVAL, "%s: more than %d artifacts", arr.path,
				 ARTIFACTS_MAX);
	if (json_arr_len(&arr))
		j->artifacts = xcalloc(json_arr_len(&arr), sizeof(*j->artifacts));
	for (size_t i = 0; i < json_arr_len(&arr); i++) {
		struct jval e = json_arr_at(&arr, i);

		r = artifact_from_json(&e, &j->artifacts[j->n_artifacts++], err);
		if (r < 0)
			return r;
	}
	r = json_get_obj(v, "machine", &sub, err);
	if (!r)
		r = plan_machine_from_json(&sub, &j->machine, err);
	if (!r)
		r = json_get_arr(v, "cases", &arr, err);
	if (!r && json_arr_len(&arr) == 0)
		r = error_set(err, -EINVAL, "%s: is empty", arr.path);
	if (!r)
		r = plan_cases_from_json(&arr, &j->cases, &j->n_cases, err);
	return r;
}

static int kind_from_json(const struct jval *v, struct job *j, struct error *err)
{
	static const char *const build_keys[] = { "id",	    "run",    "kind", "lease",
						  "source", "config", NULL };
	static const char *const test_keys[] = { "id",	   "run",    "kind",	  "lease",
						 "source", "config", "artifacts", "machine",
						 "cases",  NULL };
	const char *kind;
	int r = json_as_obj(v, err);

	if (!r)
		r = json_get_str(v, "kind", LIMIT_NAME_LEN, &kind, err);
	if (r < 0)
		return r;
	if (!job_kind_parse(kind, &j->kind))
		return error_set(err, -EINVAL, "%s.kind: '%s' is not a kind of job", v->path, kind);
	return json_only_keys(v, j->kind == JOB_BUILD ? build_keys : test_keys, err);
}

int job_from_json(const struct jval *v, struct job *ret, struct error *err)
{
	struct job j = { 0 };
	int r = kind_from_json(v, &j, err);

	if (!r)
		r = json_get_i64(v, "id", 1, INT64_MAX, &j.id, err);
	if (!r)
		r = json_get_i64(v, "run", 1, INT64_MAX, &j.run_id, err);
	if (!r)
		r = lease_from_json(v, &j, err);
	if (!r)
		r = source_from_json(v, &j, err);
	if (!r)
		r = config_from_json(v, &j, err);
	if (!r && j.kind == JOB_TEST)
		r = test_from_json(v, &j, err);
	if (r < 0) {
		job_free(&j);
		return r;
	}
	*ret = j;
	return 0;
}
