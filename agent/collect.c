/* SPDX-License-Identifier: MIT */
#include "agent/collect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/clean.h"
#include "lib/json.h"
#include "lib/limits.h"

#define RECORD_PREFIX "# faultline "

void collect_init(struct collect *c, collect_fn fn, void *arg)
{
	*c = (struct collect){ .state = COLLECT_WAIT_READY, .fn = fn, .arg = arg };
}

void collect_free(struct collect *c)
{
	buf_free(&c->line);
	buf_free(&c->output);
	free(c->cases);
	c->cases = NULL;
	c->n_cases = 0;
}

void collect_restored(struct collect *c)
{
	c->state = COLLECT_IDLE;
}

static void case_start(struct collect *c)
{
	c->open = c->case_done = false;
	c->results = 0;
	if (c->at < c->n_cases)
		c->nth = c->cases[c->at].first;
}

void collect_expect(struct collect *c, const struct collect_case *cases, size_t n)
{
	free(c->cases);
	c->cases = xcalloc(n, sizeof(*cases));
	memcpy(c->cases, cases, n * sizeof(*cases));
	c->n_cases = n;
	c->at = 0;
	c->expecting = c->state == COLLECT_WAIT_READY;
	if (!c->expecting)
		c->state = COLLECT_WAIT_HEAD;
	case_start(c);
}

static void emit(struct collect *c, struct collect_event e)
{
	c->fn(c->arg, &e);
}

/* --- records ------------------------------------------------------------------------------ */

static int on_ready(struct collect *c, const struct jval *v, struct error *err)
{
	const char *release;
	int64_t version;
	int r;

	if (c->state != COLLECT_WAIT_READY)
		return error_set(err, -EPROTO, "a second ready record");
	r = json_get_i64(v, "version", 1, 1, &version, err);
	if (!r)
		r = json_get_str(v, "release", LIMIT_NAME_LEN, &release, err);
	if (r < 0)
		return r;
	c->state = c->expecting ? COLLECT_WAIT_HEAD : COLLECT_IDLE;
	emit(c, (struct collect_event){ .type = COLLECT_READY, .release = release });
	return 0;
}

static int on_calibration(struct collect *c, const struct jval *v, struct error *err)
{
	bool allocates;
	int r;

	if (c->state != COLLECT_CASES || c->at || c->results || c->open)
		return error_set(err, -EPROTO, "calibration after the first case");
	r = json_get_bool(v, "allocates", &allocates, err);
	if (r < 0)
		return r;
	emit(c, (struct collect_event){ .type = COLLECT_CALIBRATION, .allocates = allocates });
	return 0;
}

/* The point must be the one whose turn it is. */
static int check_turn(const struct collect *c, const char *what, int64_t id, int nth,
		      struct error *err)
{
	if (c->state != COLLECT_CASES || c->at >= c->n_cases || c->case_done)
		return error_set(err, -EPROTO, "%s id=%lld without a case to run", what,
				 (long long)id);
	if (id != c->cases[c->at].id || nth != c->nth)
		return error_set(err, -EPROTO, "%s id=%lld nth=%d where id=%lld nth=%d was due",
				 what, (long long)id, nth, (long long)c->cases[c->at].id, c->nth);
	return 0;
}

static int on_begin(struct collect *c, const struct jval *v, struct error *err)
{
	int64_t id, nth;
	int r;

	r = json_get_i64(v, "id", 0, INT64_MAX, &id, err);
	if (!r)
		r = json_get_i64(v, "nth", 0, FAULT_NTH_MAX, &nth, err);
	if (!r)
		r = check_turn(c, "begin", id, (int)nth, err);
	if (r < 0)
		return r;
	if (c->open)
		return error_set(err, -EPROTO, "begin id=%lld nth=%d twice", (long long)id,
				 (int)nth);
	c->open = true;
	emit(c, (struct collect_event){ .type = COLLECT_BEGIN, .id = id, .nth = (int)nth });
	return 0;
}

/* What a selftest wrote: kept until its result. */
static int on_output(struct collect *c, const struct jval *v, struct error *err)
{
	int64_t id, nth;
	const char *text;
	int r = json_get_i64(v, "id", 0, INT64_MAX, &id, err);

	if (!r)
		r = json_get_i64(v, "nth", 0, FAULT_NTH_MAX, &nth, err);
	if (!r)
		r = json_get_str(v, "text", LIMIT_RECORD_BYTES, &text, err);
	if (!r)
		r = check_turn(c, "output", id, (int)nth, err);
	if (r < 0)
		return r;
	if (!c->open)
		return error_set(err, -EPROTO, "output id=%lld outside of its point",
				 (long long)id);
	if (c->output.len + strlen(text) > LIMIT_OUTPUT_BYTES)
		return error_set(err, -EPROTO, "a program's output of more than %d bytes",
				 LIMIT_OUTPUT_BYTES);
	buf_str(&c->output, text);
	return 0;
}

static int on_result(struct collect *c, const struct jval *v, struct error *err)
{
	struct point p = { 0 };
	const struct collect_case *due;
	int r;

	r = point_from_json(v, &p, err);
	if (r < 0)
		return r;
	r = check_turn(c, "result", p.id, p.nth, err);
	if (!r && !c->open)
		r = error_set(err, -EPROTO, "result id=%lld nth=%d without its begin",
			      (long long)p.id, p.nth);
	if (!r && c->cases[c->at].only_skip && p.outcome != POINT_SKIP)
		r = error_set(err, -EPROTO, "result id=%lld of a case that was not to run",
			      (long long)p.id);
	if (r < 0) {
		point_free(&p);
		return r;
	}
	p.output = c->output.len ? buf_steal(&c->output) : NULL;
	due = &c->cases[c->at];
	c->open = false;
	c->results++;
	c->case_done = !due->sweep || p.last || p.outcome == POINT_SKIP ||
		       c->results == due->points;
	if (due->sweep)
		c->nth++;
	emit(c, (struct collect_event){
			.type = COLLECT_RESULT, .id = p.id, .nth = p.nth, .point = &p });
	point_free(&p);
	return 0;
}

static int on_end(struct collect *c, struct error *err)
{
	if (c->state != COLLECT_CASES || c->at != c->n_cases)
		return error_set(err, -EPROTO, "end after %zu of %zu cases", c->at, c->n_cases);
	c->state = COLLECT_IDLE;
	emit(c, (struct collect_event){ .type = COLLECT_END });
	return 0;
}

static int take_record(struct collect *c, const char *text, size_t len, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	const char *type;
	struct jval v;
	int r;

	if (++c->records > LIMIT_RECORDS_MACHINE)
		return error_set(err, -EPROTO, "more than %d records", LIMIT_RECORDS_MACHINE);
	r = json_parse(text, len, &o, err);
	if (r < 0)
		return r;
	v = json_root(o);
	r = json_as_obj(&v, err);
	if (!r)
		r = json_get_str(&v, "type", LIMIT_NAME_LEN, &type, err);
	if (r < 0)
		return r;
	if (strcmp(type, "ready") == 0)
		return on_ready(c, &v, err);
	if (strcmp(type, "calibration") == 0)
		return on_calibration(c, &v, err);
	if (strcmp(type, "begin") == 0)
		return on_begin(c, &v, err);
	if (strcmp(type, "result") == 0)
		return on_result(c, &v, err);
	if (strcmp(type, "output") == 0)
		return on_output(c, &v, err);
	if (strcmp(type, "end") == 0)
		return on_end(c, err);
	return error_set(err, -EPROTO, "unknown record type '%.40s'", type);
}

/* --- lines -------------------------------------------------------------------------------- */

static int take_plan(struct collect *c, const char *s, struct error *err)
{
	long long n;

	if (!str_starts(s, "1..") || str_to_i64(s + 3, 0, LIMIT_CASES, &n) < 0)
		return error_set(err, -EPROTO, "no plan where one was due: '%.60s'", s);
	if ((size_t)n != c->n_cases)
		return error_set(err, -EPROTO, "planned %lld cases, %zu were asked for", n,
				 c->n_cases);
	c->state = COLLECT_CASES;
	return 0;
}

static bool case_may_end(const struct collect *c)
{
	return c->case_done || (c->at < c->n_cases && c->cases[c->at].only_skip && !c->open);
}

/* "ok 3 split.mprotect # 2 points"; the verdict in it is not used. */
static int take_case_line(struct collect *c, const char *s, struct error *err)
{
	CLEANUP(free_p) char *number = xstrndup(s, strcspn(s, " "));
	long long n;

	if (c->state != COLLECT_CASES || str_to_i64(number, 1, LIMIT_CASES, &n) < 0)
		return error_set(err, -EPROTO, "a case's line out of place: '%.60s'", s);
	if ((size_t)n != c->at + 1 || !case_may_end(c))
		return error_set(err, -EPROTO, "case %lld ended where %zu was due%s", n, c->at + 1,
				 c->case_done ? "" : ", without its last result");
	emit(c, (struct collect_event){ .type = COLLECT_CASE, .id = c->cases[c->at].id });
	c->at++;
	case_start(c);
	return 0;
}

static int take_bail(struct collect *c, const char *s, struct error *err)
{
	if (c->state != COLLECT_CASES || !strstr(s, " unkillable"))
		return error_set(err, -EPROTO, "the guest gave up: '%.120s'", s);
	c->state = COLLECT_BAILED;
	emit(c, (struct collect_event){ .type = COLLECT_BAIL });
	return 0;
}

static int take_line(struct collect *c, const char *s, size_t len, struct error *err)
{
	if (strlen(s) != len)
		return error_set(err, -EPROTO, "a NUL byte in a line");
	if (c->state == COLLECT_BAILED)
		return 0;
	if (str_starts(s, RECORD_PREFIX))
		return take_record(c, s + strlen(RECORD_PREFIX), len - strlen(RECORD_PREFIX), err);
	if (!*s || *s == '#')
		return 0;
	if (str_starts(s, "Bail out!"))
		return take_bail(c, s, err);
	if (c->state == COLLECT_WAIT_HEAD && strcmp(s, "KTAP version 1") == 0) {
		c->state = COLLECT_WAIT_PLAN;
		return 0;
	}
	if (c->state == COLLECT_WAIT_PLAN)
		return take_plan(c, s, err);
	if (str_starts(s, "ok "))
		return take_case_line(c, s + 3, err);
	if (str_starts(s, "not ok "))
		return take_case_line(c, s + 7, err);
	return error_set(err, -EPROTO, "not a line of the protocol");
}

int collect_feed(struct collect *c, const char *data, size_t len, struct error *err)
{
	while (len) {
		const char *nl = memchr(data, '\n', len);
		size_t n = nl ? (size_t)(nl - data) : len;
		int r;

		if (c->line.len + n > LIMIT_RECORD_BYTES)
			return error_set(err, -EPROTO, "a line of more than %d bytes",
					 LIMIT_RECORD_BYTES);
		buf_add(&c->line, data, n);
		if (!nl)
			return 0;
		r = take_line(c, buf_cstr(&c->line), c->line.len, err);
		if (r < 0) {
			if (err)
				err->code = EPROTO;
			return -EPROTO;
		}
		buf_reset(&c->line);
		data += n + 1;
		len -= n + 1;
	}
	return 0;
}
