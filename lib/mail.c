// SPDX-License-Identifier: MIT
#include "lib/mail.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/utf8.h"

#define FOLD 76 /* columns of a header line and of quoted-printable: RFC 2047 2, RFC 2045 6.7 */
#define WORD_BYTES 39 /* of text in an encoded word: 52 of base64, and the "Subject: " before it */

static const char atom[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			   "!#$%&'*+-/=?^_`{|}~";

/* --- texts ----------------------------------------------------------------------------------- */

/* One character of `s`, made harmless, into `ret`; how many bytes of `s` it was. */
static size_t take_char(const char *s, size_t len, const char **ret, size_t *ret_len)
{
	size_t n = utf8_len(s, len);
	uint32_t c = n ? utf8_code_point(s, n) : 0;

	*ret = s;
	*ret_len = n;
	if (!n || utf8_is_deceptive(c)) {
		*ret = UTF8_REPLACEMENT;
		*ret_len = strlen(UTF8_REPLACEMENT);
	} else if (utf8_is_control(c)) {
		*ret = "?";
		*ret_len = 1;
	}
	return n ? n : 1;
}

void mail_line(const char *s, size_t len, size_t max, struct buf *out)
{
	size_t begin = out->len, fits = begin, n;
	const char *c;

	for (size_t i = 0; i < len;) {
		i += take_char(s + i, len - i, &c, &n);
		if (out->len - begin + n > max) {
			out->len = fits;
			buf_str(out, "...");
			return;
		}
		buf_add(out, c, n);
		if (out->len - begin + 3 <= max)
			fits = out->len;
	}
}

static bool is_dot_atom(const char *s, size_t len)
{
	if (!len || s[0] == '.' || s[len - 1] == '.')
		return false;
	for (size_t i = 0; i < len; i++)
		if (s[i] == '.' ? s[i + 1] == '.' : !strchr(atom, s[i]) || !s[i])
			return false;
	return true;
}

bool mail_id_is_valid(const char *id)
{
	const char *at = strchr(id, '@');

	return at && strlen(id) < MAIL_ADDR_MAX && is_dot_atom(id, (size_t)(at - id)) &&
	       is_dot_atom(at + 1, strlen(at + 1));
}

bool mail_address(const char *s, char ret_name[MAIL_NAME_MAX], char ret_addr[MAIL_ADDR_MAX])
{
	const char *open = strrchr(s, '<');
	const char *addr = open ? open + 1 : s;
	size_t len = open ? strcspn(addr, ">") : strlen(addr);
	CLEANUP(buf_free) struct buf name = BUF_INIT;
	size_t n = open ? (size_t)(open - s) : 0;

	if (len >= MAIL_ADDR_MAX || (open && strcmp(addr + len, ">") != 0))
		return false;
	while (n && s[n - 1] == ' ')
		n--;
	if (n > 1 && s[0] == '"' && s[n - 1] == '"') {
		s++;
		n -= 2;
	}
	mail_line(s, n, MAIL_NAME_MAX - 1, &name);
	snprintf(ret_name, MAIL_NAME_MAX, "%s", buf_cstr(&name));
	snprintf(ret_addr, MAIL_ADDR_MAX, "%.*s", (int)len, addr);
	return mail_id_is_valid(ret_addr);
}

/* --- headers ----------------------------------------------------------------------------------- */

static bool is_ascii(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s >= 0x80)
			return false;
	return true;
}

/* RFC 2047: words of base64, none of which splits a character. */
static void add_encoded(const char *s, struct buf *out)
{
	char word[sodium_base64_ENCODED_LEN(WORD_BYTES, sodium_base64_VARIANT_ORIGINAL)];
	size_t len = strlen(s), n;

	for (size_t i = 0; i < len; i += n) {
		n = len - i < WORD_BYTES ? len - i : WORD_BYTES;
		while (i + n < len && ((unsigned char)s[i + n] & 0xc0) == 0x80)
			n--;
		sodium_bin2base64(word, sizeof(word), (const unsigned char *)s + i, n,
				  sodium_base64_VARIANT_ORIGINAL);
		buf_printf(out, "%s=?UTF-8?B?%s?=", i ? "\n " : "", word);
	}
}

/* Folds before blanks, so that unfolding gives the text back. `column` is where it begins. */
static void add_folded(const char *s, size_t column, struct buf *out)
{
	while (*s) {
		size_t n = strspn(s, " ");

		n += strcspn(s + n, " ");
		if (column + n > FOLD && *s == ' ' && s[strspn(s, " ")]) {
			buf_char(out, '\n');
			column = 0;
		}
		buf_add(out, s, n);
		column += n;
		s += n;
	}
}

static void add_subject(const char *subject, struct buf *out)
{
	CLEANUP(buf_free) struct buf line = BUF_INIT;
	const char *s;

	mail_line(subject, strlen(subject), MAIL_SUBJECT_MAX, &line);
	s = buf_cstr(&line);
	buf_str(out, "Subject: ");
	/* what looks encoded would be decoded */
	if (is_ascii(s) && !strstr(s, "=?"))
		add_folded(s, strlen("Subject: "), out);
	else
		add_encoded(s, out);
	buf_char(out, '\n');
}

static void add_name(const char *name, struct buf *out)
{
	if (!is_ascii(name) || strstr(name, "=?")) {
		add_encoded(name, out);
		return;
	}
	buf_char(out, '"');
	for (; *name; name++) {
		if (*name == '"' || *name == '\\')
			buf_char(out, '\\');
		buf_char(out, *name);
	}
	buf_char(out, '"');
}

/* True when there was an address in it. */
static bool add_address(const char *s, struct buf *out)
{
	char name[MAIL_NAME_MAX], addr[MAIL_ADDR_MAX];

	if (!mail_address(s, name, addr))
		return false;
	if (*name) {
		add_name(name, out);
		buf_printf(out, "\n <%s>", addr);
	} else {
		buf_str(out, addr);
	}
	return true;
}

static void add_addresses(const char *field, const char *const *v, size_t n, struct buf *out)
{
	CLEANUP(buf_free) struct buf one = BUF_INIT;
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		buf_reset(&one);
		if (!add_address(v[i], &one))
			continue;
		buf_printf(out, "%s%s%s", any ? ",\n " : field, any ? "" : ": ", one.data);
		any = true;
	}
	if (any)
		buf_char(out, '\n');
}

/* Names of days and months are English whatever the locale is. */
static void split_date(int64_t date_us, struct tm *tm, char ret_day[4], char ret_month[4])
{
	time_t t = (time_t)(date_us / US_PER_S);

	gmtime_r(&t, tm);
	snprintf(ret_day, 4, "%.3s", &"SunMonTueWedThuFriSat"[tm->tm_wday * 3]);
	snprintf(ret_month, 4, "%.3s", &"JanFebMarAprMayJunJulAugSepOctNovDec"[tm->tm_mon * 3]);
}

static void add_date(int64_t date_us, struct buf *out)
{
	char day[4], month[4];
	struct tm tm;

	split_date(date_us, &tm, day, month);
	buf_printf(out, "Date: %s, %02d %s %d %02d:%02d:%02d +0000\n", day, tm.tm_mday, month,
		   tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* --- body ---------------------------------------------------------------------------------------- */

/* Every line of the text, made harmless, with an end. Tabs stay. */
static void clean_body(const char *body, struct buf *out)
{
	size_t len = strlen(body), n;
	const char *c;

	for (size_t i = 0; i < len;) {
		if (body[i] == '\n' || body[i] == '\t') {
			buf_char(out, body[i++]);
			continue;
		}
		i += take_char(body + i, len - i, &c, &n);
		buf_add(out, c, n);
	}
	if (!out->len || out->data[out->len - 1] != '\n')
		buf_char(out, '\n');
}

static size_t longest_line(const char *s)
{
	size_t longest = 0, n;

	for (; *s; s += n + (s[n] == '\n')) {
		n = strcspn(s, "\n");
		longest = n > longest ? n : longest;
	}
	return longest;
}

/* RFC 2045 6.7. A "From " that begins a line is encoded as well, so nobody has to quote it. */
static void add_quoted(const char *s, struct buf *out)
{
	size_t column = 0;

	for (; *s; s++) {
		bool plain = *s >= ' ' && *s < 0x7f && *s != '=' && *s != '.';
		char code[4] = { *s };

		if (*s == '\n') {
			buf_char(out, '\n');
			column = 0;
			continue;
		}
		if ((*s == ' ' && s[1] == '\n') || (!column && str_starts(s, "From ")))
			plain = false;
		/* a dot at the start of a line is SMTP's; elsewhere it may stand */
		if (*s == '.' && column)
			plain = true;
		if (!plain)
			snprintf(code, sizeof(code), "=%02X", (unsigned char)*s);
		if (column + strlen(code) >= FOLD) {
			buf_str(out, "=\n");
			column = 0;
			/* the new line begins with this character */
			if (*s == '.' || str_starts(s, "From "))
				snprintf(code, sizeof(code), "=%02X", (unsigned char)*s);
		}
		buf_str(out, code);
		column += strlen(code);
	}
}

static void add_mbox_lines(const char *s, struct buf *out)
{
	size_t n;

	for (; *s; s += n) {
		n = strcspn(s, "\n");
		n += s[n] == '\n';
		if (str_starts(s + strspn(s, ">"), "From "))
			buf_char(out, '>');
		buf_add(out, s, n);
	}
}

static void write_message(const struct mail *m, bool mbox, struct buf *out)
{
	CLEANUP(buf_free) struct buf body = BUF_INIT;
	bool quoted;

	clean_body(m->body, &body);
	quoted = longest_line(body.data) > MAIL_LINE_MAX;
	add_addresses("From", &m->from, 1, out);
	add_addresses("To", m->to, m->n_to, out);
	add_addresses("Cc", m->cc, m->n_cc, out);
	add_subject(m->subject, out);
	add_date(m->date_us, out);
	if (mail_id_is_valid(m->id))
		buf_printf(out, "Message-ID: <%s>\n", m->id);
	if (m->parent && mail_id_is_valid(m->parent))
		buf_printf(out, "In-Reply-To: <%s>\nReferences: <%s>\n", m->parent, m->parent);
	/* RFC 3834: so that nobody's holiday notice answers it */
	buf_str(out, "Auto-Submitted: auto-generated\nMIME-Version: 1.0\n"
		     "Content-Type: text/plain; charset=utf-8\n");
	buf_printf(out, "Content-Transfer-Encoding: %s\n\n",
		   quoted		 ? "quoted-printable"
		   : is_ascii(body.data) ? "7bit"
					 : "8bit");
	if (quoted)
		add_quoted(body.data, out);
	else if (mbox)
		add_mbox_lines(body.data, out);
	else
		buf_add(out, body.data, body.len);
}

void mail_write(const struct mail *m, struct buf *out)
{
	write_message(m, false, out);
}

void mail_mbox(const struct mail *m, struct buf *out)
{
	char name[MAIL_NAME_MAX], addr[MAIL_ADDR_MAX], day[4], month[4];
	struct tm tm;

	split_date(m->date_us, &tm, day, month);
	buf_printf(out, "From %s %s %s %2d %02d:%02d:%02d %d\n",
		   mail_address(m->from, name, addr) ? addr : "nobody", day, month, tm.tm_mday,
		   tm.tm_hour, tm.tm_min, tm.tm_sec, tm.tm_year + 1900);
	write_message(m, true, out);
	buf_char(out, '\n');
}
