/* SPDX-License-Identifier: MIT */
/*
 * render: a template and a view become HTML. Templates are web/templates/, compiled by
 * tools/templates.c (language: tools/README.md).
 *
 * Everything in a view may be hostile: markup, terminal escapes, direction marks, invalid UTF-8.
 * It comes out as text: markup escaped for its place, invalid bytes as U+FFFD, control characters
 * as ^[ (the way of `cat -v`), marks that reorder text spelled out as [U+202E].
 * Thread: any, with a view of its own.
 */
#ifndef FAULTLINE_SERVER_RENDER_H
#define FAULTLINE_SERVER_RENDER_H

#include "lib/buf.h"
#include "lib/json.h"
#include "templates.h"

/* Appends to `out`. `view` (an object) is borrowed. -EINVAL naming template, line and path for a
 * key that is not there or a value that cannot be printed; then `out` is as it was. */
must_check int render_template(enum template_id id, struct json_object *view, struct buf *out,
			       struct error *err);

/* The escapers, one for each place. */
void render_text(struct buf *out, const char *s, size_t len); /* also for quoted attributes */
/* http, https or a path of this site; "#" for anything else. */
void render_url(struct buf *out, const char *s, size_t len);
void render_url_part(struct buf *out, const char *s, size_t len);

#endif
