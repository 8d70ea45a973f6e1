/* SPDX-License-Identifier: MIT */
#include "lib/smtp.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/clean.h"

#define TIMEOUT_MS 60000

struct message {
	const struct smtp *smtp;
	struct buf data; /* with CRLF */
	size_t sent;
	bool begun;
	bool answered, taken; /* what the server said first when it had all of it */
	int stop; /* what begin() said */
	struct error why;
	char reply[256]; /* the server's last refusal, "550 no such user" */
};

/* Lines end with CRLF on the wire (RFC 5321, 2.3.8); libcurl doubles the dots. */
static void put_crlf(struct buf *out, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\n' && (!out->len || out->data[out->len - 1] != '\r'))
			buf_char(out, '\r');
		buf_char(out, data[i]);
	}
	if (len && data[len - 1] != '\n')
		buf_str(out, "\r\n");
}

static size_t on_read(char *to, size_t size, size_t n, void *arg)
{
	struct message *m = arg;
	size_t len = m->data.len - m->sent;

	if (!m->begun) {
		m->stop = m->smtp->begin ? m->smtp->begin(m->smtp->arg, &m->why) : 0;
		if (m->stop)
			return CURL_READFUNC_ABORT;
		m->begun = true;
	}
	if (len > size * n)
		len = size * n;
	memcpy(to, m->data.data + m->sent, len);
	m->sent += len;
	return len;
}

/* The lines that the server says come as headers. After a refusal libcurl still says QUIT, so the
 * last code of all is not the one that counts. */
static size_t on_reply(char *data, size_t size, size_t n, void *arg)
{
	struct message *m = arg;
	size_t len = size * n;

	if (m->begun && m->sent == m->data.len && !m->answered) {
		m->answered = true;
		m->taken = len > 3 && data[0] == '2';
	}
	if (len > 3 && (data[0] == '4' || data[0] == '5')) {
		snprintf(m->reply, sizeof(m->reply), "%.*s", (int)(len < 250 ? len : 250), data);
		m->reply[strcspn(m->reply, "\r\n")] = '\0';
	}
	return len;
}

static int on_progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct message *m = arg;

	(void)a;
	(void)b;
	(void)c;
	(void)d;
	/* what is said about our QUIT is nobody's concern */
	return m->taken || (m->smtp->cancelled && m->smtp->cancelled(m->smtp->arg));
}

static void set_options(CURL *e, struct message *m, const char *from, struct curl_slist *to)
{
	const struct smtp *s = m->smtp;

	curl_easy_setopt(e, CURLOPT_URL, s->url);
	curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(e, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)(s->timeout_ms ? s->timeout_ms : TIMEOUT_MS));
	/* a connection that is kept says QUIT in curl_easy_cleanup(), which waits two minutes for the
	 * answer and asks nobody whether it is to stop */
	curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
	/* never a password in the clear */
	curl_easy_setopt(e, CURLOPT_USE_SSL, (long)(s->user ? CURLUSESSL_ALL : CURLUSESSL_TRY));
	if (s->user) {
		curl_easy_setopt(e, CURLOPT_USERNAME, s->user);
		curl_easy_setopt(e, CURLOPT_PASSWORD, s->password ? s->password : "");
	}
	curl_easy_setopt(e, CURLOPT_MAIL_FROM, from);
	curl_easy_setopt(e, CURLOPT_MAIL_RCPT, to);
	curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(e, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(e, CURLOPT_READDATA, m);
	curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_reply);
	curl_easy_setopt(e, CURLOPT_HEADERDATA, m);
	curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(e, CURLOPT_XFERINFODATA, m);
	curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L);
}

static int outcome(const struct message *m, CURLcode code, struct error *err)
{
	const char *what = *m->reply ? m->reply : curl_easy_strerror(code);

	if (code == CURLE_OK || m->taken)
		return 0;
	if (m->stop)
		return error_set(err, m->stop, "%s", m->why.msg);
	if (code == CURLE_ABORTED_BY_CALLBACK && !m->begun)
		return error_set(err, -ECANCELED, "%s: cancelled", m->smtp->url);
	if (*m->reply == '5')
		return error_set(err, -EPERM, "%s: %s", m->smtp->url, what);
	/* an answer to the message itself says that it was not taken */
	if (!m->begun || *m->reply == '4')
		return error_set(err, -EAGAIN, "%s: %s", m->smtp->url, what);
	return error_set(err, -EIO, "%s: %s", m->smtp->url, curl_easy_strerror(code));
}

int smtp_send(const struct smtp *s, const char *from, const char *const *to, size_t n_to,
	      const char *data, size_t len, struct error *err)
{
	struct message m = { .smtp = s, .data = BUF_INIT };
	struct curl_slist *list = NULL;
	CURL *e = curl_easy_init();
	int r;

	for (size_t i = 0; i < n_to; i++) {
		CLEANUP(free_p) char *rcpt = xasprintf("<%s>", to[i]);
		struct curl_slist *more = curl_slist_append(list, rcpt);

		list = more ? more : list;
	}
	if (!e || !list) {
		r = error_set(err, -ENOMEM, "libcurl does not start");
	} else {
		put_crlf(&m.data, data, len);
		set_options(e, &m, from, list);
		r = outcome(&m, curl_easy_perform(e), err);
	}
	curl_slist_free_all(list);
	curl_easy_cleanup(e);
	buf_free(&m.data);
	return r;
}
