/* SPDX-License-Identifier: MIT */
#include "agent/qemu.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/tsc.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/proc.h"

#define STRING_OF(x) #x
#define STRING(x) STRING_OF(x)

/*
 * The kernel's parameters, each with its reason:
 * - panic=-1, oops=panic: a crash resets at once; with -no-reboot that ends QEMU. WARN stays a
 *   warning, and a lockup is reported and goes on, because the host has its own deadline.
 * - reboot=t: without ACPI only the triple fault always works.
 * - printk.devkmsg=on: the guest's marks must not be rate-limited away.
 * - numa=fake=2: mbind and migration scenarios need two nodes.
 * - no_timer_check, tsc=reliable, nokaslr, random.trust_cpu=on: calibrations and waits that an
 *   emulated machine may hang in, or spends time on for nothing.
 */
static const char kernel_parameters[] =
	"console=ttyS0 loglevel=8 printk.devkmsg=on panic=-1 oops=panic panic_on_warn=0 "
	"softlockup_panic=0 hung_task_panic=0 reboot=t numa=fake=2 no_timer_check tsc=reliable "
	"nokaslr random.trust_cpu=on";

/* icount counts time in instructions; its time-stamp counter counts nanoseconds of that time. With
 * 8 ns an instruction a machine that boots takes as long, to itself, as an emulated one does. */
#define DETERMINISTIC_TSC_KHZ 1000000
static const char *const deterministic[] = {
	"-icount", "shift=3,sleep=off", "-rtc", "base=2026-01-01T00:00:00,clock=vm", "-seed", "1",
	NULL,
};

static const char *const gdb[] = {
	"-S",	"-chardev",    "socket,id=gdb,fd=" STRING(QEMU_FD_GDB) ",server=on,wait=off",
	"-gdb", "chardev:gdb", NULL,
};

struct argv {
	char **v;
	size_t n, cap;
};

static void add(struct argv *a, char *owned)
{
	ARRAY_RESERVE(a->v, a->n, a->cap);
	a->v[a->n++] = owned;
}

static void add_all(struct argv *a, const char *const *words)
{
	for (; *words; words++)
		add(a, xstrdup(*words));
}

const char *qemu_program(void)
{
	const char *env = getenv("FAULTLINE_QEMU");

	return env && *env ? env : "qemu-system-x86_64";
}

static void add_role(struct argv *a, const struct qemu_spec *s)
{
	bool restored = s->role == QEMU_RESTORED;

	if (s->role == QEMU_PLAIN)
		return;
	add(a, xstrdup("-object"));
	add(a, xasprintf("memory-backend-file,id=ram,mem-path=/proc/self/fd/%d,size=%dM,share=%s",
			 QEMU_FD_MEMORY, s->memory_mib, restored ? "off" : "on"));
	add(a, xstrdup("-chardev"));
	add(a, xasprintf("socket,id=qmp,fd=%d", QEMU_FD_MONITOR));
	add(a, xstrdup("-mon"));
	add(a, xstrdup("chardev=qmp,mode=control"));
	if (restored) {
		add(a, xstrdup("-incoming"));
		add(a, xstrdup("defer"));
	}
}

/* tsc_early_khz: what the guest would else have to find out against an emulated timer, which a busy
 * host makes it fail at. */
static char *kernel_command_line(const struct qemu_spec *s)
{
	struct buf b = BUF_INIT;
	unsigned int khz;

	buf_str(&b, kernel_parameters);
	khz = s->deterministic ? DETERMINISTIC_TSC_KHZ : tsc_khz();
	if (khz)
		buf_printf(&b, " tsc_early_khz=%u", khz);
	if (s->append)
		buf_printf(&b, " %s", s->append);
	return buf_steal(&b);
}

char **qemu_argv(const struct qemu_spec *s)
{
	static const char *const fixed[] = {
		"-nodefaults",
		"-no-user-config",
		"-nic",
		"none",
		"-no-reboot",
		"-display",
		"none",
		"-sandbox",
		"on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
		"-chardev",
		"file,id=console,path=/dev/fd/1",
		"-serial",
		"chardev:console",
		"-device",
		"virtio-serial-device,max_ports=2",
		"-chardev",
		"socket,id=results,fd=0",
		"-device",
		"virtserialport,chardev=results,name=faultline.0",
		NULL,
	};
	bool kvm = s->accel == ACCEL_KVM;
	struct argv a = { 0 };

	add(&a, xstrdup(qemu_program()));
	add(&a, xstrdup("-M"));
	add(&a, xasprintf("microvm,acpi=off,rtc=on,pit=on,pic=on,isa-serial=on%s",
			  s->role == QEMU_PLAIN ? "" : ",memory-backend=ram"));
	add(&a, xstrdup("-accel"));
	add(&a, xstrdup(kvm ? "kvm" : s->deterministic ? "tcg,thread=single" : "tcg,thread=multi"));
	/* Under TCG the oldest model that has what x86-64 kernels use boots a tenth faster than
	 * "max": there is less state to save. Under nested KVM the MSR behind arch-capabilities
	 * may be listed and not settable, and then QEMU aborts. */
	add(&a, xstrdup("-cpu"));
	add(&a, xstrdup(kvm ? "host,arch-capabilities=off" : "Nehalem"));
	add(&a, xstrdup("-smp"));
	add(&a, xasprintf("%d", s->cpus));
	add(&a, xstrdup("-m"));
	add(&a, xasprintf("%dM", s->memory_mib));
	add_all(&a, fixed);
	add_role(&a, s);
	if (s->deterministic)
		add_all(&a, deterministic);
	if (s->gdb)
		add_all(&a, gdb);
	add(&a, xstrdup("-kernel"));
	add(&a, xstrdup(s->kernel));
	if (s->initramfs) {
		add(&a, xstrdup("-initrd"));
		add(&a, s->own_initramfs ? xasprintf("/proc/self/fd/%d", QEMU_FD_INITRAMFS)
					 : xstrdup(s->initramfs));
	}
	add(&a, xstrdup("-append"));
	add(&a, kernel_command_line(s));
	add(&a, NULL);
	return a.v;
}

void qemu_argv_free(char **argv)
{
	for (char **p = argv; p && *p; p++)
		free(*p);
	free(argv);
}

int qemu_version(char **ret, struct error *err)
{
	const char *argv[] = { qemu_program(), "--version", NULL };
	struct proc_spec spec = { .argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1 };
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	struct proc_run_opts opts = { .timeout_ms = 10000, .out = &out };
	const char *p;
	int r;

	r = proc_check(&spec, &opts, err);
	if (r < 0)
		return error_wrap(err, r, "QEMU");
	p = strstr(buf_cstr(&out), "version ");
	if (!p || !isdigit((unsigned char)p[8]))
		return error_set(err, -EIO, "QEMU: '%s --version' names no version", argv[0]);
	*ret = xstrndup(p + 8, strspn(p + 8, "0123456789."));
	return 0;
}
