// SPDX-License-Identifier: MIT
#include "lib/prom.h"

#include <stdbool.h>

static void escaped(struct buf *out, const char *s, bool quotes)
{
	for (; *s; s++) {
		if (*s == '\n') {
			buf_str(out, "\\n");
			continue;
		}
		if (*s == '\\' || (quotes && *s == '"'))
			buf_char(out, '\\');
		buf_char(out, *s);
	}
}

void prom_family(struct buf *out, const char *name, enum prom_type type, const char *help)
{
	buf_printf(out, "# HELP %s ", name);
	escaped(out, help, false);
	buf_printf(out, "\n# TYPE %s %s\n", name, type == PROM_COUNTER ? "counter" : "gauge");
}

void prom_sample(struct buf *out, const char *name, const char *const *labels, int64_t value)
{
	buf_str(out, name);
	for (const char *const *l = labels; l && *l; l += 2) {
		buf_printf(out, "%s%s=\"", l == labels ? "{" : ",", l[0]);
		escaped(out, l[1], true);
		buf_char(out, '"');
	}
	buf_printf(out, "%s %lld\n", labels && *labels ? "}" : "", (long long)value);
}
