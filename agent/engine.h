/* SPDX-License-Identifier: MIT */
/*
 * engine: what agent and command line share. claim → build → boot → inject → collect → judge.
 *
 *   source  checkout of one commit into a reused tree      agent/source.c
 *   kbuild  configuration and build in a sandbox           agent/kconfig.c kbuild.c sandbox.c
 *   testrun cases on machines, crash → new machine         agent/testrun.c machine.c qemu.c
 *   console cut into points, splats, injection stacks      agent/console.c splat.c inject.c
 *   collect guest records (KTAP + JSON)                    agent/collect.c
 *
 * Nothing here knows a server. Every long call takes an `engine_watch`: where progress and log
 * bytes go and how it is told to stop (then the call returns -ECANCELED, with nothing left
 * running and no temporary files).
 * Thread: calls may run in parallel in different threads when their work folders differ.
 */
#ifndef FAULTLINE_AGENT_ENGINE_H
#define FAULTLINE_AGENT_ENGINE_H

#include "jobs/job.h"
#include "jobs/result.h"

enum engine_phase {
	PHASE_FETCH,
	PHASE_CHECKOUT,
	PHASE_CONFIG,
	PHASE_BUILD,
	PHASE_BOOT,
	PHASE_CASES,
	PHASE_COUNT
};

const char *engine_phase_name(enum engine_phase p);

struct engine_watch {
	/* done of total (total 0 = unknown); `what` is one line: a file, a case title. */
	void (*progress)(void *arg, enum engine_phase phase, int done, int total, const char *what);
	/* Build output, or the machines' consoles; never called by two threads at once. */
	void (*log)(void *arg, const char *data, size_t len);
	bool (*cancelled)(void *arg);
	void *arg;
}; /* every member may be NULL */

/* --- source ------------------------------------------------------------------------------ */

/* Brings `commit` (40 hex) of `git_url` into the tree <work>/src, reusing objects in
 * <work>/git and the files that are there: only what differs is written, so that make rebuilds
 * only that. git runs with an allow-list of protocols (http, https; file only with
 * `allow_local`), no prompts, no hooks, no attributes filters, a deadline, its own process group.
 * `token` (may be NULL) goes along as a bearer token.
 * -ENOENT when the commit is not there, -EIO when git fails (message quotes it), -ENOSPC. */
must_check int source_checkout(const char *work, const char *git_url, const char *token,
			       bool allow_local, const char *commit,
			       const struct engine_watch *watch, char **ret_dir, struct error *err);

/* --- kbuild ------------------------------------------------------------------------------ */

struct kbuild_opts {
	const char *work; /* <work>/obj/<config name>: reused build trees; <work>/ccache */
	const char *source; /* kernel tree, mounted read-only */
	const char *commit; /* for LOCALVERSION-free, reproducible builds; may be NULL */
	const struct plan_config *config; /* with fragments */
	int jobs; /* make -j; 0 = CPUs */
	int64_t memory_bytes; /* 0 = 6 GiB, for the whole build where cgroups allow, else per
			       * process */
	int64_t timeout_ms; /* 0 = 60 min */
	const struct engine_watch *watch;
};

/* Files of a finished build; owned paths inside the build tree. */
struct kbuild_image {
	char *kernel; /* bzImage; NULL for a configuration that is not booted */
	char *symbols; /* System.map */
	char *config; /* the .config that resulted */
	char *debug; /* symbols and lines of it, an ELF file; NULL when there are none */
};

/* 0 with *ret filled, also when the kernel does not configure or compile (status FAIL, errors
 * listed; "option X asked for y, got n" for fragments that did not take). Negative only for
 * trouble of the host: -ENOSPC, -ECANCELED, -ETIMEDOUT, -EIO. */
must_check int kbuild_run(const struct kbuild_opts *opts, struct build_result *ret,
			  struct kbuild_image *ret_image, struct error *err);
void kbuild_image_free(struct kbuild_image *i);

/* --- test runs --------------------------------------------------------------------------- */

enum accel { ACCEL_AUTO, ACCEL_KVM, ACCEL_TCG };

const char *accel_name(enum accel a);
bool accel_parse(const char *s, enum accel *ret);
/* ACCEL_AUTO decided: opens /dev/kvm, then boots `kernel` under KVM with a deadline of a few
 * seconds until the guest's first console byte; remembers the answer in `<cache_dir>/kvm` keyed by host
 * boot id, QEMU version and machine, so that it costs seconds once. */
must_check int accel_resolve(enum accel asked, const char *kernel, const char *cache_dir,
			     enum accel *ret, struct error *err);

/* What one case may see of another. */
enum isolation {
	ISOLATION_SNAPSHOT, /* a machine for every point, restored from one that waits */
	ISOLATION_COLD, /* a machine for every point, booted */
	ISOLATION_SHARED /* one machine for as many cases as it survives */
};

const char *isolation_name(enum isolation i);
bool isolation_parse(const char *s, enum isolation *ret);

struct selftests; /* agent/selftests.h */

struct testrun_opts {
	const char *kernel; /* bzImage */
	const char *symbols; /* System.map, recorded in repro; may be NULL */
	const char *commit, *tree, *config_hash; /* recorded; may be NULL */
	const char *config_name; /* recorded in each result; may be NULL */
	const struct plan_case *cases;
	size_t n_cases;
	struct plan_machine machine;
	const struct selftests *selftests; /* programs for selftests.*; NULL: none */
	const struct result_doc *baseline; /* what selftests.* are compared with; NULL: nothing */
	enum accel accel;
	uint64_t shuffle_seed; /* 0 = longest first; else the order is drawn from it, up to
				* INT64_MAX */
	bool replay; /* every machine does always the same: booted cold, with its request on
		      * board, time counted in instructions. TCG only */
	int gdb_fd; /* a listening socket: machines wait for gdb, for ever; 0 = none. Borrowed */
	enum isolation isolation; /* snapshot falls back to shared where none can be taken */
	int jobs; /* machines at once; 0 = CPUs */
	const char *work; /* temporary files below <work>/run-XXXXXX, removed unless keep */
	bool keep;
	const char *repro_prefix; /* "faultline run --kernel X": start of each result's repro;
				   * NULL builds it from `kernel` */
	int boot_timeout_ms; /* 0 = 60 s; one retry, then MISS boot_host, unless the console shows
			      * a splat or panic: then FAIL with it */
	int grace_ms; /* 0 = 10 s: added to a case's own deadline before the machine is given up */
	const struct engine_watch *watch;
	/* Called once for each finished result, in order of finishing; borrowed. May be NULL. */
	void (*on_result)(void *arg, const struct result *r);
	void *arg;
};

/* Runs the cases on as many machines as it takes; a crash costs one machine and one point. Every case yields at least one result, whatever happens. *ret_doc's
 * results are in the order of the cases (sweep points by n, closing one last). Fails only for
 * trouble that makes every case impossible (no QEMU, no kernel file, no disk): then nothing ran. */
must_check int testrun_run(const struct testrun_opts *opts, struct result_doc *ret_doc,
			   struct error *err);

#endif
