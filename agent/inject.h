/* SPDX-License-Identifier: MIT */
/*
 * inject: the traces that fault injection itself prints (fail_dump() in lib/fault-inject.c).
 *
 *   FAULT_INJECTION: forcing a failure.
 *   name fail_page_alloc, interval 1, probability 100, space 0, times 3
 *   CPU: 0 UID: 0 PID: 57 Comm: split.mprotect Not tainted 6.12.117 #1
 *   Hardware name: ...
 *   Call Trace:
 *    <TASK>
 *    dump_stack_lvl+0x53/0x70
 *    ...
 *    </TASK>
 *
 * They are evidence of what was injected, and noise for everybody who looks for splats: a reader
 * that does not take them out first sees call traces everywhere.
 * Thread: any. Included by agent/ and cli/.
 */
#ifndef FAULTLINE_AGENT_INJECT_H
#define FAULTLINE_AGENT_INJECT_H

#include "agent/klog.h"

/* So many lines a trace reaches at most, lines of others in between included. */
#define INJECT_SPAN_MAX 400

/* Marks the lines of every injection trace as removed. The stacks that are distinct (at most
 * LIMIT_STACKS) go to *ret, innermost frame first, without the frames of the injector and the page
 * allocator above the allocation's caller; on_target is left false. Traces of two callers printed
 * at once are told apart when the log carries callers, else at best effort.
 * Returns how many traces there were. *ret is owned: stacks_free(). */
int inject_take(struct klog *k, struct stack **ret, size_t *ret_n);
/* The same for the traces that begin in lines [from, to), their stacks added to those in *io. */
int inject_take_from(struct klog *k, size_t from, size_t to, struct stack **io, size_t *io_n);

#endif
