// SPDX-License-Identifier: MIT
/*
 * Texts go out compressed to whoever takes that: a page of a hundred results is a tenth of its size
 * then. Streams and files are left as they are. No answer holds a secret beside text that somebody
 * else chose, so its length tells nothing (CVE-2013-3587, BREACH).
 */
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "lib/clean.h"
#include "server/http_conn.h"

#define LEAST_BYTES 1400 /* what goes out in one packet anyway is not worth it */
#define MOST_BYTES (32 << 20) /* exports of a whole submission: a worker has better things to do */
#define LEVEL 3 /* docs/dashboard.md has what the others cost */
#define WINDOW_BITS (15 + 16) /* + 16: gzip's frame (zlib.h, deflateInit2) */
#define MEM_LEVEL 8 /* zlib's default */
#define BLOCK_BYTES 16384

static bool is_text(const char *type)
{
	return type && (str_starts(type, "text/") || str_starts(type, "application/json") ||
			str_starts(type, "image/svg+xml") || strstr(type, "+xml"));
}

/* ";q=0", ";q=0.000": not wanted. `s` is what stands behind the name, up to the next comma. */
static bool weighs_nothing(const char *s, size_t len)
{
	const char *q = memmem(s, len, "q=", 2);

	return q && strspn(q + 2, "0.") == strcspn(q + 2, ",; \t");
}

bool http_takes_gzip(const char *accept)
{
	for (const char *p = accept; p && *p;) {
		size_t name, all;

		p += strspn(p, ", \t");
		name = strcspn(p, ",; \t");
		all = strcspn(p, ",");
		if (name == 4 && !strncasecmp(p, "gzip", 4))
			return !weighs_nothing(p + name, all - name);
		p += all;
	}
	return false;
}

struct gzip {
	z_stream z;
};

struct gzip *gzip_new(void)
{
	struct gzip *g = xcalloc(1, sizeof(*g));

	if (deflateInit2(&g->z, LEVEL, Z_DEFLATED, WINDOW_BITS, MEM_LEVEL, Z_DEFAULT_STRATEGY) !=
	    Z_OK) {
		free(g);
		return NULL;
	}
	return g;
}

void gzip_free_p(struct gzip **g)
{
	if (!*g)
		return;
	deflateEnd(&(*g)->z);
	free(*g);
	*g = NULL;
}

static bool compress_body(struct gzip *g, struct buf *body)
{
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	unsigned char block[BLOCK_BYTES];
	int r;

	if (deflateReset(&g->z) != Z_OK)
		return false;
	g->z.next_in = (unsigned char *)body->data;
	g->z.avail_in = (unsigned)body->len;
	do {
		g->z.next_out = block;
		g->z.avail_out = sizeof(block);
		r = deflate(&g->z, Z_FINISH);
		buf_add(&out, block, sizeof(block) - g->z.avail_out);
	} while (r == Z_OK);
	if (r != Z_STREAM_END)
		return false;
	buf_free(body);
	body->len = out.len;
	body->cap = out.cap;
	body->data = buf_steal(&out);
	return true;
}

/* Caches keep one answer for those who take gzip and one for the others. */
static void vary(struct http_res *res)
{
	CLEANUP(free_p) char *both = NULL;

	for (int i = 0; i < res->n_extra; i++)
		if (!strcasecmp(res->extra[i][0], "Vary"))
			both = xasprintf("%s, Accept-Encoding", res->extra[i][1]);
	http_res_header(res, "Vary", both ? both : "Accept-Encoding");
}

void http_gzip(struct gzip *g, const struct http_req *req, struct http_res *res)
{
	if (res->status != 200 || res->stream || res->file_fd >= 0 || !is_text(res->content_type))
		return;
	vary(res);
	if (!g || res->body.len < LEAST_BYTES || res->body.len > MOST_BYTES ||
	    !http_takes_gzip(http_header(req, "Accept-Encoding")))
		return;
	if (compress_body(g, &res->body))
		http_res_header(res, "Content-Encoding", "gzip");
}
