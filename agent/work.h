/* SPDX-License-Identifier: MIT */
/*
 * work: one claimed job through the engine and back to the server.
 * Thread: the slot that claimed the job.
 */
#ifndef FAULTLINE_AGENT_WORK_H
#define FAULTLINE_AGENT_WORK_H

#include "agent/keeper.h"

/* A build's artifact that is a program of the tree's selftests: "selftests.cow". */
#define WORK_SELFTEST "selftests."

/* What every slot shares. Borrowed strings that live as long as the agent. */
struct agent {
	const char *server; /* base URL */
	const char *token;
	const char *name, *version;
	const char *work; /* folder for everything the agent writes */
	int slots;
	int machines; /* at once, in one test job */
	enum accel accel;
	bool (*draining)(void); /* no more claims */
	bool (*giving_up)(void); /* running jobs are handed back */
};

/* Runs the job, uploads what it made and posts its result. 0 when the server has the result or the
 * lease was lost (another attempt has it then); -errno only for trouble of this host, after which
 * the job was given back. */
must_check int work_job(const struct agent *a, const struct job *job, struct error *err);

/* The two kinds; both fill *ret_doc with the body for POST …/result. */
must_check int work_build(const struct agent *a, const struct job *job, struct keeper *k,
			  struct api_conn *api, const struct engine_watch *watch,
			  struct json_object **ret_doc, struct error *err);
must_check int work_test(const struct agent *a, const struct job *job, struct api_conn *api,
			 const struct engine_watch *watch, struct json_object **ret_doc,
			 struct error *err);

#endif
