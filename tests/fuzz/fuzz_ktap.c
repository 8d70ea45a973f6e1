/* SPDX-License-Identifier: MIT */
/*
 * The guest writes, the host reads: a record made of any bytes (lines of the input become names and
 * strings) must be one line of printable JSON that the host's strict reader takes, with the strings
 * as they were, or, where they were no UTF-8, with U+FFFD in them.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ktap.h"
#include "lib/buf.h"
#include "lib/json.h"

#define PREFIX "# faultline "

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_utf8(const char *s)
{
	size_t len = strlen(s), n;

	for (; len; s += n, len -= n) {
		n = utf8_len(s, len);
		if (!n)
			return false;
	}
	return true;
}

/* The record's line as init's port would get it; empty when it did not fit. */
static void send(struct record *record, struct buf *ret_line)
{
	char chunk[4096];
	int fds[2];
	ssize_t n;

	/* A pipe holds 64 KiB, a record half of that: the write never waits. */
	if (pipe(fds))
		abort();
	n = record_send(record, fds[1]);
	if ((n < 0) != record->overflow)
		abort();
	close(fds[1]);
	while ((n = read(fds[0], chunk, sizeof(chunk))) > 0)
		buf_add(ret_line, chunk, (size_t)n);
	close(fds[0]);
}

static void check(const struct buf *line, const char *const *strings, size_t n)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct error err = ERROR_INIT;
	const char *text;
	struct jval v, arr;

	if (line->len > RECORD_MAX || line->data[line->len - 1] != '\n' ||
	    memchr(line->data, '\n', line->len - 1) || !str_starts(line->data, PREFIX))
		abort();
	if (json_parse(line->data + strlen(PREFIX), line->len - 1 - strlen(PREFIX), &o, &err) < 0)
		abort();
	v = json_root(o);
	if (json_get_arr(&v, "strings", &arr, &err) < 0 || json_arr_len(&arr) != n)
		abort();
	for (size_t i = 0; i < n; i++) {
		struct jval e = json_arr_at(&arr, i);

		if (json_as_str(&e, RECORD_MAX, &text, &err) < 0)
			abort();
		if (is_utf8(strings[i]) ? strcmp(text, strings[i]) != 0
					: !strstr(text, "\xef\xbf\xbd"))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct record record;
	CLEANUP(free_p) char *text = xstrndup((const char *)data, size);
	CLEANUP(free_p) const char **strings = xcalloc(size + 1, sizeof(*strings));
	CLEANUP(buf_free) struct buf line = BUF_INIT;
	char *rest = text, *s;
	size_t n = 0;

	record_begin(&record, "result");
	record_int(&record, "id", (int64_t)size);
	record_open(&record, "strings", '[');
	while ((s = strsep(&rest, "\n"))) {
		record_string(&record, NULL, s);
		strings[n++] = s;
	}
	record_close(&record, ']');
	record_open(&record, "object", '{');
	record_string(&record, n ? strings[0] : "", "a name of any bytes");
	record_close(&record, '}');
	record_double(&record, "value", size ? 1.0 / (double)size : 0);
	record_bool(&record, "last", true);
	send(&record, &line);
	if (line.len)
		check(&line, strings, n);
	return 0;
}
