/* SPDX-License-Identifier: MIT */
/*
 * judge: facts in, verdict out. Pure functions; the heart of the service.
 *
 * A point is one injection into one fixture (docs/guest-protocol.md). What the guest reported
 * (or did not live to report), how the machine ended, what the kernel log holds and which stacks
 * were injected into come together here and nowhere else. docs/verdicts.md explains the rules.
 * Thread: any.
 */
#ifndef FAULTLINE_JOBS_JUDGE_H
#define FAULTLINE_JOBS_JUDGE_H

#include "jobs/result.h"
#include "jobs/scenario.h"

enum point_outcome {
	POINT_LOST, /* the machine ended before the record came */
	POINT_DONE,
	POINT_SKIP,
	POINT_TIMEOUT,
	POINT_SIGNAL, /* the scenario process was killed by a signal that it did not expect */
	POINT_EXIT /* the scenario process ended early */
};

/* The guest's record. Owned pointers; point_free(). */
struct point {
	int64_t id;
	int nth;
	enum point_outcome outcome;
	enum reason skip;
	char *detail;
	int injected, hits;
	bool last, capped; /* sweep */
	int err_no;
	struct check *checks;
	size_t n_checks;
	struct counter *counters;
	size_t n_counters;
	struct metric *metrics;
	size_t n_metrics;
	int64_t duration_us;
	char stuck_state; /* 'R', 'D', 'S'; 0 = not stuck */
	bool stuck_killed; /* SIGKILL ended it */
	char *stuck_where; /* wchan or first stack line, may be NULL */
	struct {
		bool ended; /* the other two are valid */
		int exit, signal;
		int dropped; /* bytes of its output */
	} program; /* of a selftest */
	char *output; /* what it wrote; NULL: nothing */
};

/* From the record's JSON. A record that contradicts docs/guest-protocol.md is -EPROTO. */
must_check int point_from_json(const struct jval *v, struct point *ret, struct error *err);
void point_free(struct point *p);

/* How the machine was at the end of the point. */
enum machine_end {
	MACHINE_ALIVE,
	MACHINE_RESET, /* the guest reset or powered off in mid-point (panic=-1 does that) */
	MACHINE_SILENT, /* nothing on either channel until the host's deadline */
	MACHINE_FLOOD, /* the console cap of the case was hit */
	MACHINE_GARBAGE, /* the record stream broke the protocol */
	MACHINE_QEMU_DIED, /* QEMU itself was killed or exited non-zero */
	MACHINE_HOST_STOP /* we stopped it (drain, cancel) */
};

/* What the console of the point holds. Borrowed by the judge. */
struct point_log {
	struct splat splat; /* first splat, injection traces taken out; SPLAT_NONE: none */
	struct stack *stacks; /* distinct injected stacks, on_target not yet decided */
	size_t n_stacks;
	bool reached_begin; /* the mark `begin`, or its record, was seen */
	bool reached_armed; /* the mark `armed` was seen */
	bool reached_disarmed;
	bool truncated; /* console cap hit */
};

struct judge_input {
	const struct scenario *scenario;
	const struct plan_case *pcase;
	const struct point *point; /* outcome POINT_LOST when none came */
	const struct point_log *log;
	enum machine_end end;
	const char *protocol; /* with MACHINE_GARBAGE: how it was broken; NULL: not known */
	/* Of a selftest: the same case on the same configuration, where nothing is changed. NULL: not
	 * known. */
	const struct result *baseline;
};

/* Initialises *ret and fills it (what is the run's own, config, console and repro, is the
 * caller's to set afterwards): verdict, reason, detail, counts, stacks (copied with
 * on_target decided), checks incl. the judge's own (counter.split_failed, fault.injected; for a
 * control invariant.no_split_allocation or harness.classified), splat. `point` and `log` are never
 * NULL; for a point that was lost `point->nth` is that of the record `begin`. */
void judge_point(const struct judge_input *in, struct result *ret);

/* The closing result of a sweep from its points' results. `ended` = the guest found nothing more
 * to inject; false with `capped` = stopped at LIMIT_SWEEP_POINTS; `lost` = the sweep could not be
 * finished. PASS needs ended, at least one point (0 for a control), and all points PASS; else the
 * status and reason of the worst point (earliest in enum status order). Of `in` only scenario and
 * pcase are read; *ret is initialised here. */
void judge_sweep(const struct judge_input *in, const struct result *const *points, int n_points,
		 bool ended, bool capped, struct result *ret);

#endif
