/* SPDX-License-Identifier: MIT */
#include "fault.h"

#include "fileio.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define STACK_DEPTH "32" /* MAX_STACK_TRACE_DEPTH, lib/fault-inject.c */
/*
 * What fail_function makes return true: the page allocator asks it whether to fail, in every
 * kernel that has fail_page_alloc, and it is open to error injection everywhere.
 */
#define PAGE_HOOK "should_fail_alloc_page"

static const char *const facility_names[FAULT_FACILITIES] = {
	[FAULT_FAIL_PAGE_ALLOC] = "fail_page_alloc",
	[FAULT_FAILSLAB] = "failslab",
	[FAULT_FAIL_FUNCTION] = "fail_function",
};

static const char *const mode_names[] = {
	[FAULT_MODE_NONE] = "none",   [FAULT_MODE_NTH] = "nth",
	[FAULT_MODE_BURST] = "burst", [FAULT_MODE_PROBABILITY] = "probability",
	[FAULT_MODE_SWEEP] = "sweep",
};

#define MODES (sizeof(mode_names) / sizeof(mode_names[0]))

/* Everything in the kernel that decrements fail-nth: the callers of should_fail_ex(). */
static const char *const all_facilities[] = {
	"fail_page_alloc", "failslab",		"fail_function",   "fail_usercopy",
	"fail_futex",	   "fail_make_request", "fail_io_timeout", "fail_sunrpc",
	"fail_iommufd",	   "fail_skb_realloc",
};

const char *fault_facility_name(enum fault_facility facility)
{
	return facility_names[facility];
}

bool fault_facility_parse(const char *word, enum fault_facility *ret_facility)
{
	int i;

	for (i = 0; i < FAULT_FACILITIES; i++) {
		if (!strcmp(word, facility_names[i])) {
			*ret_facility = (enum fault_facility)i;
			return true;
		}
	}
	return false;
}

const char *fault_mode_name(enum fault_mode mode)
{
	return mode_names[mode];
}

bool fault_mode_parse(const char *word, enum fault_mode *ret_mode)
{
	size_t i;

	for (i = 0; i < MODES; i++) {
		if (!strcmp(word, mode_names[i])) {
			*ret_mode = (enum fault_mode)i;
			return true;
		}
	}
	return false;
}

static void knob_path(char *path, size_t size, const char *facility, const char *knob)
{
	snprintf(path, size, FAULT_DEBUGFS "%s/%s", facility, knob);
}

static bool has_knob(const char *facility, const char *knob)
{
	char path[SETTING_PATH_MAX];

	knob_path(path, sizeof(path), facility, knob);
	return file_exists(path);
}

bool fault_has_facility(enum fault_facility facility)
{
	return has_knob(facility_names[facility], "probability");
}

bool fault_has_stacktrace_filter(enum fault_facility facility)
{
	return has_knob(facility_names[facility], "require-start");
}

bool fault_has_fail_nth(void)
{
	return file_exists("/proc/thread-self/fail-nth");
}

static int push(struct fault_session *session, const char *facility, const char *knob,
		const char *value, struct problem *problem)
{
	char path[SETTING_PATH_MAX];

	knob_path(path, sizeof(path), facility, knob);
	return settings_push(&session->settings, path, value, problem);
}

static int push_hex(struct fault_session *session, const char *knob, uint64_t value,
		    struct problem *problem)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	return push(session, facility_names[session->facility], knob, text, problem);
}

/*
 * No return address lies in [1, 1), and with depth 0 the kernel does not even take the stack
 * (fail_stacktrace(), lib/fault-inject.c): the facility neither fails nor counts.
 */
static int push_blind(struct fault_session *session, const char *facility, struct problem *problem)
{
	static const struct {
		const char *knob, *value;
	} knobs[] = {
		{ "probability", "0" },
		{ "require-start", "0x1" },
		{ "require-end", "0x1" },
		{ "stacktrace-depth", "0" },
	};
	size_t i;
	int r;

	for (i = 0; i < sizeof(knobs) / sizeof(knobs[0]); i++) {
		r = push(session, facility, knobs[i].knob, knobs[i].value, problem);
		if (r)
			return r;
	}
	return 0;
}

static int push_others(struct fault_session *session, struct problem *problem)
{
	const char *own = facility_names[session->facility];
	size_t i;

	for (i = 0; i < sizeof(all_facilities) / sizeof(all_facilities[0]); i++) {
		int r;

		if (!strcmp(all_facilities[i], own))
			continue;
		if (!has_knob(all_facilities[i], "require-start"))
			continue;
		r = push_blind(session, all_facilities[i], problem);
		if (r)
			return r;
	}
	return 0;
}

static int push_filter(struct fault_session *session, const struct fault_spec *spec,
		       struct problem *problem)
{
	struct symbol_range reject = { .start = 0 };
	int r;

	r = kallsyms_lookup(spec->site, &session->site);
	if (r)
		return problem_set(problem, r, "no function %s in /proc/kallsyms", spec->site);
	/*
	 * Page tables of ordinary faults come through __pte_alloc(); the ones for a split do not.
	 * Without that symbol (inlined) nothing can be rejected, and the host still classifies.
	 */
	if (spec->within == FAULT_WITHIN_SPLIT && strcmp(spec->site, "__pte_alloc"))
		(void)kallsyms_lookup("__pte_alloc", &reject);
	r = push_hex(session, "require-start", session->site.start, problem);
	if (!r)
		r = push_hex(session, "require-end", session->site.end, problem);
	if (!r)
		r = push_hex(session, "reject-start", reject.start, problem);
	if (!r)
		r = push_hex(session, "reject-end", reject.end, problem);
	return r;
}

/* Knobs that only one facility has; the defaults of these can never hit a page table. */
static int push_special(struct fault_session *session, struct problem *problem)
{
	static const struct {
		enum fault_facility facility;
		const char *knob, *value;
	} knobs[] = {
		{ FAULT_FAIL_PAGE_ALLOC, "min-order", "0" },
		{ FAULT_FAIL_PAGE_ALLOC, "ignore-gfp-wait", "N" },
		{ FAULT_FAIL_PAGE_ALLOC, "ignore-gfp-highmem", "N" },
		{ FAULT_FAILSLAB, "ignore-gfp-wait", "N" },
		{ FAULT_FAILSLAB, "cache-filter", "N" },
	};
	size_t i;

	for (i = 0; i < sizeof(knobs) / sizeof(knobs[0]); i++) {
		int r;

		if (knobs[i].facility != session->facility)
			continue;
		r = push(session, facility_names[session->facility], knobs[i].knob, knobs[i].value,
			 problem);
		if (r)
			return r;
	}
	return 0;
}

/* The two modes that can make more than one allocation fail; see fault_arm.c. */
static bool uses_probability(const struct fault_spec *spec)
{
	return spec->mode == FAULT_MODE_BURST || spec->mode == FAULT_MODE_PROBABILITY;
}

static int push_common(struct fault_session *session, const struct fault_spec *spec,
		       struct problem *problem)
{
	bool function = session->facility ==
			FAULT_FAIL_FUNCTION; /* no task is armed, fault_arm.c */
	/* verbose 2 dumps the stack of every injected failure: the host classifies them */
	const struct {
		const char *knob, *value;
	} knobs[] = {
		{ "stacktrace-depth", STACK_DEPTH },
		{ "verbose", "2" },
		{ "verbose_ratelimit_interval_ms", "0" },
		{ "task-filter", function ? "N" : "Y" },
		{ "interval", "1" },
		{ "space", "0" },
		{ "times", "0" },
		{ "probability", uses_probability(spec) && !function ? "100" : "0" },
	};
	size_t i;

	for (i = 0; i < sizeof(knobs) / sizeof(knobs[0]); i++) {
		int r = push(session, facility_names[session->facility], knobs[i].knob,
			     knobs[i].value, problem);

		if (r)
			return r;
	}
	return 0;
}

/* One that the function tracer calls has this mark (report_probe(), kernel/kprobes.c). */
static bool hook_is_breakpoint(void)
{
	char list[4096];
	const char *line;

	if (file_read(FAULT_DEBUGFS "kprobes/list", list, sizeof(list)) <= 0)
		return true;
	line = strstr(list, PAGE_HOOK);
	return !line || !memmem(line, strcspn(line, "\n"), "[FTRACE]", 8);
}

/*
 * should_fail_ex() draws a random number even at 100 percent. In a handler that runs like an NMI
 * lockdep calls the locks of the generator inconsistent, rightly so in general; here they are free,
 * because the stack filter comes first. The report would be taken for the case's.
 *
 * The value it returns when it fails is the kernel's choice, from the type of the function.
 */
static int inject_function(struct fault_session *session, struct problem *problem)
{
	if (file_write(FAULT_DEBUGFS "fail_function/inject", PAGE_HOOK))
		return problem_set(problem, -ENOENT, PAGE_HOOK " is not open to error injection");
	session->function_injected = true;
	if (file_exists("/proc/lockdep") && hook_is_breakpoint())
		return problem_set(problem, -ENOENT,
				   "lockdep takes fail_function for a deadlock where its kprobe is "
				   "a breakpoint (no CONFIG_FUNCTION_TRACER)");
	return 0;
}

int fault_session_open(struct fault_session *session, const struct fault_spec *spec,
		       struct problem *problem)
{
	const char *name = facility_names[spec->facility];
	int r;

	session->settings.count = 0;
	session->spec = *spec;
	session->facility = spec->facility;
	session->function_injected = false;
	if (!fault_has_facility(spec->facility))
		return problem_set(problem, -ENOENT, "no %s in debugfs", name);
	if (!fault_has_stacktrace_filter(spec->facility))
		return problem_set(problem, -ENOENT, "no stack filter for %s", name);
	if (spec->facility != FAULT_FAIL_FUNCTION && !fault_has_fail_nth())
		return problem_set(problem, -ENOENT, "no fail-nth in proc");
	r = push_filter(session, spec, problem);
	if (!r)
		r = push_others(session, problem);
	if (!r)
		r = push_special(session, problem);
	if (!r)
		r = push_common(session, spec, problem);
	if (!r && spec->facility == FAULT_FAIL_FUNCTION)
		r = inject_function(session, problem);
	if (r)
		fault_session_close(session);
	return r;
}

bool fault_session_fits(const struct fault_session *session, const struct fault_spec *spec)
{
	return session->spec.facility == spec->facility && session->spec.within == spec->within &&
	       !strcmp(session->spec.site, spec->site) &&
	       uses_probability(&session->spec) == uses_probability(spec);
}

void fault_session_close(struct fault_session *session)
{
	if (session->function_injected) {
		(void)file_write(FAULT_DEBUGFS "fail_function/inject", "!" PAGE_HOOK);
		session->function_injected = false;
	}
	settings_pop_to(&session->settings, 0);
}
