// SPDX-License-Identifier: MIT
/* The mails that tell of a regression. */
#include <stdio.h>
#include <string.h>

#include "jobs/report_internal.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/mail.h"

void report_id(struct json_object *view, const struct report_opts *o, enum report_kind kind,
	       char ret[REPORT_ID_MAX])
{
	char name[MAIL_NAME_MAX], addr[MAIL_ADDR_MAX], signature[17] = "";
	const char *s = report_str(view, "signature");
	size_t n = strspn(s, "0123456789abcdef");

	snprintf(signature, sizeof(signature), "%.*s", (int)n, s);
	/* the signature and the commit: a server that is set up anew counts from 1 again */
	s = report_str(view, "bad");
	n = strspn(s, "0123456789abcdef");
	snprintf(ret, REPORT_ID_MAX, "regression-%lld-%s-%.*s-%s@%s", report_num(view, "id"),
		 signature, n < 12 ? (int)n : 12, s, kind == REPORT_FIXED ? "fixed" : "report",
		 mail_address(o->from, name, addr) ? strchr(addr, '@') + 1 : "localhost");
}

void report_subject(struct json_object *view, const struct report_opts *o, struct buf *out)
{
	const char *culprit = report_str(view, "culprit");
	CLEANUP(buf_free) struct buf title = BUF_INIT;

	report_line(&title, report_str(view, "title"));
	buf_printf(out, "%s[", o->kind == REPORT_FIXED ? "Re: " : "");
	report_line(out, report_str(view, "repo"));
	buf_char(out, ':');
	report_line(out, report_str(view, "ref"));
	buf_str(out, "] [");
	report_line(out, report_str(view, "config"));
	if (*culprit)
		buf_printf(out, "]  %.10s: %s", culprit, buf_cstr(&title));
	else
		buf_printf(out, "]  %.10s..%.10s: %s", report_str(view, "good"),
			   report_str(view, "bad"), buf_cstr(&title));
}

/* When it got into the state that the mail tells of: the same whenever it is written. What nobody is
 * told of yet has the time of its newest state. */
static int64_t date_of(struct json_object *view, enum report_kind kind)
{
	const char *wanted = kind == REPORT_FIXED ? "fixed" : "bisected";
	struct json_object *list = report_get(view, "changes", json_type_array);
	size_t n = list ? json_object_array_length(list) : 0;
	int64_t date_us = 0;

	for (size_t i = 0; i < n; i++) {
		struct json_object *c = json_object_array_get_idx(list, i);

		if (clock_parse(report_str(c, "at"), &date_us) &&
		    strcmp(report_str(c, "state"), wanted) == 0)
			break;
	}
	return date_us;
}

static void write_mail(struct json_object *view, const struct report_opts *o,
		       void (*write)(const struct mail *m, struct buf *out), struct buf *out)
{
	const char *author = report_str(view, "culprit_author");
	CLEANUP(buf_free) struct buf subject = BUF_INIT;
	CLEANUP(buf_free) struct buf body = BUF_INIT;
	char id[REPORT_ID_MAX], parent[REPORT_ID_MAX];
	const char **to = xcalloc(o->n_to + 1, sizeof(*to));
	struct mail m = { .from = o->from, .to = to, .id = id, .date_us = date_of(view, o->kind) };

	/* an author is only written to when it is his commit and no other */
	if (o->to_author && *author && *report_str(view, "culprit"))
		to[m.n_to++] = author;
	for (size_t i = 0; i < o->n_to; i++)
		to[m.n_to++] = o->to[i];
	report_subject(view, o, &subject);
	report_text(view, o, &body);
	report_id(view, o, o->kind, id);
	report_id(view, o, REPORT_NEW, parent);
	m.subject = buf_cstr(&subject);
	m.body = buf_cstr(&body);
	m.parent = o->kind == REPORT_FIXED ? parent : NULL;
	write(&m, out);
	free(to);
}

void report_mail(struct json_object *view, const struct report_opts *o, struct buf *out)
{
	write_mail(view, o, mail_write, out);
}

void report_mbox(struct json_object *view, const struct report_opts *o, struct buf *out)
{
	write_mail(view, o, mail_mbox, out);
}
