/* SPDX-License-Identifier: MIT */
/*
 * tsc: how fast this host's time-stamp counter runs.
 *
 * A guest on emulated CPUs sees this counter and calibrates it against an emulated timer; on a busy
 * host that fails in a third of all boots, and then its clock moves in steps of a tick.
 * Thread: any. Included by agent/.
 */
#ifndef FAULTLINE_AGENT_TSC_H
#define FAULTLINE_AGENT_TSC_H

/* In kHz, measured once a process against the monotonic clock (20 ms); 0 where there is no such
 * counter. */
unsigned int tsc_khz(void);

#endif
