/* SPDX-License-Identifier: MIT */
/*
 * What the kernel prints when something is wrong, from Linux 4.x on (the file that prints it stands
 * at each group). Order matters: the first row that fits a line decides.
 */
#include <ctype.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#include "agent/splat.h"
#include "lib/buf.h"

#define NULL_DEREF "BUG: kernel NULL pointer dereference"
#define PAGE_FAULT "BUG: unable to handle page fault"
#define PANIC "Kernel panic - not syncing: "

/* ROW(match, kind, title, function, flags, and the members that few rows need) */
#define ROW(m, k, t, f, fl, ...)                                                                \
	{                                                                                       \
		.match = (m), .kind = SPLAT_##k, .title = (t), .func = FUNC_##f, .flags = (fl), \
		__VA_ARGS__                                                                     \
	}

/* clang-format off */
static const struct splat_row rows[] = {
	/* init/main.c, init/do_mounts.c, kernel/exit.c, and panics that say what was wrong */
	ROW(PANIC "VFS: Unable to mount root", BOOT, PANIC "VFS: Unable to mount root fs", NONE, 0),
	ROW("VFS: Unable to mount root fs", BOOT, PANIC "VFS: Unable to mount root fs", NONE,
	    ROW_TRACE),
	ROW(PANIC "No working init found", BOOT, PANIC "No working init found", NONE, 0),
	ROW(PANIC "No init found", BOOT, PANIC "No working init found", NONE, 0),
	ROW(PANIC "Requested init", BOOT, PANIC "Requested init failed", NONE, 0),
	ROW(PANIC "Attempted to kill init", BOOT, PANIC "Attempted to kill init!", NONE, 0),
	ROW(PANIC "System is deadlocked on memory", OOM, "out of memory: no killable process", NONE, 0),
	ROW(PANIC "Out of memory", OOM, "out of memory: no killable process", NONE, 0),
	ROW(PANIC "stack-protector: Kernel stack is corrupted in", STACK,
	    "kernel stack is corrupted", LINE, 0),
	ROW(PANIC "corrupted stack end", STACK, "kernel stack end is corrupted", FRAME, 0),
	ROW(PANIC "kernel stack overflow", STACK, "kernel stack overflow", RIP, ROW_FOLLOWS),
	ROW(PANIC, PANIC, NULL, NONE, 0),

	/* mm/kasan/report.c, mm/kfence/report.c, mm/kmsan/report.c, kernel/kcsan/report.c */
	ROW("BUG: KASAN: ", KASAN, NULL, AFTER, 0),
	ROW("BUG: KFENCE: ", KFENCE, NULL, AFTER, 0),
	ROW("BUG: KMSAN: ", KMSAN, NULL, AFTER, 0),
	ROW("BUG: KCSAN: ", KCSAN, NULL, AFTER, 0),
	/* lib/ubsan.c */
	ROW("UBSAN: ", UBSAN, NULL, FRAME, ROW_START, .also = " in "),

	/* lib/refcount.c, lib/list_debug.c, lib/string_helpers.c, mm/usercopy.c, lib/debugobjects.c:
	 * the message comes before the WARNING or BUG that it belongs to */
	ROW("refcount_t: ", REFCOUNT, NULL, FRAME, ROW_START | ROW_LEADS),
	ROW("list_add corruption", LIST, "list_add corruption", FRAME, ROW_LEADS),
	ROW("list_add double add", LIST, "list_add double add", FRAME, ROW_LEADS),
	ROW("list_del corruption", LIST, "list_del corruption", FRAME, ROW_LEADS),
	ROW("detected buffer overflow", BUG, "detected buffer overflow", FRAME, ROW_LEADS),
	ROW("detected field-spanning write", WARN, "field-spanning write", FRAME, ROW_LEADS),
	ROW("usercopy: Kernel memory ", BUG, "usercopy: bad copy of kernel memory", FRAME, ROW_LEADS),
	ROW("ODEBUG: ", WARN, "ODEBUG: object in the wrong state", FRAME, ROW_START | ROW_LEADS),
	ROW("DEBUG_LOCKS_WARN_ON(", LOCKDEP, "DEBUG_LOCKS_WARN_ON", FRAME, ROW_LEADS),
	ROW("CFI failure at ", BUG, "CFI failure", LINE, ROW_LEADS),

	/* arch/x86/mm/fault.c, arch/x86/kernel/traps.c, kernel/fork.c, arch/arm64/kernel/traps.c */
	ROW("stack guard page was hit at", STACK, "kernel stack overflow", RIP, 0),
	ROW("Insufficient stack space to handle exception", STACK, "kernel stack overflow", RIP, 0),
	ROW("Thread overran stack", STACK, "kernel stack overflow", RIP, ROW_FOLLOWS),
	ROW("PANIC: double fault", DOUBLE_FAULT, "double fault", RIP, 0),
	ROW("double fault: ", DOUBLE_FAULT, "double fault", RIP, ROW_FOLLOWS, .also = "[#"),

	/* lib/bug.c, arch/x86/kernel/traps.c, arch/mips/kernel/traps.c */
	ROW("kernel BUG at ", BUG, "kernel BUG", RIP, 0),
	ROW("Kernel bug detected[#", BUG, "kernel BUG", RIP, ROW_FOLLOWS),
	ROW("Kernel BUG [#", BUG, "kernel BUG", RIP, ROW_FOLLOWS),

	/* mm/fault.c and its like of every architecture: 4.x, then today's words */
	ROW("unable to handle kernel NULL pointer", OOPS, NULL_DEREF, RIP, 0),
	ROW("Unable to handle kernel NULL pointer", OOPS, NULL_DEREF, RIP, 0),
	ROW("BUG: kernel NULL pointer dereference", OOPS, NULL_DEREF, RIP, 0),
	ROW("BUG: Kernel NULL pointer dereference", OOPS, NULL_DEREF, RIP, 0),
	ROW("unable to handle kernel paging request", OOPS, PAGE_FAULT, RIP, 0),
	ROW("unable to handle page fault", OOPS, PAGE_FAULT, RIP, 0),
	ROW("Unable to handle kernel ", OOPS, PAGE_FAULT, RIP, 0),
	ROW("BUG: unable to handle ", OOPS, PAGE_FAULT, RIP, 0),
	ROW("Unhandled fault: ", OOPS, "unhandled fault", RIP, ROW_START),
	ROW("general protection fault", GPF, "general protection fault", RIP, ROW_FOLLOWS,
	    .unless = " ip:"),
	ROW("stack segment: ", OOPS, "stack segment fault", RIP, ROW_FOLLOWS, .also = "[#"),
	ROW("divide error: ", OOPS, "divide error", RIP, ROW_FOLLOWS, .also = "[#"),
	ROW("invalid opcode: ", OOPS, "invalid opcode", RIP, ROW_FOLLOWS, .also = "[#"),
	ROW("int3: ", OOPS, "int3", RIP, ROW_FOLLOWS, .also = "[#"),
	ROW("control protection: ", OOPS, "control protection fault", RIP, ROW_FOLLOWS, .also = "[#"),
	ROW("Internal error: ", OOPS, "Internal error", RIP, ROW_FOLLOWS, .also = "[#"),
	ROW(" ilc:", OOPS, "program check", RIP, ROW_FOLLOWS, .also = "[#"),
	ROW("Oops: ", OOPS, "Oops", RIP, ROW_FOLLOWS, .also = "[#"),
	ROW("Oops [#", OOPS, "Oops", RIP, ROW_FOLLOWS),
	ROW("Oops[#", OOPS, "Oops", RIP, ROW_FOLLOWS),

	/* mm/page_alloc.c bad_page(), mm/memory.c print_bad_pte(), kernel/fork.c check_mm() */
	ROW("BUG: Bad page state", BAD_PAGE, "BUG: Bad page state", FRAME, 0),
	ROW("BUG: Bad page map", BAD_PAGE, "BUG: Bad page map", FRAME, 0),
	ROW("BUG: Bad page cache", BAD_PAGE, "BUG: Bad page cache", FRAME, 0),
	ROW("BUG: Bad rss-counter state", BAD_RSS, "BUG: Bad rss-counter state", NONE, 0),
	ROW("BUG: non-zero ", BAD_PGTABLES, "BUG: non-zero pgtables_bytes on freeing mm", NONE, 0,
	    .also = " on freeing mm"),
	ROW("bad pmd ", BAD_PAGE, "bad pmd", NONE, 0),
	ROW("bad pud ", BAD_PAGE, "bad pud", NONE, 0),
	ROW("bad pgd ", BAD_PAGE, "bad pgd", NONE, 0),
	ROW("bad pte ", BAD_PAGE, "bad pte", NONE, 0),

	/* mm/slub.c, mm/slab_common.c, mm/kmemleak.c */
	ROW("overwritten] 0x", SLAB, NULL, FRAME, ROW_LEADS),
	ROW("BUG ", SLAB, NULL, FRAME, ROW_START | ROW_LEADS, .also = "): "),
	ROW("slab error in ", SLAB, "slab error", FRAME, 0),
	ROW("Slab cache still has objects when called from", SLAB, "slab cache still has objects",
	    LINE, ROW_LEADS),
	ROW("unreferenced object 0x", MEMLEAK, "memory leak", FRAME, 0),
	ROW("new suspected memory leaks", MEMLEAK, "kmemleak: new suspected memory leaks", NONE, 0),

	/* kernel/locking/lockdep.c (4.x: "[ INFO: … ]"), kernel/rcu/update.c */
	ROW("possible circular locking dependency", LOCKDEP, "possible deadlock", FRAME, 0),
	ROW("possible recursive locking", LOCKDEP, "possible deadlock", FRAME, 0),
	ROW("possible irq lock inversion", LOCKDEP, "possible deadlock", FRAME, 0),
	ROW("-safe -> ", LOCKDEP, "possible deadlock", FRAME, 0, .also = "lock order detected"),
	ROW("inconsistent lock state", LOCKDEP, "inconsistent lock state", FRAME, 0),
	ROW("bad unlock balance", LOCKDEP, "bad unlock balance", FRAME, 0),
	ROW("bad contention detected", LOCKDEP, "bad contention", FRAME, 0),
	ROW("suspicious RCU usage", LOCKDEP, "suspicious RCU usage", FRAME, 0, .word = "at"),
	ROW("Nested lock was not taken", LOCKDEP, "nested lock was not taken", FRAME, 0),
	ROW("lock held when returning to user space", LOCKDEP,
	    "lock held when returning to user space", FRAME, 0),
	ROW("still has locks held", LOCKDEP, "lock still held", FRAME, 0),
	ROW("held lock freed", LOCKDEP, "held lock freed", FRAME, 0),
	ROW("Invalid wait context", LOCKDEP, "invalid wait context", FRAME, 0, .also = "[ BUG: "),
	ROW("BUG: Invalid wait context", LOCKDEP, "invalid wait context", FRAME, 0),
	ROW("INFO: trying to register non-static key", LOCKDEP, "trying to register non-static key",
	    FRAME, 0),
	ROW("BUG: key ", LOCKDEP, "lock key is not registered", FRAME, ROW_LEADS),
	/* a full table of lockdep's own */
	ROW("BUG: MAX_", NONE, NULL, NONE, 0, .also = "too low!"),

	/* kernel/rcu/tree_stall.h, tree_exp.h, tasks.h */
	ROW("detected stalls on ", RCU_STALL, "INFO: rcu detected stall", RIP, ROW_FOLLOWS,
	    .also = "rcu"),
	ROW("self-detected stall on CPU", RCU_STALL, "INFO: rcu detected stall", RIP, ROW_FOLLOWS),
	ROW("detected expedited stalls on ", RCU_STALL, "INFO: rcu detected stall", RIP,
	    ROW_FOLLOWS),
	ROW("kthread starved for ", RCU_STALL, "INFO: rcu kthread starved", FRAME, ROW_FOLLOWS,
	    .also = "rcu"),

	/* kernel/watchdog.c, arch/powerpc/kernel/watchdog.c, kernel/workqueue.c, kernel/hung_task.c */
	ROW("BUG: soft lockup", SOFT_LOCKUP, "BUG: soft lockup", RIP, 0),
	ROW("hard LOCKUP", HARD_LOCKUP, "BUG: hard lockup", RIP, 0),
	ROW("Hard LOCKUP", HARD_LOCKUP, "BUG: hard lockup", RIP, 0),
	ROW("BUG: spinlock lockup suspected", SOFT_LOCKUP, "BUG: spinlock lockup suspected", FRAME, 0),
	ROW("BUG: workqueue lockup", SOFT_LOCKUP, "BUG: workqueue lockup", NONE, 0),
	ROW("INFO: task ", HUNG_TASK, "INFO: task hung", FRAME, 0, .also = " for more than "),

	/* kernel/sched/core.c */
	ROW("BUG: sleeping function called from", ATOMIC,
	    "BUG: sleeping function called from invalid context", FRAME, 0),
	ROW("BUG: scheduling while atomic", ATOMIC, "BUG: scheduling while atomic", FRAME, 0),
	ROW("BUG: using ", BUG, "BUG: using CPU number in preemptible", FRAME, ROW_TRACE,
	    .also = " in preemptible"),

	/* net/core/dev.c */
	ROW("unregister_netdevice: waiting for ", NETDEV,
	    "unregister_netdevice: waiting for a device to become free", NONE, 0),

	/* kernel/panic.c __warn(); 6.19 puts the file first and the CPU last */
	ROW("WARNING: ", WARN, "WARNING", LINE, ROW_START, .also = " at "),
	ROW("BUG: ", BUG, NULL, FRAME, ROW_START | ROW_TRACE),

	/* mm/oom_kill.c */
	ROW("invoked oom-killer:", OOM, "out of memory", NONE, 0),
	ROW("Out of memory: Kill", OOM, "out of memory", NONE, ROW_FOLLOWS),
	ROW("Out of memory and no killable", OOM, "out of memory: no killable process", NONE,
	    ROW_FOLLOWS),
	ROW("out of memory: Kill", OOM, "out of memory", NONE, ROW_FOLLOWS, .also = "Memory cgroup "),

	/* traces that accuse nobody: lib/nmi_backtrace.c, mm/page_alloc.c, kernel/sched/debug.c */
	ROW("NMI backtrace for cpu ", NONE, NULL, NONE, ROW_TRACE),
	ROW("page allocation failure", NONE, NULL, NONE, ROW_TRACE),
	ROW("sysrq: ", NONE, NULL, NONE, ROW_TRACE | ROW_START),

	/* the middle of a report */
	ROW("RIP: 0010:", OTHER, "report without its head", RIP, ROW_HEADLESS),
	ROW("---[ end trace", OTHER, "report without its head", RIP, ROW_HEADLESS),
};
/* clang-format on */

/* A line that repeats what rows match, and misses what else they ask for, costs no more than this. */
#define TRIES_MAX 32

/* Rows by the first character of what they match, so that a line is read once: next[] chains them
 * in the table's order. */
static int16_t first_row[256], next_row[ARRAY_SIZE(rows)];
static pthread_once_t chained = PTHREAD_ONCE_INIT;

static void chain_rows(void)
{
	memset(first_row, -1, sizeof(first_row));
	for (size_t i = ARRAY_SIZE(rows); i-- > 0;) {
		unsigned char c = (unsigned char)rows[i].match[0];

		next_row[i] = first_row[c];
		first_row[c] = (int16_t)i;
	}
}

static bool word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Nothing before it, or something that ends like "watchdog: " or "[ ". */
static bool is_start(const struct klog_line *l, size_t at)
{
	return at == 0 || (at >= 2 && l->text[at - 1] == ' ' && strchr(":[]", l->text[at - 2]));
}

static bool row_matches(const struct splat_row *row, const struct klog_line *l, size_t at)
{
	size_t n = strlen(row->match);

	return l->len - at >= n && memcmp(l->text + at, row->match, n) == 0 &&
	       !(at && word_char(row->match[0]) && word_char(l->text[at - 1]));
}

/* What is asked of the line as a whole. */
static bool row_fits(const struct splat_row *row, const struct klog_line *l, size_t at)
{
	return (!(row->flags & ROW_START) || is_start(l, at)) &&
	       (!row->also || klog_find(l, row->also)) &&
	       (!row->unless || !klog_find(l, row->unless));
}

const struct splat_row *splat_row_of(struct klog_line *l)
{
	int best = -1, tries = 0;

	if (l->row != KLOG_ROW_UNKNOWN)
		return l->row < 0 ? NULL : &rows[l->row];
	pthread_once(&chained, chain_rows);
	for (size_t at = 0; at < l->len && tries < TRIES_MAX; at++) {
		int i = first_row[(unsigned char)l->text[at]];

		for (; i >= 0 && (best < 0 || i < best); i = next_row[i]) {
			if (!row_matches(&rows[i], l, at))
				continue;
			tries++;
			if (row_fits(&rows[i], l, at)) {
				best = i;
				break;
			}
		}
	}
	l->row = (short)best;
	return best < 0 ? NULL : &rows[best];
}
