/* SPDX-License-Identifier: MIT */
/*
 * job: what an agent claims, as the API carries it (POST /api/v1/jobs/claim).
 *
 * build: {"id":1,"run":1,"kind":"build","lease":{"token":"…","attempt":1,"ttl_ms":60000},
 *   "source":{"git":"/git/demo.git","commit":"…","tree":"…"},
 *   "config":{"name":"default","arch":"x86_64","compiler":"gcc","hash":"…",
 *             "fragments":[{"name":"base","text":"…"}]}}
 * test: {…,"kind":"test","source":{…},"config":{"name","arch","compiler","hash"},
 *   "artifacts":[{"name":"bzImage","url":"/api/v1/builds/3/artifacts/bzImage","sha256":"…",
 *                 "size":1}], "machine":{"cpus":2,"memory_mib":512},"cases":[{"scenario":"…",
 *                 "fault":{…},"repeat":1}]}
 *
 * Answers, all with the lease token in the header `Faultline-Lease`:
 *   POST /jobs/{id}/heartbeat            {"progress":{"phase":"build","done":3,"total":9}} → 200
 *                                        {"ttl_ms":60000} | 409 lease lost
 *   POST /jobs/{id}/log?offset=N         raw bytes appended at N → {"size":M}; an offset beyond
 *                                        the size is 416 with the size; overlap is skipped
 *   PUT  /jobs/{id}/artifacts/{name}     raw bytes, header `Faultline-SHA256` → 201
 *   POST /jobs/{id}/result               the document below → 200
 * build result: {"version":1,"kind":"build","status":"PASS"|"FAIL"|"MISS","reason":"build",
 *   "release":"6.12.117","warnings":["file:line: …"],"errors":["…"],"detail":"…",
 *   "duration_us":N,"image":true}
 * test result: {"version":1,"kind":"test","document":<result document>} or
 *   {"version":1,"kind":"test","status":"MISS","reason":"qemu","detail":"…"}
 * Thread: any.
 */
#ifndef FAULTLINE_JOBS_JOB_H
#define FAULTLINE_JOBS_JOB_H

#include "jobs/plan.h"
#include "jobs/verdict.h"

enum job_kind { JOB_BUILD, JOB_TEST };

const char *job_kind_name(enum job_kind k);
bool job_kind_parse(const char *s, enum job_kind *ret);

struct job_artifact {
	char *name, *url;
	char sha256[HASH_HEX_MAX];
	int64_t size_bytes;
};

struct job {
	int64_t id;
	int64_t run_id;
	enum job_kind kind;
	char *lease_token;
	int attempt;
	int64_t lease_ttl_ms;
	char *git_path; /* "/git/demo.git" on the server that gave the job */
	char *commit, *tree; /* 40 hex digits */
	struct plan_config config; /* fragments only for builds */
	struct job_artifact *artifacts;
	size_t n_artifacts;
	struct plan_machine machine;
	struct plan_case *cases;
	size_t n_cases;
};

struct json_object *job_to_json(const struct job *j);
must_check int job_from_json(const struct jval *v, struct job *ret, struct error *err);
void job_free(struct job *j);

/* The content address of a build: tree, config hash, compiler, arch. */
void build_key(const char *tree, const char *config_hash, const char *compiler, const char *arch,
	       char ret_hex[HASH_HEX_MAX]);

/* Outcome of a build, both directions of the API. Owned pointers. */
struct build_result {
	enum status status; /* PASS, FAIL (does not compile or configure), MISS */
	enum reason reason; /* build, kconfig is FAIL/build with detail; disk, agent for MISS */
	char *release;
	char *detail;
	char **warnings;
	size_t n_warnings; /* capped at 200 */
	char **errors;
	size_t n_errors; /* capped at 200 */
	bool image; /* a bootable image was made */
	int64_t duration_us;
};

void build_result_free(struct build_result *b);
struct json_object *build_result_to_json(const struct build_result *b);
must_check int build_result_from_json(const struct jval *v, struct build_result *ret,
				      struct error *err);

#endif
