// SPDX-License-Identifier: MIT
#include "server/token.h"

#include <errno.h>
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/limits.h"
#include "lib/path.h"

#define KEY_BYTES 32
#define TOKEN_BYTES 32
#define CACHE_SLOTS 256 /* more live tokens than this cost a read each */
#define CACHE_US (10 * US_PER_S)

struct known {
	char hash[HASH_HEX_MAX];
	int64_t id;
	enum role role;
	int64_t until_us;
};

struct tokens {
	struct store *store;
	unsigned char key[KEY_BYTES];
	pthread_mutex_t lock;
	unsigned generation;
	struct known cache[CACHE_SLOTS];
};

void token_hash(const unsigned char key[32], const char *token, char ret_hex[HASH_HEX_MAX])
{
	unsigned char sum[32];

	crypto_generichash(sum, sizeof(sum), (const unsigned char *)token, strlen(token), key,
			   KEY_BYTES);
	sodium_bin2hex(ret_hex, HASH_HEX_MAX, sum, sizeof(sum));
}

bool token_parse(const char *token, enum role *ret)
{
	CLEANUP(free_p) char *name = NULL;
	const char *sep = strrchr(token, '_');

	if (strncmp(token, "fl_", 3) || sep < token + 4 || strlen(sep + 1) != 2 * TOKEN_BYTES ||
	    strspn(sep + 1, "0123456789abcdef") != 2 * TOKEN_BYTES)
		return false;
	name = xstrndup(token + 3, (size_t)(sep - token - 3));
	return role_parse(name, ret);
}

static int load_key(const char *data, unsigned char key[KEY_BYTES], struct error *err)
{
	CLEANUP(free_p) char *path = xasprintf("%s/token.key", data);
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	int r;

	if (!path_exists(path)) {
		randombytes_buf(key, KEY_BYTES);
		return path_write_atomic(path, key, KEY_BYTES, 0600, err);
	}
	r = path_read(path, KEY_BYTES, &b, err);
	if (r)
		return r;
	if (b.len != KEY_BYTES)
		return error_set(err, -EINVAL, "%s has not %d bytes", path, KEY_BYTES);
	memcpy(key, b.data, KEY_BYTES);
	sodium_memzero(b.data, b.len);
	return 0;
}

int tokens_open(struct store *store, const char *data, struct tokens **ret, struct error *err)
{
	struct tokens *t = xcalloc(1, sizeof(*t));
	int r = sodium_init() < 0 ? error_set(err, -EIO, "libsodium does not start")
				  : load_key(data, t->key, err);

	if (r) {
		free(t);
		return error_wrap(err, r, "token key");
	}
	t->store = store;
	pthread_mutex_init(&t->lock, NULL);
	*ret = t;
	return 0;
}

void tokens_free(struct tokens *t)
{
	if (!t)
		return;
	pthread_mutex_destroy(&t->lock);
	sodium_memzero(t, sizeof(*t));
	free(t);
}

int tokens_add(struct tokens *t, const char *name, enum role role, char **ret_token,
	       struct error *err)
{
	CLEANUP(free_p) char *hex = NULL;
	CLEANUP(free_p) char *token = NULL;
	char hash[HASH_HEX_MAX];
	int64_t id;
	int r;

	if (!path_name_is_safe(name) || strlen(name) > LIMIT_NAME_LEN)
		return error_set(err, -EINVAL,
				 "a token's name is made of letters, digits and ._+-");
	if (role == ROLE_NONE)
		return error_set(err, -EINVAL,
				 "a token has one of the roles admin, maintainer, agent, reader");
	hex = hash_random_hex(TOKEN_BYTES);
	token = xasprintf("fl_%s_%s", role_name(role), hex);
	token_hash(t->key, token, hash);
	r = store_token_add(t->store, name, role, hash, &id, err);
	if (!r)
		*ret_token = STEAL(token);
	return r;
}

int tokens_revoke(struct tokens *t, const char *name, struct error *err)
{
	int r = store_token_revoke(t->store, name, err);

	if (r)
		return r;
	pthread_mutex_lock(&t->lock);
	t->generation++;
	memset(t->cache, 0, sizeof(t->cache));
	pthread_mutex_unlock(&t->lock);
	return 0;
}

static struct known *slot_of(struct tokens *t, const char *hash)
{
	char head[3] = { hash[0], hash[1], 0 };

	return &t->cache[strtoul(head, NULL, 16) % CACHE_SLOTS];
}

static int lookup(struct tokens *t, const char *hash, int64_t *ret_id, enum role *ret_role,
		  struct error *err)
{
	struct known *k = slot_of(t, hash), found = { 0 };
	unsigned generation;
	int64_t now = clock_mono_us();
	bool hit;
	int r;

	pthread_mutex_lock(&t->lock);
	generation = t->generation;
	hit = k->until_us > now && !sodium_memcmp(k->hash, hash, HASH_HEX_LEN);
	if (hit)
		found = *k;
	pthread_mutex_unlock(&t->lock);
	if (!hit) {
		r = store_token_find(t->store, hash, &found.id, &found.role, err);
		if (r)
			return r;
		snprintf(found.hash, sizeof(found.hash), "%s", hash);
		found.until_us = now + CACHE_US;
		pthread_mutex_lock(&t->lock);
		/* What was revoked while we looked is not to be remembered. */
		if (found.role != ROLE_NONE && generation == t->generation)
			*k = found;
		pthread_mutex_unlock(&t->lock);
	}
	*ret_id = found.role == ROLE_NONE ? 0 : found.id;
	*ret_role = found.role;
	return 0;
}

static char *basic_password(const char *encoded)
{
	char plain[512];
	size_t len;
	char *colon;

	if (sodium_base642bin((unsigned char *)plain, sizeof(plain) - 1, encoded, strlen(encoded),
			      NULL, &len, NULL, sodium_base64_VARIANT_ORIGINAL))
		return NULL;
	plain[len] = 0;
	colon = strchr(plain, ':');
	return colon ? xstrdup(colon + 1) : NULL;
}

char *token_from_header(const char *header, bool reading)
{
	if (!strncasecmp(header, "Bearer ", 7))
		return xstrdup(header + 7 + strspn(header + 7, " "));
	if (reading && !strncasecmp(header, "Basic ", 6))
		return basic_password(header + 6 + strspn(header + 6, " "));
	return NULL;
}

int tokens_authenticate(struct tokens *t, const char *header, bool reading, int64_t *ret_id,
			enum role *ret_role, struct error *err)
{
	CLEANUP(free_p) char *token = token_from_header(header, reading);
	char hash[HASH_HEX_MAX];
	enum role role;

	if (!token || !token_parse(token, &role)) {
		*ret_id = 0;
		*ret_role = ROLE_NONE;
		return 0;
	}
	token_hash(t->key, token, hash);
	return lookup(t, hash, ret_id, ret_role, err);
}

bool role_may(enum role have, enum role need)
{
	if (need == ROLE_NONE || have == ROLE_ADMIN || have == need)
		return true;
	return need == ROLE_READER && have != ROLE_NONE;
}

int tokens_first(struct tokens *t, const char *data, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *view = NULL;
	CLEANUP(free_p) char *path = xasprintf("%s/admin.token", data);
	CLEANUP(free_p) char *token = NULL, *line = NULL;
	struct json_object *items;
	int r = store_tokens_view(t->store, &view, err);

	if (r)
		return r;
	/* Any token that was ever there counts: a revoked one must not bring a new admin. */
	items = view;
	if (json_object_is_type(view, json_type_object))
		json_object_object_get_ex(view, "items", &items);
	if (json_object_is_type(items, json_type_array) && json_object_array_length(items))
		return 0;
	r = tokens_add(t, "admin", ROLE_ADMIN, &token, err);
	if (r)
		return r;
	line = xasprintf("%s\n", token);
	r = path_write_atomic(path, line, strlen(line), 0600, err);
	return r ? r : 1;
}
