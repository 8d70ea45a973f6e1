/* SPDX-License-Identifier: MIT */
/*
 * What agents and server say to each other, a job and a build's result, on anything; what is
 * accepted must be written and read again as the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/job.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef char *(*again_fn)(const struct jval *v);

static char *text_of(struct json_object *o)
{
	char *text = json_text(o);

	json_object_put(o);
	return text;
}

static char *job_again(const struct jval *v)
{
	struct error err = ERROR_INIT;
	struct job job;
	char *text;

	if (job_from_json(v, &job, &err) < 0)
		return NULL;
	text = text_of(job_to_json(&job));
	job_free(&job);
	return text;
}

static char *build_result_again(const struct jval *v)
{
	struct build_result b = { .status = STATUS_PASS };
	struct error err = ERROR_INIT;
	char *text;

	if (build_result_from_json(v, &b, &err) < 0)
		return NULL;
	text = text_of(build_result_to_json(&b));
	build_result_free(&b);
	return text;
}

static void check(const struct jval *v, again_fn again)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	CLEANUP(free_p) char *first = again(v);
	CLEANUP(free_p) char *second = NULL;
	struct error err = ERROR_INIT;
	struct jval back;

	if (!first)
		return;
	if (json_parse(first, strlen(first), &o, &err) < 0)
		abort();
	back = json_root(o);
	second = again(&back);
	if (!second || strcmp(first, second) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct error err = ERROR_INIT;
	struct jval v;

	if (json_parse((const char *)data, size, &o, &err) < 0)
		return 0;
	v = json_root(o);
	check(&v, job_again);
	check(&v, build_result_again);
	return 0;
}
