/* SPDX-License-Identifier: MIT */
/*
 * From commits and a plan to builds, tests and jobs: nothing is made twice.
 */
#include <errno.h>
#include <string.h>

#include "db/store_internal.h"
#include "lib/clock.h"

struct planning {
	int64_t id; /* of the submission */
	const struct commit_info *commits;
	size_t n_commits;
	const struct plan *plan;
	char **fragments; /* JSON, one a configuration */
	char **authors, **subjects; /* valid UTF-8 */
	char *cases, *scenarios; /* JSON */
	/* While the transaction runs. */
	struct db *db;
	int64_t now;
	int64_t *config_ids;
	int64_t case_list_id;
};

static char *fragments_text(const struct plan_config *c)
{
	CLEANUP(json_put_p) struct json_object *a = json_object_new_array();

	for (size_t i = 0; i < c->n_fragments; i++) {
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "name", json_str(c->fragments[i].name));
		json_object_object_add(o, "text", json_str(c->fragments[i].text));
		json_object_array_add(a, o);
	}
	return json_text(a);
}

static char *scenarios_text(const struct plan *p)
{
	CLEANUP(json_put_p) struct json_object *seen = json_object_new_object();
	CLEANUP(json_put_p) struct json_object *a = json_object_new_array();

	for (size_t i = 0; i < p->n_cases; i++) {
		const char *name = p->cases[i].scenario;

		if (json_object_object_get_ex(seen, name, NULL))
			continue;
		json_object_object_add(seen, name, NULL);
		json_object_array_add(a, json_str(name));
	}
	return json_text(a);
}

static void planning_make(struct planning *p)
{
	CLEANUP(json_put_p)
	struct json_object *cases = plan_cases_to_json(p->plan->cases, p->plan->n_cases);

	p->cases = json_text(cases);
	p->scenarios = scenarios_text(p->plan);
	p->config_ids = xcalloc(p->plan->n_configs + 1, sizeof(*p->config_ids));
	p->fragments = xcalloc(p->plan->n_configs + 1, sizeof(*p->fragments));
	for (size_t i = 0; i < p->plan->n_configs; i++)
		p->fragments[i] = fragments_text(&p->plan->configs[i]);
	p->authors = xcalloc(p->n_commits + 1, sizeof(*p->authors));
	p->subjects = xcalloc(p->n_commits + 1, sizeof(*p->subjects));
	for (size_t i = 0; i < p->n_commits; i++) {
		p->authors[i] = text_utf8(p->commits[i].author ? p->commits[i].author : "");
		p->subjects[i] = text_utf8(p->commits[i].subject ? p->commits[i].subject : "");
	}
}

static void planning_free(struct planning *p)
{
	for (size_t i = 0; i < p->plan->n_configs; i++)
		free(p->fragments[i]);
	for (size_t i = 0; i < p->n_commits; i++) {
		free(p->authors[i]);
		free(p->subjects[i]);
	}
	free(p->fragments);
	free(p->authors);
	free(p->subjects);
	free(p->cases);
	free(p->scenarios);
	free(p->config_ids);
}

/* Older submissions first; in one, base and head before what is between; tests before builds, so
 * that answers come early. */
static int64_t priority(const struct planning *p, size_t position, enum job_kind kind)
{
	bool end = position == 0 || position == p->n_commits - 1;

	return p->id * 4 + (end ? 0 : 2) + (kind == JOB_BUILD);
}

static int put_shared(struct planning *p, struct error *err)
{
	const struct plan *plan = p->plan;
	int r = 1;

	for (size_t i = 0; i < plan->n_configs && r == 1; i++)
		r = db_find(p->db, Q_CONFIG_PUT, ARGS(S(plan->configs[i].hash), S(p->fragments[i])),
			    &p->config_ids[i], err);
	if (r == 1)
		r = db_find(p->db, Q_CASE_LIST_PUT,
			    ARGS(S(plan->cases_hash), I(plan->machine.cpus),
				 I(plan->machine.memory_mib), S(p->cases), S(p->scenarios)),
			    &p->case_list_id, err);
	return r < 0 ? r : 0;
}

static int put_commit(struct planning *p, size_t position, int64_t *ret_id, struct error *err)
{
	const struct commit_info *c = &p->commits[position];
	int64_t id;
	int r = db_find(p->db, Q_COMMIT_PUT,
			ARGS(S(c->sha), S(c->tree), S(c->parent), S(p->authors[position]),
			     S(p->subjects[position]), I(c->committed_us)),
			&id, err);

	if (r == 1)
		r = db_run(p->db, Q_SUBMISSION_COMMIT_PUT,
			   ARGS(I(p->id), I((int64_t)position), I(id)), NULL, err);
	if (!r)
		*ret_id = id;
	return r;
}

static int put_build(struct planning *p, size_t position, int64_t commit_id, size_t config,
		     int64_t *ret_build, int64_t *ret_job, struct error *err)
{
	const struct plan_config *c = &p->plan->configs[config];
	char key[HASH_HEX_MAX];
	int revived = 0, r;

	build_key(p->commits[position].tree, c->hash, c->compiler, c->arch, key);
	r = db_find(p->db, Q_BUILD_PUT,
		    ARGS(S(key), I(p->id), I(commit_id), I(p->config_ids[config]), S(c->name),
			 S(c->arch), S(c->compiler), I(c->boot), I(p->now)),
		    ret_build, err);
	if (r == 1)
		r = db_find(p->db, Q_JOB_PUT_BUILD,
			    ARGS(I(*ret_build), I(priority(p, position, JOB_BUILD)), I(p->now)),
			    ret_job, err);
	if (r == 1)
		r = db_run(p->db, Q_JOB_REVIVE_BUILD, ARGS(I(*ret_job)), &revived, err);
	if (!r && revived)
		r = db_run(p->db, Q_BUILD_FORGET, ARGS(I(*ret_build)), NULL, err);
	if (!r && revived)
		r = job_refresh(p->db, *ret_job, err);
	return r;
}

static int put_test(struct planning *p, size_t position, int64_t build, int64_t *ret_job,
		    struct error *err)
{
	int64_t test;
	int revived = 0;
	int r = db_find(p->db, Q_TEST_PUT, ARGS(I(build), I(p->case_list_id), S(p->plan->name)),
			&test, err);

	if (r == 1)
		r = db_find(p->db, Q_JOB_PUT_TEST,
			    ARGS(I(build), I(test), I(priority(p, position, JOB_TEST)), I(p->now)),
			    ret_job, err);
	if (r == 1)
		r = db_run(p->db, Q_JOB_REVIVE_TEST, ARGS(I(*ret_job)), &revived, err);
	if (!r && revived)
		r = job_refresh(p->db, *ret_job, err);
	return r;
}

static int link_job(struct planning *p, size_t position, size_t config, int64_t job,
		    int64_t commit_id, struct error *err)
{
	return db_run(p->db, Q_SUBMISSION_JOB_PUT,
		      ARGS(I(p->id), I((int64_t)position), S(p->plan->configs[config].name), I(job),
			   I(commit_id)),
		      NULL, err);
}

static int put_position(struct planning *p, size_t position, struct error *err)
{
	int64_t commit_id = 0, build = 0, job = 0;
	int r = put_commit(p, position, &commit_id, err);

	for (size_t i = 0; i < p->plan->n_configs && !r; i++) {
		r = put_build(p, position, commit_id, i, &build, &job, err);
		if (!r)
			r = link_job(p, position, i, job, commit_id, err);
		if (r < 0 || !p->plan->configs[i].boot || !p->plan->n_cases)
			continue;
		r = put_test(p, position, build, &job, err);
		if (!r)
			r = link_job(p, position, i, job, commit_id, err);
	}
	return r;
}

static int tx_plan(struct db *db, void *arg, struct error *err)
{
	struct planning *p = arg;
	int changes = 0, r;

	p->db = db;
	p->now = clock_now_us();
	r = db_run(db, Q_SUBMISSION_PLANNED,
		   ARGS(I(p->id), S(p->commits[0].sha), S(p->commits[p->n_commits - 1].sha)),
		   &changes, err);
	if (r == -EEXIST)
		return error_set(err, r, "submission %lld: its branch has one with this head",
				 (long long)p->id);
	if (!r && !changes)
		return error_set(err, -ENOENT, "there is no submission %lld to be planned",
				 (long long)p->id);
	if (!r)
		r = put_shared(p, err);
	for (size_t i = 0; i < p->n_commits && !r; i++)
		r = put_position(p, i, err);
	if (!r)
		r = event_add(db, Q_EVENT_SUBMISSION, p->id, err);
	if (!r)
		r = submission_refresh(db, p->id, err);
	if (!r)
		db->queued = true;
	return r;
}

int store_submission_plan(struct store *s, int64_t id, const struct commit_info *commits,
			  size_t n_commits, const struct plan *plan, struct error *err)
{
	struct planning p = { .id = id, .commits = commits, .n_commits = n_commits, .plan = plan };
	int r;

	if (!n_commits || !plan->n_configs)
		return error_set(err, -EINVAL, "submission %lld: nothing to plan", (long long)id);
	planning_make(&p);
	r = store_write(s, tx_plan, &p, err);
	planning_free(&p);
	return r;
}
