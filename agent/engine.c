// SPDX-License-Identifier: MIT
#include "agent/engine.h"

#include <string.h>

#include "lib/buf.h"

const char *engine_phase_name(enum engine_phase p)
{
	static const char *const names[PHASE_COUNT] = {
		[PHASE_FETCH] = "fetch", [PHASE_CHECKOUT] = "checkout", [PHASE_CONFIG] = "config",
		[PHASE_BUILD] = "build", [PHASE_BOOT] = "boot",		[PHASE_CASES] = "cases",
	};

	return (unsigned int)p < PHASE_COUNT ? names[p] : "";
}

static const char *const isolation_names[] = {
	[ISOLATION_SNAPSHOT] = "snapshot",
	[ISOLATION_COLD] = "cold",
	[ISOLATION_SHARED] = "shared",
};

const char *isolation_name(enum isolation i)
{
	return (size_t)i < ARRAY_SIZE(isolation_names) ? isolation_names[i] : "?";
}

bool isolation_parse(const char *s, enum isolation *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(isolation_names); i++) {
		if (strcmp(isolation_names[i], s) == 0) {
			*ret = (enum isolation)i;
			return true;
		}
	}
	return false;
}
