/* SPDX-License-Identifier: MIT */
/*
 * sandbox: runs one command in bubblewrap, because a kernel's Makefiles are arbitrary code.
 *
 * Inside: no network, an own process namespace, a fixed host name, /usr read-only, the few files of
 * /etc that programs need to start, an empty /tmp, and what `binds` lists. No capability, no host
 * variable, no home. Memory and tasks are limited by a control group where one can be made, else
 * memory by RLIMIT_AS for each process; the first line of the output says which limits do not hold.
 * Works for root and for an ordinary user where the kernel allows user namespaces. Where it does
 * not, nothing runs.
 * Thread: the thread that calls must live as long as the command (as with proc).
 */
#ifndef FAULTLINE_AGENT_SANDBOX_H
#define FAULTLINE_AGENT_SANDBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/proc.h"

struct sandbox_bind {
	const char *host, *inside; /* absolute folders */
	bool writable;
};

struct sandbox_opts {
	const char *const *argv; /* looked up in /usr/local/bin, /usr/bin, /bin */
	const char *const *env; /* NULL-terminated "K=V", besides PATH, HOME, LC_ALL; may be NULL */
	const char *cwd; /* inside; NULL = "/" */
	const struct sandbox_bind *binds;
	int n_binds;
	int64_t memory_bytes; /* 0 = none */
	int tasks; /* processes and threads; 0 = none */
	int64_t file_bytes; /* of one file; 0 = none */
	int64_t timeout_ms; /* 0 = none: -ETIMEDOUT */
	size_t output_max_bytes; /* 0 = LIMIT_BUILD_OUTPUT_BYTES: -EFBIG */
	proc_output_fn on_output; /* may be NULL */
	proc_cancel_fn cancelled; /* may be NULL: -ECANCELED */
	void *arg;
};

struct sandbox_end {
	int status; /* as of waitpid */
	bool memory_hit, tasks_hit; /* a limit was reached */
};

/* 0 when the command ran, whatever its exit code. -EPERM when the kernel does not allow the
 * sandbox (the message says what does), -ENOENT without bwrap, -EIO when bwrap fails, and those
 * above. Nothing is left running in any case. */
must_check int sandbox_run(const struct sandbox_opts *opts, struct sandbox_end *ret,
			   struct error *err);
/* Whether a sandbox can be made here; the errors of sandbox_run(). */
must_check int sandbox_check(struct error *err);

#endif
