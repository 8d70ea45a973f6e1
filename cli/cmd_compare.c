// SPDX-License-Identifier: MIT
/* faultline compare: what got worse from A to B. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "jobs/compare.h"
#include "lib/clean.h"
#include "lib/json.h"
#include "lib/limits.h"
#include "lib/path.h"

#define DOCUMENT_BYTES (8LL * LIMIT_HTTP_RESULT_BYTES) /* a run here has no agent's limit */

struct args {
	struct server_args server;
	enum format format;
	const char *names[COMPARE_SIDES];
	int n;
};

static const struct argp_option options[] = {
	{ "format", 'F', "table|json|csv", 0,
	  "table (the default): what differs; json and csv: all", 0 },
	{ 0 }
};

static const char doc[] =
	"Tells what got worse from A to B, what got better, and what cannot be compared; and which "
	"metrics moved.\v"
	"A and B are two files that `faultline run --format json` wrote, or two names that the "
	"server knows: a commit (7 digits of its hash or more), REPO/BRANCH, or submission:N.\n\n"
	"Exit status: 0 nothing regressed, 1 something did, 2 there was trouble or no case has a "
	"verdict on both sides, 64 usage.\n\n"
	"Examples:\n"
	"  faultline compare before.json after.json\n"
	"  faultline compare mm/mm-stable mm/my-topic\n"
	"  faultline compare submission:12 submission:14 --format csv";

static error_t on_arg(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->server;
		return 0;
	case 'F':
		a->format = cli_list_format(state, arg);
		return 0;
	case ARGP_KEY_ARG:
		if (a->n == COMPARE_SIDES)
			argp_error(state, "more than two to compare");
		a->names[a->n++] = arg;
		return 0;
	case ARGP_KEY_END:
		if (a->n < COMPARE_SIDES)
			argp_error(state, "compare what? A and B");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* --- two files ------------------------------------------------------------------------------------ */

static int read_document(const char *file, struct result_doc *ret, struct error *err)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(json_put_p) struct json_object *o = NULL;
	struct jval v;
	int r = path_read(file, DOCUMENT_BYTES, &text, err);

	if (r < 0)
		return r;
	r = json_parse(buf_cstr(&text), text.len, &o, err);
	if (!r) {
		v = json_root(o);
		r = result_doc_from_json(&v, ret, err);
	}
	return r < 0 ? error_wrap(err, r, "%s: no result document", file) : 0;
}

static int compare_files(const struct args *a, struct json_object **ret, struct error *err)
{
	struct result_doc docs[COMPARE_SIDES] = { { .n_results = 0 } };
	struct compare_side sides[COMPARE_SIDES] = { { .what = NULL } };
	struct compare c;
	int r = 0;

	for (int i = 0; i < COMPARE_SIDES && !r; i++) {
		r = read_document(a->names[i], &docs[i], err);
		sides[i].what = a->names[i];
		sides[i].commit = docs[i].kernel.commit;
		compare_side_doc(&sides[i], &docs[i]);
	}
	if (!r) {
		compare_sides(&sides[COMPARE_A], &sides[COMPARE_B], &c);
		*ret = compare_to_json(&c);
		compare_free(&c);
	}
	for (int i = 0; i < COMPARE_SIDES; i++) {
		compare_side_free(&sides[i]);
		result_doc_free(&docs[i]);
	}
	return r;
}

/* --- the server's --------------------------------------------------------------------------------- */

static int ask_server(const struct args *a, struct json_object **ret, struct error *err)
{
	CLEANUP(http_client_free_p) struct http_client *c = NULL;
	CLEANUP(buf_free) struct buf path = BUF_INIT, text = BUF_INIT;
	int r = cli_connect(&a->server, &c, err);

	buf_str(&path, "/api/v1/compare?a=");
	cli_query_value(&path, a->names[COMPARE_A]);
	buf_str(&path, "&b=");
	cli_query_value(&path, a->names[COMPARE_B]);
	if (!r)
		r = cli_text(c, buf_cstr(&path), &text, err);
	if (!r)
		r = json_parse(buf_cstr(&text), text.len, ret, err);
	return r;
}

static bool is_file(const char *name)
{
	struct stat st;

	return stat(name, &st) == 0 && !S_ISDIR(st.st_mode);
}

static int get_view(const struct args *a, struct json_object **ret, struct error *err)
{
	bool file_a = is_file(a->names[COMPARE_A]), file_b = is_file(a->names[COMPARE_B]);

	if (file_a && file_b)
		return compare_files(a, ret, err);
	if (file_a || file_b)
		return error_set(err, -EINVAL,
				 "'%s' is a file and '%s' is none: compare two files, or two "
				 "names that the server knows",
				 a->names[file_a ? COMPARE_A : COMPARE_B],
				 a->names[file_a ? COMPARE_B : COMPARE_A]);
	return ask_server(a, ret, err);
}

static int print_view(const struct args *a, struct json_object *view, struct error *err)
{
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	CLEANUP(free_p) char *text = NULL;
	int r = 0;

	if (a->format == FORMAT_JSON) {
		text = json_text_pretty(view);
		buf_printf(&out, "%s\n", text);
	} else if (a->format == FORMAT_CSV) {
		r = compare_csv(view, &out, err);
	} else {
		r = compare_txt(view, &out, err);
	}
	if (!r)
		fwrite(buf_cstr(&out), 1, out.len, stdout);
	return r;
}

int cmd_compare(int argc, char **argv)
{
	const struct argp_child children[] = { { &server_argp, 0, NULL, 0 }, { 0 } };
	const struct argp argp = { options, on_arg, "A B", doc, children, NULL, NULL };
	CLEANUP(json_put_p) struct json_object *view = NULL;
	struct args a = { .format = FORMAT_TABLE };
	struct error err = ERROR_INIT;
	int code = EXIT_TROUBLE, r;

	cli_parse(&argp, argc, argv, &a);
	if (get_view(&a, &view, &err))
		return cli_fail(&err);
	r = print_view(&a, view, &err);
	if (!r)
		r = compare_exit_code(view, &code, &err);
	if (r) {
		/* What a server answered is not the user's mistake. */
		err.code = EPROTO;
		return cli_fail(&err);
	}
	if (code == EXIT_TROUBLE)
		fputs("faultline: no case has a verdict on both sides\n", stderr);
	return code;
}
