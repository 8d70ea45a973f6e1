/* SPDX-License-Identifier: MIT */
/* Anything as the server's answers {"items":[…],"builds":[…]}: what is read is written in every
 * format, and each of them can be read again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "jobs/export.h"
#include "jobs/ktap_reader.h"
#include "lib/clean.h"
#include "lib/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool what)
{
	if (!what)
		abort();
}

static bool collect(struct export *e, const struct jval *v)
{
	struct jval list = { .o = NULL };
	bool some = false;

	if (json_opt_arr(v, "items", &list, NULL))
		return false;
	for (size_t i = 0; i < json_arr_len(&list); i++) {
		struct jval item = json_arr_at(&list, i);

		some |= !export_add_item(e, &item, NULL);
	}
	list.o = NULL;
	if (json_opt_arr(v, "builds", &list, NULL))
		return some;
	for (size_t i = 0; i < json_arr_len(&list); i++) {
		struct jval build = json_arr_at(&list, i);

		some |= !export_add_build(e, &build, NULL);
	}
	return some;
}

/* Only characters that XML 1.0 has, and none that deceives. */
static void check_xml(const struct buf *text)
{
	for (size_t i = 0; i < text->len;) {
		size_t n = utf8_len(text->data + i, text->len - i);
		uint32_t c;

		must(n > 0);
		c = utf8_code_point(text->data + i, n);
		must(c == '\n' || c == '\t' || (!utf8_is_control(c) && !utf8_is_deceptive(c)));
		i += n;
	}
	must(!strstr(text->data, "]]>"));
}

static void check_json(const struct buf *text)
{
	CLEANUP(json_put_p) struct json_object *o = NULL;

	must(!json_parse(text->data, text->len, &o, NULL));
}

static void check_ktap(const struct buf *text, size_t rows)
{
	struct ktap k;

	ktap_read(text->data, true, &k);
	must(rows > KTAP_TESTS_MAX || (k.n == rows && !k.broken));
	ktap_free(&k);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(export_free) struct export e = { .url = "https://ci.example.org" };
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct jval v;

	if (json_parse((const char *)data, size, &o, NULL) < 0)
		return 0;
	v = json_root(o);
	if (json_as_obj(&v, NULL) || !collect(&e, &v))
		return 0;
	for (size_t i = 0; i < export_n_formats; i++) {
		CLEANUP(buf_free) struct buf out = BUF_INIT;

		export_formats[i].write(&e, &out);
		if (!strcmp(export_formats[i].name, "junit"))
			check_xml(&out);
		else if (!strcmp(export_formats[i].name, "kcidb"))
			check_json(&out);
		else if (!strcmp(export_formats[i].name, "ktap"))
			check_ktap(&out, e.n_rows);
	}
	return 0;
}
