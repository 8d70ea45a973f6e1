/* SPDX-License-Identifier: MIT */
/* tests/exchange/mail.sh has the mails read by other programs. */
#include "tests/unit/test_report.h"

static void test_crash(void **state)
{
	CLEANUP(json_put_p) struct json_object *view = load("crash");
	CLEANUP(free_p) char *text = text_of(view, &opts);

	(void)state;
	assert_has(text, "\ncommit: " CULPRIT " (\"mm: split lazily\")\n"
			 "last good commit: " PARENT " (\"mm: before\")\n");
	assert_has(text, "\n          0:14            75%             6:8  kernel BUG in "
			 "remove_migration_pte\n"
			 "          1:10           -10%             0:8  without a fault\n");
	assert_has(text, "without them 0:8 here and 1:10 on the good side.\n");
	/* Fisher's one-sided p of 6:8 against 0:14 is C(8,6) / C(22,6) */
	assert_has(text, "p = 0.00038\n");
	assert_has(text, "\n#regzbot introduced: " PARENT ".." CULPRIT "\n");
	assert_has(text, "\n| Reported-by: faultline <ci@example.org>\n"
			 "| Closes: https://ci.example.org/f/regressions/12\n");
	/* the stack on target, not the first; the check that broke, not the other */
	assert_has(text, "\n\n  should_fail_ex\n  pte_alloc_one\n  __split_huge_pmd\n\n");
	assert_lacks(text, "__pte_alloc\n");
	assert_has(text, "\n  data.pattern: byte 7 is 0\n");
	assert_lacks(text, "errno.mprotect");
	assert_has(text, "\nnr_page_table_pages            91       91      +0       91       95"
			 "      +4\n");
	assert_lacks(text, "\nsame ");
	assert_has(text, "(the kernel of commit 444444444444):\n\n  curl -fsSo bzImage "
			 "'https://ci.example.org/f/api/v1/builds/5/artifacts/bzImage' && \\\n"
			 "  faultline run --kernel bzImage");
	/* what a kernel printed is no tag of ours */
	assert_has(text, "\n  Reported-by: Nobody <n@example.org>\n  \tCall Trace:\n");
}

/* With what the build's lines gave: the kernel's own stack, and that of the failed allocation. */
static void test_decoded(void **state)
{
	static const char stack[] =
		"[{\"function\":\"pmd_lock\",\"file\":\"include/linux/mm.h\",\"line\":3088,"
		"\"inlined\":true},{\"function\":\"remove_migration_pte\",\"offset\":26,\"size\":32,"
		"\"file\":\"mm/migrate.c\\nReported-by: x\",\"line\":200}]";
	CLEANUP(json_put_p) struct json_object *view = load("crash");
	struct json_object *shown = json_object_object_get(view, "shown");
	struct json_object *infos = json_object_object_get(shown, "stack_info"), *frames = NULL;
	CLEANUP(free_p) char *text = NULL, *bare = NULL;

	(void)state;
	assert_int_equal(json_parse(stack, strlen(stack), &frames, NULL), 0);
	json_object_object_add(json_object_object_get(shown, "splat"), "stack", frames);
	json_object_object_add(json_object_array_get_idx(infos, 1), "frames",
			       json_object_get(frames));
	text = text_of(view, &opts);
	assert_has(text, "\nThe decoded stack, innermost function first:\n\n"
			 "  pmd_lock (include/linux/mm.h:3088) [inline]\n"
			 "  remove_migration_pte+0x1a/0x20 (mm/migrate.c?Reported-by: x:200)\n\n"
			 "The allocation that was made to fail, innermost function first:\n\n"
			 "  pmd_lock (include/linux/mm.h:3088) [inline]\n"
			 "  remove_migration_pte+0x1a/0x20");
	assert_lacks(text, "There are no lines");
	put(shown, "undecoded", "the build has no vmlinux.debug");
	bare = text_of(view, &opts);
	assert_has(bare, "\n\nThere are no lines: the build has no vmlinux.debug.\n\n");
}

static void test_build(void **state)
{
	CLEANUP(json_put_p) struct json_object *view = load("build");
	CLEANUP(free_p) char *text = text_of(view, &opts);

	(void)state;
	assert_has(text, "All errors (new ones prefixed by >>):\n\n"
			 ">> mm/huge_memory.c:12:3: error: unknown type name 'nope'\n\n"
			 "All warnings (new ones prefixed by >>):\n\n"
			 "   mm/x.c:20:1: warning: unused variable 'a'\n"
			 ">> mm/x.c:30:1: warning: unused variable 'b'\n");
	assert_lacks(text, "fail:runs");
	assert_has(text, "#regzbot introduced: " CULPRIT ".." BAD "\n");
	assert_has(text, "\n  git fetch https://git.example.org/mm.git " BAD " && git checkout " BAD
			 " && \\\n  faultline run --plan thp-split --config default .\n");
}

/* What is no plain word is in no command. */
static void test_build_command(void **state)
{
	static const char *const evil[] = {
		"https://x/;reboot", "$(reboot)", "a b", "--upload-pack=x", "x'y", "x\ny", ""
	};
	CLEANUP(json_put_p) struct json_object *view = load("build");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(evil); i++) {
		CLEANUP(free_p) char *text = NULL;

		put(view, "repo_url", evil[i]);
		text = text_of(view, &opts);
		assert_has(text, "\n  git checkout " BAD " && \\\n");
		assert_lacks(text, "git fetch");
	}
	for (size_t i = 0; i < ARRAY_SIZE(evil); i++) {
		CLEANUP(free_p) char *text = NULL;

		put(view, "plan", evil[i]);
		text = text_of(view, &opts);
		assert_lacks(text, "git checkout");
		assert_lacks(text, "To reproduce");
	}
}

/* Suspects instead of a culprit: nobody is named in the subject, nor written to. */
static void test_interval(void **state)
{
	CLEANUP(json_put_p) struct json_object *view = load("crash");
	struct json_object *list = json_object_new_array();
	CLEANUP(free_p) char *mail = NULL;

	(void)state;
	json_object_array_add(list, json_str(CULPRIT));
	json_object_array_add(list, json_str(BAD));
	json_object_object_add(add_change(view, "bisected"), "suspects", list);
	json_object_object_add(view, "culprit", NULL);
	mail = mail_of(view, &opts);
	assert_lacks(mail, "jane@example.org");
	assert_lacks(mail, "\nTo:");
	assert_has(mail, "  1111111111..4444444444: kernel BUG in");
	assert_has(mail, "one of these 2 commits");
	assert_has(mail, "\n  333333333333 mm: split lazily\n  444444444444 mm: head\n");
	assert_has(mail, "\nlast good commit: " GOOD);
	assert_has(mail, "\n           0:4           100%             4:4  kernel BUG");
	assert_has(mail, "#regzbot introduced: " GOOD ".." BAD "\n");
	assert_lacks(mail, "confidence");
}

/* What is not confirmed accuses nobody of having to mend it. */
static void test_unconfirmed(void **state)
{
	static const char *const states[] = { "new", "flaky", "infrastructure", "stale" };
	CLEANUP(json_put_p) struct json_object *view = load("crash");

	(void)state;
	json_object_object_add(view, "culprit", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
		CLEANUP(free_p) char *text = NULL;
		CLEANUP(free_p) char *says = xasprintf("not confirmed (state: %s).", states[i]);

		put(view, "state", states[i]);
		text = text_of(view, &opts);
		assert_has(text, says);
		assert_lacks(text, "Reported-by: faultline");
		assert_lacks(text, "#regzbot");
	}
}

static void test_fixed(void **state)
{
	CLEANUP(json_put_p) struct json_object *view = load("crash");
	struct report_opts o = opts;
	CLEANUP(free_p) char *mail = NULL;
	char first[REPORT_ID_MAX];
	CLEANUP(free_p) char *follows = NULL;
	struct json_object *e;

	(void)state;
	o.kind = REPORT_FIXED;
	put(view, "state", "fixed");
	put(view, "fixed", BAD);
	e = add_change(view, "fixed");
	json_object_object_add(e, "fails", json_object_new_int(0));
	json_object_object_add(e, "runs", json_object_new_int(14));
	report_id(view, &o, REPORT_NEW, first);
	assert_string_equal(first,
			    "regression-12-0123456789abcdef-444444444444-report@example.org");
	follows = xasprintf("\nIn-Reply-To: <%s>\nReferences: <%s>\n", first, first);
	mail = mail_of(view, &o);
	assert_has(mail, follows);
	assert_has(mail, "444444444444-fixed@example.org>\n");
	assert_has(mail, "Subject: Re: [mm:mm-unstable] [default]  3333333333: ");
	assert_has(mail, "\nfixed in: " BAD " (\"mm: head\")\nintroduced by: " CULPRIT);
	assert_has(mail, "fail:runs 0:14 there, 6:8 on 333333333333.");
	assert_has(mail, "\n#regzbot fix: " BAD "\n");
}

/* A mail's date is that of what it tells of: a later attempt at a fix, and the fix, leave the first
 * one's as it is. */
static void test_date(void **state)
{
	static const struct {
		const char *state, *at;
	} later[] = { { "bisected", "2026-11-22T00:00:00.000000Z" },
		      { "fixed", "2026-11-23T01:02:03.000000Z" } };
	CLEANUP(json_put_p) struct json_object *view = load("crash");
	struct report_opts o = opts;
	CLEANUP(free_p) char *first = mail_of(view, &opts);
	CLEANUP(free_p) char *again = NULL;
	CLEANUP(free_p) char *fixed = NULL;
	struct json_object *changes = json_object_object_get(view, "changes");

	(void)state;
	assert_has(first, "\nDate: Sat, 21 Nov 2026 16:45:56 +0000\n");
	for (size_t i = 0; i < ARRAY_SIZE(later); i++) {
		add_change(view, later[i].state);
		put(json_object_array_get_idx(changes, json_object_array_length(changes) - 1), "at",
		    later[i].at);
	}
	put(view, "state", "fixed");
	put(view, "fixed", BAD);
	again = mail_of(view, &opts);
	assert_string_equal(again, first);
	o.kind = REPORT_FIXED;
	fixed = mail_of(view, &o);
	assert_has(fixed, "\nDate: Mon, 23 Nov 2026 01:02:03 +0000\n");
}

/* Before the search has ended there is nothing to be told, but one may look. */
static void test_under_way(void **state)
{
	CLEANUP(json_put_p) struct json_object *view = load("crash");
	CLEANUP(free_p) char *mail = NULL;

	(void)state;
	json_object_array_del_idx(json_object_object_get(view, "changes"), 2, 1);
	put(view, "state", "confirmed");
	json_object_object_add(view, "culprit", NULL);
	mail = mail_of(view, &opts);
	assert_has(mail, "\nDate: Sat, 21 Nov 2026 16:10:00 +0000\n");
	assert_has(mail, "\nThe search for the first bad commit has not ended.\n");
	assert_has(mail, "| Reported-by: ");
}

static void add_case(struct json_object *view, const char *scenario, const char *mode)
{
	struct json_object *c = json_object_new_object(), *fault = json_object_new_object();

	put(c, "scenario", scenario);
	put(c, "config", "default");
	if (mode)
		put(fault, "mode", mode);
	json_object_object_add(c, "fault", fault);
	json_object_array_add(json_object_object_get(view, "cases"), c);
}

static void test_cases(void **state)
{
	CLEANUP(json_put_p) struct json_object *view = load("crash");
	CLEANUP(free_p) char *one = NULL;
	CLEANUP(free_p) char *two = NULL;
	CLEANUP(free_p) char *many = NULL;

	(void)state;
	add_case(view, "split.mprotect", "sweep");
	one = text_of(view, &opts);
	assert_lacks(one, " cases at once");
	add_case(view, "split.mun\nmap", "none");
	add_case(view, "build", NULL);
	two = text_of(view, &opts);
	assert_has(two, "\nIt began to show in 3 cases at once:\n\n"
			"  split.mprotect mode=sweep, default\n  split.mun?map mode=none, default\n"
			"  build, default\n\n");
	for (int i = 3; i < 23; i++)
		add_case(view, "split.more", "none");
	many = text_of(view, &opts);
	assert_has(many, "in 23 cases at once:");
	assert_has(many, "  split.more mode=none, default\n  and 3 more\n\n");
}

/* Without an address of the server there are no links, and nothing that needs one. */
static void test_no_links(void **state)
{
	CLEANUP(json_put_p) struct json_object *view = load("crash");
	struct report_opts o = opts;
	CLEANUP(free_p) char *text = NULL;

	(void)state;
	o.url = NULL;
	text = text_of(view, &o);
	assert_lacks(text, "Closes");
	assert_lacks(text, "curl");
	assert_lacks(text, "/results/");
	assert_has(text, "\n  faultline run --kernel bzImage");
}

/* Whatever member is missing or of another type: a report, not a crash. */
static void test_any_view(void **state)
{
	static const char *const names[] = { "crash", "build" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP(json_put_p) struct json_object *all = load(names[i]);

		json_object_object_foreach(all, key, value)
		{
			CLEANUP(json_put_p) struct json_object *view = load(names[i]);
			CLEANUP(free_p) char *lacks = NULL;
			CLEANUP(free_p) char *wrong = NULL;

			json_object_object_del(view, key);
			lacks = mail_of(view, &opts);
			assert_has(lacks, "\nSubject: ");
			if (json_object_is_type(value, json_type_array))
				put(view, key, "text");
			else
				json_object_object_add(view, key, json_object_new_array());
			wrong = mail_of(view, &opts);
			assert_has(wrong, "\nSubject: ");
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_crash),	  cmocka_unit_test(test_decoded),
		cmocka_unit_test(test_build),	  cmocka_unit_test(test_build_command),
		cmocka_unit_test(test_interval),  cmocka_unit_test(test_unconfirmed),
		cmocka_unit_test(test_fixed),	  cmocka_unit_test(test_no_links),
		cmocka_unit_test(test_any_view),  cmocka_unit_test(test_date),
		cmocka_unit_test(test_under_way), cmocka_unit_test(test_cases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
