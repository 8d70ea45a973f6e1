/* SPDX-License-Identifier: MIT */
/*
 * rebuild: one kbuild_run(), for tests/bench/rebuild.sh: rebuild WORK SOURCE PLANS PLAN JOBS
 * Prints status and seconds; the build's output goes to stderr.
 */
#include <stdio.h>
#include <stdlib.h>

#include "agent/engine.h"
#include "lib/clock.h"

static void on_log(void *arg, const char *data, size_t len)
{
	(void)arg;
	(void)!fwrite(data, 1, len, stderr);
}

int main(int argc, char **argv)
{
	const struct engine_watch watch = { .log = on_log };
	struct kbuild_opts opts = { .watch = &watch };
	struct build_result result = { 0 };
	struct kbuild_image image = { 0 };
	struct error err = ERROR_INIT;
	struct plan *plan = NULL;
	int64_t start_us;
	bool passed;

	if (argc != 6) {
		fprintf(stderr, "usage: rebuild WORK SOURCE PLANS PLAN JOBS\n");
		return 64;
	}
	if (plan_load(argv[3], argv[4], &plan, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return 2;
	}
	opts.work = argv[1];
	opts.source = argv[2];
	opts.config = &plan->configs[0];
	opts.jobs = atoi(argv[5]);
	start_us = clock_real_mono_us();
	if (kbuild_run(&opts, &result, &image, &err) < 0) {
		fprintf(stderr, "%s\n", err.msg);
		return 2;
	}
	printf("%s %.2f\n", status_name(result.status),
	       (double)(clock_real_mono_us() - start_us) / US_PER_S);
	if (result.detail)
		fprintf(stderr, "%s\n", result.detail);
	passed = result.status == STATUS_PASS;
	kbuild_image_free(&image);
	build_result_free(&result);
	plan_free(plan);
	return passed ? 0 : 1;
}
