// SPDX-License-Identifier: MIT
/* faultline classify: what went wrong in a kernel log. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "agent/classify.h"
#include "agent/decode.h"
#include "cli/cli.h"
#include "lib/clean.h"
#include "lib/json.h"

struct args {
	const char *file, *expect, *vmlinux;
	enum format format;
};

static const struct argp_option options[] = {
	{ "format", 'f', "table|json", 0, "table (the default) for people, json for programs", 0 },
	{ "expect", 'e', "TEXT", 0,
	  "a whole log holds TEXT (a login prompt, \"reboot: Power down\"): without it and without "
	  "a splat the log is reported as silence",
	  0 },
	{ "vmlinux", 'x', "FILE", 0,
	  "the kernel's vmlinux (or vmlinux.debug): every trace with file and line of its functions, "
	  "and with those that the compiler inlined",
	  0 },
	{ 0 }
};

static const char doc[] =
	"Reads a kernel log and tells what went wrong in it: kind, title (\"KASAN: "
	"slab-use-after-free Read in f\") and a fingerprint that stays the same from build to "
	"build.\v"
	"FILE is a log of any kernel from 4.x on: a serial console, dmesg in any of its formats, "
	"journalctl -k, a syslog, a mail; - is the standard input. Traces that fault injection "
	"prints are taken out first and listed apart. Splats come in the log's order: the first one "
	"is what happened, later ones are often its consequences. A report that is interleaved with "
	"another one or cut is marked as corrupted, with the reason.\n\n"
	"Exit status: 0 no splat, 1 a splat was found, 2 the log cannot be read, 64 usage.\n\n"
	"Examples:\n"
	"  dmesg | faultline classify -\n"
	"  journalctl -k -b -1 | faultline classify --format json - | jq -r .splats[0].title\n"
	"  faultline classify --expect 'login:' console.log\n"
	"  faultline classify --vmlinux ~/linux/vmlinux console.log";

static error_t on_arg(int key, char *arg, struct argp_state *state)
{
	struct args *a = state->input;

	switch (key) {
	case 'f':
		if (!format_parse(arg, &a->format) ||
		    (a->format != FORMAT_TABLE && a->format != FORMAT_JSON))
			argp_error(state, "--format: '%s' is neither table nor json", arg);
		return 0;
	case 'e':
		if (!*arg)
			argp_error(state, "--expect: no text given");
		a->expect = arg;
		return 0;
	case 'x':
		if (access(arg, R_OK) < 0)
			argp_error(state, "--vmlinux %s: %s", arg, strerror(errno));
		a->vmlinux = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (a->file)
			argp_error(state, "one log at a time");
		a->file = arg;
		return 0;
	case ARGP_KEY_END:
		if (!a->file)
			argp_error(state, "which log? FILE, or - for the standard input");
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static int read_log(const char *file, struct classify *c, struct error *err)
{
	bool standard = strcmp(file, "-") == 0;
	CLEANUP(close_p) int fd = standard ? dup(STDIN_FILENO) : open(file, O_RDONLY | O_CLOEXEC);
	static char chunk[1 << 16];
	ssize_t n;

	if (fd < 0)
		return error_errno(err, -errno, "%s", file);
	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n > 0)
			classify_feed(c, chunk, (size_t)n);
		else if (errno != EINTR)
			return error_errno(err, -errno, "%s", file);
	}
	classify_end(c);
	return 0;
}

static void print_table(const struct classify *c)
{
	const char *red = cli_colour() ? "\033[31m" : "", *end = cli_colour() ? "\033[0m" : "";

	if (c->n_found)
		printf("%8s  %-12s %-16s  %s\n", "LINE", "KIND", "FINGERPRINT", "TITLE");
	for (size_t i = 0; i < c->n_found; i++) {
		const struct splat *s = &c->found[i].splat;

		printf("%8zu  %-12s %-16s  %s%s%s\n", c->found[i].line, splat_kind_name(s->kind),
		       s->fingerprint, red, s->title, end);
		if (s->corrupted)
			printf("%8s  corrupted: %s\n", "", s->corrupted);
		if (trace_has_lines(&s->trace))
			print_trace(&s->trace, "            ");
	}
	if (c->more)
		printf("and %zu more\n", c->more);
	if (!c->n_found)
		printf("no splat in %zu lines\n", c->lines);
	if (c->traces)
		printf("injections: %d traces, %zu distinct stacks\n", c->traces, c->n_stacks);
	for (size_t i = 0; i < c->n_stacks; i++) {
		printf("%8dx", c->stacks[i].count);
		for (int f = 0; f < c->stacks[i].n; f++)
			printf("%s%s", f ? " < " : " ", c->stacks[i].frames[f]);
		printf("\n");
		if (trace_has_lines(&c->stacks[i].trace))
			print_trace(&c->stacks[i].trace, "            ");
	}
}

static void print_json(const struct classify *c)
{
	CLEANUP(json_put_p) struct json_object *o = classify_to_json(c);
	CLEANUP(free_p) char *text = json_text_pretty(o);

	printf("%s\n", text);
}

/* What was found is told in any case: it is worth more than its lines. */
static void decode(struct classify *c, const char *vmlinux)
{
	const struct decode_opts opts = { .vmlinux = vmlinux };
	struct error err = ERROR_INIT;

	if (classify_decode(c, &opts, &err) < 0)
		fprintf(stderr, "faultline: traces without files and lines: %s\n", err.msg);
}

int cmd_classify(int argc, char **argv)
{
	const struct argp argp = { options, on_arg, "FILE|-", doc, NULL, NULL, NULL };
	struct args a = { .format = FORMAT_TABLE };
	struct error err = ERROR_INIT;
	struct classify c;
	int r;

	cli_parse(&argp, argc, argv, &a);
	classify_init(&c, a.expect);
	r = read_log(a.file, &c, &err);
	if (r < 0) {
		fprintf(stderr, "faultline: %s\n", err.msg);
		r = EXIT_TROUBLE;
	} else {
		if (a.vmlinux)
			decode(&c, a.vmlinux);
		if (a.format == FORMAT_JSON)
			print_json(&c);
		else
			print_table(&c);
		r = c.n_found ? EXIT_FAILED : EXIT_OK;
	}
	classify_free(&c);
	return r;
}
