/* SPDX-License-Identifier: MIT */
/*
 * parts: what a guest's record and a result document have in common: checks, counters, metrics,
 * stacks, and the splat. Each with free, and to and from JSON.
 *
 * The parsers take the member `key` of `v`; an absent one is an empty list. They are strict about
 * types and sizes and name the path; outputs are owned by the caller.
 * Thread: any. May be included by jobs/ and agent/.
 */
#ifndef FAULTLINE_JOBS_PARTS_H
#define FAULTLINE_JOBS_PARTS_H

#include "jobs/result.h"

/* Checks, counters or metrics of one point: scenarios have a dozen; a selftest has up to 800. */
#define PARTS_MAX 1024
#define PARTS_FRAME_LEN 200 /* KSYM_NAME_LEN allows 512 for Rust; C symbols stay far below */
#define PARTS_EXCERPT_BYTES (16 << 10) /* of a splat, jobs/result.h */

void strings_free(char **list, size_t n); /* the strings and the array */
void checks_free(struct check *c, size_t n);
void counters_free(struct counter *c, size_t n);
void metrics_free(struct metric *m, size_t n);
void stacks_free(struct stack *s, size_t n);
void stack_clear(struct stack *s); /* the frames */
void stack_copy(const struct stack *from, struct stack *ret); /* deep */
void splat_free(struct splat *s); /* the contents; leaves SPLAT_NONE */
void splat_copy(const struct splat *from, struct splat *ret); /* deep */

/* Each at most `max_len` bytes; at most PARTS_MAX of them. */
must_check int strings_from_json(const struct jval *v, const char *key, size_t max_len, char ***ret,
				 size_t *ret_n, struct error *err);
struct json_object *strings_to_json(char *const *list, size_t n);
must_check int checks_from_json(const struct jval *v, const char *key, struct check **ret,
				size_t *ret_n, struct error *err);
struct json_object *checks_to_json(const struct check *c, size_t n);
must_check int counters_from_json(const struct jval *v, const char *key, struct counter **ret,
				  size_t *ret_n, struct error *err);
struct json_object *counters_to_json(const struct counter *c, size_t n);
must_check int metrics_from_json(const struct jval *v, const char *key, struct metric **ret,
				 size_t *ret_n, struct error *err);
struct json_object *metrics_to_json(const struct metric *m, size_t n);
/* Members "stacks" (arrays of frames) and "stack_info" (count, on_target and the trace of each, in
 * the same order). Without "stack_info" the count is 1 and `f` decides on_target. */
must_check int stacks_from_json(const struct jval *v, const struct fault *f, struct stack **ret,
				size_t *ret_n, struct error *err);
void stacks_to_json(const struct stack *s, size_t n, struct json_object *into);

#endif
