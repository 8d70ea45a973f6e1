/* SPDX-License-Identifier: MIT */
/*
 * token: bearer tokens. A token is "fl_<role>_<64 hex digits>", 256 random bits; the store knows
 * only its keyed BLAKE2b hash, so that a copy of the database opens nothing. The key is a file of
 * the data folder, mode 0600.
 * Thread: any.
 */
#ifndef FAULTLINE_SERVER_TOKEN_H
#define FAULTLINE_SERVER_TOKEN_H

#include "db/store.h"
#include "lib/hash.h"

struct tokens;

/* Reads or makes <data>/token.key. `store` is borrowed. */
must_check int tokens_open(struct store *store, const char *data, struct tokens **ret,
			   struct error *err);
void tokens_free(struct tokens *t);

/* Makes a token; *ret_token (owned) is shown once and never again. -EEXIST for a name in use,
 * -EINVAL for a bad name or role. */
must_check int tokens_add(struct tokens *t, const char *name, enum role role, char **ret_token,
			  struct error *err);
must_check int tokens_revoke(struct tokens *t, const char *name, struct error *err);

/* An Authorization header → who it is. "Bearer TOKEN" always; "Basic" with the token as password
 * only where `reading`, because browsers send it by themselves, to other sites' requests too.
 * ROLE_NONE for anything that is not a live token. Known tokens are remembered for 10 s, so that
 * this does not wait for the database. */
must_check int tokens_authenticate(struct tokens *t, const char *header, bool reading,
				   int64_t *ret_id, enum role *ret_role, struct error *err);

/* An agent's token does not submit and a maintainer's does not claim: admin may everything, the
 * others what is their own, and read. */
bool role_may(enum role have, enum role need);

/* First start: without any token there would be no way in. Writes one for `admin` to
 * <data>/admin.token (0600) and returns 1, 0 when there are tokens. */
must_check int tokens_first(struct tokens *t, const char *data, struct error *err);

void token_hash(const unsigned char key[32], const char *token, char ret_hex[HASH_HEX_MAX]);
/* Role by the token's form alone; false when it is not of that form. */
bool token_parse(const char *token, enum role *ret);
/* The token inside an Authorization header, owned; NULL when there is none. */
char *token_from_header(const char *header, bool reading);

#endif
