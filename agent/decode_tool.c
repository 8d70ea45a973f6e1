/* SPDX-License-Identifier: MIT */
/* nm and addr2line of binutils, in the sandbox. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/decode_internal.h"
#include "agent/sandbox.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/limits.h"

#define INSIDE "/faultline/vmlinux"
/* A distribution's kernel with all its debug information takes addr2line 1.5 GB and some seconds. */
#define MEMORY_BYTES (4LL << 30)
#define TIMEOUT_MS 60000
#define TASKS 16
#define BATCH 4096 /* addresses of one process: 110 KiB of arguments */
#define ADDRESS_TEXT 24

struct tool {
	const struct decode_opts *o;
	struct buf *out;
};

static void on_output(void *arg, const char *data, size_t len)
{
	const struct tool *t = arg;

	buf_add(t->out, data, len);
}

static bool cancelled(void *arg)
{
	const struct tool *t = arg;

	return t->o->cancelled && t->o->cancelled(t->o->arg);
}

/* The first line that a tool said itself, else its end. */
static int tool_failed(const char *tool, const struct buf *out, int status, struct error *err)
{
	CLEANUP(free_p) char *said = NULL;
	CLEANUP(free_p) char *head = xasprintf("%s: ", tool);
	const char *s = buf_cstr(out);

	while (*s && !str_starts(s, head))
		s += strcspn(s, "\n") + (s[strcspn(s, "\n")] == '\n');
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return error_set(err, -EINVAL, "there is no %s here: install binutils", tool);
	if (!*s)
		return error_set(err, -EINVAL, "%s ended with status 0x%x", tool,
				 (unsigned int)status);
	s += strlen(head);
	if (str_starts(s, INSIDE))
		s += strlen(INSIDE);
	s += strspn(s, ": ");
	said = str_printable(s, strcspn(s, "\n"));
	return error_set(err, -EINVAL, "%s: %.150s", tool, said);
}

static int run_tool(const struct decode_opts *o, const char *tool, const char *const *argv,
		    struct buf *out, struct error *err)
{
	CLEANUP(free_p) char *real = realpath(o->vmlinux, NULL);
	struct tool run = { o, out };
	const struct sandbox_bind bind = { real, INSIDE, false };
	const struct sandbox_opts s = {
		.argv = argv,
		.binds = &bind,
		.n_binds = 1,
		.memory_bytes = MEMORY_BYTES,
		.tasks = TASKS,
		.timeout_ms = TIMEOUT_MS,
		.output_max_bytes = LIMIT_BUILD_OUTPUT_BYTES,
		.on_output = on_output,
		.cancelled = cancelled,
		.arg = &run,
	};
	struct sandbox_end end = { 0 };
	int r;

	if (!real)
		return error_errno(err, -errno, "cannot be read");
	r = sandbox_run(&s, &end, err);
	if (r < 0)
		return r;
	return end.status ? tool_failed(tool, out, end.status, err) : 0;
}

int decode_symbols(const struct decode_opts *o, struct symtab *ret, struct error *err)
{
	static const char *const argv[] = { "nm", INSIDE, NULL };
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	struct symtab t;
	int r = run_tool(o, argv[0], argv, &out, err);

	if (r < 0)
		return r;
	symtab_read(buf_steal(&out), &t);
	if (t.n == 0) {
		symtab_free(&t);
		return error_set(err, -EINVAL, "there are no symbols in it");
	}
	*ret = t;
	return 0;
}

void places_free(struct places *p, size_t n)
{
	for (size_t i = 0; p && i < n; i++) {
		for (int k = 0; k < p[i].n; k++) {
			free(p[i].v[k].function);
			free(p[i].v[k].file);
		}
	}
	free(p);
}

/* "file.c:12", "file.c:12 (discriminator 3)"; "??:0" and "file.c:?" say nothing. */
static void read_line(const char *s, size_t len, struct place *p)
{
	CLEANUP(free_p) char *line = xstrndup(s, len);
	char *behind = strstr(line, " (discriminator"), *colon;
	long long n;

	if (behind)
		*behind = '\0';
	colon = strrchr(line, ':');
	if (!colon || *line == '?' || str_to_i64(colon + 1, 1, INT32_MAX, &n) < 0)
		return;
	*colon = '\0';
	p->file = xstrdup(line);
	p->line = (int)n;
}

/* Of too many the innermost ones are kept, and the last: the function that has the frame. */
static void take_place(struct places *p, const char *function, size_t function_len,
		       const char *line, size_t len)
{
	struct place *at = &p->v[p->n < PLACES_MAX ? p->n++ : PLACES_MAX - 1];

	free(at->function);
	free(at->file);
	*at = (struct place){ .function = str_printable(function, function_len) };
	read_line(line, len, at);
}

static bool is_address(const char *s, size_t len, uint64_t address)
{
	char text[ADDRESS_TEXT];
	int n = snprintf(text, sizeof(text), "0x%016" PRIx64, address);

	return len == (size_t)n && memcmp(s, text, len) == 0;
}

void decode_parse(const char *text, const uint64_t *addresses, size_t n, struct places *io)
{
	const char *function = NULL;
	size_t at = 0, function_len = 0; /* answers to `at` addresses have begun */

	for (size_t len; *text; text += len + (text[len] == '\n')) {
		struct places *p = at ? &io[at - 1] : NULL;

		len = strcspn(text, "\n");
		if (!function && at < n && is_address(text, len, addresses[at])) {
			at++;
		} else if (!function) {
			function = text;
			function_len = len;
		} else {
			if (p)
				take_place(p, function, function_len, text, len);
			function = NULL;
		}
	}
}

static int ask_batch(const struct decode_opts *o, const uint64_t *addresses, size_t n,
		     struct places *io, struct error *err)
{
	/* Its complaints would stand in the middle of its answers. */
	static const char *const head[] = {
		"sh", "-c", "exec addr2line -a -f -i -e " INSIDE " \"$@\" 2>/dev/null", "addr2line"
	};
	CLEANUP(free_p) const char **argv = xcalloc(ARRAY_SIZE(head) + n + 1, sizeof(*argv));
	CLEANUP(free_p) char *words = xcalloc(n, ADDRESS_TEXT);
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	const char *s;
	int r;

	memcpy(argv, head, sizeof(head));
	for (size_t i = 0; i < n; i++) {
		char *word = words + i * ADDRESS_TEXT;

		snprintf(word, ADDRESS_TEXT, "0x%016" PRIx64, addresses[i]);
		argv[ARRAY_SIZE(head) + i] = word;
	}
	r = run_tool(o, "addr2line", argv, &out, err);
	if (r < 0)
		return r;
	/* Lines of the sandbox about its limits may come before. */
	s = strstr(buf_cstr(&out), words);
	decode_parse(s ? s : "", addresses, n, io);
	return 0;
}

int decode_addresses(const struct decode_opts *o, const uint64_t *addresses, size_t n,
		     struct places **ret, struct error *err)
{
	struct places *all = xcalloc(n + 1, sizeof(*all));
	int r = 0;

	for (size_t i = 0; i < n && !r; i += BATCH)
		r = ask_batch(o, addresses + i, n - i < BATCH ? n - i : BATCH, all + i, err);
	if (r < 0) {
		places_free(all, n);
		return r;
	}
	*ret = all;
	return 0;
}
