/* SPDX-License-Identifier: MIT */
#include "jobs/verdict.h"

#include <stddef.h>
#include <string.h>

static const char *const status_names[STATUS_COUNT] = {
	[STATUS_FAIL] = "FAIL", [STATUS_ERROR] = "ERROR", [STATUS_MISS] = "MISS",
	[STATUS_PASS] = "PASS", [STATUS_DONE] = "DONE",	  [STATUS_SKIP] = "SKIP",
};

static const struct {
	const char *name;
	enum status status;
} reasons[REASON_COUNT] = {
	[REASON_NONE] = { "", STATUS_PASS },
	[REASON_OOPS] = { "oops", STATUS_FAIL },
	[REASON_BUG] = { "bug", STATUS_FAIL },
	[REASON_WARN] = { "warn", STATUS_FAIL },
	[REASON_KASAN] = { "kasan", STATUS_FAIL },
	[REASON_LOCKDEP] = { "lockdep", STATUS_FAIL },
	[REASON_HANG] = { "hang", STATUS_FAIL },
	[REASON_LIVELOCK] = { "livelock", STATUS_FAIL },
	[REASON_UNKILLABLE] = { "unkillable", STATUS_FAIL },
	[REASON_DATA] = { "data", STATUS_FAIL },
	[REASON_COUNTER] = { "counter", STATUS_FAIL },
	[REASON_LEAK] = { "leak", STATUS_FAIL },
	[REASON_ERRNO] = { "errno", STATUS_FAIL },
	[REASON_INVARIANT] = { "invariant", STATUS_FAIL },
	[REASON_PANIC] = { "panic", STATUS_FAIL },
	[REASON_RCU_STALL] = { "rcu_stall", STATUS_FAIL },
	[REASON_SOFT_LOCKUP] = { "soft_lockup", STATUS_FAIL },
	[REASON_BUILD] = { "build", STATUS_FAIL },
	[REASON_INEFFECTIVE] = { "ineffective", STATUS_ERROR },
	[REASON_TRUNCATED] = { "truncated", STATUS_ERROR },
	[REASON_HARNESS] = { "harness", STATUS_ERROR },
	[REASON_LEASE] = { "lease", STATUS_MISS },
	[REASON_BOOT_HOST] = { "boot_host", STATUS_MISS },
	[REASON_QEMU] = { "qemu", STATUS_MISS },
	[REASON_DISK] = { "disk", STATUS_MISS },
	[REASON_AGENT] = { "agent", STATUS_MISS },
	[REASON_TIMEOUT_HOST] = { "timeout_host", STATUS_MISS },
	[REASON_PREDEPOSIT] = { "predeposit", STATUS_SKIP },
	[REASON_KCONFIG] = { "kconfig", STATUS_SKIP },
	[REASON_ARCH] = { "arch", STATUS_SKIP },
};

const char *status_name(enum status s)
{
	return (unsigned int)s < STATUS_COUNT ? status_names[s] : "?";
}

bool status_parse(const char *name, enum status *ret)
{
	for (int i = 0; name && i < STATUS_COUNT; i++) {
		if (strcmp(name, status_names[i]) == 0) {
			*ret = (enum status)i;
			return true;
		}
	}
	return false;
}

const char *reason_name(enum reason r)
{
	return (unsigned int)r < REASON_COUNT ? reasons[r].name : "?";
}

bool reason_parse(const char *name, enum reason *ret)
{
	if (!name)
		name = "";
	for (int i = 0; i < REASON_COUNT; i++) {
		if (strcmp(name, reasons[i].name) == 0) {
			*ret = (enum reason)i;
			return true;
		}
	}
	return false;
}

enum status reason_status(enum reason r)
{
	/* A value outside the enum is our own fault, never the kernel's. */
	return (unsigned int)r < REASON_COUNT ? reasons[r].status : STATUS_ERROR;
}

int status_exit_code(const int counts[STATUS_COUNT])
{
	int total = 0;

	for (int i = 0; i < STATUS_COUNT; i++)
		total += counts[i];
	if (counts[STATUS_FAIL])
		return 1;
	if (counts[STATUS_ERROR] || counts[STATUS_MISS] || !total)
		return 2;
	return 0;
}
