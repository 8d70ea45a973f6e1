/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "agent/decode_internal.h"
#include "agent/kbuild.h"
#include "lib/buf.h"

/* Every kernel of every architecture has start_kernel() there. decode_stacktrace.sh finds the tree by
 * kernel_init() in the same file, which may be inlined. */
#define FIRST_FILE "init/main.c"

/* Drops "." and what ".." leaves; by text, since the tree may be on another machine. Owned. */
static char *plain(const char *file)
{
	struct buf b = BUF_INIT;

	if (*file == '/')
		buf_char(&b, '/');
	for (size_t n; *file; file += n + (file[n] == '/')) {
		n = strcspn(file, "/");
		if (n == 0 || (n == 1 && file[0] == '.'))
			continue;
		if (n == 2 && file[0] == '.' && file[1] == '.' && b.len > 1) {
			b.len--;
			while (b.len && b.data[b.len - 1] != '/')
				b.len--;
			b.data[b.len] = '\0';
			continue;
		}
		buf_add(&b, file, n);
		if (file[n])
			buf_char(&b, '/');
	}
	return buf_steal(&b);
}

char *decode_path(const char *file, const char *base)
{
	const char *const roots[] = { base, KBUILD_SOURCE "/", KBUILD_OBJ "/" };
	char *path = plain(file), *safe = NULL;
	const char *rest = path;

	for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
		if (*roots[i] && str_starts(path, roots[i])) {
			rest = path + strlen(roots[i]);
			break;
		}
	}
	if (*rest && strlen(rest) <= TRACE_FILE_LEN)
		safe = str_printable(rest, strlen(rest));
	free(path);
	return safe;
}

char *decode_base(const struct places *start_kernel)
{
	static const char end[] = "/" FIRST_FILE;

	for (int i = start_kernel->n; i-- > 0;) {
		const char *file = start_kernel->v[i].file;
		char *path = file ? plain(file) : NULL;
		size_t len = path ? strlen(path) : 0;

		if (len >= strlen(end) && strcmp(path + len - strlen(end), end) == 0) {
			path[len - strlen(FIRST_FILE)] = '\0';
			return path;
		}
		free(path);
	}
	return xstrdup("");
}
