/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/kconfig.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/path.h"

static struct plan_fragment fragments[2];
static struct plan_config config = {
	.name = (char *)"default",
	.arch = (char *)"x86_64",
	.compiler = (char *)"gcc",
	.fragments = fragments,
	.n_fragments = 2,
};

static void asks_of(const char *first, const char *second, struct kconfig_asks *ret)
{
	struct error err = ERROR_INIT;

	fragments[0] = (struct plan_fragment){ (char *)"base", (char *)(uintptr_t)first };
	fragments[1] = (struct plan_fragment){ (char *)"fault", (char *)(uintptr_t)second };
	if (kconfig_asks_read(&config, ret, &err) < 0)
		fail_msg("%s", err.msg);
}

static void test_later_wins(void **state)
{
	CLEANUP(kconfig_asks_free) struct kconfig_asks a = { 0 };
	CLEANUP(free_p) char *text = NULL;

	(void)state;
	asks_of("# a comment\n\nCONFIG_KSM=y\nCONFIG_HZ=100\nCONFIG_NAME=\"a b\"  \r\n",
		"# CONFIG_KSM is not set\nCONFIG_HZ=250", &a);
	text = kconfig_asks_text(&a);
	assert_string_equal(text, "# CONFIG_KSM is not set\nCONFIG_HZ=250\nCONFIG_NAME=\"a b\"\n");
	assert_string_equal(a.items[0].fragment, "fault");
	assert_int_equal(a.items[0].line, 1);
	assert_int_equal(a.items[2].line, 5);
}

static void test_malformed_lines(void **state)
{
	static const char *const bad[] = { "KSM=y",	  "CONFIG_=y",	  "CONFIG_KSM",
					   "CONFIG_KSM=", "CONFIG_K-M=y", "$(shell id)" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		CLEANUP(free_p) char *text = xasprintf("CONFIG_A=y\n%s\n", bad[i]);
		struct kconfig_asks a = { 0 };
		struct error err = ERROR_INIT;

		fragments[0] = (struct plan_fragment){ (char *)"base", text };
		fragments[1] = (struct plan_fragment){ (char *)"fault", (char *)"" };
		assert_int_equal(kconfig_asks_read(&config, &a, &err), -EINVAL);
		assert_non_null(strstr(err.msg, "base.config line 2"));
	}
}

static void test_what_took(void **state)
{
	CLEANUP(kconfig_asks_free) struct kconfig_asks a = { 0 };
	struct diag_list errors = { 0 };
	static const char made[] = "CONFIG_KSM=y\nCONFIG_HZ=250\n# CONFIG_THP is not set\n"
				   "CONFIG_NAME=\"a b\"\nCONFIG_KSM_MORE=n\n";

	(void)state;
	asks_of("CONFIG_KSM=y\nCONFIG_HZ=250\nCONFIG_NAME=\"a b\"\n",
		"# CONFIG_THP is not set\n# CONFIG_GONE is not set\n", &a);
	kconfig_check(&a, made, NULL, &errors);
	assert_int_equal(errors.n, 0);
}

static void test_what_did_not_take(void **state)
{
	CLEANUP(kconfig_asks_free) struct kconfig_asks a = { 0 };
	struct diag_list e = { 0 };
	static const char made[] = "# CONFIG_KSM is not set\nCONFIG_HZ=100\nCONFIG_THP=y\n"
				   "CONFIG_XKSMX=y\n";

	(void)state;
	asks_of("CONFIG_KSM=y\nCONFIG_HZ=250\n",
		"CONFIG_FAIL_PAGE_ALLOC=y\n# CONFIG_THP is not set\n", &a);
	kconfig_check(&a, made, NULL, &e);
	assert_int_equal(e.n, 4);
	assert_string_equal(e.items[0].text, "fragment base.config line 1: CONFIG_KSM=y did not "
					     "take (is not set)");
	assert_string_equal(e.items[1].text, "fragment base.config line 2: CONFIG_HZ=250 did not "
					     "take (is 100)");
	assert_string_equal(e.items[2].text,
			    "fragment fault.config line 1: "
			    "CONFIG_FAIL_PAGE_ALLOC=y did not take (is not there)");
	assert_string_equal(e.items[3].text, "fragment fault.config line 2: # CONFIG_THP is not "
					     "set did not take (is y)");
	diag_list_free(&e);
}

/* ---- with a tree --------------------------------------------------------------------------- */

static char *top;

static void put(const char *rel, const char *text)
{
	CLEANUP(free_p) char *path = xasprintf("%s/%s", top, rel);
	CLEANUP(free_p) char *dir = xstrndup(path, (size_t)(strrchr(path, '/') - path));

	assert_int_equal(path_mkdirs(dir, 0755, NULL), 0);
	assert_int_equal(path_write_atomic(path, text, strlen(text), 0644, NULL), 0);
}

static int setup_tree(void **state)
{
	char dir[] = "/tmp/faultline-kconfig-XXXXXX";

	(void)state;
	top = xstrdup(mkdtemp(dir));
	put("src/Makefile", "all:\n");
	put("src/Kconfig", "source \"mm/Kconfig\"\n");
	put("src/mm/Kconfig", "config KSM_OLD\n\tbool \"old\"\n\n"
			      "menuconfig KSM\n\tbool \"merge pages\"\n\tdepends on MMU\n"
			      "\tdepends on !S390 || BIG\n\thelp\n\t  depends on nothing\n\n"
			      "config HIDDEN\n\tbool\n\n"
			      "config PLAIN\n\tbool \"plain\"\n");
	put("src/Documentation/Kconfig", "config GONE\n\tbool \"gone\"\n");
	put("obj/.config", "CONFIG_A=y\n");
	put("obj/include/config/auto.conf.cmd",
	    "deps_config := \\\n\tKconfig \\\n\tmm/Kconfig \\\n\n");
	return 0;
}

static int teardown_tree(void **state)
{
	int r = path_remove_tree(top, NULL);

	(void)state;
	free(top);
	return r;
}

static void assert_why(const char *symbol, bool want_off, const char *expect)
{
	CLEANUP(free_p) char *src = xasprintf("%s/src", top);
	CLEANUP(free_p) char *why = kconfig_why(src, symbol, want_off);

	if (!expect)
		assert_null(why);
	else
		assert_string_equal(why, expect);
}

static void test_why(void **state)
{
	(void)state;
	assert_why("CONFIG_KSM", false, "depends on MMU and depends on !S390 || BIG");
	assert_why("CONFIG_KSM", true, "something selects it");
	assert_why("CONFIG_HIDDEN", false, "cannot be chosen, only selected by others");
	assert_why("CONFIG_PLAIN", false, NULL);
	assert_why("CONFIG_GONE", false, "this tree has no such option");
}

static void stamp(char ret[HASH_HEX_MAX])
{
	CLEANUP(free_p) char *src = xasprintf("%s/src", top);
	CLEANUP(free_p) char *obj = xasprintf("%s/obj", top);

	if (!kconfig_stamp(&config, src, obj, ret))
		strcpy(ret, "none");
}

static void test_stamp(void **state)
{
	char was[HASH_HEX_MAX], now[HASH_HEX_MAX];
	CLEANUP(free_p) char *conf = xasprintf("%s/obj/.config", top);

	(void)state;
	fragments[0] = (struct plan_fragment){ (char *)"base", (char *)"CONFIG_A=y\n" };
	fragments[1] = (struct plan_fragment){ (char *)"fault", (char *)"" };
	stamp(was);
	stamp(now);
	assert_string_equal(was, now);

	put("src/mm/rmap.c", "int x;\n");
	stamp(now);
	assert_string_equal(was, now);

	put("src/mm/Kconfig", "config KSM\n");
	stamp(now);
	assert_string_not_equal(was, now);

	stamp(was);
	fragments[0].text = (char *)"CONFIG_B=y\n";
	stamp(now);
	assert_string_not_equal(was, now);

	stamp(was);
	put("obj/.config", "CONFIG_A=n\n");
	stamp(now);
	assert_string_not_equal(was, now);

	/* A build may leave a link in place of any file of its tree. */
	assert_int_equal(unlink(conf), 0);
	assert_int_equal(symlink("/etc/passwd", conf), 0);
	stamp(now);
	assert_string_equal(now, "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_later_wins),
		cmocka_unit_test(test_malformed_lines),
		cmocka_unit_test(test_what_took),
		cmocka_unit_test(test_what_did_not_take),
		cmocka_unit_test_setup_teardown(test_why, setup_tree, teardown_tree),
		cmocka_unit_test_setup_teardown(test_stamp, setup_tree, teardown_tree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
