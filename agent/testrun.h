/* SPDX-License-Identifier: MIT */
/*
 * testrun: the inside of testrun_run() (agent/engine.h): cases on machines.
 *
 *   testrun.c         set-up, threads, the document
 *   testrun_queue.c   which cases are waiting, who gets which
 *   testrun_order.c   which of them first
 *   testrun_worker.c  one thread: machine after machine, batch after batch
 *   testrun_point.c   one point: log out, judge, case forward
 *   testrun_boot.c    what a kernel that does not boot means for the cases
 *   testrun_isolate.c which machine a batch gets: restored, booted, or the one before
 *
 * Thread: what carries no other comment is protected by `lock`.
 * Included by testrun*.c only.
 */
#ifndef FAULTLINE_AGENT_TESTRUN_H
#define FAULTLINE_AGENT_TESTRUN_H

#include <pthread.h>

#include "agent/engine.h"
#include "agent/history.h"
#include "agent/machine.h"
#include "agent/snapshot.h"
#include "jobs/judge.h"

/* Cases in one request; the guest takes 512 (jobs/guest/request.h). */
#define BATCH_MAX 256

/* A snapshot and who uses it; the counts are protected by the run's lock. */
struct template
{
	struct snapshot *snapshot;
	int refs;
};

struct tcase {
	const struct plan_case *pcase;
	const struct scenario *scenario; /* NULL: unknown, never run */
	int64_t id;
	int next_nth; /* sweep: the point that is due */
	int64_t expected_us; /* by the history; -1 = never run */
	int64_t spent_us; /* in machines that were its own */
	int strikes; /* machines that died on it before a point came */
	const struct result *baseline; /* of a selftest; NULL: none */
	bool infra_retried; /* a point was lost to infrastructure and tried once more */
	int blind; /* points lost in a row without any injection in the log */
	bool done;
	struct result *points; /* of a sweep, in order */
	size_t n_points, cap_points;
	struct result final; /* the only result, or a sweep's closing one */
	char *line; /* of the request that is running; the worker's */
};

struct samples {
	int64_t *v;
	int n, cap;
};

struct testrun {
	const struct testrun_opts *opts;
	char *initramfs, *keep_dir;
	enum accel accel; /* KVM or TCG */
	int workers;

	pthread_mutex_t lock;
	pthread_cond_t wake; /* a case came back, or all is over */
	struct tcase *cases;
	size_t n_cases;
	bool *waiting; /* by case */
	size_t *order; /* in which they start: indices of cases */
	struct history history; /* of the thread that called testrun_run() */
	size_t n_waiting, n_running, n_done;
	int machines; /* started, of any kind */
	int machines_left; /* against endless loops */
	enum isolation isolation; /* what is really done */
	struct template *template; /* what machines are restored from; NULL = none yet */
	bool templating; /* a worker makes one */
	bool calibrating; /* a template calibrates; not once that has killed one */
	bool asked; /* a template was asked which cases do not apply */
	int bad_restores; /* in a row */
	int bad_templates; /* that were given up because of that */
	int boots, boots_ok, restores;
	int machines_lost; /* that died or had to be given up in the middle of a batch */
	struct samples boot_us; /* start → ready */
	struct samples result_us; /* start → first result, of machines that are not shared */
	char *release;
	int64_t log_size; /* bytes given to watch->log */
	bool cancelled;
};

struct worker {
	struct testrun *run;
	pthread_t thread;
	int number; /* of the machine that runs, 1.. */
	struct machine *machine; /* NULL between two */
	bool shared; /* it goes on to the next batch */
	struct tcase **batch;
	size_t n_batch;
	size_t progress; /* points of the batch's run that were handed over */
	bool boot_logged;
};

/* --- testrun_queue.c: all take the lock themselves ------------------------------------------ */

/* Waits for cases. False when all are done or the run is cancelled. */
bool queue_take(struct worker *w);
/* Gives back the batch; what is not done waits again. */
void queue_return(struct worker *w);
/* What got its verdict while it waited, waits no more. */
void queue_forget_done(struct testrun *run);
/* One more machine may be started: then it has its number and `count` of the run is one more. */
bool queue_spend_machine(struct worker *w, int *count);
bool run_is_cancelled(struct testrun *run);

/* --- testrun_order.c: before and after the workers ------------------------------------------- */

void order_setup(struct testrun *run);
/* Remembers what the cases took. */
void order_learn(struct testrun *run);

/* --- testrun_point.c ------------------------------------------------------------------------ */

/* machine_point_fn; arg is the worker. */
void point_take(void *arg, struct machine_point *p);
/* A case that never got as far as a point, in the worker's machine that ended like this. Caller
 * holds the lock. */
void point_never(struct worker *w, struct tcase *c, enum machine_end end);
/* A verdict that needs no point: `splat` may be NULL, copied. Caller holds the lock. */
void case_verdict(struct testrun *run, struct tcase *c, enum reason reason, const char *detail,
		  const struct splat *splat, int64_t log_offset, int64_t log_len);
/* Appends one piece of console under a line that names it; returns where its text begins, -1
 * when nobody takes the log or it is full. Caller holds the lock. */
int64_t log_piece(struct testrun *run, const char *title, const struct buf *text, size_t dropped);

/* --- testrun_boot.c ------------------------------------------------------------------------- */

/* Boots a machine for the worker, with one retry. False when there is none; then the batch's
 * cases (all cases, if no machine ever became ready) have their verdict. */
bool worker_boot(struct worker *w, bool snapshotable);
/* The worker's machine has said that it is ready. */
void worker_note_ready(struct worker *w);
/* What every machine of this run has in common. */
struct machine_opts worker_machine_opts(const struct worker *w);
/* Logs the boot's console once; a restored machine has none. */
void worker_log_boot(struct worker *w);

/* --- testrun_isolate.c ---------------------------------------------------------------------- */

/* A machine for the worker's batch. False when there is none (then what could be judged is, and the
 * rest waits again). */
bool worker_machine(struct worker *w);
/* A machine that brings the request for these cases, where runs are replayed. */
bool worker_replay(struct worker *w, const struct machine_case *cases);
/* After the batch: what its machine took. False when a restored one came to nothing, so that its
 * end says nothing about the case. */
bool worker_account(struct worker *w, enum machine_end end);
/* Caller holds the lock; NULL is allowed. */
void template_unref(struct template *t);
void samples_add(struct samples *s, int64_t v);
/* 0 without any. Sorts them. */
int64_t samples_median(struct samples *s);

/* --- testrun_worker.c ----------------------------------------------------------------------- */

/* The case as the next request for at most `points` of its points asks for it; the line in *out is
 * the case's. */
void worker_request_case(struct tcase *c, int points, struct machine_case *out);
void *worker_main(void *worker);
void worker_stop_machine(struct worker *w);
const char *machine_end_text(enum machine_end end);

#endif
