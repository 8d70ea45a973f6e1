/* SPDX-License-Identifier: MIT */
/*
 * What the kernel prints when something is wrong (Linux 6.12; the file that prints it stands at
 * each group). Order matters: the first row that fits a line decides.
 */
#include <string.h>

#include "agent/splat.h"
#include "lib/buf.h"

static const struct splat_pattern patterns[] = {
	/* mm/kasan/report.c, mm/kfence/report.c, kernel/kcsan/report.c */
	{ "BUG: KASAN: ", NULL, NULL, SPLAT_KASAN, NULL, FUNC_AFTER, "in" },
	{ "BUG: KFENCE: ", NULL, NULL, SPLAT_KASAN, NULL, FUNC_AFTER, "in" },
	{ "BUG: KMSAN: ", NULL, NULL, SPLAT_KASAN, NULL, FUNC_AFTER, "in" },
	{ "BUG: KCSAN: ", NULL, NULL, SPLAT_OTHER, NULL, FUNC_AFTER, "in" },
	{ "UBSAN: ", NULL, NULL, SPLAT_OTHER, NULL, FUNC_FRAME, "in" },

	/* lib/bug.c, arch/x86/kernel/traps.c */
	{ "kernel BUG at ", NULL, NULL, SPLAT_BUG, "kernel BUG", FUNC_RIP, "in" },

	/* arch/x86/mm/fault.c, arch/arm64/mm/fault.c, arch/powerpc/mm/fault.c */
	{ "BUG: kernel NULL pointer dereference", NULL, NULL, SPLAT_OOPS,
	  "BUG: kernel NULL pointer dereference", FUNC_RIP, "in" },
	{ "BUG: unable to handle ", NULL, NULL, SPLAT_OOPS, "BUG: unable to handle page fault",
	  FUNC_RIP, "in" },
	{ "Unable to handle kernel ", NULL, NULL, SPLAT_OOPS, "BUG: unable to handle page fault",
	  FUNC_RIP, "in" },
	{ "BUG: Unable to handle kernel ", NULL, NULL, SPLAT_OOPS,
	  "BUG: unable to handle page fault", FUNC_RIP, "in" },
	{ "general protection fault", NULL, "traps:", SPLAT_GPF, "general protection fault",
	  FUNC_RIP, "in" },
	{ "PANIC: double fault", NULL, NULL, SPLAT_OOPS, "double fault", FUNC_RIP, "in" },
	{ "stack segment: ", NULL, NULL, SPLAT_OOPS, "stack segment fault", FUNC_RIP, "in" },
	{ "divide error: ", NULL, NULL, SPLAT_OOPS, "divide error", FUNC_RIP, "in" },
	{ "invalid opcode: ", NULL, NULL, SPLAT_OOPS, "invalid opcode", FUNC_RIP, "in" },
	{ "Internal error: ", NULL, NULL, SPLAT_OOPS, "Internal error", FUNC_RIP, "in" },
	{ "BUG: stack guard page was hit", NULL, NULL, SPLAT_OOPS, "kernel stack overflow",
	  FUNC_RIP, "in" },
	{ "Oops: ", NULL, NULL, SPLAT_OOPS, "Oops", FUNC_RIP, "in" },

	/* mm/page_alloc.c bad_page(), mm/memory.c print_bad_pte(), kernel/fork.c check_mm() */
	{ "BUG: Bad page state", NULL, NULL, SPLAT_BAD_PAGE, "BUG: Bad page state", FUNC_FRAME,
	  "in" },
	{ "BUG: Bad page map", NULL, NULL, SPLAT_BAD_PAGE, "BUG: Bad page map", FUNC_FRAME, "in" },
	{ "BUG: Bad page cache", NULL, NULL, SPLAT_BAD_PAGE, "BUG: Bad page cache", FUNC_FRAME,
	  "in" },
	{ "BUG: Bad rss-counter state", NULL, NULL, SPLAT_BAD_RSS, "BUG: Bad rss-counter state",
	  FUNC_NONE, "" },
	{ "BUG: non-zero pgtables_bytes", NULL, NULL, SPLAT_BAD_PGTABLES,
	  "BUG: non-zero pgtables_bytes on freeing mm", FUNC_NONE, "" },
	{ "pmd_ERROR", NULL, NULL, SPLAT_BAD_PAGE, "bad pmd", FUNC_NONE, "" },
	{ "bad pmd ", NULL, NULL, SPLAT_BAD_PAGE, "bad pmd", FUNC_NONE, "" },
	{ "bad pte ", NULL, NULL, SPLAT_BAD_PAGE, "bad pte", FUNC_NONE, "" },

	/* kernel/locking/lockdep.c, kernel/rcu, kernel/locking/ww_mutex.h, kernel/sched/core.c */
	{ "WARNING: possible circular locking dependency", NULL, NULL, SPLAT_LOCKDEP,
	  "possible deadlock", FUNC_FRAME, "in" },
	{ "WARNING: possible recursive locking", NULL, NULL, SPLAT_LOCKDEP, "possible deadlock",
	  FUNC_FRAME, "in" },
	{ "WARNING: possible irq lock inversion", NULL, NULL, SPLAT_LOCKDEP, "possible deadlock",
	  FUNC_FRAME, "in" },
	{ "-safe -> ", "WARNING: ", NULL, SPLAT_LOCKDEP, "possible deadlock", FUNC_FRAME, "in" },
	{ "WARNING: inconsistent lock state", NULL, NULL, SPLAT_LOCKDEP, "inconsistent lock state",
	  FUNC_FRAME, "in" },
	{ "WARNING: bad unlock balance", NULL, NULL, SPLAT_LOCKDEP, "bad unlock balance",
	  FUNC_FRAME, "in" },
	{ "WARNING: suspicious RCU usage", NULL, NULL, SPLAT_LOCKDEP, "suspicious RCU usage",
	  FUNC_FRAME, "at" },
	{ "WARNING: Nested lock was not taken", NULL, NULL, SPLAT_LOCKDEP,
	  "nested lock was not taken", FUNC_FRAME, "in" },
	{ "WARNING: lock held when returning to user space", NULL, NULL, SPLAT_LOCKDEP,
	  "lock held when returning to user space", FUNC_FRAME, "in" },
	{ "WARNING: held lock freed", NULL, NULL, SPLAT_LOCKDEP, "held lock freed", FUNC_FRAME,
	  "in" },
	{ "lock still held, ", NULL, NULL, SPLAT_LOCKDEP, "lock still held", FUNC_FRAME, "in" },
	{ "BUG: Invalid wait context", NULL, NULL, SPLAT_LOCKDEP, "invalid wait context",
	  FUNC_FRAME, "in" },
	{ "INFO: trying to register non-static key", NULL, NULL, SPLAT_LOCKDEP,
	  "trying to register non-static key", FUNC_FRAME, "in" },
	{ "DEBUG_LOCKS_WARN_ON(", NULL, NULL, SPLAT_LOCKDEP, "DEBUG_LOCKS_WARN_ON", FUNC_RIP,
	  "in" },

	/* kernel/rcu/tree_stall.h, kernel/watchdog.c, kernel/hung_task.c */
	{ "detected stalls on CPUs/tasks", NULL, NULL, SPLAT_RCU_STALL, "INFO: rcu detected stall",
	  FUNC_RIP, "in" },
	{ "self-detected stall on CPU", NULL, NULL, SPLAT_RCU_STALL, "INFO: rcu detected stall",
	  FUNC_RIP, "in" },
	{ "detected expedited stalls", NULL, NULL, SPLAT_RCU_STALL, "INFO: rcu detected stall",
	  FUNC_RIP, "in" },
	{ "INFO: rcu_tasks detected stalls", NULL, NULL, SPLAT_RCU_STALL,
	  "INFO: rcu detected stall", FUNC_FRAME, "in" },
	{ "BUG: soft lockup", NULL, NULL, SPLAT_SOFT_LOCKUP, "BUG: soft lockup", FUNC_RIP, "in" },
	{ "hard LOCKUP on cpu", NULL, NULL, SPLAT_HARD_LOCKUP, "BUG: hard lockup", FUNC_RIP, "in" },
	{ "BUG: workqueue lockup", NULL, NULL, SPLAT_SOFT_LOCKUP, "BUG: workqueue lockup",
	  FUNC_NONE, "" },
	{ "blocked for more than ", "INFO: task ", NULL, SPLAT_HUNG_TASK, "INFO: task hung",
	  FUNC_FRAME, "in" },

	/* kernel/panic.c __warn(); last of the WARNINGs because lockdep's are named above */
	{ "WARNING: CPU: ", " at ", NULL, SPLAT_WARN, "WARNING", FUNC_LAST_WORD, "in" },
	{ "WARNING: ", " at ", NULL, SPLAT_WARN, "WARNING", FUNC_LAST_WORD, "in" },

	{ "BUG: sleeping function called from invalid context", NULL, NULL, SPLAT_BUG,
	  "BUG: sleeping function called from invalid context", FUNC_FRAME, "in" },
	{ "BUG: scheduling while atomic", NULL, NULL, SPLAT_BUG, "BUG: scheduling while atomic",
	  FUNC_FRAME, "in" },
	{ "BUG: using ", "in preemptible", NULL, SPLAT_BUG, "BUG: using CPU number in preemptible",
	  FUNC_FRAME, "in" },
	{ "BUG: ", NULL, NULL, SPLAT_BUG, NULL, FUNC_FRAME, "in" },

	/* mm/oom_kill.c */
	{ "invoked oom-killer:", NULL, NULL, SPLAT_OOM, "out of memory", FUNC_NONE, "" },
	{ "Out of memory: Killed process", NULL, NULL, SPLAT_OOM, "out of memory", FUNC_NONE, "" },
	{ "Out of memory and no killable", NULL, NULL, SPLAT_OOM, "out of memory", FUNC_NONE, "" },

	{ "Kernel panic - not syncing: ", NULL, NULL, SPLAT_PANIC, NULL, FUNC_NONE, "" },
};

const struct splat_pattern *splat_pattern_of(const struct klog_line *l)
{
	/* Every row has a capital letter pair or a phrase that needs 8 bytes. */
	if (l->len < 8)
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		const struct splat_pattern *p = &patterns[i];

		if (klog_find(l, p->match) && (!p->also || klog_find(l, p->also)) &&
		    (!p->unless || !klog_find(l, p->unless)))
			return p;
	}
	return NULL;
}

/* Name prefixes; a trailing '$' asks for the whole name. */
static const char *const helpers[] = {
	"dump_stack",
	"__dump_stack",
	"show_stack",
	"print_",
	"kasan_",
	"__kasan",
	"__asan",
	"__warn",
	"report_bug",
	"handle_bug",
	"exc_",
	"asm_exc_",
	"asm_sysvec",
	"sysvec_",
	"panic$",
	"oops_",
	"die$",
	"__die",
	"do_error_trap",
	"do_trap",
	"page_fault_oops",
	"kernelmode_fixup_or_oops",
	"bad_area",
	"__bad_area",
	"__might_sleep",
	"__might_resched",
	"__schedule_bug",
	"schedule",
	"__schedule",
	"io_schedule",
	"preempt_schedule",
	"lock_acquire",
	"__lock_acquire",
	"lock_release",
	"validate_chain",
	"check_",
	"lockdep_",
	"debug_",
	"_raw_",
	"native_queued_spin",
	"queued_spin",
	"__pv_queued",
	"do_raw_spin",
	"mutex_",
	"__mutex",
	"down_",
	"__down",
	"up_",
	"rwsem_",
	"rcu_",
	"wait_for_completion",
	"__wait_",
	"do_wait",
	"bad_page",
	"dump_page",
	"__dump_page",
	"memcpy",
	"memset",
	"memmove",
	"__memcpy",
	"__memset",
	"__memmove",
	"rep_movs",
	"rep_stos",
	"__list_",
	"string",
	"vsnprintf",
	"ubsan",
	"__ubsan",
	"handle_overflow",
	"mark_lock",
	"mark_usage",
	"register_lock_class",
	"csd_lock_wait",
	"smp_call_function",
	"on_each_cpu",
	"delay_",
	"__delay",
	"__const_udelay",
	"cpu_relax",
	"watchdog_",
	"__hrtimer",
	"hrtimer_",
	"native_safe_halt",
	"default_idle",
	"nmi_",
	"free_page_is_bad",
	"free_unref_",
	"__free_one_page",
	"free_pages_prepare",
	"page_bad_reason",
};

bool splat_is_helper(const char *func)
{
	for (size_t i = 0; i < ARRAY_SIZE(helpers); i++) {
		size_t n = strlen(helpers[i]);

		if (helpers[i][n - 1] == '$') {
			if (strlen(func) == n - 1 && strncmp(func, helpers[i], n - 1) == 0)
				return true;
		} else if (strncmp(func, helpers[i], n) == 0) {
			return true;
		}
	}
	return false;
}
