/* SPDX-License-Identifier: MIT */
/*
 * qemu: how QEMU is called. The only place that knows its options (QEMU 7.2, microvm).
 *
 * The machine's channels are descriptors that QEMU inherits, so that nothing has a name in a file
 * system, nothing is left behind, and no path is too long:
 *   0  results, a socket: the virtio serial port "faultline.0"
 *   1  console, a pipe: ttyS0. The UART writes single bytes, and of these a socket's buffer holds
 *      only some 280; when it is full the guest's driver waits 10 ms (wait_for_lsr() in
 *      drivers/tty/serial/8250/8250_port.c) and then overwrites. A pipe packs them.
 *   2  what QEMU itself has to say
 * and, where the machine has them:
 *   3  its monitor, a socket that speaks QMP
 *   4  its memory, an anonymous file
 *   5  the state to restore, read by the migration that the monitor is asked for
 *   6  the initramfs, when it was made for this machine
 *   7  a socket that listens for gdb
 * Thread: any. Included by agent/.
 */
#ifndef FAULTLINE_AGENT_QEMU_H
#define FAULTLINE_AGENT_QEMU_H

#include "agent/engine.h"

#define QEMU_FD_MONITOR 3
#define QEMU_FD_MEMORY 4
#define QEMU_FD_STATE 5
#define QEMU_FD_INITRAMFS 6
#define QEMU_FD_GDB 7

/* What a machine has to do with snapshots. */
enum qemu_role {
	QEMU_PLAIN, /* nothing: no monitor, memory of its own */
	QEMU_TEMPLATE, /* its memory is the file, so that the file is a snapshot in the end */
	QEMU_RESTORED /* maps the file copy-on-write and waits for the state */
};

struct qemu_spec {
	const char *kernel, *initramfs; /* initramfs may be NULL */
	bool own_initramfs; /* the one behind QEMU_FD_INITRAMFS instead */
	int cpus, memory_mib;
	enum accel accel; /* KVM or TCG */
	enum qemu_role role;
	/* Time is the number of instructions that were executed and nothing comes from the host's
	 * clocks or entropy: what the machine does is always the same. TCG only; one thread runs all
	 * CPUs, which costs about five times as much. */
	bool deterministic;
	bool gdb; /* waits for gdb before its first instruction */
	const char *append; /* more kernel parameters; may be NULL */
};

/* $FAULTLINE_QEMU, or qemu-system-x86_64. Borrowed. */
const char *qemu_program(void);
/* The whole argument vector, NULL-terminated; qemu_argv_free(). */
char **qemu_argv(const struct qemu_spec *spec);
void qemu_argv_free(char **argv);
/* "7.2.22", owned. -ENOENT without QEMU, -EIO when it does not answer. */
must_check int qemu_version(char **ret, struct error *err);

#endif
