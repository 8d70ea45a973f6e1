/* SPDX-License-Identifier: MIT */
/*
 * prom: a writer of Prometheus' text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats):
 * a family of samples is announced by its help and type, its samples follow.
 * Thread: any. May be included by everything.
 */
#ifndef FAULTLINE_LIB_PROM_H
#define FAULTLINE_LIB_PROM_H

#include <stdint.h>

#include "lib/buf.h"

enum prom_type {
	PROM_GAUGE, /* goes up and down */
	PROM_COUNTER /* only grows while the process lives; its name ends with _total */
};

/* "# HELP" and "# TYPE" of a family. `name` is [a-z_][a-z0-9_]*, whole; `help` any text. */
void prom_family(struct buf *out, const char *name, enum prom_type type, const char *help);
/* One sample. `labels` is name, value, name, value, …, NULL; values may be any UTF-8. NULL: none. */
void prom_sample(struct buf *out, const char *name, const char *const *labels, int64_t value);

#endif
