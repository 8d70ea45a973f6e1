/* SPDX-License-Identifier: MIT */
#include "agent/splat.h"

#include "agent/inject.h"

static bool is_mark(const struct klog_line *l)
{
	return klog_starts(l, "faultline: ");
}

/* The next line that begins a report; *at moves behind it. */
static bool find_report(struct klog *k, size_t *at, size_t to, struct report *ret)
{
	for (size_t i = *at; i < to; i++) {
		struct klog_line *l = &k->lines[i];
		const struct splat_row *row;

		if (l->removed || l->foreign || l->used || is_mark(l))
			continue;
		row = splat_row_of(l);
		if (!row)
			continue;
		report_read(k, i, row, ret);
		if (row->kind == SPLAT_NONE)
			continue;
		*at = i + 1;
		return true;
	}
	*at = to;
	return false;
}

bool splat_next(struct klog *k, size_t *at, size_t to, struct splat *ret)
{
	struct report r;

	if (!find_report(k, at, to, &r))
		return false;
	report_describe(k, &r, ret);
	ret->console_offset = (int64_t)klog_offset(k, &k->lines[r.first]);
	return true;
}

bool splat_skip(struct klog *k, size_t *at, size_t to)
{
	struct report r;

	return find_report(k, at, to, &r);
}

void splat_read_log(const char *log, size_t len, struct splat *ret, struct stack **ret_stacks,
		    size_t *ret_n_stacks)
{
	struct klog k;
	size_t at = 0;

	klog_parse(log, len, &k);
	(void)inject_take(&k, ret_stacks, ret_n_stacks);
	*ret = (struct splat){ .kind = SPLAT_NONE };
	(void)splat_next(&k, &at, k.n, ret);
	klog_free(&k);
}
