/* SPDX-License-Identifier: MIT */
/*
 * Traces against ELF files that are built here, from sources whose lines are known. The offsets are
 * the compiler's business: what has to hold, holds for some or for each of them.
 */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/decode_internal.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/path.h"
#include "lib/proc.h"

#define FILE_BYTES (4 << 20)

static char *top;

static const char MAIN_C[] = "int deep(int x);\n"
			     "int twin_a(int x);\n"
			     "int twin_b(int x);\n"
			     "void dies(void);\n"
			     "void start_kernel(void);\n"
			     "void start_kernel(void)\n"
			     "{\n"
			     "\tif (deep(1) + twin_a(2) + twin_b(3))\n"
			     "\t\tdies();\n"
			     "}\n";
static const char HUGE_C[] = "#include \"../include/deep.h\"\n"
			     "int deep(int x);\n"
			     "int other(int x);\n"
			     "static inline __attribute__((always_inline)) int middle(int x)\n"
			     "{\n"
			     "\treturn innermost(x) * 3;\n"
			     "}\n"
			     "__attribute__((noinline)) int deep(int x)\n"
			     "{\n"
			     "\treturn middle(x) - 2;\n"
			     "}\n"
			     "int behind(int x);\n"
			     "int behind(int x)\n"
			     "{\n"
			     "\treturn x;\n"
			     "}\n";
static const char DEEP_H[] = "int other(int x);\n"
			     "static inline __attribute__((always_inline)) int innermost(int x)\n"
			     "{\n"
			     "\treturn other(x) + 1;\n"
			     "}\n";
static const char TWIN_A_C[] = "int other(int x);\n"
			       "int twin_a(int x);\n"
			       "static __attribute__((noinline)) int twin(int x)\n"
			       "{\n"
			       "\treturn other(x) + other(x + 1);\n"
			       "}\n"
			       "int twin_a(int x)\n"
			       "{\n"
			       "\treturn twin(x) + 1;\n"
			       "}\n";
static const char TWIN_B_C[] = "int other(int x);\n"
			       "int twin_b(int x);\n"
			       "__attribute__((noinline)) int other(int x)\n"
			       "{\n"
			       "\t__asm__ volatile(\"nop\");\n"
			       "\treturn x;\n"
			       "}\n"
			       "void dies(void);\n"
			       "__attribute__((noreturn, noinline)) static void stop(void)\n"
			       "{\n"
			       "\tfor (;;)\n"
			       "\t\t__asm__ volatile(\"nop\");\n"
			       "}\n"
			       "static __attribute__((noinline)) int twin(int x)\n"
			       "{\n"
			       "\treturn other(x) * other(x + 1) * other(x + 2);\n"
			       "}\n"
			       "void dies(void)\n"
			       "{\n"
			       "\tstop();\n"
			       "}\n"
			       "int twin_b(int x)\n"
			       "{\n"
			       "\treturn twin(x) + 1;\n"
			       "}\n";

static char *in_top(const char *rel)
{
	return xasprintf("%s/%s", top, rel);
}

static void put(const char *rel, const void *data, size_t len)
{
	CLEANUP(free_p) char *path = in_top(rel);
	CLEANUP(free_p) char *dir = xstrndup(path, (size_t)(strrchr(path, '/') - path));

	assert_int_equal(path_mkdirs(dir, 0755, NULL), 0);
	assert_int_equal(path_write_atomic(path, data, len, 0644, NULL), 0);
}

/* In the folder of the sources. */
static void run(const char *script)
{
	const char *const argv[] = { "sh", "-ec", script, NULL };
	const struct proc_spec spec = { .argv = argv, .cwd = top };
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	const struct proc_run_opts opts = { .timeout_ms = 60000, .out = &out };
	int status = 0;

	if (proc_run(&spec, &opts, &status, NULL) || status)
		fail_msg("%s: 0x%x: %s", script, (unsigned int)status, buf_cstr(&out));
}

static int setup(void **state)
{
	char dir[] = "/tmp/faultline-decode-XXXXXX";

	(void)state;
	top = xstrdup(mkdtemp(dir));
	put("src/init/main.c", MAIN_C, strlen(MAIN_C));
	put("src/mm/huge.c", HUGE_C, strlen(HUGE_C));
	put("src/include/deep.h", DEEP_H, strlen(DEEP_H));
	put("src/mm/twin_a.c", TWIN_A_C, strlen(TWIN_A_C));
	put("src/mm/twin_b.c", TWIN_B_C, strlen(TWIN_B_C));
	/* Elsewhere than the source, as kernels are built; nothing between two functions. */
	run("mkdir obj; cd obj; for f in init/main mm/huge mm/twin_a mm/twin_b; do "
	    "gcc -O2 -g1 -falign-functions=1 -fno-reorder-functions -fno-toplevel-reorder "
	    "-fno-asynchronous-unwind-tables -fcf-protection=none -fno-ipa-icf "
	    "-fno-ipa-cp -fno-ipa-ra -fno-pie -c \"$PWD/../src/$f.c\" -o \"${f##*/}.o\"; done; "
	    "gcc -nostdlib -static -no-pie -Wl,-e,start_kernel,--build-id=none "
	    "-Wl,-Ttext=0x10000000 *.o -o ../vmlinux");
	run("objcopy --only-keep-debug --compress-debug-sections=zlib vmlinux vmlinux.debug; "
	    "objcopy --strip-debug vmlinux vmlinux.plain; strip -s -o vmlinux.bare vmlinux");
	return 0;
}

static int teardown(void **state)
{
	int r = path_remove_tree(top, NULL);

	(void)state;
	free(top);
	return r;
}

static int decode(const char *file, struct trace *t, struct error *err)
{
	CLEANUP(free_p) char *path = in_top(file);
	const struct decode_opts opts = { .vmlinux = path };

	return decode_traces(&opts, (struct trace *const[]){ t }, 1, err);
}

/* The size of a function, as the kernel would print it; `which` of those of one name. */
static uint64_t size_of(const char *name, int which)
{
	CLEANUP(free_p) char *path = in_top("vmlinux");
	const struct decode_opts opts = { .vmlinux = path };
	struct symtab t;
	uint64_t size = 0;

	assert_int_equal(decode_symbols(&opts, &t, NULL), 0);
	for (size_t i = 0; i < t.n; i++)
		if (strcmp(t.v[i].name, name) == 0 && which-- == 0)
			size = t.v[i].size;
	symtab_free(&t);
	assert_true(size > 0);
	return size;
}

static void add(struct trace *t, const char *function, uint64_t offset, uint64_t size)
{
	struct frame *f = trace_add(t);

	assert_non_null(f);
	f->function = xstrdup(function);
	f->offset = offset;
	f->size = size;
}

static char *text_of(const struct trace *t)
{
	struct buf b = BUF_INIT;

	for (size_t i = 0; i < t->n; i++) {
		frame_text(&t->frames[i], &b);
		buf_char(&b, '\n');
	}
	return buf_steal(&b);
}

/* Every address of deep(): one of them is behind the call, three functions deep in the source. */
static void check_inlined(const char *file)
{
	static const char want[] = "innermost (include/deep.h:4) [inline]\n"
				   "middle (mm/huge.c:6) [inline]\n"
				   "deep+0x";
	uint64_t size = size_of("deep", 0);
	struct trace t = { 0 };
	struct error err = ERROR_INIT;
	CLEANUP(free_p) char *text = NULL;

	for (uint64_t i = 1; i <= size; i++)
		add(&t, "deep", i, size);
	if (decode(file, &t, &err))
		fail_msg("%s: %s", file, err.msg);
	text = text_of(&t);
	if (!strstr(text, want))
		fail_msg("%s", text);
	for (size_t i = 0; i < t.n; i++) {
		const struct frame *f = &t.frames[i];

		assert_non_null(f->file);
		assert_int_equal(f->inlined, f->size == 0);
		if (f->inlined)
			continue;
		assert_string_equal(f->file, "mm/huge.c");
		assert_in_range(f->line, 9, 11);
	}
	trace_free(&t);
}

static void test_inlined(void **state)
{
	(void)state;
	check_inlined("vmlinux");
	check_inlined("vmlinux.debug");
}

/* The call of a function that does not return is the last instruction: the address behind it belongs
 * to nobody, or to the next function. */
static void test_return_address(void **state)
{
	uint64_t size = size_of("dies", 0);
	struct trace t = { 0 };
	CLEANUP(free_p) char *text = NULL;

	(void)state;
	add(&t, "dies", size, size);
	assert_int_equal(decode("vmlinux", &t, NULL), 0);
	text = text_of(&t);
	assert_non_null(strstr(text, "(mm/twin_b.c:20)\n"));
	trace_free(&t);
}

/* The first instruction, where the registers point: not the one before it. */
static void test_exact(void **state)
{
	uint64_t size = size_of("other", 0);
	struct trace t = { 0 };
	CLEANUP(free_p) char *text = NULL;

	(void)state;
	for (uint64_t i = 0; i < size; i++) {
		add(&t, "other", i, size);
		t.frames[t.n - 1].exact = true;
	}
	assert_int_equal(decode("vmlinux", &t, NULL), 0);
	text = text_of(&t);
	/* the statement itself, and with -O2 the function's line need not have an instruction */
	assert_non_null(strstr(text, "(mm/twin_b.c:5)\n"));
	assert_null(strstr(text, "twin_a.c"));
	trace_free(&t);
}

static void test_twins(void **state)
{
	uint64_t a = size_of("twin", 0), b = size_of("twin", 1);
	struct trace t = { 0 };

	(void)state;
	assert_int_not_equal(a, b);
	add(&t, "twin", 1, a);
	add(&t, "twin", 1, b);
	assert_int_equal(decode("vmlinux", &t, NULL), 0);
	assert_int_equal(t.n, 2);
	assert_non_null(t.frames[0].file);
	assert_non_null(t.frames[1].file);
	assert_int_not_equal(strcmp(t.frames[0].file, t.frames[1].file), 0);
	trace_free(&t);
}

/* What does not fit stays as it was, between what does. */
static void test_strangers(void **state)
{
	static const char *const names[] = { "nowhere", "other", "other", "other", "other" };
	uint64_t size = size_of("other", 0);
	struct trace t = { 0 };

	(void)state;
	add(&t, names[0], 1, 2);
	add(&t, "other", 1, size + 1);
	add(&t, "other", 1, size);
	t.frames[2].module = xstrdup("xfs");
	add(&t, "other", 0, 0);
	add(&t, "other", 1, size);
	assert_int_equal(decode("vmlinux", &t, NULL), 0);
	assert_int_equal(t.n, ARRAY_SIZE(names));
	for (size_t i = 0; i < t.n; i++) {
		assert_string_equal(t.frames[i].function, names[i]);
		assert_int_equal(t.frames[i].file != NULL, i == t.n - 1);
	}
	trace_free(&t);
}

static void expect_error(const char *file, const char *function, int code, const char *part)
{
	uint64_t size = size_of("deep", 0);
	struct trace t = { 0 };
	struct error err = ERROR_INIT;
	int r;

	add(&t, function, 1, size);
	r = decode(file, &t, &err);
	if (r != code || !strstr(err.msg, part))
		fail_msg("%s: %d, %s", file, r, err.msg);
	assert_int_equal(t.n, 1);
	assert_null(t.frames[0].file);
	trace_free(&t);
}

static void test_no_help(void **state)
{
	CLEANUP(buf_free) struct buf whole = BUF_INIT;
	CLEANUP(free_p) char *path = in_top("vmlinux");

	(void)state;
	assert_int_equal(path_read(path, FILE_BYTES, &whole, NULL), 0);
	put("vmlinux.cut", whole.data, whole.len / 2);
	put("vmlinux.empty", "", 0);
	put("vmlinux.text", "what is this?\n", 14);
	expect_error("vmlinux.none", "deep", -ENOENT, "vmlinux.none: cannot be read");
	expect_error("vmlinux.cut", "deep", -EINVAL, "vmlinux.cut: nm: ");
	expect_error("vmlinux.text", "deep", -EINVAL, "file format not recognized");
	expect_error("vmlinux.empty", "deep", -EINVAL, "vmlinux.empty: ");
	expect_error("vmlinux.bare", "deep", -EINVAL, "vmlinux.bare: there are no symbols in it");
	expect_error("vmlinux.plain", "deep", -EINVAL, "there is no debug information in it");
	expect_error("vmlinux", "elsewhere", -ENOMSG, "vmlinux: of another kernel");
	expect_error("src", "deep", -EINVAL, "src: ");
}

/* Bytes that were changed behind the ELF header: whatever comes of it, the trace is what it was, with
 * or without lines. */
static void test_damaged(void **state)
{
	CLEANUP(buf_free) struct buf whole = BUF_INIT;
	CLEANUP(free_p) char *path = in_top("vmlinux");
	uint64_t size = size_of("deep", 0);
	uint32_t seed = 1;

	(void)state;
	assert_int_equal(path_read(path, FILE_BYTES, &whole, NULL), 0);
	for (int round = 0; round < 12; round++) {
		CLEANUP(free_p) char *bad = xcalloc(1, whole.len);
		struct trace t = { 0 };
		struct error err = ERROR_INIT;
		int r, own = 0;

		memcpy(bad, whole.data, whole.len);
		for (int i = 0; i < 40; i++) {
			seed = seed * 1664525 + 1013904223;
			bad[64 + seed % (whole.len - 64)] = (char)(seed >> 24);
		}
		put("vmlinux.bad", bad, whole.len);
		for (uint64_t i = 1; i <= size; i++)
			add(&t, "deep", i, size);
		r = decode("vmlinux.bad", &t, &err);
		assert_true(r <= 0 && (r == 0 || *err.msg));
		for (size_t i = 0; i < t.n; i++)
			own += !t.frames[i].inlined;
		assert_int_equal(own, size);
		trace_free(&t);
	}
}

/* As many as 400 reports of 25 frames have. */
static void test_many(void **state)
{
	enum { TRACES = 400, FRAMES = 25 };
	CLEANUP(free_p) char *path = in_top("vmlinux");
	const struct decode_opts opts = { .vmlinux = path };
	struct trace *traces = xcalloc(TRACES, sizeof(*traces));
	struct trace **list = xcalloc(TRACES, sizeof(*list));
	uint64_t deep = size_of("deep", 0), other = size_of("other", 0);
	struct error err = ERROR_INIT;

	(void)state;
	for (int i = 0; i < TRACES; i++) {
		list[i] = &traces[i];
		for (int k = 0; k < FRAMES; k++)
			add(&traces[i], k % 2 ? "deep" : "other",
			    1 + (uint64_t)(i + k) % ((k % 2 ? deep : other) - 1),
			    k % 2 ? deep : other);
	}
	if (decode_traces(&opts, list, TRACES, &err))
		fail_msg("%s", err.msg);
	for (int i = 0; i < TRACES; i++) {
		for (size_t k = 0; k < traces[i].n; k++)
			assert_non_null(traces[i].frames[k].file);
		trace_free(&traces[i]);
	}
	free(traces);
	free(list);
}

/* More addresses than one process takes. */
static void test_batches(void **state)
{
	enum { N = 10000 };
	CLEANUP(free_p) char *path = in_top("vmlinux");
	const struct decode_opts opts = { .vmlinux = path };
	CLEANUP(free_p) uint64_t *at = xcalloc(N, sizeof(*at));
	struct places *p = NULL;
	struct symtab t;
	struct error err = ERROR_INIT;
	uint64_t start = 0;

	(void)state;
	assert_int_equal(decode_symbols(&opts, &t, NULL), 0);
	assert_int_equal(symtab_find(&t, "start_kernel", 0, &start), SYMTAB_FOUND);
	symtab_free(&t);
	for (uint64_t i = 0; i < N; i++)
		at[i] = start - N + 1 + i; /* only the last is in the file */
	if (decode_addresses(&opts, at, N, &p, &err))
		fail_msg("%s", err.msg);
	for (int i = 0; i < N; i++)
		assert_int_equal(p[i].n > 0, 1);
	assert_null(p[0].v[0].file);
	assert_non_null(strstr(p[N - 1].v[0].file, "/src/init/main.c"));
	places_free(p, N);
}

static struct result *add_result(struct result_doc *doc, enum status status, enum reason reason)
{
	struct result *r = result_doc_add(doc);

	result_init(r);
	r->scenario = xstrdup("split.mprotect");
	r->status = status;
	r->reason = reason;
	r->splat.kind = SPLAT_BUG;
	r->splat.title = xstrdup("kernel BUG in deep");
	add(&r->splat.trace, "deep", 1, size_of("deep", 0));
	r->stacks = xcalloc(1, sizeof(*r->stacks));
	r->n_stacks = 1;
	r->stacks[0].frames = xcalloc(1, sizeof(*r->stacks[0].frames));
	r->stacks[0].frames[0] = xstrdup("other");
	r->stacks[0].n = 1;
	add(&r->stacks[0].trace, "other", 1, size_of("other", 0));
	return r;
}

static void test_document(void **state)
{
	CLEANUP(free_p) char *path = in_top("vmlinux.debug");
	const struct decode_opts opts = { .vmlinux = path };
	struct result_doc doc = { 0 };
	const struct result *r;

	(void)state;
	(void)add_result(&doc, STATUS_PASS, REASON_NONE);
	assert_false(decode_is_wanted(&doc));
	(void)add_result(&doc, STATUS_FAIL, REASON_BUG);
	assert_true(decode_is_wanted(&doc));
	decode_doc(&doc, &opts, NULL);
	r = doc.results;
	assert_int_equal(r[0].splat.trace.n + r[0].stacks[0].trace.n, 0);
	assert_int_equal(r[0].stacks[0].n, 1);
	assert_true(trace_has_lines(&r[1].splat.trace));
	assert_true(trace_has_lines(&r[1].stacks[0].trace));
	assert_null(r[1].undecoded);
	result_doc_free(&doc);
}

/* Nothing to decode with: the offsets stay, the verdict too, and the reason is told. */
static void check_undecoded(const struct decode_opts *opts, const char *why, const char *want)
{
	struct result_doc doc = { 0 };
	const struct result *r;

	(void)add_result(&doc, STATUS_FAIL, REASON_BUG);
	decode_doc(&doc, opts, why);
	r = doc.results;
	assert_non_null(strstr(r->undecoded, want));
	assert_int_equal(r->status, STATUS_FAIL);
	assert_int_equal(r->reason, REASON_BUG);
	assert_int_equal(r->splat.trace.n, 1);
	assert_int_equal(r->splat.trace.frames[0].offset, 1);
	assert_false(trace_has_lines(&r->splat.trace));
	result_doc_free(&doc);
}

static void test_undecoded(void **state)
{
	CLEANUP(free_p) char *path = in_top("vmlinux.bare");
	const struct decode_opts opts = { .vmlinux = path };

	(void)state;
	check_undecoded(NULL, "the build has none", "the build has none");
	check_undecoded(&opts, NULL, "there are no symbols in it");
}

/* A document stays small enough to be sent, whatever fails. */
static void test_many_failures(void **state)
{
	enum { RESULTS = 3000, FRAMES = 9 };
	CLEANUP(free_p) char *path = in_top("vmlinux");
	const struct decode_opts opts = { .vmlinux = path };
	uint64_t size = size_of("deep", 0);
	struct result_doc doc = { 0 };
	size_t frames = 0;

	(void)state;
	for (int i = 0; i < RESULTS; i++) {
		struct result *r = result_doc_add(&doc);

		result_init(r);
		r->status = STATUS_FAIL;
		r->reason = REASON_BUG;
		for (int k = 0; k < FRAMES; k++)
			add(&r->splat.trace, "deep", 5 + (uint64_t)k % 4, size);
	}
	decode_doc(&doc, &opts, NULL);
	for (int i = 0; i < RESULTS; i++) {
		const struct result *r = &doc.results[i];

		frames += r->splat.trace.n;
		assert_int_equal(trace_has_lines(&r->splat.trace), !r->undecoded);
	}
	assert_in_range(frames, 10000, 20000);
	assert_true(trace_has_lines(&doc.results[0].splat.trace));
	assert_non_null(strstr(doc.results[RESULTS - 1].undecoded, "only the first"));
	result_doc_free(&doc);
}

static bool always(void *arg)
{
	(void)arg;
	return true;
}

static void test_cancelled(void **state)
{
	CLEANUP(free_p) char *path = in_top("vmlinux");
	const struct decode_opts opts = { .vmlinux = path, .cancelled = always };
	struct trace t = { 0 };

	(void)state;
	add(&t, "deep", 1, size_of("deep", 0));
	assert_int_equal(decode_traces(&opts, (struct trace *const[]){ &t }, 1, NULL), -ECANCELED);
	trace_free(&t);
}

static void test_find_file(void **state)
{
	CLEANUP(free_p) char *beside = in_top("boot/bzImage");
	CLEANUP(free_p) char *map = in_top("System.map");
	CLEANUP(free_p) char *got = decode_find(map, beside);
	CLEANUP(free_p) char *debug = NULL;

	(void)state;
	assert_non_null(strstr(got, "/vmlinux"));
	put("boot/vmlinux.debug", "", 0);
	debug = decode_find(NULL, beside);
	assert_non_null(strstr(debug, "/boot/vmlinux.debug"));
	assert_null(decode_find("/nowhere/System.map", NULL));
	assert_null(decode_find(NULL, NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_inlined),	  cmocka_unit_test(test_return_address),
		cmocka_unit_test(test_exact),	  cmocka_unit_test(test_twins),
		cmocka_unit_test(test_strangers), cmocka_unit_test(test_no_help),
		cmocka_unit_test(test_damaged),	  cmocka_unit_test(test_many),
		cmocka_unit_test(test_batches),

		cmocka_unit_test(test_document),  cmocka_unit_test(test_undecoded),
		cmocka_unit_test(test_cancelled), cmocka_unit_test(test_many_failures),
		cmocka_unit_test(test_find_file),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
