// SPDX-License-Identifier: MIT
#include "cli/kernel.h"

#include <stdio.h>

#include "agent/decode.h"
#include "cli/cli.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/proc.h"

char *kernel_commit(const char *tree)
{
	const char *const argv[] = { "git", "-C", tree, "rev-parse", "HEAD", NULL };
	const struct proc_spec spec = { .argv = argv };
	CLEANUP(buf_free) struct buf out = BUF_INIT, err_out = BUF_INIT;
	const struct proc_run_opts opts = { .timeout_ms = 10000, .out = &out, .err_out = &err_out };
	int status;

	if (proc_run(&spec, &opts, &status, NULL) || status || out.len < 40)
		return NULL;
	return xstrndup(out.data, 40);
}

static void print_build_errors(const struct build_result *b)
{
	progress_end();
	fprintf(stderr, "faultline: the kernel does not build: %s\n", b->detail ? b->detail : "");
	for (size_t i = 0; i < b->n_errors; i++)
		fprintf(stderr, "  %s\n", b->errors[i]);
}

int kernel_build(const char *work, const char *tree, const char *commit,
		 const struct plan_config *config, const struct engine_watch *watch,
		 struct kbuild_image *ret_image, struct error *err)
{
	const struct kbuild_opts opts = {
		.work = work, .source = tree, .commit = commit, .config = config, .watch = watch
	};
	struct build_result b = { 0 };
	int r = kbuild_run(&opts, &b, ret_image, err);

	if (!r && b.status != STATUS_PASS) {
		print_build_errors(&b);
		r = 1;
	}
	build_result_free(&b);
	return r;
}

void kernel_decode(struct result_doc *doc, const char *vmlinux, const char *image,
		   const char *symbols, const struct engine_watch *watch)
{
	CLEANUP(free_p) char *beside = vmlinux ? NULL : decode_find(symbols, image);
	const struct decode_opts opts = { .vmlinux = vmlinux ? vmlinux : beside,
					  .cancelled = watch->cancelled,
					  .arg = watch->arg };

	decode_doc(doc, opts.vmlinux ? &opts : NULL,
		   "there is no vmlinux beside the image: --vmlinux names it");
}
