/* SPDX-License-Identifier: MIT */
#include "scenario.h"

#include "check.h"
#include "clock.h"
#include "fileio.h"
#include "kmsg.h"
#include "kthread.h"
#include "pagemap.h"
#include "selftest.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct scenario_row scenario_rows[] = {
#define SCENARIO(ident, name, kind, allowed_errnos, deadline_ms, needs, summary, path) \
	{ name, SCENARIO_##kind, allowed_errnos, deadline_ms, needs, scenario_##ident },
#include "scenarios.def"
#undef SCENARIO
};

const unsigned int scenario_rows_count = sizeof(scenario_rows) / sizeof(scenario_rows[0]);

const struct scenario_row *scenario_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < scenario_rows_count; i++)
		if (!strcmp(scenario_rows[i].name, name))
			return &scenario_rows[i];
	return selftest_find(name);
}

void scenario_check(struct scenario *s, const char *name, bool ok, const char *format, ...)
{
	struct point *point = s->point;
	/* an own place, whoever else reports at the same time */
	uint32_t place = atomic_fetch_add(&point->checks_count, 1);
	struct point_check *check;
	va_list args;

	if (place >= POINT_CHECKS_MAX)
		return; /* it is counted: point_sanitise() tells */
	check = &point->checks[place];
	snprintf(check->name, sizeof(check->name), "%s", name);
	check->ok = ok;
	check->detail[0] = '\0';
	if (!ok) {
		va_start(args, format);
		vsnprintf(check->detail, sizeof(check->detail), format, args);
		va_end(args);
	}
	/* last, so that a process that dies leaves whole checks only */
	atomic_store(&check->whole, true);
}

void scenario_metric(struct scenario *s, const char *name, double value, const char *unit)
{
	struct point *point = s->point;
	struct point_metric *metric;

	if (point->metrics_count >= POINT_METRICS_MAX)
		return;
	metric = &point->metrics[point->metrics_count];
	snprintf(metric->name, sizeof(metric->name), "%s", name);
	snprintf(metric->unit, sizeof(metric->unit), "%s", unit);
	metric->value = value;
	point->metrics_count++;
}

void scenario_skip(struct scenario *s, const char *reason, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(s->point->detail, sizeof(s->point->detail), format, args);
	va_end(args);
	snprintf(s->point->skip, sizeof(s->point->skip), "%s", reason);
}

bool scenario_setting(struct scenario *s, const char *path, const char *value)
{
	struct problem problem;
	int r = settings_push(&s->point->settings, path, value, &problem);

	if (r == -ENOENT)
		scenario_skip(s, "kconfig", "the kernel has no %s", path);
	else if (r)
		scenario_check(s, "harness.setting", false, "%s", problem.text);
	return !r;
}

bool scenario_fixture(struct scenario *s, struct thp *ret_thp)
{
	struct problem problem;
	int r = thp_create(ret_thp, s->seed, &problem);

	if (r) {
		scenario_check(s, "harness.fixture", false, "%s", problem.text);
		return false;
	}
	return scenario_remember(s, ret_thp);
}

bool scenario_remember(struct scenario *s, const struct thp *thp)
{
	int r = smaps_read(thp->addr, THP_SIZE, &s->mapping);

	if (r) {
		scenario_check(s, "harness.fixture", false, "smaps: %s", strerror(-r));
		return false;
	}
	smaps_normalise(&s->mapping, thp->addr, THP_SIZE);
	s->table_kb = file_read_key_kb("/proc/self/status", "VmPTE");
	if (pagemap_frame(thp->addr, &s->first_frame))
		s->first_frame = 0;
	return true;
}

static void arm(struct scenario *s, int thread)
{
	struct point *point = s->point;
	int r = fault_arm_open(&point->fault, thread);

	if (!r && vmstat_read(&point->before))
		point->before.count = 0;
	if (r) {
		scenario_check(s, "harness.arm", false, "cannot open the fault: %s", strerror(-r));
		_exit(EXIT_FAILURE);
	}
	point->armed_pid = thread ? thread : getpid();
	kmsg_mark("armed", s->id, s->nth);
	point->phase = POINT_ARMED;
	s->started_ns = clock_now_ns();
	r = fault_arm_now(&point->fault);
	if (r) {
		scenario_check(s, "harness.arm", false, "cannot arm: %s", strerror(-r));
		_exit(EXIT_FAILURE);
	}
}

void scenario_arm(struct scenario *s)
{
	arm(s, 0);
}

bool scenario_arm_thread(struct scenario *s, const char *comm)
{
	int thread = kthread_find(comm);

	if (!thread) {
		scenario_skip(s, "kconfig", "the kernel has no thread %s", comm);
		return false;
	}
	arm(s, thread);
	return true;
}

void scenario_disarm(struct scenario *s, int op_errno)
{
	struct point *point = s->point;
	static struct vmstat after;

	fault_disarm(&point->fault);
	point->duration_us = (clock_now_ns() - s->started_ns) / 1000;
	point->op_errno = op_errno;
	point->phase = POINT_DISARMED;
	fault_arm_close(&point->fault);
	kmsg_mark("disarmed", s->id, s->nth);
	point->splits = -1;
	if (!vmstat_read(&after)) {
		int64_t was = vmstat_get(&point->before, "thp_split_pmd");
		int64_t is = vmstat_get(&after, "thp_split_pmd");

		if (was >= 0 && is >= 0)
			point->splits = is - was;
	}
}

bool scenario_was_hit(const struct scenario *s)
{
	return s->point->fault.injected > 0;
}

void scenario_finish(struct scenario *s, struct thp *thp)
{
	int r;

	check_common(s, thp);
	r = thp_destroy(thp);
	scenario_check(s, "errno.unmap", !r, "munmap of the fixture: %s", strerror(-r));
	check_leaks(s);
}
