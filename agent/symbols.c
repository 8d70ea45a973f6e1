/* SPDX-License-Identifier: MIT */
#include "agent/symbols.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/coverage.h"
#include "lib/buf.h"
#include "lib/path.h"

#define MAP_BYTES_MAX (64 << 20) /* that of a distribution's kernel has 10 MB */
#define NAME_MAX_LEN 512 /* KSYM_NAME_LEN, include/linux/kallsyms.h */

/* "ffffffff81000000 T name": ticks off the name's function. False for a line of another form. */
static bool take_line(const char *line, size_t len, char *const *functions, bool *seen, size_t n)
{
	const char *end = line + len, *name;
	char copy[NAME_MAX_LEN];
	CLEANUP(free_p) char *function = NULL;

	name = memchr(line, ' ', len);
	if (!name || end - name < 4 || name[2] != ' ')
		return false;
	name += 3;
	if ((size_t)(end - name) >= sizeof(copy))
		return true;
	memcpy(copy, name, (size_t)(end - name));
	copy[end - name] = '\0';
	function = fault_frame_fold(copy);
	for (size_t i = 0; i < n; i++)
		if (!seen[i] && strcmp(functions[i], function) == 0)
			seen[i] = true;
	return true;
}

size_t symbols_lacking(const char *map, char ***ret)
{
	char **functions;
	size_t n = coverage_functions(&functions), lacking = 0;
	CLEANUP(free_p) bool *seen = xcalloc(n + 1, sizeof(*seen));

	while (*map) {
		size_t len = strcspn(map, "\n");

		(void)take_line(map, len, functions, seen, n);
		map += len + (map[len] == '\n');
	}
	for (size_t i = 0; i < n; i++) {
		if (seen[i])
			free(functions[i]);
		else
			functions[lacking++] = functions[i];
	}
	*ret = functions;
	return lacking;
}

int symbols_lacking_file(const char *path, char ***ret, size_t *ret_n, struct error *err)
{
	CLEANUP(buf_free) struct buf map = BUF_INIT;
	int r = path_read(path, MAP_BYTES_MAX, &map, err);
	const char *text = buf_cstr(&map);

	if (r < 0)
		return error_wrap(err, r, "symbol table");
	if (!take_line(text, strcspn(text, "\n"), NULL, NULL, 0))
		return error_set(err, -EINVAL, "'%s' is not a System.map", path);
	*ret_n = symbols_lacking(text, ret);
	return 0;
}
