/* SPDX-License-Identifier: MIT */
/*
 * What `faultline run` does with a kernel besides running cases on it: makes it from its tree, and
 * looks up where in that tree it failed. Thread: the main one.
 */
#ifndef FAULTLINE_CLI_KERNEL_H
#define FAULTLINE_CLI_KERNEL_H

#include "agent/engine.h"

/* HEAD of a tree that is a git checkout, for the record; NULL otherwise. Owned. */
char *kernel_commit(const char *tree);
/* Builds the tree. 1 = it does not build (the kernel's fault; said on stderr), 0 = fine, -errno. */
must_check int kernel_build(const char *work, const char *tree, const char *commit,
			    const struct plan_config *config, const struct engine_watch *watch,
			    struct kbuild_image *ret_image, struct error *err);
/* Gives the traces of failures their lines (agent/decode.h), from `vmlinux` or, when that is NULL, from
 * the file beside the image or its System.map (may be NULL). */
void kernel_decode(struct result_doc *doc, const char *vmlinux, const char *image,
		   const char *symbols, const struct engine_watch *watch);

#endif
