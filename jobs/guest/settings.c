/* SPDX-License-Identifier: MIT */
#include "settings.h"

#include "fileio.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* "always [madvise] never" is read, "madvise" is what can be written. */
static void take_choice(char *value)
{
	char *open = strchr(value, '['), *close = open ? strchr(open, ']') : NULL;

	if (!close)
		return;
	*close = '\0';
	memmove(value, open + 1, (size_t)(close - open));
}

int settings_push(struct settings *settings, const char *path, const char *value,
		  struct problem *problem)
{
	struct setting *setting;
	ssize_t n;
	int r;

	if (settings->count == SETTINGS_MAX || strlen(path) >= SETTING_PATH_MAX)
		return problem_set(problem, -E2BIG, "too many settings, at %s", path);
	setting = &settings->saved[settings->count];
	n = file_read_line(path, setting->value, sizeof(setting->value));
	if (n < 0)
		return problem_set(problem, (int)n, "cannot read %s: %s", path, strerror((int)-n));
	take_choice(setting->value);
	strcpy(setting->path, path);
	/* before the write: who pops after a death in between restores what was not changed */
	settings->count++;
	r = file_write(path, value);
	if (r) {
		settings->count--;
		return problem_set(problem, r, "cannot write '%s' to %s: %s", value, path,
				   strerror(-r));
	}
	return 0;
}

void settings_pop_to(struct settings *settings, size_t depth)
{
	while (settings->count > depth) {
		struct setting *setting = &settings->saved[--settings->count];

		/* a knob that accepted its value before accepts it again */
		(void)file_write(setting->path, setting->value);
	}
}
