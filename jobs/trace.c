/* SPDX-License-Identifier: MIT */
#include "jobs/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define UTF8_SLACK 3 /* a byte that is no UTF-8 becomes three on its way out */

void frame_free(struct frame *f)
{
	free(f->function);
	free(f->symbol);
	free(f->module);
	free(f->file);
	*f = (struct frame){ 0 };
}

void trace_free(struct trace *t)
{
	for (size_t i = 0; i < t->n; i++)
		frame_free(&t->frames[i]);
	free(t->frames);
	*t = (struct trace){ 0 };
}

void trace_copy(const struct trace *from, struct trace *ret)
{
	struct trace t = { .n = from->n, .cap = from->n };

	t.frames = t.n ? xcalloc(t.n, sizeof(*t.frames)) : NULL;
	for (size_t i = 0; i < t.n; i++) {
		const struct frame *f = &from->frames[i];

		t.frames[i] = *f;
		t.frames[i].function = xstrdup(f->function);
		t.frames[i].symbol = xstrdup(f->symbol);
		t.frames[i].module = xstrdup(f->module);
		t.frames[i].file = xstrdup(f->file);
	}
	*ret = t;
}

struct frame *trace_add(struct trace *t)
{
	if (t->n >= TRACE_FRAMES_MAX)
		return NULL;
	ARRAY_RESERVE(t->frames, t->n, t->cap);
	t->frames[t->n] = (struct frame){ 0 };
	return &t->frames[t->n++];
}

bool trace_has_lines(const struct trace *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->frames[i].file)
			return true;
	return false;
}

void frame_text(const struct frame *f, struct buf *out)
{
	buf_str(out, f->function);
	if (f->size)
		buf_printf(out, "+0x%" PRIx64 "/0x%" PRIx64, f->offset, f->size);
	if (f->module)
		buf_printf(out, " [%s]", f->module);
	if (f->file)
		buf_printf(out, " (%s:%d)", f->file, f->line);
	if (f->inlined)
		buf_str(out, " [inline]");
}

void trace_text(const struct trace *t, struct buf *out)
{
	for (size_t i = 0; i < t->n; i++) {
		buf_str(out, "  ");
		frame_text(&t->frames[i], out);
		buf_char(out, '\n');
	}
}

static struct json_object *frame_to_json(const struct frame *f)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "function",
			       json_strn(f->function, strnlen(f->function, TRACE_NAME_LEN)));
	json_object_object_add(o, "offset", json_object_new_int64((int64_t)f->offset));
	json_object_object_add(o, "size", json_object_new_int64((int64_t)f->size));
	if (f->module)
		json_object_object_add(o, "module",
				       json_strn(f->module, strnlen(f->module, TRACE_NAME_LEN)));
	json_object_object_add(o, "file",
			       f->file ? json_strn(f->file, strnlen(f->file, TRACE_FILE_LEN))
				       : json_str(""));
	json_object_object_add(o, "line", json_object_new_int(f->line));
	json_object_object_add(o, "inlined", json_object_new_boolean(f->inlined));
	return o;
}

struct json_object *trace_to_json(const struct trace *t)
{
	struct json_object *arr = json_object_new_array();

	for (size_t i = 0; i < t->n; i++)
		json_object_array_add(arr, frame_to_json(&t->frames[i]));
	return arr;
}

static int frame_from_json(const struct jval *v, struct frame *f, struct error *err)
{
	const char *function, *module = "", *file = "";
	int64_t offset = 0, size = 0, line = 0;
	bool inlined = false;
	int r = json_as_obj(v, err);

	if (!r)
		r = json_get_str(v, "function", TRACE_NAME_LEN * UTF8_SLACK, &function, err);
	if (!r)
		r = json_opt_str(v, "module", TRACE_NAME_LEN * UTF8_SLACK, &module, err);
	if (!r)
		r = json_opt_str(v, "file", TRACE_FILE_LEN * UTF8_SLACK, &file, err);
	if (!r)
		r = json_opt_i64(v, "offset", 0, INT64_MAX, &offset, err);
	if (!r)
		r = json_opt_i64(v, "size", 0, INT64_MAX, &size, err);
	if (!r)
		r = json_opt_i64(v, "line", 0, INT32_MAX, &line, err);
	if (!r)
		r = json_opt_bool(v, "inlined", &inlined, err);
	if (r < 0)
		return r;
	if (!*function)
		return error_set(err, -EINVAL, "%s.function: is empty", v->path);
	if ((*file != '\0') != (line != 0))
		return error_set(err, -EINVAL, "%s: a file and a line go together", v->path);
	f->function = xstrdup(function);
	f->module = *module ? xstrdup(module) : NULL;
	f->file = *file ? xstrdup(file) : NULL;
	f->offset = (uint64_t)offset;
	f->size = (uint64_t)size;
	f->line = (int)line;
	f->inlined = inlined;
	return 0;
}

int trace_from_json(const struct jval *v, const char *key, struct trace *ret, struct error *err)
{
	struct trace t = { 0 };
	struct jval arr = { .o = NULL };
	int r = json_opt_arr(v, key, &arr, err);

	if (!r && json_arr_len(&arr) > TRACE_FRAMES_MAX)
		r = error_set(err, -EINVAL, "%s: %zu frames, at most %d", arr.path,
			      json_arr_len(&arr), TRACE_FRAMES_MAX);
	for (size_t i = 0; i < json_arr_len(&arr) && !r; i++) {
		struct jval e = json_arr_at(&arr, i);

		r = frame_from_json(&e, trace_add(&t), err);
	}
	if (r < 0) {
		trace_free(&t);
		return r;
	}
	*ret = t;
	return 0;
}
