/* SPDX-License-Identifier: MIT */
/* What the tests of the exported formats share: documents with every status, and hostile text. */
#ifndef FAULTLINE_TESTS_TEST_EXPORT_H
#define FAULTLINE_TESTS_TEST_EXPORT_H

#include <string.h>

#include "jobs/export.h"
#include "lib/clean.h"

/* Markup, the end of CDATA, a terminal escape, C0 and C1 controls, a mark that reverses what
 * follows, bytes that are no UTF-8, quotes, and what begins lines and directives. */
#define HOSTILE                                            \
	"<b id='x'>&\"]]>\x1b[31m\x01\xc2\x9b\xe2\x80\xae" \
	"abc\xff\xfe # SKIP\r\nok 1 - injected\nnot ok 2\tx"

static inline struct result *add_result(struct result_doc *d, const char *scenario,
					enum status status, enum reason reason, const char *detail)
{
	struct result *r = result_doc_add(d);

	r->scenario = xstrdup(scenario);
	r->config = xstrdup("default");
	r->fault.mode = FAULT_NTH;
	r->fault.nth = 3;
	r->status = status;
	r->reason = reason;
	r->detail = xstrdup(detail);
	r->duration_us = 1500000;
	return r;
}

static inline void add_splat_to(struct result *r, const char *title, const char *excerpt)
{
	r->splat.kind = SPLAT_BUG;
	r->splat.title = xstrdup(title);
	r->splat.excerpt = xstrdup(excerpt);
	memcpy(r->splat.fingerprint, "0123456789abcdef", 17);
}

static inline void add_metric_to(struct result *r, const char *name, double value, const char *unit)
{
	r->metrics = xrealloc(r->metrics, r->n_metrics + 1, sizeof(*r->metrics));
	r->metrics[r->n_metrics++] =
		(struct metric){ .name = xstrdup(name), .value = value, .unit = xstrdup(unit) };
}

static inline void add_check_to(struct result *r, const char *name, bool ok, const char *detail)
{
	r->checks = xrealloc(r->checks, r->n_checks + 1, sizeof(*r->checks));
	r->checks[r->n_checks++] =
		(struct check){ .name = xstrdup(name), .ok = ok, .detail = xstrdup(detail) };
}

/* One result of each status. */
static inline void fill_statuses(struct result_doc *d)
{
	struct result *r;

	r = add_result(d, "split.mprotect", STATUS_FAIL, REASON_BUG, "it broke");
	add_splat_to(r, "kernel BUG in f", "kernel BUG at f\nCall Trace:\n");
	add_check_to(r, "data.pattern", false, "byte 7 is 0");
	add_check_to(r, "leak.rss", true, "");
	add_result(d, "split.munmap", STATUS_ERROR, REASON_INEFFECTIVE, "nothing was injected");
	add_result(d, "split.mremap", STATUS_MISS, REASON_QEMU, "QEMU ended");
	add_result(d, "split.fork", STATUS_PASS, REASON_NONE, "");
	r = add_result(d, "zeropage.remap", STATUS_DONE, REASON_NONE, "rss.freed 64 pages");
	r->fault.mode = FAULT_NONE;
	add_metric_to(r, "rss.freed", 64, "pages");
	add_metric_to(r, "rate", 0.125, "s");
	add_result(d, "split.ksm", STATUS_SKIP, REASON_PREDEPOSIT, "the kernel deposits");
}

/* Hostile text in every member that text from outside reaches. */
static inline void fill_hostile(struct result_doc *d)
{
	CLEANUP(free_p) char *name = xcalloc(10001, 1);
	struct result *r;

	memset(name, 'n', 10000);
	d->kernel.release = xstrdup(HOSTILE);
	d->kernel.commit = xstrdup(HOSTILE);
	d->machine.qemu = xstrdup(HOSTILE);
	r = add_result(d, "split.mprotect", STATUS_FAIL, REASON_BUG, HOSTILE);
	free(r->config);
	r->config = xstrdup(HOSTILE);
	r->repro = xstrdup(HOSTILE);
	add_splat_to(r, HOSTILE, HOSTILE);
	add_check_to(r, HOSTILE, false, HOSTILE);
	r = add_result(d, name, STATUS_DONE, REASON_NONE, name);
	add_metric_to(r, HOSTILE, 1, HOSTILE);
	add_metric_to(r, name, 2, name);
	add_result(d, HOSTILE, STATUS_SKIP, REASON_KCONFIG, HOSTILE);
}

static inline char *written(const char *format, const struct result_doc *d, const char *origin)
{
	CLEANUP(export_free) struct export e = { .origin = origin };
	CLEANUP(buf_free) struct buf out = BUF_INIT;

	export_add_doc(&e, d);
	export_format_find(format)->write(&e, &out);
	return buf_steal(&out);
}

#endif
