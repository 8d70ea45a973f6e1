/* SPDX-License-Identifier: MIT */
/*
 * Which accelerator works here. /dev/kvm proves nothing: nested virtualisation without hardware
 * support opens it, creates a machine and then never runs a kernel. So the question is asked by
 * booting one, with a deadline, once per boot of this host.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/machine.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/path.h"

/* A working KVM prints within 0.3 s. */
#define PROBE_TIMEOUT_MS 3000
#define CACHE_MAX 512

static const char *const names[] = {
	[ACCEL_AUTO] = "auto",
	[ACCEL_KVM] = "kvm",
	[ACCEL_TCG] = "tcg",
};

const char *accel_name(enum accel a)
{
	return (size_t)a < ARRAY_SIZE(names) ? names[a] : "?";
}

bool accel_parse(const char *s, enum accel *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i], s) == 0) {
			*ret = (enum accel)i;
			return true;
		}
	}
	return false;
}

static bool kvm_opens(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* What the answer depends on: this boot of this host, this QEMU. Owned. */
static char *cache_key(struct error *err)
{
	CLEANUP(buf_free) struct buf boot = BUF_INIT;
	CLEANUP(free_p) char *version = NULL;

	if (qemu_version(&version, err) < 0)
		return NULL;
	if (path_read("/proc/sys/kernel/random/boot_id", 64, &boot, NULL) < 0)
		buf_str(&boot, "unknown");
	return xasprintf("boot=%.*s qemu=%s machine=microvm program=%s\n",
			 (int)strcspn(boot.data, "\n"), boot.data, version, qemu_program());
}

/* True if the file holds an answer to this question. */
static bool cache_read(const char *path, const char *key, enum accel *ret)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	size_t n = strlen(key);

	if (path_read(path, CACHE_MAX, &b, NULL) < 0 || b.len <= n || memcmp(b.data, key, n) != 0)
		return false;
	if (strcmp(b.data + n, "kvm\n") == 0)
		*ret = ACCEL_KVM;
	else if (strcmp(b.data + n, "tcg\n") == 0)
		*ret = ACCEL_TCG;
	else
		return false;
	return true;
}

/* Boots under KVM until the kernel's first line. The firmware may print too: that proves nothing. */
static int probe(const char *kernel, bool *ret_works, struct error *err)
{
	struct machine_opts opts = {
		.qemu = { .kernel = kernel,
			  .cpus = 1,
			  .memory_mib = 256,
			  .accel = ACCEL_KVM,
			  .append = "earlyprintk=serial,ttyS0" },
		.boot_timeout_ms = PROBE_TIMEOUT_MS,
	};
	CLEANUP(machine_free_p) struct machine *m = NULL;
	int r = machine_start(&opts, &m, err);

	if (r < 0)
		return r;
	/* Without an initramfs it never becomes ready: it panics, or says nothing. */
	(void)machine_boot(m);
	*ret_works = strstr(buf_cstr(&m->console.points[0].text), "Linux version") != NULL;
	return 0;
}

int accel_resolve(enum accel asked, const char *kernel, const char *cache_dir, enum accel *ret,
		  struct error *err)
{
	CLEANUP(free_p) char *key = NULL;
	CLEANUP(free_p) char *path = xasprintf("%s/kvm", cache_dir);
	CLEANUP(free_p) char *text = NULL;
	bool works = false;
	int r;

	if (asked == ACCEL_TCG || (asked == ACCEL_AUTO && !kvm_opens())) {
		*ret = ACCEL_TCG;
		return 0;
	}
	if (asked == ACCEL_KVM) {
		if (!kvm_opens())
			return error_set(err, -ENODEV,
					 "KVM was asked for, /dev/kvm cannot be opened");
		*ret = ACCEL_KVM;
		return 0;
	}
	key = cache_key(err);
	if (!key)
		return -EIO;
	if (cache_read(path, key, ret))
		return 0;
	r = probe(kernel, &works, err);
	if (r < 0)
		return error_wrap(err, r, "looking whether KVM works");
	text = xasprintf("%s%s\n", key, accel_name(works ? ACCEL_KVM : ACCEL_TCG));
	r = path_mkdirs(cache_dir, 0755, err);
	if (!r)
		r = path_write_atomic(path, text, strlen(text), 0644, err);
	if (r < 0)
		return error_wrap(err, r, "remembering whether KVM works");
	*ret = works ? ACCEL_KVM : ACCEL_TCG;
	return 0;
}
