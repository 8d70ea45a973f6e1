/* SPDX-License-Identifier: MIT */
/*
 * test_store: a store in a temporary folder, plans, commits and answers, for the tests of db/.
 * Every test starts with an empty store.
 */
#ifndef FAULTLINE_TESTS_UNIT_TEST_STORE_H
#define FAULTLINE_TESTS_UNIT_TEST_STORE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db/store.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/path.h"

#define TTL_US (60 * US_PER_S)

/* A call that must succeed; shows the message when it does not. */
#define OK(call)                                                           \
	do {                                                               \
		err = (struct error)ERROR_INIT;                            \
		if ((call) < 0)                                            \
			fail_msg("%s: %s (%d)", #call, err.msg, err.code); \
	} while (0)

static struct store *store;
static struct error err;
static char dir[64];
static int64_t repo;

static inline int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/store-test-XXXXXX");
	if (!mkdtemp(dir) || store_open(dir, &store, &err) < 0 ||
	    store_repo_put(store, "demo", "/srv/demo.git", true, &repo, &err) < 0) {
		fprintf(stderr, "setup: %s\n", err.msg);
		return -1;
	}
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	clock_fake(0);
	store_close(store);
	store = NULL;
	return path_remove_tree(dir, &err);
}

static inline void reopen(void)
{
	store_close(store);
	OK(store_open(dir, &store, &err));
}

/* Two scenarios, one swept; configurations "default" (booted) and, if asked for, "nothp". */
static struct plan_case plan_cases[2];
static struct plan_fragment fragment = { .name = (char *)"base", .text = (char *)"CONFIG_SMP=y\n" };
static struct plan_config configs[2];
static struct plan plan;

static inline const struct plan *make_plan(size_t n_configs, const char *cases_hash)
{
	memset(plan_cases, 0, sizeof(plan_cases));
	for (int i = 0; i < 2; i++) {
		plan_cases[i].scenario = (char *)(i ? "split.munmap" : "split.mprotect");
		fault_defaults(&plan_cases[i].fault);
		plan_cases[i].fault.mode = FAULT_SWEEP;
		plan_cases[i].repeat = 1;
		configs[i] = (struct plan_config){ .name = (char *)(i ? "nothp" : "default"),
						   .arch = (char *)"x86_64",
						   .compiler = (char *)"gcc",
						   .boot = i == 0,
						   .fragments = &fragment,
						   .n_fragments = 1 };
		snprintf(configs[i].hash, sizeof(configs[i].hash), "c0nf19%d", i);
	}
	plan = (struct plan){ .name = (char *)"thp-split",
			      .summary = (char *)"",
			      .configs = configs,
			      .n_configs = n_configs,
			      .machine = { .cpus = 2, .memory_mib = 512 },
			      .cases = plan_cases,
			      .n_cases = 2 };
	snprintf(plan.cases_hash, sizeof(plan.cases_hash), "%s", cases_hash);
	return &plan;
}

/* 40 digits that end in n. */
static inline const char *sha(int n)
{
	static char text[64][41];
	char *to = text[(unsigned int)n % 64];

	snprintf(to, 41, "%040x", (unsigned int)n);
	return to;
}

static inline struct commit_info make_commit(int n)
{
	return (struct commit_info){ .sha = sha(n),
				     .tree = sha(n + 20000),
				     .parent = n ? sha(n - 1) : NULL,
				     .author = "A U Thor <a@example.org>",
				     .subject = "mm: split later",
				     .committed_us = 1700000000 * US_PER_S + n };
}

/* A planned submission of commits first .. first + n - 1. */
static inline int64_t submit(int first, int n, const struct plan *p)
{
	struct commit_info commits[16];
	int64_t id;

	for (int i = 0; i < n; i++)
		commits[i] = make_commit(first + i);
	OK(store_submission_add(store, repo, "topic", NULL, p->name, 0, &id, &err));
	OK(store_submission_plan(store, id, commits, (size_t)n, p, &err));
	return id;
}

/* A followed branch moves over commits first .. last, which is planned. */
static inline void move_branch(int64_t branch, int first, int last)
{
	struct commit_info commits[16];
	int64_t id;

	for (int i = first; i <= last; i++)
		commits[i - first] = make_commit(i);
	OK(store_branch_moved(store, branch, sha(first), sha(last), &id, &err));
	OK(store_submission_plan(store, id, commits, (size_t)(last - first + 1),
				 make_plan(1, "cases"), &err));
}

static inline enum claim claim_as(const char *name, const char *lease, struct job *ret)
{
	struct agent_info agent = {
		.name = name, .version = "1", .slots = 1, .can_build = true, .can_test = true
	};
	enum claim c;

	OK(store_claim(store, &agent, lease, TTL_US, &c, ret, &err));
	return c;
}

static inline struct job must_claim(const char *lease)
{
	struct job job;

	assert_int_equal(claim_as("agent1", lease, &job), CLAIM_JOB);
	return job;
}

static inline enum lease build_answer(int64_t job, const char *lease, enum status status,
				      enum reason reason)
{
	struct build_result b = { .status = status,
				  .reason = reason,
				  .release = (char *)"6.12.117",
				  .image = status == STATUS_PASS,
				  .detail = (char *)"said so",
				  .duration_us = 5 };
	enum lease ret;

	OK(store_build_done(store, job, lease, &b, &ret, &err));
	return ret;
}

/* One result for each of the statuses given (STATUS_COUNT ends), scenarios by turns. */
static inline void make_doc(struct result_doc *doc, const enum status *statuses)
{
	*doc = (struct result_doc){ .kernel = { .release = xstrdup("6.12.117") } };
	for (int i = 0; statuses[i] != STATUS_COUNT; i++) {
		struct result *x = result_doc_add(doc);

		result_init(x);
		x->scenario = xstrdup(i % 2 ? "split.munmap" : "split.mprotect");
		x->repeat = 1;
		x->fault.mode = FAULT_NTH;
		x->fault.nth = i + 1;
		x->status = statuses[i];
		x->reason = statuses[i] == STATUS_FAIL	  ? REASON_BUG
			    : statuses[i] == STATUS_ERROR ? REASON_INEFFECTIVE
			    : statuses[i] == STATUS_MISS  ? REASON_QEMU
			    : statuses[i] == STATUS_SKIP  ? REASON_PREDEPOSIT
							  : REASON_NONE;
		x->injected_on = 1;
		x->duration_us = 100;
	}
}

static inline enum lease test_answer(int64_t job, const char *lease, const enum status *statuses)
{
	struct result_doc doc;
	enum lease ret;

	make_doc(&doc, statuses);
	OK(store_test_done(store, job, lease, &doc, REASON_NONE, NULL, &ret, &err));
	result_doc_free(&doc);
	return ret;
}

static const enum status all_pass[] = { STATUS_PASS, STATUS_PASS, STATUS_COUNT };

/* Claims and answers until nothing is left; every build passes, every test gives `statuses`. */
static inline int drain(const enum status *statuses)
{
	struct job job;
	int n = 0;

	while (claim_as("agent1", "drain", &job) == CLAIM_JOB) {
		enum lease lease = job.kind == JOB_BUILD
					   ? build_answer(job.id, "drain", STATUS_PASS, REASON_NONE)
					   : test_answer(job.id, "drain", statuses);

		assert_int_equal(lease, LEASE_OK);
		job_free(&job);
		n++;
	}
	return n;
}

/* The value at "a.b.0.c"; fails when it is not there. NULL is null. */
static inline struct json_object *at(struct json_object *o, const char *path)
{
	CLEANUP(free_p) char *copy = xstrdup(path);
	char *save = NULL;

	for (char *key = strtok_r(copy, ".", &save); key; key = strtok_r(NULL, ".", &save)) {
		if (json_object_is_type(o, json_type_array)) {
			assert_true((size_t)atoi(key) < json_object_array_length(o));
			o = json_object_array_get_idx(o, (size_t)atoi(key));
		} else if (!json_object_object_get_ex(o, key, &o)) {
			fail_msg("'%s' of '%s' is not there", key, path);
		}
	}
	return o;
}

static inline const char *str_at(struct json_object *o, const char *path)
{
	const char *s = json_object_get_string(at(o, path));

	return s ? s : "(null)";
}

static inline int64_t int_at(struct json_object *o, const char *path)
{
	assert_true(json_object_is_type(at(o, path), json_type_int));
	return json_object_get_int64(at(o, path));
}

static inline size_t len_at(struct json_object *o, const char *path)
{
	assert_true(json_object_is_type(at(o, path), json_type_array));
	return json_object_array_length(at(o, path));
}

/* Every key of the blank-separated list is there. */
static inline void has_keys(struct json_object *o, const char *keys)
{
	CLEANUP(free_p) char *copy = xstrdup(keys);
	char *save = NULL;

	for (char *key = strtok_r(copy, " ", &save); key; key = strtok_r(NULL, " ", &save))
		(void)at(o, key);
}

static inline char *submission_state_text(int64_t id)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;

	OK(view_submission(store, id, &o, &err));
	return xstrdup(str_at(o, "state"));
}

#define assert_state(id, text)                                            \
	do {                                                              \
		CLEANUP(free_p) char *state_ = submission_state_text(id); \
		assert_string_equal(state_, text);                        \
	} while (0)

#endif
