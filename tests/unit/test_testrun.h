/* SPDX-License-Identifier: MIT */
/*
 * What the tests of testrun_run() share: a play is one run on machines that follow a script. The
 * test program is its own QEMU: called with QEMU's arguments it plays the script
 * (tests/integration/fake_qemu.c).
 */
#ifndef FAULTLINE_TEST_TESTRUN_H
#define FAULTLINE_TEST_TESTRUN_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <dirent.h>
#include <errno.h>
#include <sys/wait.h>

#include "agent/engine.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/path.h"

int fake_qemu_main(int argc, char **argv);
#define main fake_qemu_main
#include "tests/integration/fake_qemu.c"
#undef main

#define MAX_CASES 80

static char work[256];
/* Of the machines of the next plays. */
static enum isolation isolation = ISOLATION_SHARED;
static uint64_t shuffle_seed;
static bool replay;

struct play {
	struct result_doc doc;
	struct buf log;
	int n_results; /* that on_result saw */
	int64_t cancel_at_us;
	int boot_ms; /* how long a boot may take; 0: not long */
	int64_t took_ms;
	bool keep;
	int r;
	struct error err;
};

static void on_log(void *arg, const char *data, size_t len)
{
	buf_add(&((struct play *)arg)->log, data, len);
}

static bool on_cancelled(void *arg)
{
	const struct play *p = arg;

	return p->cancel_at_us && clock_real_mono_us() > p->cancel_at_us;
}

static void on_result(void *arg, const struct result *r)
{
	(void)r;
	((struct play *)arg)->n_results++;
}

/* "split.mprotect/sweep split.munmap/none" */
static size_t parse_cases(const char *text, struct plan_case *cases)
{
	CLEANUP(free_p) char *copy = xstrdup(text);
	char *save = NULL;
	size_t n = 0;

	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
		char *fault = strchr(w, '/');
		struct error err = ERROR_INIT;

		assert_non_null(fault);
		*fault++ = '\0';
		assert_true(n < MAX_CASES);
		cases[n].scenario = xstrdup(w);
		cases[n].repeat = 1;
		assert_int_equal(fault_from_text(fault, &cases[n].fault, &err), 0);
		n++;
	}
	return n;
}

/* Nothing of ours runs, and of files only the cache and the script are there. */
static void check_clean(void)
{
	DIR *d = opendir(work);

	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	assert_non_null(d);
	for (struct dirent *e; (e = readdir(d));)
		assert_true(e->d_name[0] == '.' || strcmp(e->d_name, "cache") == 0 ||
			    strncmp(e->d_name, "script", 6) == 0);
	closedir(d);
}

static void play_at(struct play *p, const char *script, const char *text, int jobs)
{
	static int number;
	struct plan_case cases[MAX_CASES] = { 0 };
	CLEANUP(free_p) char *kernel = xasprintf("%s/script%d", work, number++);
	CLEANUP(free_p) char *full = xasprintf("#fake\n%s\n", script);
	struct engine_watch watch = { .log = on_log, .cancelled = on_cancelled, .arg = p };
	struct testrun_opts o = { .kernel = kernel,
				  .cases = cases,
				  .machine = { 2, 512 },
				  .accel = ACCEL_TCG,
				  .shuffle_seed = shuffle_seed,
				  .replay = replay,
				  .isolation = isolation,
				  .jobs = jobs,
				  .work = work,
				  .boot_timeout_ms = p->boot_ms ? p->boot_ms : 700,
				  .grace_ms = 300,
				  .watch = &watch,
				  .on_result = on_result,
				  .arg = p,
				  .keep = p->keep };
	int64_t start = clock_real_mono_us();

	assert_int_equal(path_write_atomic(kernel, full, strlen(full), 0644, NULL), 0);
	o.n_cases = parse_cases(text, cases);
	p->r = testrun_run(&o, &p->doc, &p->err);
	p->took_ms = (clock_real_mono_us() - start) / US_PER_MS;
	for (size_t i = 0; i < o.n_cases; i++)
		free(cases[i].scenario);
	if (!p->keep)
		check_clean();
}

static void play(struct play *p, const char *script, const char *text)
{
	*p = (struct play){ .r = -1 };
	play_at(p, script, text, 1);
	if (p->r < 0)
		fail_msg("%s", p->err.msg);
	assert_int_equal(p->n_results, p->doc.n_results);
}

static void play_free(struct play *p)
{
	result_doc_free(&p->doc);
	buf_free(&p->log);
}

/* "FAIL bug", for result i. */
static void expect(const struct play *p, size_t i, const char *verdict)
{
	const struct result *r = &p->doc.results[i];
	char got[100], title[100];

	assert_true(i < p->doc.n_results);
	result_title(r, title, sizeof(title));
	snprintf(got, sizeof(got), "%s%s%s", status_name(r->status), r->reason ? " " : "",
		 reason_name(r->reason));
	if (strcmp(got, verdict) != 0)
		fail_msg("%s: %s where %s was due: %s", title, got, verdict,
			 r->detail ? r->detail : "");
}

static int setup(void **state)
{
	CLEANUP(free_p) char *guest = NULL;
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(work, sizeof(work), "%s/testrun-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(work))
		return -1;
	guest = xasprintf("%s/script-guest", work);
	setenv("FAULTLINE_GUEST", guest, 1);
	setenv("FAULTLINE_QEMU", "/proc/self/exe", 1);
	return path_write_atomic(guest, "guest", 5, 0755, NULL);
}

static int teardown(void **state)
{
	(void)state;
	return path_remove_tree(work, NULL);
}

/* main() of such a test program. */
static int play_main(int argc, char **argv, const char *name, const struct CMUnitTest *tests,
		     size_t n)
{
	if (argc > 1 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-M") == 0))
		return fake_qemu_main(argc, argv);
	return _cmocka_run_group_tests(name, tests, n, setup, teardown);
}

#endif
