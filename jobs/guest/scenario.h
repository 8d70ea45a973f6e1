/* SPDX-License-Identifier: MIT */
/*
 * What a scenario is written with. One scenario is one function
 *
 *	void scenario_<ident>(struct scenario *s)
 *
 * that runs in a process of its own: fixture, scenario_arm(), the operation under test,
 * scenario_disarm(), checks, scenario_finish(). It never prints; all it finds goes into the
 * struct point, which init shares and can still read when the process is gone.
 */
#ifndef FAULTLINE_GUEST_SCENARIO_H
#define FAULTLINE_GUEST_SCENARIO_H

#include "fault.h"
#include "smaps.h"
#include "thp.h"
#include "vmstat.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct scenario;

#define POINT_CHECKS_MAX 24 /* together with the sizes below: a record stays under RECORD_MAX */
#define POINT_METRICS_MAX 16
#define POINT_NAME_MAX 40
#define POINT_DETAIL_MAX 128

enum scenario_kind {
	SCENARIO_SPLIT,
	SCENARIO_CONTROL,
	SCENARIO_METRIC,
	SCENARIO_SELFTEST, /* a program of the kernel's own: selftest.h */
};

/* How far the process came. */
enum point_phase {
	POINT_FIXTURE,
	POINT_ARMED,
	POINT_DISARMED,
	POINT_FINISHED,
};

struct point {
	int32_t phase; /* enum point_phase */
	int32_t armed_pid; /* the task under test, or its kernel thread, once armed */
	int32_t op_errno;
	int64_t duration_us;
	int64_t splits; /* change of thp_split_pmd from arm to disarm; -1: no such counter */
	struct fault_arm fault; /* `injected` and `hits` are valid once disarmed */
	struct vmstat before; /* with the fixture in place, just before arming */
	struct settings settings; /* what scenario_setting() changed; init puts it back */
	char skip[16]; /* "kconfig" or "arch": this kernel cannot run the scenario */
	char detail[PROBLEM_TEXT_MAX];
	_Atomic uint32_t checks_count; /* places that were taken, more than there are perhaps */
	uint32_t metrics_count;
	struct point_check {
		char name[POINT_NAME_MAX];
		char detail[POINT_DETAIL_MAX];
		bool ok;
		atomic_bool whole; /* false: who began it is still at it, or died over it */
	} checks[POINT_CHECKS_MAX];
	struct point_metric {
		char name[POINT_NAME_MAX];
		char unit[16];
		double value;
	} metrics[POINT_METRICS_MAX];
};

/* One row of scenarios.def. */
struct scenario_row {
	const char *name;
	enum scenario_kind kind;
	const char *allowed_errnos;
	uint32_t deadline_ms;
	const char *needs;
	void (*function)(struct scenario *s);
};

struct scenario {
	const struct scenario_row *row;
	struct point *point; /* shared with init */
	uint32_t id, nth; /* for the marks in the kernel log */
	uint64_t seed; /* of patterns */
	int64_t started_ns;
	struct smaps mapping; /* of the fixture, before arming; normalised */
	int64_t table_kb; /* VmPTE with the fixture in place */
	uint64_t first_frame; /* of the fixture's folio; 0: not known */
};

/* scenario_mprotect() and so on. */
#define SCENARIO(ident, name, kind, allowed_errnos, deadline_ms, needs, summary, path) \
	void scenario_##ident(struct scenario *s);
#include "scenarios.def"
#undef SCENARIO

extern const struct scenario_row scenario_rows[];
extern const unsigned int scenario_rows_count;
const struct scenario_row *scenario_find(const char *name);

/*
 * Builds the common fixture and remembers the mapping of it. On failure it records
 * `harness.fixture` and returns false: the scenario returns at once.
 */
bool scenario_fixture(struct scenario *s, struct thp *ret_thp);

/*
 * Sets a knob of the kernel for the rest of the point; init restores it however the process ends.
 * On failure it records skip/kconfig (the kernel has no such knob) or `harness.setting`, and
 * returns false: the scenario returns at once.
 */
bool scenario_setting(struct scenario *s, const char *path, const char *value);

/*
 * The second half of scenario_fixture(), for a scenario that builds its fixture by itself, or
 * changes it: from here on the mapping is what check_unchanged() and check_common() compare with.
 */
bool scenario_remember(struct scenario *s, const struct thp *thp);

/*
 * Around the operation under test. scenario_arm() writes the mark, reads the counters, and arms
 * the calling task last; nothing may stand between the two but the operation and the saving of
 * its errno. `op_errno` is 0 or what the operation failed with.
 */
void scenario_arm(struct scenario *s);

/*
 * In place of scenario_arm() when a kernel thread does the work: "ksmd", "khugepaged", "kswapd0",
 * "kcompactd0". Arms that thread alone; the calling task is not armed. The operation under test is
 * then to give the thread its work and to wait until it is done. Returns false with the answer
 * skip/kconfig recorded when the kernel has no such thread: the scenario returns at once.
 */
bool scenario_arm_thread(struct scenario *s, const char *comm) __attribute__((warn_unused_result));

void scenario_disarm(struct scenario *s, int op_errno);

/*
 * Once disarmed: whether an allocation was made to fail, so that the operation may fail as well. A
 * fault that was asked for and not hit, as behind the end of a sweep, excuses nothing.
 */
bool scenario_was_hit(const struct scenario *s);

/*
 * The end that all scenarios share: the checks of check_common(), then the fixture is unmapped
 * and what is left over is checked.
 */
void scenario_finish(struct scenario *s, struct thp *thp);

/*
 * Results. Checks may come from several processes of the scenario at once, a child of it and itself
 * say; metrics are the scenario's own.
 */
void scenario_check(struct scenario *s, const char *name, bool ok, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void scenario_metric(struct scenario *s, const char *name, double value, const char *unit);
void scenario_skip(struct scenario *s, const char *reason, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
