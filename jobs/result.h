/* SPDX-License-Identifier: MIT */
/*
 * result: the result document: what engine, command line, API and database all speak.
 * The JSON is the one of docs/results.md ("version":1).
 *
 * Ownership: every pointer in these structs is owned by the struct; result_free() and
 * result_doc_free() free them. Thread: one owner at a time.
 */
#ifndef FAULTLINE_JOBS_RESULT_H
#define FAULTLINE_JOBS_RESULT_H

#include <stdint.h>

#include "jobs/fault.h"
#include "jobs/plan.h"
#include "jobs/trace.h"
#include "jobs/verdict.h"

struct check {
	char *name; /* "data.pattern" */
	bool ok;
	char *detail;
};

struct counter {
	char *name;
	int64_t before, after;
};

struct metric {
	char *name;
	double value;
	char *unit;
};

/* Innermost frame first, function names without offsets, unreliable ("? ") frames dropped. */
struct stack {
	char **frames;
	int n;
	int count; /* how often this stack was injected into */
	bool on_target;
	struct trace trace; /* the same with offsets and, once decoded, lines; may be empty */
};

enum splat_kind {
	SPLAT_NONE,
	SPLAT_BUG,
	SPLAT_WARN,
	SPLAT_OOPS,
	SPLAT_GPF,
	SPLAT_KASAN,
	SPLAT_KFENCE,
	SPLAT_KMSAN,
	SPLAT_KCSAN,
	SPLAT_UBSAN,
	SPLAT_LOCKDEP,
	SPLAT_ATOMIC,
	SPLAT_RCU_STALL,
	SPLAT_SOFT_LOCKUP,
	SPLAT_HARD_LOCKUP,
	SPLAT_HUNG_TASK,
	SPLAT_PANIC,
	SPLAT_BAD_PAGE,
	SPLAT_BAD_RSS,
	SPLAT_BAD_PGTABLES,
	SPLAT_MEMLEAK,
	SPLAT_REFCOUNT,
	SPLAT_LIST,
	SPLAT_SLAB,
	SPLAT_STACK,
	SPLAT_DOUBLE_FAULT,
	SPLAT_NETDEV,
	SPLAT_OOM,
	SPLAT_BOOT,
	SPLAT_SILENCE,
	SPLAT_OTHER,
	SPLAT_KIND_COUNT
};

struct splat {
	enum splat_kind kind;
	char *title; /* "kernel BUG in __split_huge_pmd_locked" */
	char fingerprint[17]; /* 16 hex digits, stable across builds */
	char *excerpt; /* the report's own lines, at most 16 KiB */
	char *corrupted; /* why the report is not whole; NULL: it is */
	struct trace trace; /* where it happened, then the call trace; may be empty */
	int64_t console_offset; /* of its first line */
};

const char *splat_kind_name(enum splat_kind k);
bool splat_kind_parse(const char *s, enum splat_kind *ret);
enum reason splat_kind_reason(enum splat_kind k); /* the FAIL reason it stands for */

struct result {
	char *scenario; /* "split.mprotect"; "build" for a build */
	char *config; /* name of the plan's configuration; may be NULL */
	struct fault fault;
	int repeat;
	bool closing; /* a sweep's closing result */
	int points; /* closing: how many points there were */
	enum status status;
	enum reason reason;
	char *detail; /* one sentence, may be NULL */
	int injected_on, injected_off;
	int injected_unclassified; /* exact count says so, but no stack was seen */
	struct stack *stacks;
	size_t n_stacks;
	int err_no; /* of the operation under test */
	struct check *checks;
	size_t n_checks;
	struct counter *counters;
	size_t n_counters;
	struct metric *metrics;
	size_t n_metrics;
	struct splat splat; /* kind SPLAT_NONE: no splat */
	char *undecoded; /* why its traces have no lines; NULL: they have, or there are none */
	int64_t duration_us;
	int64_t console_offset, console_len; /* where in the run's console; -1 = none */
	char *repro;
};

struct result_kernel {
	char *release, *commit, *tree, *config_hash, *symbols; /* each may be NULL */
	char **lacks; /* functions of the catalogue's paths that its symbol table does not have */
	size_t n_lacks;
};

struct result_machine {
	char *accel, *qemu; /* "tcg", "7.2.22" */
	int cpus, memory_mib;
	int64_t shuffle_seed; /* the order of the cases was drawn from it; 0 = it was not */
	char *isolation; /* "snapshot", "cold", "shared": what was really done; may be NULL */
	int boots; /* machines booted */
	int restores; /* machines restored from a snapshot */
	int64_t boot_us; /* median of start → ready */
	int64_t result_us; /* median of start → first result, of machines that are not shared */
};

struct result_doc {
	struct result_kernel kernel;
	struct result_machine machine;
	struct result *results;
	size_t n_results, cap_results;
};

void result_init(struct result *r); /* zero, console_offset -1, fault defaults */
void result_free(struct result *r);
void result_doc_free(struct result_doc *d);
/* A new zeroed result at the end; the pointer is valid until the next call. */
struct result *result_doc_add(struct result_doc *d);
void result_doc_summary(const struct result_doc *d, int counts[STATUS_COUNT]);

struct json_object *result_to_json(const struct result *r);
must_check int result_from_json(const struct jval *v, struct result *ret, struct error *err);
struct json_object *result_machine_to_json(const struct result_machine *m);
struct json_object *result_doc_to_json(const struct result_doc *d);
must_check int result_doc_from_json(const struct jval *v, struct result_doc *ret,
				    struct error *err);

/* What stands for several results of one scenario is the one with the least rank: the order of enum
 * status, but a case that passed without a fault comes last. That it works when nothing fails says
 * nothing about failing: where every fault was skipped the scenario was skipped. */
int result_rank(const struct result *r);

/* What explains the verdict best, in one line; "" when there is nothing to say. Borrowed. */
const char *result_explain(const struct result *r);
/* "split.mprotect sweep nth=2": what people read. `out` is truncated to fit. */
void result_title(const struct result *r, char *out, size_t size);

#endif
