// SPDX-License-Identifier: MIT
#include "server/outbox.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "db/store_outbox.h"
#include "jobs/report.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/http_client.h"
#include "lib/log.h"
#include "lib/mail.h"
#include "lib/smtp.h"
#include "server/poked.h"
#include "server/server.h"

#define LOOK_MS 30000 /* for what was put off */
#define WAIT_MAX 360 /* times the first wait: six hours, where that is a minute */
#define ATTEMPTS_MAX 20 /* four days of them */
#define ANSWER_MAX_BYTES 65536 /* of a hook's refusal */

struct outbox {
	struct server *srv;
	struct poked *thread;
};

int64_t outbox_wait_us(const struct config *c, int attempts)
{
	int64_t first = c->report_retry_s * US_PER_S, us = first;

	while (attempts-- > 0 && us < WAIT_MAX * first)
		us *= 2;
	return us < WAIT_MAX * first ? us : WAIT_MAX * first;
}

/* --- who ------------------------------------------------------------------------------------- */

/* The address of "A U Thor <a@example.org>", or NULL. Owned. */
static char *address_of(const char *author)
{
	char name[MAIL_NAME_MAX], addr[MAIL_ADDR_MAX];

	return author && mail_address(author, name, addr) ? xstrdup(addr) : NULL;
}

static char *mail_list(const char *list, const char *author)
{
	CLEANUP(free_p) char *copy = xstrdup(list), *who = address_of(author);
	struct buf out = BUF_INIT;
	char *save = NULL;

	for (char *s = strtok_r(copy, ",", &save); s; s = strtok_r(NULL, ",", &save)) {
		const char *address = strcmp(s, "author") == 0 ? who : s;

		if (address)
			buf_printf(&out, "%s%s", out.len ? "," : "", address);
	}
	return buf_steal(&out);
}

size_t outbox_recipients(const struct config *c, const char *repo, const char *ref,
			 const char *author, struct recipient_new ret[2], char *ret_texts[2])
{
	const struct config_repo *r = config_repo(c, repo);
	size_t n = 0;

	for (size_t i = 0; r && i < r->n_branches; i++) {
		const struct config_branch *b = &r->branches[i];
		CLEANUP(free_p) char *mail = NULL;

		if (strcmp(b->ref, ref) != 0)
			continue;
		mail = b->mail && c->smtp_url ? mail_list(b->mail, author) : NULL;
		if (mail && *mail) {
			ret_texts[n] = STEAL(mail);
			ret[n] = (struct recipient_new){ "mail", ret_texts[n] };
			n++;
		}
		if (b->hook && c->hook_secret) {
			ret_texts[n] = xstrdup(b->hook);
			ret[n] = (struct recipient_new){ "hook", ret_texts[n] };
			n++;
		}
		break;
	}
	return n;
}

/* --- how ------------------------------------------------------------------------------------- */

struct sending {
	struct outbox *o;
	int64_t id;
	bool begun; /* the first byte may have left */
	bool taken; /* a hook's answer was that it took it */
};

static int begin(void *arg, struct error *err)
{
	struct sending *s = arg;
	int r = store_outbox_begin(s->o->srv->store, s->id, err);

	s->begun = !r;
	return r;
}

static bool stopping(void *arg)
{
	const struct sending *s = arg;

	return poked_stopping(s->o->thread);
}

static enum report_kind kind_of(const struct outbox_row *row)
{
	return strcmp(row->kind, "fixed") == 0 ? REPORT_FIXED : REPORT_NEW;
}

static int send_mail(struct sending *s, const struct outbox_row *row, struct json_object *view,
		     struct error *err)
{
	const struct config *c = s->o->srv->config;
	const struct smtp smtp = { .url = c->smtp_url,
				   .user = c->smtp_user,
				   .password = c->smtp_password,
				   .cancelled = stopping,
				   .begin = begin,
				   .arg = s };
	char name[MAIL_NAME_MAX], from[MAIL_ADDR_MAX];
	CLEANUP(free_p) char *copy = xstrdup(row->recipient);
	CLEANUP(buf_free) struct buf message = BUF_INIT;
	const char *to[32];
	char *save = NULL;
	size_t n = 0;
	struct report_opts opts = {
		.kind = kind_of(row), .url = c->url, .from = c->report_from, .to = to
	};

	if (!c->smtp_url)
		return error_set(err, -EAGAIN, "no [mail] smtp is configured");
	if (!mail_address(opts.from, name, from))
		return error_set(err, -EPERM, "'%s' is not an address", opts.from);
	for (char *a = strtok_r(copy, ",", &save); a && n < ARRAY_SIZE(to);
	     a = strtok_r(NULL, ",", &save))
		to[n++] = a;
	opts.n_to = n;
	report_mail(view, &opts, &message);
	return smtp_send(&smtp, from, to, n, message.data, message.len, err);
}

/* "sha256=<hex>" of the body under the secret, as a header line. Owned. */
static char *signature_header(const char *secret, const char *body, size_t len)
{
	unsigned char mac[crypto_auth_hmacsha256_BYTES];
	char hex[2 * sizeof(mac) + 1];
	crypto_auth_hmacsha256_state st;

	crypto_auth_hmacsha256_init(&st, (const unsigned char *)secret, strlen(secret));
	crypto_auth_hmacsha256_update(&st, (const unsigned char *)body, len);
	crypto_auth_hmacsha256_final(&st, mac);
	return xasprintf("Faultline-Signature: sha256=%s",
			 sodium_bin2hex(hex, sizeof(hex), mac, sizeof(mac)));
}

/* Of a 2xx answer nothing more has to be heard. */
static int on_taken(void *arg, const char *data, size_t len)
{
	struct sending *s = arg;

	(void)data;
	(void)len;
	s->taken = true;
	return -1;
}

/* What a call came to; `r` is http_client_do()'s. */
static int outcome_of(const struct sending *s, int r, int status, const char *url,
		      struct error *err)
{
	if (s->taken || (!r && status >= 200 && status < 300))
		return 0;
	/* nobody was there, or not one whom we trust: nothing of it left this machine */
	if (r && !s->begun)
		return r == -ECANCELED ? r : -EAGAIN;
	/* an answer of such a length that is no 2xx: not taken */
	if (r == -EFBIG)
		return -EAGAIN;
	if (r)
		return r;
	/* 408 and 429 ask for another time, as 5xx does */
	if (status >= 500 || status == 408 || status == 429)
		return error_set(err, -EAGAIN, "%s: HTTP %d", url, status);
	return error_set(err, -EPERM, "%s: HTTP %d", url, status);
}

static int send_hook(struct sending *s, const struct outbox_row *row, struct json_object *view,
		     struct error *err)
{
	const struct config *c = s->o->srv->config;
	CLEANUP(http_client_free_p) struct http_client *http = NULL;
	CLEANUP(free_p) char *body = NULL, *sign = NULL, *delivery = NULL, *base = NULL;
	struct http_request req = HTTP_REQUEST_INIT;
	struct http_response res = { 0 };
	const char *slash = strchr(strchr(row->recipient, ':') + 3, '/');
	int r;

	if (!c->hook_secret)
		return error_set(err, -EAGAIN, "no [hook] secret_file is configured");
	base = slash ? xstrndup(row->recipient, (size_t)(slash - row->recipient))
		     : xstrdup(row->recipient);
	json_object_object_add(view, "event", json_str(row->kind));
	body = json_text(view);
	sign = signature_header(c->hook_secret, body, strlen(body));
	delivery = xasprintf("Faultline-Delivery: %lld", (long long)row->id);
	req.method = "POST";
	req.path = slash ? slash : "/";
	req.headers = (const char *const[]){ sign, delivery, NULL };
	req.body = body;
	req.body_len = strlen(body);
	req.timeout_ms = c->hook_timeout_s * INT64_C(1000);
	req.response_max_bytes = ANSWER_MAX_BYTES;
	req.cancelled = stopping;
	req.begin = begin;
	req.on_data = on_taken;
	req.arg = s;
	r = http_client_new(base, NULL, &http, err);
	if (r)
		return r;
	r = http_client_do(http, &req, &res, err);
	r = outcome_of(s, r, res.status, row->recipient, err);
	http_response_free(&res);
	return r;
}

/* --- all of it -------------------------------------------------------------------------------- */

static enum outbox_end end_of(int r, int attempts)
{
	switch (r) {
	case 0:
		return OUTBOX_SENT;
	case -EAGAIN:
		return attempts + 1 < ATTEMPTS_MAX ? OUTBOX_AGAIN : OUTBOX_REFUSED;
	case -EIO:
	case -ETIMEDOUT:
		return OUTBOX_DOUBTFUL;
	default:
		return OUTBOX_REFUSED;
	}
}

static int end(struct outbox *o, const struct outbox_row *row, int r, const struct error *why,
	       struct error *err)
{
	int64_t again = clock_now_us() + outbox_wait_us(o->srv->config, row->attempts);
	enum outbox_end how = end_of(r, row->attempts);
	static const char *const names[] = { [OUTBOX_SENT] = "sent",
					     [OUTBOX_REFUSED] = "refused",
					     [OUTBOX_DOUBTFUL] = "doubtful",
					     [OUTBOX_AGAIN] = "waiting" };
	CLEANUP(free_p) char *quoted = log_quote(r ? why->msg : "");

	log_event(r ? LOG_WARN : LOG_INFO, "outbox",
		  "id=%lld regression=%lld kind=%s state=%s why=%s", (long long)row->id,
		  (long long)row->regression_id, row->kind, names[how], quoted);
	return store_outbox_end(o->srv->store, row->id, how, r ? why->msg : NULL, again, err);
}

static int send_one(struct outbox *o, const struct outbox_row *row, struct error *err)
{
	struct sending s = { .o = o, .id = row->id };
	CLEANUP(json_put_p) struct json_object *view = NULL;
	struct error why = ERROR_INIT;
	int r = view_report(o->srv->store, row->regression_id, &view, err);

	if (r)
		return r;
	r = strcmp(row->channel, "mail") == 0 ? send_mail(&s, row, view, &why)
					      : send_hook(&s, row, view, &why);
	/* We were told to stop: what had not begun waits on, what had is doubtful at the next start. */
	return r == -ECANCELED ? r : end(o, row, r, &why, err);
}

static bool work(void *arg)
{
	struct outbox *o = arg;
	int r = 0;

	while (!r && !poked_stopping(o->thread)) {
		CLEANUP(outbox_row_free) struct outbox_row row = { 0 };
		struct error err = ERROR_INIT;

		r = store_outbox_due(o->srv->store, clock_now_us(), &row, &err);
		if (r != 1)
			break;
		r = send_one(o, &row, &err);
		if (r && r != -ECANCELED) {
			CLEANUP(free_p) char *quoted = log_quote(err.msg);

			log_event(LOG_ERROR, "outbox-failed", "id=%lld why=%s", (long long)row.id,
				  quoted);
		}
	}
	return true; /* what was put off comes due without being poked */
}

int outbox_start(struct server *srv, struct outbox **ret, struct error *err)
{
	struct outbox *o = xcalloc(1, sizeof(*o));
	int look_ms = srv->config->report_retry_s * 500;
	const struct poked_conf conf = { .name = "outbox",
					 .work = work,
					 .arg = o,
					 .retry_ms = look_ms < LOOK_MS ? look_ms : LOOK_MS };
	int n = 0, r;

	o->srv = srv;
	r = store_outbox_recover(srv->store, &n, err);
	if (n)
		log_event(LOG_WARN, "outbox-doubtful", "messages=%d", n);
	if (!r)
		r = poked_start(&conf, &o->thread, err);
	if (r) {
		free(o);
		return r;
	}
	*ret = o;
	return 0;
}

void outbox_poke(struct outbox *o)
{
	if (o)
		poked_poke(o->thread);
}

void outbox_stop(struct outbox *o)
{
	if (o)
		poked_stop(o->thread);
}

void outbox_free(struct outbox *o)
{
	if (!o)
		return;
	poked_free(o->thread);
	free(o);
}
