/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/path.h"
#include "server/token.h"

static char dir[64];
static struct store *store;
static struct tokens *tokens;

static int setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "%s", "/tmp/fl-token.XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(store_open(dir, &store, NULL), 0);
	assert_int_equal(tokens_open(store, dir, &tokens, NULL), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	tokens_free(tokens);
	store_close(store);
	return path_remove_tree(dir, NULL);
}

static enum role role_of(const char *header, bool reading)
{
	enum role role = ROLE_ADMIN;
	int64_t id;

	assert_int_equal(tokens_authenticate(tokens, header, reading, &id, &role, NULL), 0);
	return role;
}

static void test_life(void **state)
{
	CLEANUP(free_p) char *token = NULL, *header = NULL;

	(void)state;
	assert_int_equal(tokens_add(tokens, "m", ROLE_MAINTAINER, &token, NULL), 0);
	assert_true(str_starts(token, "fl_maintainer_"));
	assert_int_equal(strlen(token), strlen("fl_maintainer_") + 64);
	header = xasprintf("Bearer %s", token);
	assert_int_equal(role_of(header, false), ROLE_MAINTAINER);
	assert_int_equal(role_of(header, false), ROLE_MAINTAINER); /* remembered */
	header[strlen(header) - 1] ^= 1;
	assert_int_equal(role_of(header, false), ROLE_NONE);
	header[strlen(header) - 1] ^= 1;
	assert_int_equal(tokens_revoke(tokens, "m", NULL), 0);
	assert_int_equal(role_of(header, false), ROLE_NONE);
	assert_int_equal(tokens_revoke(tokens, "nobody", NULL), -ENOENT);
}

static void test_bad_names(void **state)
{
	CLEANUP(free_p) char *token = NULL;

	(void)state;
	assert_int_equal(tokens_add(tokens, "../x", ROLE_AGENT, &token, NULL), -EINVAL);
	assert_int_equal(tokens_add(tokens, "", ROLE_AGENT, &token, NULL), -EINVAL);
	assert_int_equal(tokens_add(tokens, "x", ROLE_NONE, &token, NULL), -EINVAL);
	assert_int_equal(tokens_add(tokens, "twice", ROLE_AGENT, &token, NULL), 0);
	free(STEAL(token));
	assert_int_equal(tokens_add(tokens, "twice", ROLE_AGENT, &token, NULL), -EEXIST);
	assert_null(token);
}

static void test_headers(void **state)
{
	static const char *const bad[] = { "",		 "Bearer",
					   "Bearer ",	 "Basic !!!",
					   "Basic eDp5", "Digest x=y",
					   "fl_admin_",	 "Bearer fl_admin_zz",
					   "Bearer a b", "Basic eHk=" };
	CLEANUP(free_p) char *plain = token_from_header("Bearer   abc", false);
	CLEANUP(free_p) char *basic = token_from_header("basic eDphYmM=", true);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(role_of(bad[i], true), ROLE_NONE);
	assert_string_equal(plain, "abc");
	assert_string_equal(basic, "abc");
	/* Browsers send Basic by themselves: it must not write. */
	assert_null(token_from_header("Basic eDphYmM=", false));
}

static void test_form(void **state)
{
	static const char hex[] =
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	CLEANUP(free_p) char *good = xasprintf("fl_agent_%s", hex);
	CLEANUP(free_p) char *word = xasprintf("fl_king_%s", hex);
	CLEANUP(free_p) char *empty = xasprintf("fl__%s", hex);
	CLEANUP(free_p) char *longer = xasprintf("fl_agent_%s0", hex);
	enum role role;

	(void)state;
	assert_true(token_parse(good, &role));
	assert_int_equal(role, ROLE_AGENT);
	assert_false(token_parse(word, &role));
	assert_false(token_parse(empty, &role));
	assert_false(token_parse(longer, &role));
	assert_false(token_parse("fl_", &role));
	assert_false(token_parse(hex, &role));
}

static void test_hash_needs_the_key(void **state)
{
	unsigned char a[32] = { 1 }, b[32] = { 2 };
	char ha[HASH_HEX_MAX], hb[HASH_HEX_MAX], again[HASH_HEX_MAX];

	(void)state;
	token_hash(a, "t", ha);
	token_hash(b, "t", hb);
	token_hash(a, "t", again);
	assert_string_not_equal(ha, hb);
	assert_string_equal(ha, again);
}

static void test_roles(void **state)
{
	static const enum role all[] = { ROLE_NONE, ROLE_READER, ROLE_AGENT, ROLE_MAINTAINER,
					 ROLE_ADMIN };
	/* rows: have, columns: need, in the order of `all` */
	static const char may[5][6] = { "1....", "11...", "111..", "11.1.", "11111" };

	(void)state;
	for (int have = 0; have < 5; have++)
		for (int need = 0; need < 5; need++)
			assert_int_equal(role_may(all[have], all[need]), may[have][need] == '1');
}

static void test_first(void **state)
{
	CLEANUP(free_p) char *admin = xasprintf("%s/admin.token", dir), *header = NULL;
	CLEANUP(free_p) char *key = xasprintf("%s/token.key", dir);
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	struct stat st;

	(void)state;
	assert_int_equal(tokens_first(tokens, dir, NULL), 1);
	assert_int_equal(tokens_first(tokens, dir, NULL), 0);
	assert_int_equal(stat(admin, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(stat(key, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(path_read(admin, 1000, &text, NULL), 0);
	assert_int_equal(text.data[text.len - 1], '\n');
	text.data[text.len - 1] = 0;
	header = xasprintf("Bearer %s", text.data);
	assert_int_equal(role_of(header, false), ROLE_ADMIN);
	/* A revoked token must not bring a new admin. */
	assert_int_equal(tokens_revoke(tokens, "admin", NULL), 0);
	assert_int_equal(tokens_first(tokens, dir, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_life, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_headers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_first, setup, teardown),
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_hash_needs_the_key),
		cmocka_unit_test(test_roles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
