/* SPDX-License-Identifier: MIT */
/* tests/exchange/mail.sh has whole messages read by other programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/clean.h"
#include "lib/mail.h"

#define HOSTILE "a\r\nBcc: evil@example.org\n\x1b[31m\xe2\x80\xae\xff\x01z"

static const char *const to[] = { "Jane Doe <jane@example.org>", "no address",
				  "x@example.org\nBcc: evil@example.org",
				  "J\xc3\xbcrgen <j@example.org>", "list@example.org" };

static struct mail base(void)
{
	return (struct mail){ .from = "Fault \"Line\" <ci@example.org>",
			      .to = to,
			      .n_to = ARRAY_SIZE(to),
			      .subject = "[mm:next] [default]  0123456789: kernel BUG in f",
			      .id = "r1@example.org",
			      .date_us = INT64_C(1795279556) * 1000000,
			      .body = "text\n" };
}

static char *written(const struct mail *m)
{
	struct buf out = BUF_INIT;

	mail_write(m, &out);
	return buf_steal(&out);
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no '%s' in:\n%s", part, text);
}

static void test_plain(void **state)
{
	struct mail m = base();
	CLEANUP(free_p) char *text = written(&m);

	(void)state;
	assert_string_equal(text, "From: \"Fault \\\"Line\\\"\"\n <ci@example.org>\n"
				  "To: \"Jane Doe\"\n <jane@example.org>,\n"
				  " =?UTF-8?B?SsO8cmdlbg==?=\n <j@example.org>,\n"
				  " list@example.org\n"
				  "Subject: [mm:next] [default]  0123456789: kernel BUG in f\n"
				  "Date: Sat, 21 Nov 2026 16:45:56 +0000\n"
				  "Message-ID: <r1@example.org>\n"
				  "Auto-Submitted: auto-generated\nMIME-Version: 1.0\n"
				  "Content-Type: text/plain; charset=utf-8\n"
				  "Content-Transfer-Encoding: 7bit\n\ntext\n");
}

static void test_follow_up(void **state)
{
	struct mail m = base();
	CLEANUP(free_p) char *text = NULL;

	(void)state;
	m.parent = "r0@example.org";
	text = written(&m);
	assert_has(text, "\nIn-Reply-To: <r0@example.org>\nReferences: <r0@example.org>\n");
}

/* Whatever stands in a subject, a name or an id: the headers are those that were meant. */
static void test_hostile_headers(void **state)
{
	struct mail m = base();
	CLEANUP(free_p) char *text = NULL;
	const char *const evil[] = { HOSTILE " <evil@example.org>" };

	(void)state;
	m.subject = m.body = HOSTILE;
	m.from = "x\nBcc: evil@example.org <ci@example.org>";
	m.id = "a@b>\nBcc: evil@example.org";
	m.parent = "a b@c";
	m.to = evil;
	m.n_to = 1;
	text = written(&m);
	*strstr(text, "\n\n") = '\0';
	assert_null(strstr(text, "\nBcc"));
	assert_null(strstr(text, "Message-ID"));
	assert_null(strstr(text, "In-Reply-To"));
	for (const char *p = text; *p; p++)
		assert_true(*p == '\n' || (*p >= ' ' && *p < 0x7f));
}

/* Encoded words are short, hold whole characters, and what looks like one is encoded. */
static void test_encoded_subject(void **state)
{
	CLEANUP(buf_free) struct buf s = BUF_INIT;
	struct mail m = base();
	CLEANUP(free_p) char *text = NULL;
	size_t n;

	(void)state;
	for (int i = 0; i < 5000; i++)
		buf_str(&s, "a\xe2\x82\xac");
	m.subject = s.data;
	text = written(&m);
	*strstr(text, "\nDate") = '\0';
	for (const char *p = strstr(text, "Subject:"); *p; p += n + (p[n] == '\n')) {
		n = strcspn(p, "\n");
		assert_in_range(n, 1, 76);
	}
	free(STEAL(text));
	m.subject = "=?UTF-8?B?RXZpbA==?=";
	text = written(&m);
	assert_has(text, "Subject: =?UTF-8?B?PT9VVEYtOD9CP1JYWnBiQT09Pz0=?=\n");
}

static void test_folded_subject(void **state)
{
	struct mail m = base();
	CLEANUP(free_p) char *text = NULL;

	(void)state;
	m.subject = "[linux-mm:mm-everything-next] [a_long_name]  0123456789: kernel BUG in "
		    "remove_migration_pte  twice";
	text = written(&m);
	assert_has(text, "Subject: [linux-mm:mm-everything-next] [a_long_name]  0123456789: "
			 "kernel BUG\n in remove_migration_pte  twice\n");
}

static void test_body(void **state)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	CLEANUP(buf_free) struct buf box = BUF_INIT;
	struct mail m = base();
	CLEANUP(free_p) char *text = NULL;
	size_t n;

	(void)state;
	m.body = "From here\n>From there\n\tBad \xff\x1b\xe2\x80\xae\r\nFromage";
	text = written(&m);
	assert_has(text, "8bit\n\nFrom here\n>From there\n\tBad \xef\xbf\xbd?\xef\xbf\xbd?\n"
			 "Fromage\n");
	mail_mbox(&m, &box);
	assert_true(str_starts(box.data, "From ci@example.org Sat Nov 21 16:45:56 2026\nFrom: "));
	assert_has(box.data, "\n\n>From here\n>>From there\n\tBad ");
	assert_has(box.data, "Fromage\n\n");
	buf_str(&b, "From =\n.\n");
	for (int i = 0; i < 999; i++)
		buf_char(&b, 'x');
	buf_str(&b, " \n");
	m.body = b.data;
	free(STEAL(text));
	text = written(&m);
	assert_has(text, "quoted-printable\n\n=46rom =3D\n=2E\nxxx");
	assert_has(text, "xx=20\n");
	for (const char *p = strstr(text, "\n\n") + 2; *p; p += n + (p[n] == '\n')) {
		n = strcspn(p, "\n");
		assert_in_range(n, 1, 76);
	}
}

static void test_address(void **state)
{
	static const char *const bad[] = {
		"",	"x",	"@",	  "a@",	       "@b", "a@b@c", "a b@c",	     "a..b@c",
		".a@b", "a@b.", "A <a@b", "A <a@b> c", "<>", "a@b\n", "A <a@b\r\nx>"
	};
	char name[MAIL_NAME_MAX], addr[MAIL_ADDR_MAX];
	CLEANUP(buf_free) struct buf longest = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(mail_address(bad[i], name, addr));
	assert_true(mail_address("A <b> C <c.d@e.org>", name, addr));
	assert_string_equal(name, "A <b> C");
	assert_string_equal(addr, "c.d@e.org");
	assert_true(mail_address("\"D, J\" <d@e>", name, addr));
	assert_string_equal(name, "D, J");
	assert_true(mail_address("c+d@e", name, addr));
	assert_string_equal(name, "");
	for (int i = 0; i < 300; i++)
		buf_char(&longest, 'a');
	buf_str(&longest, " <a@b>");
	assert_true(mail_address(longest.data, name, addr));
	assert_int_equal(strlen(name), MAIL_NAME_MAX - 1);
	memset(longest.data, '@', 1);
	longest.data[300] = '\0';
	assert_false(mail_address(longest.data, name, addr));
}

static void test_line(void **state)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;

	(void)state;
	mail_line("a\nb\xff", 4, 10, &b);
	assert_string_equal(b.data, "a?b\xef\xbf\xbd");
	buf_reset(&b);
	mail_line("0123456789", 10, 10, &b);
	assert_string_equal(buf_cstr(&b), "0123456789");
	buf_reset(&b);
	mail_line("01234\xe2\x82\xac\xe2\x82\xac", 11, 10, &b);
	assert_string_equal(buf_cstr(&b), "01234...");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),		cmocka_unit_test(test_follow_up),
		cmocka_unit_test(test_hostile_headers), cmocka_unit_test(test_encoded_subject),
		cmocka_unit_test(test_folded_subject),	cmocka_unit_test(test_body),
		cmocka_unit_test(test_address),		cmocka_unit_test(test_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
