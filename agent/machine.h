/* SPDX-License-Identifier: MIT */
/*
 * machine: one virtual machine from its start to its end: both channels in one poll loop, every
 * wait with a deadline.
 *
 *   machine_start()  QEMU runs; restored from a snapshot it is past machine_boot()
 *   machine_boot()   the guest said it is ready
 *   machine_run()    a request and its answer, any number of times
 *   machine_free()   nothing of it is left
 *
 * Thread: one owner from start to free, because the machine dies with the thread that started it.
 */
#ifndef FAULTLINE_AGENT_MACHINE_H
#define FAULTLINE_AGENT_MACHINE_H

#include "agent/collect.h"
#include "agent/console.h"
#include "agent/qemu.h"
#include "lib/proc.h"

struct snapshot;

struct machine_opts {
	struct qemu_spec qemu; /* its role is set by machine_start() */
	bool snapshotable; /* snapshot_take() will be called */
	const struct snapshot *from; /* restored instead of booted; NULL = boots. Borrowed until
				      * machine_start() has returned */
	const char *request; /* comes with the machine instead of through its port, and is the only
			      * one: the next machine_run() must be about it. NULL = none. Borrowed until
			      * machine_start() has returned */
	int gdb_fd; /* a socket that listens, for gdb; 0 = none. Borrowed */
	int boot_timeout_ms;
	int grace_ms;
	bool (*cancelled)(void *arg); /* may be NULL */
	void *arg;
};

/* One case of a request. */
struct machine_case {
	struct collect_case expect;
	char *line; /* "case id=… …" without LF; owned by the caller */
	int deadline_ms; /* of each of its points */
};

/* A point that is over. `record.outcome` is POINT_LOST when none came. */
struct machine_point {
	struct point record;
	enum machine_end end;
	struct console_point *log; /* NULL when its mark was never seen */
};

/* Called for each point once nothing can be added to its log any more, in order; may steal the
 * record (leave it zeroed) and must not keep the log. */
typedef void (*machine_point_fn)(void *arg, struct machine_point *p);

struct machine {
	struct machine_opts opts;
	struct proc proc;
	int results_fd, console_fd, stderr_fd; /* -1 = at its end */
	int qmp_fd, ram_fd; /* of a machine that has to do with snapshots, else -1 */
	struct console console;
	struct collect collect;
	struct buf out; /* request bytes that are not sent yet */
	struct buf qemu_says; /* the first KiB of stderr */
	char *release;
	int64_t started_us, boot_us; /* monotonic; boot_us = start → ready, 0 = not ready */
	int64_t result_us; /* start → first result, 0 = none came */
	bool brought_request; /* opts.request was given */
	bool exited;
	int status; /* as of waitpid, once exited */
	char *broken_by; /* how the records broke the protocol, printable; NULL: they did not */
	/* the request that runs */
	const char *lead; /* while it learns: the lines before the cases; else NULL */
	const struct machine_case *cases;
	size_t n_cases;
	struct machine_point *points; /* those that are not closed */
	size_t n_points, cap_points;
	bool open; /* the last one has no record yet */
	bool answered, bailed;
	int64_t deadline_us;
	int64_t console_rest_us; /* the console is left alone until then */
	machine_point_fn fn;
	void *arg;
};

/* Fails only when QEMU cannot be started at all. Owned: machine_free(). */
must_check int machine_start(const struct machine_opts *opts, struct machine **ret,
			     struct error *err);
/* Not for a machine that brought its request. MACHINE_ALIVE when ready, else how it ended (then nothing runs any more). */
enum machine_end machine_boot(struct machine *m);
/* Sends a request; MACHINE_ALIVE when it is answered and the machine can take another. When the
 * guest bailed out (m->bailed) the answer is what came until then. Otherwise how it ended; the
 * point that was open has been handed over as POINT_LOST. */
enum machine_end machine_run(struct machine *m, const struct machine_case *cases, size_t n,
			     machine_point_fn fn, void *arg);
/* The request as text, as machine_run() sends it. Appends. */
void machine_request_text(const char *lead, const struct machine_case *cases, size_t n,
			  const char *verb, struct buf *out);
/* What holds for the kernel is found out once and not by every machine restored from this one: the
 * guest calibrates (`lines` are "calibrate …" lines, each with its LF; may be empty) and answers
 * those of the cases that do not apply, for which `fn` is called. Returns as machine_run(). */
enum machine_end machine_learn(struct machine *m, const char *lines,
			       const struct machine_case *cases, size_t n, machine_point_fn fn,
			       void *arg);
/* False while not one line of the answer to the first request came: then the kernel has not been
 * asked to do anything, and an end is no word about it. */
bool machine_has_answered(const struct machine *m);
/* Kills it; what it had written is read. Nothing if it has ended. */
void machine_stop(struct machine *m);
/* For machine_start() alone: the collect_fn; arg is the machine. */
void machine_record(void *arg, const struct collect_event *e);
/* Kills what still runs. NULL is allowed. */
void machine_free(struct machine *m);
static inline void machine_free_p(struct machine **m)
{
	machine_free(*m);
}

#endif
