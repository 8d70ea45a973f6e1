/* SPDX-License-Identifier: MIT */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <string.h>

#include "agent/inject.h"
#include "jobs/fault.h"
#include "jobs/parts.h"
#include "lib/buf.h"
#include "lib/limits.h"
#include "lib/path.h"

#define HEAD "FAULT_INJECTION: forcing a failure.\nname failslab, interval 1, times 1\n"

struct taken {
	int traces;
	struct stack *stacks;
	size_t n;
	struct buf left; /* the text of the lines that stay */
};

static void take(const char *log, struct taken *t)
{
	struct klog k;

	*t = (struct taken){ 0 };
	klog_parse(log, strlen(log), &k);
	t->traces = inject_take(&k, &t->stacks, &t->n);
	for (size_t i = 0; i < k.n; i++)
		if (!k.lines[i].removed)
			buf_printf(&t->left, "%.*s\n", (int)k.lines[i].len, k.lines[i].text);
	klog_free(&k);
}

static void taken_free(struct taken *t)
{
	stacks_free(t->stacks, t->n);
	buf_free(&t->left);
}

/* A page fault of the kernel's own: its registers stand in the middle, and frames go on. */
static void takes_kernel_registers_too(void **state)
{
	struct taken t;

	(void)state;
	take(HEAD "Call Trace:\n <TASK>\n dump_stack+0x1/0x2\n do_pte_missing+0x1/0x2\n"
		  " asm_exc_page_fault+0x2b/0x30\nRIP: 0010:rep_movs_alternative+0x50/0x90\n"
		  "Code: 0f 1f\nRSP: 0018:ffffc9000027feb8 EFLAGS: 00000206\nRAX: 01 RBX: 02\n"
		  "RDX: 00\nRBP: 00\nR10: 00\nR13: 00\n ? _copy_to_user+0x44/0x54\n"
		  " __x64_sys_mincore+0x269/0x2a5\nRIP: 0033:0x40fb3b\nRSP: 002b:00 EFLAGS: 00\n"
		  " </TASK>\nafter\n",
	     &t);
	assert_int_equal(t.traces, 1);
	assert_int_equal(t.stacks[0].n, 3);
	assert_string_equal(t.stacks[0].frames[2], "__x64_sys_mincore");
	assert_string_equal(buf_cstr(&t.left), "after\n");
	taken_free(&t);
	/* an oops right behind the trace is not part of it */
	take(HEAD "Call Trace:\n <TASK>\n f+0x1/0x2\n </TASK>\n"
		  "RIP: 0010:g+0x50/0x90\n",
	     &t);
	assert_string_equal(buf_cstr(&t.left), "RIP: 0010:g+0x50/0x90\n");
	taken_free(&t);
}

static void takes_a_trace_out(void **state)
{
	struct taken t;

	(void)state;
	take("before\n" HEAD "CPU: 0 UID: 0\nHardware name: x\nCall Trace:\n <TASK>\n"
	     " dump_stack_lvl+0x1/0x2\n should_fail_ex+0x1/0x2\n pte_alloc_one+0x1/0x2\n"
	     " ? stale+0x1/0x2\n f.isra.0+0x1/0x2\nRIP: 0033:0x1\n </TASK>\nafter\n",
	     &t);
	assert_int_equal(t.traces, 1);
	assert_int_equal(t.n, 1);
	assert_int_equal(t.stacks[0].n, 2);
	assert_string_equal(t.stacks[0].frames[0], "pte_alloc_one");
	assert_string_equal(t.stacks[0].frames[1], "f");
	assert_string_equal(buf_cstr(&t.left), "before\nafter\n");
	taken_free(&t);
}

static void equal_stacks_are_counted(void **state)
{
	struct buf b = BUF_INIT;
	struct taken t;

	(void)state;
	for (int i = 0; i < 10; i++)
		buf_printf(&b, HEAD "Call Trace:\n <TASK>\n f%d+0x%x/0x99\n </TASK>\n", i % 2, i);
	take(buf_cstr(&b), &t);
	assert_int_equal(t.traces, 10);
	assert_int_equal(t.n, 2);
	assert_int_equal(t.stacks[0].count, 5);
	assert_string_equal(buf_cstr(&t.left), "");
	taken_free(&t);
	buf_free(&b);
}

static void distinct_stacks_are_capped(void **state)
{
	struct buf b = BUF_INIT;
	struct taken t;

	(void)state;
	for (int i = 0; i < 2 * LIMIT_STACKS; i++) {
		buf_str(&b, HEAD "Call Trace:\n <TASK>\n");
		for (int f = 0; f < 2 * LIMIT_STACK_FRAMES; f++)
			buf_printf(&b, " f%d_%d+0x1/0x99\n", i, f);
		buf_str(&b, " </TASK>\n");
	}
	take(buf_cstr(&b), &t);
	assert_int_equal(t.n, LIMIT_STACKS);
	assert_int_equal(t.stacks[0].n, LIMIT_STACK_FRAMES);
	taken_free(&t);
	buf_free(&b);
}

/* A trace without its end must not swallow the splat behind it. */
static void a_splat_behind_stays(void **state)
{
	struct taken t;

	(void)state;
	take(HEAD "Call Trace:\n <TASK>\n pte_alloc_one+0x1/0x2\n"
		  "BUG: kernel NULL pointer dereference\nCPU: 1\nCall Trace:\n <TASK>\n"
		  " g+0x1/0x2\n </TASK>\n",
	     &t);
	assert_non_null(strstr(buf_cstr(&t.left), "BUG: kernel NULL"));
	assert_non_null(strstr(buf_cstr(&t.left), " g+0x1/0x2"));
	taken_free(&t);
	take(HEAD, &t);
	assert_int_equal(t.traces, 1);
	assert_int_equal(t.n, 0);
	taken_free(&t);
}

/* A kernel's own words: the handler of the kprobe stands above what it interrupted. */
static void a_kprobe_is_not_the_site(void **state)
{
	CLEANUP(buf_free) struct buf log = BUF_INIT;
	struct error err = ERROR_INIT;
	const char *const *frames;
	struct fault fault;
	struct taken t;

	(void)state;
	assert_int_equal(path_read("tests/golden/inject/fail_function.log", 1 << 16, &log, &err),
			 0);
	take(buf_cstr(&log), &t);
	assert_int_equal(t.traces, 1);
	assert_int_equal(t.n, 1);
	frames = (const char *const *)t.stacks[0].frames;
	assert_string_equal(frames[0], "pte_alloc_one");
	assert_string_equal(frames[1], "__split_huge_pmd");
	assert_string_equal(frames[t.stacks[0].n - 1], "entry_SYSCALL_64_after_hwframe");
	fault_defaults(&fault);
	assert_true(fault_stack_on_target(&fault, frames, t.stacks[0].n));
	assert_null(strstr(buf_cstr(&t.left), "RIP: "));
	assert_null(strstr(buf_cstr(&t.left), "int3"));
	assert_non_null(strstr(buf_cstr(&t.left), "faultline: armed id=1 nth=1"));
	assert_non_null(strstr(buf_cstr(&t.left), "faultline: disarmed id=1 nth=1"));
	taken_free(&t);
}

/* Each frame with its place in the function, for whoever looks up its line. */
static void places_are_kept(void **state)
{
	static const struct frame want[] = {
		{ .function = (char *)"f", .symbol = (char *)"f.isra.0", .offset = 26, .size = 32 },
		{ .function = (char *)"g", .module = (char *)"xfs", .offset = 1, .size = 2 },
		{ .function = (char *)"h", .module = (char *)"nvidia" },
		{ .function = (char *)"k" },
		{ .function = (char *)"m", .module = (char *)"my-mod", .offset = 2, .size = 2 },
	};
	const struct trace *trace;
	struct taken t;

	(void)state;
	take(HEAD "Call Trace:\n <TASK>\n dump_stack+0x1/0x2\n f.isra.0+0x1a/0x20\n"
		  " ? stale+0x1/0x2\n g+0x1/0x2 [xfs 0123abcd]\n"
		  " h+0xffffffffffffffff/0xffffffffffffffff [nvidia(PO)]\n k+0x3/0x2\n"
		  " m+0x2/0x2 [my-mod]\n </TASK>\n",
	     &t);
	assert_int_equal(t.n, 1);
	trace = &t.stacks[0].trace;
	assert_int_equal(trace->n, ARRAY_SIZE(want));
	for (size_t i = 0; i < trace->n; i++) {
		const struct frame *f = &trace->frames[i], *w = &want[i];

		assert_string_equal(f->function, w->function);
		assert_int_equal(f->symbol != NULL, w->symbol != NULL);
		if (w->symbol)
			assert_string_equal(f->symbol, w->symbol);
		assert_string_equal(f->module ? f->module : "", w->module ? w->module : "");
		assert_int_equal(f->offset, w->offset);
		assert_int_equal(f->size, w->size);
		assert_false(f->exact);
	}
	taken_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_a_trace_out),
		cmocka_unit_test(takes_kernel_registers_too),
		cmocka_unit_test(equal_stacks_are_counted),
		cmocka_unit_test(distinct_stacks_are_capped),
		cmocka_unit_test(a_splat_behind_stays),
		cmocka_unit_test(a_kprobe_is_not_the_site),
		cmocka_unit_test(places_are_kept),
	};

	return cmocka_run_group_tests_name("inject", tests, NULL, NULL);
}
