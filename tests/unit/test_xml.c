/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/clean.h"
#include "lib/xml.h"

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

static void test_elements(void **state)
{
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	struct xml x;

	(void)state;
	xml_begin(&x, &out);
	xml_open(&x, "a");
	xml_attr(&x, "b", "c");
	xml_attr(&x, "absent", NULL);
	xml_attr_i64(&x, "n", -7);
	xml_open(&x, "empty");
	xml_close(&x);
	xml_open(&x, "d");
	xml_text(&x, "one, ");
	xml_text(&x, NULL);
	xml_text(&x, "");
	xml_text(&x, "two");
	xml_close(&x);
	xml_open(&x, "no-text");
	xml_text(&x, "");
	xml_close(&x);
	xml_close(&x);
	assert_string_equal(out.data, HEAD "<a b=\"c\" n=\"-7\">\n <empty/>\n <d>one, two</d>\n"
					   " <no-text/>\n</a>\n");
}

/* The same text as attribute and as content. */
static void assert_written(const char *raw, const char *attribute, const char *text)
{
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	CLEANUP(free_p) char *wanted = xasprintf(HEAD "<a b=\"%s\">%s</a>\n", attribute, text);
	struct xml x;

	xml_begin(&x, &out);
	xml_open(&x, "a");
	xml_attr(&x, "b", raw);
	xml_text(&x, raw);
	xml_close(&x);
	assert_string_equal(out.data, wanted);
}

#define U "\xef\xbf\xbd"

static void test_text(void **state)
{
	(void)state;
	assert_written("<b id='x'>&amp;\"", "&lt;b id='x'&gt;&amp;amp;&quot;",
		       "&lt;b id='x'&gt;&amp;amp;\"");
	assert_written("]]>", "]]&gt;", "]]&gt;");
	assert_written("a\nb\tc\rd", "a&#10;b&#9;c&#13;d", "a\nb\tc&#13;d");
	assert_written("\x1b[31m\x01\x7f", U "[31m" U U, U "[31m" U U);
	assert_written("\xff\xfe\xc3(\xed\xa0\x80", U U U "(" U U U, U U U "(" U U U);
	assert_written("\xc2\x9b\xef\xbf\xbe\xef\xbf\xbf", U U U, U U U);
	assert_written("\xe2\x80\xae\xd7\xa9", "&#x202E;\xd7\xa9", "&#x202E;\xd7\xa9");
	assert_written("\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_elements),
		cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
