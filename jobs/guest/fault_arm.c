/* SPDX-License-Identifier: MIT */
/*
 * should_fail_ex() (lib/fault-inject.c) has two ways to decide, both behind the stack filter:
 *
 *	fail-nth of the running task, if not 0: counted down, and the allocation that makes it 0
 *	fails, whatever the facility's other knobs say;
 *	else probability, if make-it-fail of the running task is set and `times` is not 0.
 *
 * Both take one off `times`, unless that is 0. Filled before and read after, it says exactly how
 * many failed, also when the armed task is another one that still runs. Both belong to a task, so
 * that no other task is ever hit, and both can be written for any task, kernel threads included.
 *
 * fail_function decides in the handler of a kprobe. Where that is a breakpoint it runs like an NMI
 * (exc_int3(), arch/x86/kernel/traps.c), and no task can be told from another: both ways ask for
 * in_task(). So the facility itself is armed, by its probability: `space` lets the first n-1 pass
 * that come by the stack filter, and the next `times` fail, whoever asks for them.
 */
#include "fault.h"
#include "fileio.h"
#include "prng.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Several failures that a seed decides, and the kernel's own die is not seeded. But it can be made
 * to hold one gap: fail-nth makes the first one fail; from then on make-it-fail applies, where
 * `space` lets a number of allocations pass and `times` ends the run that fails after them.
 */
static void init_probability(struct fault_arm *arm, const struct fault_spec *spec)
{
	struct prng_failures failures;

	prng_failures(spec->seed, spec->probability, spec->times ? spec->times : 1, &failures);
	/* `space` counts what should_fail() is given as size: 1 for a page, bytes for a slab object;
	 * and with fail_function it is needed for the allocations before the first failure */
	if (spec->facility != FAULT_FAIL_PAGE_ALLOC && failures.gap)
		failures.run = 0;
	arm->nth = failures.first;
	arm->gap = failures.run ? failures.gap : 0;
	arm->times = 1 + failures.run;
}

void fault_arm_init(struct fault_arm *arm, const struct fault_spec *spec, uint32_t nth)
{
	*arm = (struct fault_arm){
		.mode = spec->mode,
		.facility = spec->facility,
		.nth_fd = -1,
		.fail_fd = -1,
		.facility_fd = -1,
		.hits = -1,
	};
	switch (spec->mode) {
	case FAULT_MODE_NONE:
		break;
	case FAULT_MODE_NTH:
	case FAULT_MODE_SWEEP:
		arm->nth = nth;
		arm->times = 1;
		break;
	case FAULT_MODE_PROBABILITY:
		init_probability(arm, spec);
		break;
	case FAULT_MODE_BURST:
		arm->times = spec->times;
		break;
	}
}

static void knob_path(const struct fault_arm *arm, const char *knob, char *path, size_t size)
{
	snprintf(path, size, FAULT_DEBUGFS "%s/%s", fault_facility_name(arm->facility), knob);
}

static int write_knob(const struct fault_arm *arm, const char *knob, uint32_t value,
		      struct problem *problem)
{
	char path[SETTING_PATH_MAX], text[16];
	int r;

	knob_path(arm, knob, path, sizeof(path));
	snprintf(text, sizeof(text), "%" PRIu32, value);
	r = file_write(path, text);
	return r ? problem_set(problem, r, "cannot write %s: %s", path, strerror(-r)) : 0;
}

static bool arms_facility(const struct fault_arm *arm)
{
	return arm->facility == FAULT_FAIL_FUNCTION;
}

/* It lets allocations pass while it is above 1. */
static uint32_t space(const struct fault_arm *arm)
{
	if (arms_facility(arm))
		return arm->nth;
	return arm->gap ? arm->gap + 1 : 0;
}

int fault_arm_refill(const struct fault_arm *arm, struct problem *problem)
{
	int r;

	if (arm->mode == FAULT_MODE_NONE)
		return 0;
	r = write_knob(arm, "times", arm->times, problem);
	return r ? r : write_knob(arm, "space", space(arm), problem);
}

static void task_path(int thread, const char *name, char *path, size_t size)
{
	if (thread)
		snprintf(path, size, "/proc/%d/%s", thread, name);
	else
		snprintf(path, size, "/proc/thread-self/%s", name);
}

static int open_file(const char *path, int *ret_fd)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

static int open_task(int thread, const char *name, int *ret_fd)
{
	char path[64];

	task_path(thread, name, path, sizeof(path));
	return open_file(path, ret_fd);
}

int fault_arm_open(struct fault_arm *arm, int thread)
{
	char path[SETTING_PATH_MAX];
	int r = 0;

	arm->thread = thread;
	if (arm->mode == FAULT_MODE_NONE)
		return 0;
	if (arms_facility(arm)) {
		knob_path(arm, "probability", path, sizeof(path));
		return open_file(path, &arm->facility_fd);
	}
	if (arm->nth)
		r = open_task(thread, "fail-nth", &arm->nth_fd);
	if (!r && arm->times > (arm->nth ? 1u : 0u))
		r = open_task(thread, "make-it-fail", &arm->fail_fd);
	return r;
}

static int write_number(int fd, uint32_t number)
{
	char text[16];
	int length = snprintf(text, sizeof(text), "%" PRIu32, number);

	if (fd < 0)
		return 0;
	/* files of debugfs cannot seek, and none of these has a position */
	return write(fd, text, (size_t)length) == length ? 0 : -errno;
}

int fault_arm_now(struct fault_arm *arm)
{
	int r = write_number(arm->nth_fd, arm->nth);

	if (!r)
		r = write_number(arm->fail_fd, 1);
	return r ? r : write_number(arm->facility_fd, 100);
}

/* fail-nth counts down and stays at 0 once it fired: later allocations are not seen. */
static void collect_hits(struct fault_arm *arm, const char *text)
{
	arm->hits = (int64_t)arm->nth - (int64_t)strtoul(text, NULL, 10);
}

/* A counter that only goes down, from `full` when it was filled: by how much. -1: not known. */
static int64_t read_used(const struct fault_arm *arm, const char *knob, uint32_t full)
{
	char path[SETTING_PATH_MAX], text[32];
	long left;

	knob_path(arm, knob, path, sizeof(path));
	if (file_read(path, text, sizeof(text)) <= 0)
		return -1;
	left = strtol(text, NULL, 10);
	return left >= 0 && left <= (long)full ? (long)full - left : -1;
}

static void collect_injected(struct fault_arm *arm)
{
	int64_t used = read_used(arm, "times", arm->times);

	if (used >= 0)
		arm->injected = (uint32_t)used;
	if (!arms_facility(arm) || !arm->nth)
		return;
	/* as with fail-nth: up to the first that failed */
	used = read_used(arm, "space", space(arm));
	if (used >= 0)
		arm->hits = used + (arm->injected > 0);
}

void fault_disarm(struct fault_arm *arm)
{
	char text[32];
	ssize_t n = -1;

	if (arm->mode == FAULT_MODE_NONE)
		return;
	if (arm->nth_fd >= 0)
		n = pread(arm->nth_fd, text, sizeof(text) - 1, 0);
	/* in the reverse order, so that nothing fails by make-it-fail that fail-nth was to count;
	 * what stays armed would spoil everything after this */
	if (write_number(arm->facility_fd, 0) || write_number(arm->fail_fd, 0) ||
	    write_number(arm->nth_fd, 0))
		abort();
	if (n > 0) {
		text[n] = '\0';
		collect_hits(arm, text);
	}
	collect_injected(arm);
}

static void close_file(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void fault_arm_close(struct fault_arm *arm)
{
	close_file(&arm->nth_fd);
	close_file(&arm->fail_fd);
	close_file(&arm->facility_fd);
}

void fault_arm_collect(struct fault_arm *arm, int pid)
{
	char path[SETTING_PATH_MAX], text[32];

	if (arm->mode == FAULT_MODE_NONE)
		return;
	if (arms_facility(arm)) {
		knob_path(arm, "probability", path, sizeof(path));
		(void)file_write(path, "0");
		collect_injected(arm);
		return;
	}
	if (pid && arm->nth) {
		task_path(pid, "fail-nth", path, sizeof(path));
		if (file_read(path, text, sizeof(text)) > 0)
			collect_hits(arm, text);
	}
	if (arm->thread) {
		task_path(arm->thread, "make-it-fail", path, sizeof(path));
		(void)file_write(path, "0");
		task_path(arm->thread, "fail-nth", path, sizeof(path));
		(void)file_write(path, "0");
	}
	collect_injected(arm);
}
