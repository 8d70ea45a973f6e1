/* SPDX-License-Identifier: MIT */
/*
 * http_conn: one request inside the adapter. Only the http*.c files include this.
 *
 * Ownership: while the connection is suspended the request belongs to the pool (queue, worker,
 * parked list or waiting streams), otherwise to libmicrohttpd's thread; it is never touched by both.
 * Fields marked (pool) are guarded by the pool's mutex.
 */
#ifndef FAULTLINE_SERVER_HTTP_CONN_H
#define FAULTLINE_SERVER_HTTP_CONN_H

#include <pthread.h>
#include <sodium.h>

#include "server/http.h"
#include "server/http_framing.h"

#define HTTP_MAX_QUERY 24 /* arguments in one address; the dashboard uses at most 8 */
#define HTTP_STREAM_BEAT_MS 15000
#define HTTP_STREAM_HIGH_BYTES (1 << 20) /* a stream is filled again only below this */
#define HTTP_DRAIN_BYTES (8LL << 20) /* how much of a refused body is read before the answer */

#define HTTP_MAX_LINGERING 128 /* refused connections whose rest is read for a moment */

struct MHD_Connection;
struct pool;

enum conn_phase {
	CONN_NEW, /* request line was read */
	CONN_BODY,
	CONN_DRAIN, /* the answer is known; the body is read and dropped */
	CONN_WORK, /* suspended, the pool's */
	CONN_READY, /* handler is done */
	CONN_REPLIED
};

enum conn_task { TASK_HANDLE, TASK_FILL, TASK_FREE };

/* One TCP connection, for deadlines. */
struct http_sock {
	struct http_sock *prev, *next;
	int fd;
	int64_t deadline_us; /* monotonic; 0 = none now */
};

struct http_conn {
	struct http *http;
	struct MHD_Connection *mhd;
	struct http_sock *sock;
	enum conn_phase phase;
	char *raw_path, *path, *query;
	char *params[HTTP_MAX_PARAMS];
	struct {
		char *name, *value;
	} args[HTTP_MAX_QUERY];
	int n_args;
	struct framing framing;
	const struct http_route *route;
	struct http_req req;
	struct http_res res;
	bool close_after; /* framing can no longer be trusted */
	bool aborted; /* no answer can be given */
	int64_t body_bytes; /* read so far */
	struct buf body;
	int body_fd;
	char *body_path;
	crypto_hash_sha256_state sha;
	/* pool */
	enum conn_task task; /* (pool) */
	struct http_conn *prev, *next; /* (pool) queue, parked or waiting list */
	int64_t wake_at_us; /* (pool) monotonic */
	unsigned cost_place; /* (pool) of a page: http_cost_place() */
	int64_t due_us; /* (pool) of a page: monotonic, and less what it will take */
	bool parked, waiting; /* (pool) in which list */
	bool again; /* (pool) woken since the last fill began */
	unsigned run_gen; /* (pool) park generation when the handler began */
	/* stream */
	bool is_stream;
	struct buf out;
	size_t out_pos;
	bool ended;
};

struct lingering {
	int fd;
	int64_t until_us;
};

struct http {
	struct server *srv;
	struct http_conf conf;
	char *address;
	void *daemon; /* struct MHD_Daemon */
	int port;
	struct pool *pool;
	pthread_mutex_t lock; /* socks, counts, lingering */
	pthread_cond_t idle;
	struct http_sock *socks;
	int n_requests, n_streams;
	struct lingering lingering[HTTP_MAX_LINGERING];
	int n_lingering;
};

/* http.c */
void http_conn_suspend(struct http_conn *c);
void http_conn_resume(struct http_conn *c);
void http_conn_free(struct http_conn *c);
/* Ends sockets whose deadline is over (pool's timer). */
void http_reap(struct http *h, int64_t now_us);

/* http_admit.c: decides on the headers. Fills c->res and returns false when the request is
 * refused. */
bool http_admit(struct http_conn *c, const char *method, const char *version);
/* One piece of the body. -EFBIG: refused now (c->res filled); other errors: 500 or 507. */
must_check int http_body_piece(struct http_conn *c, const char *data, size_t len);
must_check int http_body_end(struct http_conn *c);

/* http_match.c */
/* Splits the raw address into path and query arguments; false for bad escapes, control bytes. */
bool http_parse_uri(struct http_conn *c, const char *uri);
/* Owned decoded copy, NULL when the escapes are broken, NUL or invalid UTF-8 comes out. */
char *http_decode(const char *s, size_t len, bool plus_is_blank);
enum match { MATCH_NONE, MATCH_METHOD, MATCH_OK };
/* Fills *ret_route, params (owned) and *ret_format (NULL = no ending). On MATCH_METHOD *ret_allow
 * has the methods that exist ("GET, HEAD"). */
enum match http_match(const struct http_route *routes, size_t n, const char *method,
		      const char *raw_path, const struct http_route **ret_route,
		      char *params[HTTP_MAX_PARAMS], const char **ret_format, char ret_allow[64]);

/* http_gzip.c */
/* Accept-Encoding (may be NULL) names gzip: RFC 9110, 12.5.3. */
bool http_takes_gzip(const char *accept);
/* A compressor (256 KiB), of one thread; NULL when there is no memory for it. */
struct gzip;
struct gzip *gzip_new(void);
void gzip_free_p(struct gzip **g);
/* Compresses the body of an answer that is text, for whoever takes it. g NULL: leaves it. */
void http_gzip(struct gzip *g, const struct http_req *req, struct http_res *res);

/* http_pool.c */
must_check int pool_start(struct http *h, int workers, struct pool **ret, struct error *err);
void pool_submit(struct pool *p, struct http_conn *c, enum conn_task task);
void pool_wake_parked(struct pool *p);
void pool_wake_streams(struct pool *p);
void pool_wake_one(struct pool *p, struct http_conn *c);
/* After this, parked requests run at once and streams end. */
void pool_drain(struct pool *p);
bool pool_draining(struct pool *p);
/* Joins the threads; what was suspended is resumed to be ended. Still takes (and ends) requests. */
void pool_stop(struct pool *p);
void pool_free(struct pool *p); /* after pool_stop(); NULL is fine */

/* http_linger.c: the socket's other end may still be sending; its answer must not get lost. */
void linger_add(struct http *h, int fd);
void linger_reap(struct http *h, int64_t now_us);

/* http_stream.c */
/* libmicrohttpd's thread: copies out of the buffer, or suspends and asks for more. -1 = end. */
ssize_t http_stream_read(struct http_conn *c, char *buf, size_t max);
/* Worker: runs the stream function. True when there is something to send or the end is there. */
bool http_stream_fill(struct http_conn *c);

#endif
