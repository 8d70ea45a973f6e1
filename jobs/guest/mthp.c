/* SPDX-License-Identifier: MIT */
#include "mthp.h"

#include "fileio.h"

#include <stdio.h>
#include <stdlib.h>

#define MTHP_DIR THP_DIR "hugepages-%ukB/%s%s"

static void mthp_path(char path[SETTING_PATH_MAX], unsigned int size_kb, const char *folder,
		      const char *name)
{
	snprintf(path, SETTING_PATH_MAX, MTHP_DIR, size_kb, folder, name);
}

bool mthp_supported(unsigned int size_kb)
{
	char path[SETTING_PATH_MAX];

	mthp_path(path, size_kb, "", "enabled");
	return file_exists(path);
}

bool mthp_only(struct scenario *s, unsigned int size_kb)
{
	char path[SETTING_PATH_MAX];
	unsigned int size;

	for (size = 8; size <= THP_SIZE >> 10; size *= 2) {
		if (!mthp_supported(size) && size != size_kb)
			continue;
		mthp_path(path, size, "", "enabled");
		if (!scenario_setting(s, path, size == size_kb ? "madvise" : "never"))
			return false;
	}
	return true;
}

long mthp_stat(unsigned int size_kb, const char *name)
{
	char path[SETTING_PATH_MAX], text[32];

	mthp_path(path, size_kb, "stats/", name);
	if (file_read(path, text, sizeof(text)) <= 0)
		return -1;
	return strtol(text, NULL, 10);
}
