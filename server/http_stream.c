// SPDX-License-Identifier: MIT
#include <string.h>

#include "server/http_conn.h"

ssize_t http_stream_read(struct http_conn *c, char *buf, size_t max)
{
	size_t left = c->out.len - c->out_pos;

	if (left) {
		size_t n = left < max ? left : max;

		memcpy(buf, c->out.data + c->out_pos, n);
		c->out_pos += n;
		if (c->out_pos == c->out.len) {
			buf_reset(&c->out);
			c->out_pos = 0;
		}
		return (ssize_t)n;
	}
	if (c->ended)
		return -1;
	/* First asleep, then in the queue: the worker must find a suspended connection. */
	http_conn_suspend(c);
	pool_submit(c->http->pool, c, TASK_FILL);
	return 0;
}

bool http_stream_fill(struct http_conn *c)
{
	if (!c->res.stream(c->res.stream_arg, &c->out))
		c->ended = true;
	else if (!c->out.len && pool_draining(c->http->pool) && !c->res.stream_finite)
		c->ended = true;
	return c->ended || c->out.len;
}
