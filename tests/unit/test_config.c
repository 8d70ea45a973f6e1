/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "server/config.h"
#include "server/outbox.h"

static void test_all_keys(void **state)
{
	static const char text[] = "; comment\n"
				   "[server]\n"
				   "listen = [::1]:9000\n"
				   "data = /var/lib/x\n"
				   "public_read = no\n"
				   "workers = 3\n"
				   "lease_seconds = 90 ; inline\n"
				   "poll_seconds = 0\n"
				   "[submit]\n"
				   "allow = https://a.example/x https://b.example\n"
				   "allow = git://c.example/\n"
				   "plan = quick\n"
				   "[export]\n"
				   "origin = my_lab\n"
				   "url = https://ci.example.org/\n"
				   "[report]\n"
				   "from = CI <ci@example.org>\n"
				   "retry_seconds = 7\n"
				   "[regressions]\n"
				   "p0 = 0.05\n"
				   "p1 = .5\n"
				   "alpha = 0.02\n"
				   "beta = 0.1\n"
				   "max_runs = 40\n"
				   "batch = 5\n"
				   "[hook]\n"
				   "timeout_seconds = 9\n"
				   "[git]\n"
				   "fsck = off\n"
				   "fetch_timeout_seconds = 5\n"
				   "[repo mm]\n"
				   "url = https://git.example.org/mm.git\n"
				   "base = master\n"
				   "branch = unstable base=master plan=thp-split\n"
				   "branch = next\n"
				   "[repo here]\n"
				   "url = /srv/linux\n"
				   "local = yes\n";
	CLEANUP(config_free_p) struct config *c = config_new();
	struct error err = ERROR_INIT;

	(void)state;
	if (config_parse(c, "t", text, &err))
		fail_msg("%s", err.msg);
	assert_string_equal(c->address, "::1");
	assert_int_equal(c->port, 9000);
	assert_string_equal(c->data, "/var/lib/x");
	assert_false(c->public_read);
	assert_true(c->confirm.p0 == 0.05 && c->confirm.p1 == 0.5);
	assert_true(c->confirm.alpha == 0.02 && c->confirm.beta == 0.1);
	assert_int_equal(c->confirm.max_runs, 40);
	assert_int_equal(c->confirm.batch, 5);
	assert_int_equal(c->workers, 3);
	assert_int_equal(c->lease_s, 90);
	assert_int_equal(c->poll_s, 0);
	assert_int_equal(c->n_allow, 3);
	assert_string_equal(c->allow[1], "https://b.example");
	assert_string_equal(c->plan, "quick");
	assert_string_equal(c->origin, "my_lab");
	assert_string_equal(c->url, "https://ci.example.org/");
	assert_string_equal(c->report_from, "CI <ci@example.org>");
	assert_int_equal(c->report_retry_s, 7);
	assert_int_equal(c->hook_timeout_s, 9);
	assert_int_equal(outbox_wait_us(c, 0), 7 * US_PER_S);
	assert_int_equal(outbox_wait_us(c, 3), 56 * US_PER_S);
	assert_int_equal(outbox_wait_us(c, 1000), 2520 * US_PER_S);
	assert_false(c->fsck);
	assert_int_equal(c->fetch_timeout_s, 5);
	assert_int_equal(c->n_repos, 2);
	assert_string_equal(c->repos[0].base, "master");
	assert_int_equal(c->repos[0].n_branches, 2);
	assert_string_equal(c->repos[0].branches[0].ref, "unstable");
	assert_string_equal(c->repos[0].branches[0].base, "master");
	assert_string_equal(c->repos[0].branches[0].plan, "thp-split");
	assert_null(c->repos[0].branches[1].base);
	assert_true(c->repos[1].local);
	assert_ptr_equal(config_repo(c, "here"), &c->repos[1]);
	assert_null(config_repo(c, "other"));
}

static void test_errors_name_the_line(void **state)
{
	static const struct {
		const char *text, *message;
	} cases[] = {
		{ "[server]\n\nnonsense = 1\n", "t:3: there is no key 'nonsense'" },
		{ "[other]\nlisten = x\n", "t:2: there is no key 'listen'" },
		{ "listen = 1:1\n", "t:1: there is no key" },
		{ "[server]\nworkers = 0\n", "t:2: '0' is not a number from 1 to 64" },
		{ "[server]\nworkers = 2x\n", "t:2: '2x' is not a number" },
		{ "[server]\npublic_read = maybe\n", "t:2: 'maybe' is neither yes nor no" },
		{ "[server]\nlisten = 8080\n", "t:2: '8080' is not ADDRESS:PORT" },
		{ "[server]\nlisten = a:99999\n", "t:2: 'a:99999' is not ADDRESS:PORT" },
		{ "[server]\nwords\n", "t:2: neither a [section] nor key = value" },
		{ "[submit]\nallow = file:///srv\n", "t:2: 'file:///srv'" },
		{ "[submit]\nplan = ../x\n", "t:2: '../x' is not a plan's name" },
		{ "[export]\norigin = My-Lab\n", "t:2: 'My-Lab' is not a name of lower-case" },
		{ "[export]\nurl = ssh://a.example\n", "t:2: 'ssh://a.example' is not an http" },
		{ "[export]\nurl = /x\n", "t:2: the address must begin with" },
		{ "[report]\nfrom = nobody\n", "t:2: 'nobody' is not 'Name <user@host>'" },
		{ "[report]\nto = a@b\n", "t:2: there is no key 'to'" },
		{ "[export]\nname = x\n", "t:2: there is no key 'name'" },
		{ "[regressions]\np0 = nan\n", "t:2: 'nan' is not a rate from 0.0001 to 0.99" },
		{ "[regressions]\np1 = 1.5\n", "t:2: '1.5' is not a rate" },
		{ "[regressions]\nalpha =\n", "t:2: '' is not a rate" },
		{ "[regressions]\nmax_runs = 5\n", "t:2: '5' is not a number from 10 to" },
		{ "[regressions]\np2 = 0.5\n", "t:2: there is no key 'p2'" },
		{ "[regressions]\np0 = 0.3\n",
		  "t: [regressions]: p0 (0.3) is not below p1 (0.25)" },
		{ "[regressions]\nalpha = 0.5\nbeta = 0.5\n", "t: [regressions]: alpha and beta" },
		{ "[regressions]\nmax_runs = 10\nbatch = 11\n", "t: [regressions]: batch (11)" },
		{ "[repo ../x]\nurl = /x\n", "t:2: '../x' is not a name" },
		{ "[repo a]\nbranch = -x\n", "t:2: this is not a valid reference" },
		{ "[repo a]\nbranch = x bse=y\n",
		  "t:2: 'bse=y' is none of base=REF, plan=NAME, mail=ADDRESS and hook=URL" },
		{ "[repo a]\nbase = a..b\n", "t:2: this is not a valid" },
		{ "[repo a]\nbase = m\n", "t: [repo a] has no url" },
		{ "[repo a]\nurl = /srv/linux\n", "t: [repo a]: '/srv/linux'" },
		{ "[repo a]\nurl = file:///srv/linux\n", "t: [repo a]: 'file:///srv/linux'" },
		{ "[repo a]\nurl = linux\nlocal = yes\n", "t: [repo a]: the url of a local" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP(config_free_p) struct config *c = config_new();
		struct error err = ERROR_INIT;

		assert_int_equal(config_parse(c, "t", cases[i].text, &err), -EINVAL);
		if (!str_starts(err.msg, cases[i].message))
			fail_msg("'%s' is not '%s'", err.msg, cases[i].message);
	}
}

static void test_long_line(void **state)
{
	CLEANUP(config_free_p) struct config *c = config_new();
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	struct error err = ERROR_INIT;

	(void)state;
	buf_str(&b, "[server]\ndata = ");
	for (int i = 0; i < 300; i++)
		buf_char(&b, 'x');
	assert_int_equal(config_parse(c, "t", buf_cstr(&b), &err), -EINVAL);
	assert_true(str_starts(err.msg, "t:2: the line is longer"));
}

static void test_missing_file(void **state)
{
	CLEANUP(config_free_p) struct config *c = config_new();

	(void)state;
	assert_int_equal(config_read(c, "/nonexistent/server.conf", NULL), -ENOENT);
}

static void test_example(void **state)
{
	CLEANUP(config_free_p) struct config *c = config_new();
	struct error err = ERROR_INIT;

	(void)state;
	if (config_read(c, "docs/server.conf.example", &err))
		fail_msg("%s", err.msg);
	assert_true(c->n_repos > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_keys),  cmocka_unit_test(test_errors_name_the_line),
		cmocka_unit_test(test_long_line), cmocka_unit_test(test_missing_file),
		cmocka_unit_test(test_example),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
