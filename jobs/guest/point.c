/* SPDX-License-Identifier: MIT */
#include "point.h"

#include "child.h"
#include "kmsg.h"
#include "ktap.h"
#include "leak.h"
#include "selftest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static struct record record;

/* The memory that init shares with the process of the point; one at a time, so one is enough. */
static struct point *shared_point(void)
{
	static struct point *point;

	if (!point) {
		void *memory = mmap(NULL, sizeof(*point), PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

		if (memory == MAP_FAILED)
			return NULL;
		point = memory;
	}
	return point;
}

void point_prepare(void)
{
	struct point *point = shared_point();

	if (point)
		memset(point, 0, sizeof(*point));
}

static int run_scenario(void *argument)
{
	struct scenario *s = argument;

	s->row->function(s);
	s->point->phase = POINT_FINISHED;
	return 0;
}

/* A task that ended, or hangs, between arm and disarm still tells what it met. */
static void collect_fault(pid_t pid, void *argument)
{
	struct point *point = ((struct scenario *)argument)->point;

	if (point->phase == POINT_ARMED)
		fault_arm_collect(&point->fault, point->armed_pid ? point->armed_pid : pid);
}

/* What is whole, in its order. A check that found no place may have been the one that failed. */
static void sanitise_checks(struct point *point)
{
	uint32_t taken = point->checks_count, i, kept = 0;
	struct point_check *check;

	for (i = 0; i < taken && i < POINT_CHECKS_MAX; i++) {
		check = &point->checks[i];
		if (!check->whole)
			continue;
		check->name[POINT_NAME_MAX - 1] = '\0';
		check->detail[POINT_DETAIL_MAX - 1] = '\0';
		if (kept != i)
			memcpy(&point->checks[kept], check, sizeof(*check));
		kept++;
	}
	if (taken > POINT_CHECKS_MAX) {
		kept = kept < POINT_CHECKS_MAX ? kept + 1 : POINT_CHECKS_MAX;
		check = &point->checks[kept - 1];
		snprintf(check->name, sizeof(check->name), "harness.checks");
		snprintf(check->detail, sizeof(check->detail), "%" PRIu32 " checks, room for %d",
			 taken, POINT_CHECKS_MAX);
		check->ok = false;
	}
	point->checks_count = kept;
}

void point_sanitise(struct point *point)
{
	uint32_t i;

	sanitise_checks(point);
	if (point->metrics_count > POINT_METRICS_MAX)
		point->metrics_count = POINT_METRICS_MAX;
	if (point->before.count > VMSTAT_MAX)
		point->before.count = 0;
	for (i = 0; i < point->metrics_count; i++) {
		point->metrics[i].name[POINT_NAME_MAX - 1] = '\0';
		point->metrics[i].unit[sizeof(point->metrics[i].unit) - 1] = '\0';
	}
	for (i = 0; i < point->before.count; i++)
		point->before.counters[i].name[VMSTAT_NAME_MAX - 1] = '\0';
	if (point->settings.count > SETTINGS_MAX)
		point->settings.count = 0;
	for (i = 0; i < point->settings.count; i++) {
		point->settings.saved[i].path[SETTING_PATH_MAX - 1] = '\0';
		point->settings.saved[i].value[SETTING_VALUE_MAX - 1] = '\0';
	}
	point->skip[sizeof(point->skip) - 1] = '\0';
	point->detail[sizeof(point->detail) - 1] = '\0';
}

static const char *outcome_name(const struct point *point, const struct child_result *child)
{
	if (child->end == CHILD_TIMEOUT)
		return "timeout";
	if (child->end == CHILD_SIGNALED)
		return "signal";
	if (child->status || point->phase != POINT_FINISHED)
		return "exit";
	return point->skip[0] ? "skip" : "done";
}

static void describe(const struct point *point, const struct child_result *child,
		     uint32_t deadline_ms, struct problem *detail)
{
	static const char *const places[] = {
		[POINT_FIXTURE] = "while its fixture was built",
		[POINT_ARMED] = "in the operation under test",
		[POINT_DISARMED] = "in the checks after the operation",
		[POINT_FINISHED] = "at exit",
	};
	const char *place = point->phase >= POINT_FIXTURE && point->phase <= POINT_FINISHED
				    ? places[point->phase]
				    : "nobody knows where";

	detail->text[0] = '\0';
	if (child->end == CHILD_TIMEOUT)
		(void)problem_set(detail, 0, "not done after %u ms, %s", deadline_ms, place);
	else if (child->end == CHILD_SIGNALED)
		(void)problem_set(detail, 0, "killed by signal %d %s", child->status, place);
	else if (child->status || point->phase != POINT_FINISHED)
		(void)problem_set(detail, 0, "exited with status %d %s", child->status, place);
	else if (point->skip[0])
		(void)problem_set(detail, 0, "%s", point->detail);
}

static void put_checks(const struct point *point)
{
	uint32_t i;

	record_open(&record, "checks", '[');
	for (i = 0; i < point->checks_count; i++) {
		record_open(&record, NULL, '{');
		record_string(&record, "name", point->checks[i].name);
		record_bool(&record, "ok", point->checks[i].ok);
		record_string(&record, "detail", point->checks[i].detail);
		record_close(&record, '}');
	}
	record_close(&record, ']');
}

static void put_counters(const struct vmstat *before, const struct vmstat *after)
{
	unsigned int i;

	record_open(&record, "counters", '{');
	for (i = 0; i < before->count && after->count; i++) {
		const struct vmstat_counter *counter = &before->counters[i];

		record_open(&record, counter->name, '{');
		record_int(&record, "before", counter->value);
		record_int(&record, "after", vmstat_get(after, counter->name));
		record_close(&record, '}');
	}
	record_close(&record, '}');
}

static void put_metrics(const struct point *point)
{
	uint32_t i;

	record_open(&record, "metrics", '[');
	for (i = 0; i < point->metrics_count; i++) {
		record_open(&record, NULL, '{');
		record_string(&record, "name", point->metrics[i].name);
		record_double(&record, "value", point->metrics[i].value);
		record_string(&record, "unit", point->metrics[i].unit);
		record_close(&record, '}');
	}
	record_close(&record, ']');
}

static void put_stuck(const struct stuck *stuck)
{
	char state[2] = { stuck->state, '\0' };
	unsigned int i;

	record_open(&record, "stuck", '{');
	record_string(&record, "state", state);
	record_bool(&record, "killed", stuck->killed);
	record_string(&record, "wchan", stuck->wchan);
	record_string(&record, "syscall", stuck->syscall);
	record_open(&record, "stack", '[');
	for (i = 0; i < stuck->frames; i++)
		record_string(&record, NULL, stuck->stack[i]);
	record_close(&record, ']');
	record_int(&record, "stime_ticks", stuck->stime_ticks);
	record_close(&record, '}');
}

static int send_begin(int port, uint32_t id, uint32_t nth)
{
	record_begin(&record, "begin");
	record_int(&record, "id", id);
	record_int(&record, "nth", nth);
	return record_send(&record, port);
}

static bool all_ok(const struct point *point)
{
	uint32_t i;

	for (i = 0; i < point->checks_count; i++)
		if (!point->checks[i].ok)
			return false;
	return point->checks_count > 0;
}

static int send_result(int port, const struct point_request *request, struct point *point,
		       const struct child_result *child, struct point_outcome *ret_outcome)
{
	bool sweep = request->item->fault.mode == FAULT_MODE_SWEEP;
	const char *outcome = outcome_name(point, child);
	static struct vmstat after;
	struct problem detail;

	bool program = request->row->kind == SCENARIO_SELFTEST;

	if (vmstat_read(&after))
		after.count = 0;
	if (program) {
		int r = selftest_send_output(&record, port, request->item->id, request->nth);

		if (r)
			return r;
	}
	describe(point, child,
		 request->item->deadline_ms ? request->item->deadline_ms
					    : request->row->deadline_ms,
		 &detail);
	record_begin(&record, "result");
	record_int(&record, "id", request->item->id);
	record_int(&record, "nth", request->nth);
	record_string(&record, "outcome", outcome);
	if (!strcmp(outcome, "skip"))
		record_string(&record, "skip", point->skip);
	record_string(&record, "detail", detail.text);
	record_int(&record, "injected", point->fault.injected);
	record_int(&record, "hits", point->fault.hits);
	record_int(&record, "errno", point->op_errno);
	if (sweep && (!point->fault.injected || request->cap))
		record_bool(&record, "last", true);
	if (sweep && point->fault.injected && request->cap)
		record_bool(&record, "capped", true);
	put_checks(point);
	put_counters(&point->before, &after);
	put_metrics(point);
	if (program)
		selftest_put(&record);
	record_int(&record, "duration_us", point->duration_us);
	if (child->end == CHILD_TIMEOUT)
		put_stuck(&child->stuck);
	ret_outcome->injected = point->fault.injected;
	ret_outcome->skipped = !strcmp(outcome, "skip");
	ret_outcome->passed = !strcmp(outcome, "done") && all_ok(point);
	ret_outcome->unkillable = child->end == CHILD_TIMEOUT && !child->stuck.killed;
	return record_send(&record, port);
}

/* Which allocations the seed makes fail: the one at `index`, and `run` more behind `gap` others. */
static void put_sequence(struct scenario *s, const struct fault_arm *fault)
{
	scenario_metric(s, "fault.index", fault->nth, "allocations");
	if (fault->times < 2)
		return;
	scenario_metric(s, "fault.gap", fault->gap, "allocations");
	scenario_metric(s, "fault.run", fault->times - 1, "allocations");
}

static void prepare(struct scenario *s, const struct point_request *request, struct point *point)
{
	const struct request_case *item = request->item;

	memset(point, 0, sizeof(*point));
	if (request->row->kind == SCENARIO_SELFTEST && selftest_last())
		memset(selftest_last(), 0, sizeof(struct selftest_run));
	point->splits = -1;
	fault_arm_init(&point->fault, &item->fault, request->nth);
	memset(s, 0, sizeof(*s));
	s->row = request->row;
	s->point = point;
	s->id = item->id;
	s->nth = request->nth;
	s->seed = item->fault.seed + request->nth;
	if (item->fault.mode == FAULT_MODE_PROBABILITY)
		put_sequence(s, &point->fault);
}

int point_run(int port, const struct point_request *request, struct point_outcome *ret_outcome,
	      struct problem *problem)
{
	static struct scenario scenario;
	static struct child_result child;
	struct point *point = shared_point();
	struct leak_level level;
	uint32_t deadline_ms = request->item->deadline_ms;
	struct child_spec spec = {
		.function = run_scenario,
		.at_end = collect_fault,
		.argument = &scenario,
		.deadline_ms = deadline_ms ? deadline_ms : request->row->deadline_ms,
	};
	int r;

	if (!point)
		return problem_set(problem, -ENOMEM, "no memory for a point");
	prepare(&scenario, request, point);
	spec.under_test = &point->armed_pid;
	r = send_begin(port, request->item->id, request->nth);
	if (r)
		return problem_set(problem, r, "cannot write a record: %s", strerror(-r));
	kmsg_mark("begin", request->item->id, request->nth);
	if (request->session) {
		r = fault_arm_refill(&point->fault, problem);
		if (r)
			return r;
	}
	leak_read(&level);
	r = child_run(&spec, &child);
	if (r)
		return problem_set(problem, r, "cannot make a process: %s", strerror(-r));
	kmsg_mark("end", request->item->id, request->nth);
	/* what a program of the kernel's own leaves in tmpfs, swap or KSM is not accounted for */
	if (request->row->kind != SCENARIO_SELFTEST && !strcmp(outcome_name(point, &child), "done"))
		leak_check(&scenario, &level);
	point_sanitise(point);
	settings_pop_to(&point->settings, 0);
	r = send_result(port, request, point, &child, ret_outcome);
	if (r)
		return problem_set(problem, r, "cannot write a record: %s", strerror(-r));
	return 0;
}

int point_skip(int port, const struct request_case *item, uint32_t nth, const char *reason,
	       const char *detail)
{
	int r = send_begin(port, item->id, nth);

	if (r)
		return r;
	record_begin(&record, "result");
	record_int(&record, "id", item->id);
	record_int(&record, "nth", nth);
	record_string(&record, "outcome", "skip");
	record_string(&record, "skip", reason);
	record_string(&record, "detail", detail);
	record_int(&record, "injected", 0);
	record_int(&record, "hits", -1);
	record_int(&record, "errno", 0);
	if (item->fault.mode == FAULT_MODE_SWEEP)
		record_bool(&record, "last", true);
	record_open(&record, "checks", '[');
	record_close(&record, ']');
	record_open(&record, "counters", '{');
	record_close(&record, '}');
	record_open(&record, "metrics", '[');
	record_close(&record, ']');
	record_int(&record, "duration_us", 0);
	return record_send(&record, port);
}
