/* SPDX-License-Identifier: MIT */
#include "vmstat.h"

#include "fileio.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool wanted(const char *name)
{
	return !strncmp(name, "thp_", 4) || !strncmp(name, "pgmigrate_", 10) ||
	       !strncmp(name, "pswp", 4) || !strncmp(name, "nr_page_table_pages ", 20);
}

void vmstat_parse(const char *text, struct vmstat *ret_vmstat)
{
	const char *line = text, *next;

	ret_vmstat->count = 0;
	for (; *line && ret_vmstat->count < VMSTAT_MAX; line = next) {
		struct vmstat_counter *counter = &ret_vmstat->counters[ret_vmstat->count];
		size_t length = strcspn(line, " \n");

		next = strchr(line, '\n');
		next = next ? next + 1 : line + strlen(line);
		if (line[length] != ' ' || length >= VMSTAT_NAME_MAX || !wanted(line))
			continue;
		memcpy(counter->name, line, length);
		counter->name[length] = '\0';
		counter->value = strtoll(line + length + 1, NULL, 10);
		ret_vmstat->count++;
	}
}

int vmstat_read(struct vmstat *ret_vmstat)
{
	static char text[16384];
	ssize_t n;

	/* not there without CONFIG_SMP, and then not needed */
	(void)file_write("/proc/sys/vm/stat_refresh", "1");
	n = file_read("/proc/vmstat", text, sizeof(text));
	if (n < 0)
		return (int)n;
	vmstat_parse(text, ret_vmstat);
	return 0;
}

int64_t vmstat_get(const struct vmstat *vmstat, const char *name)
{
	unsigned int i;

	for (i = 0; i < vmstat->count && i < VMSTAT_MAX; i++)
		if (!strcmp(vmstat->counters[i].name, name))
			return vmstat->counters[i].value;
	return -1;
}
