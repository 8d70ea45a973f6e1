/* SPDX-License-Identifier: MIT */
/*
 * A stack of kernel knobs: push saves the old value and writes another one, pop brings everything
 * back in reverse order. A knob that lists its choices ("always [madvise] never") has the one in
 * brackets as its value. Owner: init, which restores; the process of a scenario pushes in shared
 * memory (scenario_setting()), so that its death restores too.
 */
#ifndef FAULTLINE_GUEST_SETTINGS_H
#define FAULTLINE_GUEST_SETTINGS_H

#include "problem.h"

#include <stddef.h>

#define SETTINGS_MAX 128 /* ten facilities of a dozen knobs each */
#define SETTING_PATH_MAX 128
#define SETTING_VALUE_MAX 64

struct settings {
	struct setting {
		char path[SETTING_PATH_MAX];
		char value[SETTING_VALUE_MAX]; /* before the push */
	} saved[SETTINGS_MAX];
	size_t count;
};

/* Saves and writes. Returns 0, or -errno with nothing saved and nothing changed. */
int settings_push(struct settings *settings, const char *path, const char *value,
		  struct problem *problem) __attribute__((warn_unused_result));

/* Restores everything that was pushed after the stack had `depth` entries. */
void settings_pop_to(struct settings *settings, size_t depth);

#endif
