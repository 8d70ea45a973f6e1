// SPDX-License-Identifier: MIT
#include "agent/engine.h"

const char *engine_phase_name(enum engine_phase p)
{
	static const char *const names[PHASE_COUNT] = {
		[PHASE_FETCH] = "fetch", [PHASE_CHECKOUT] = "checkout", [PHASE_CONFIG] = "config",
		[PHASE_BUILD] = "build", [PHASE_BOOT] = "boot",		[PHASE_CASES] = "cases",
	};

	return (unsigned int)p < PHASE_COUNT ? names[p] : "";
}
