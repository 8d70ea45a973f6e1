// SPDX-License-Identifier: MIT
/*
 * Lingering close. A socket that is closed while bytes of a refused body are still on their way is
 * reset, and the client may lose the answer that says why (RFC 9112, 9.6). A duplicate of the
 * descriptor keeps the connection for a moment; what still comes is read and dropped.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "lib/clock.h"
#include "server/http_conn.h"

#define LINGER_US (2 * US_PER_S)
#define LINGER_READS 64 /* blocks read from one socket at a time */

void linger_add(struct http *h, int fd)
{
	int copy = -1;

	pthread_mutex_lock(&h->lock);
	if (h->n_lingering < HTTP_MAX_LINGERING)
		copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy >= 0)
		h->lingering[h->n_lingering++] =
			(struct lingering){ .fd = copy, .until_us = clock_mono_us() + LINGER_US };
	pthread_mutex_unlock(&h->lock);
}

/* True when the client is done. */
static bool drop_input(int fd)
{
	char block[16384];

	for (int i = 0; i < LINGER_READS; i++) {
		ssize_t n = recv(fd, block, sizeof(block), MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
	}
	return false;
}

void linger_reap(struct http *h, int64_t now_us)
{
	int kept = 0;

	pthread_mutex_lock(&h->lock);
	for (int i = 0; i < h->n_lingering; i++) {
		struct lingering l = h->lingering[i];

		if (drop_input(l.fd) || l.until_us <= now_us)
			close(l.fd);
		else
			h->lingering[kept++] = l;
	}
	h->n_lingering = kept;
	pthread_mutex_unlock(&h->lock);
}
