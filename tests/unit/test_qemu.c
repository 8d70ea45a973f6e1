/* SPDX-License-Identifier: MIT */
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
#include <sys/stat.h>

#include "agent/qemu.h"
#include "agent/tsc.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/path.h"

static char **argv;

static const char *after(const char *word)
{
	for (char **p = argv; *p && p[1]; p++)
		if (strcmp(*p, word) == 0)
			return p[1];
	return "";
}

static void arguments(void **state)
{
	struct qemu_spec s = { .kernel = "/k/b z",
			       .initramfs = "/i",
			       .cpus = 3,
			       .memory_mib = 700,
			       .accel = ACCEL_TCG,
			       .append = "extra=1" };

	(void)state;
	setenv("FAULTLINE_QEMU", "/opt/q", 1);
	argv = qemu_argv(&s);
	assert_string_equal(argv[0], "/opt/q");
	assert_string_equal(after("-kernel"), "/k/b z");
	assert_string_equal(after("-initrd"), "/i");
	assert_string_equal(after("-smp"), "3");
	assert_string_equal(after("-m"), "700M");
	assert_non_null(strstr(after("-accel"), "tcg"));
	assert_non_null(strstr(after("-append"), "oops=panic"));
	assert_non_null(strstr(after("-append"), " extra=1"));
	assert_int_equal(strstr(after("-append"), " tsc_early_khz=") != NULL, tsc_khz() > 0);
	assert_string_equal(after("-nic"), "none");
	assert_non_null(strstr(after("-sandbox"), "spawn=deny"));
	qemu_argv_free(argv);
	s.accel = ACCEL_KVM;
	s.initramfs = NULL;
	argv = qemu_argv(&s);
	assert_string_equal(after("-accel"), "kvm");
	assert_memory_equal(after("-cpu"), "host,", 5);
	assert_string_equal(after("-initrd"), "");
	qemu_argv_free(argv);
}

static void roles(void **state)
{
	struct qemu_spec s = { .kernel = "/k", .cpus = 1, .memory_mib = 300, .accel = ACCEL_TCG };

	(void)state;
	argv = qemu_argv(&s);
	assert_null(strstr(after("-M"), "memory-backend"));
	assert_string_equal(after("-mon"), "");
	assert_string_equal(after("-object"), "");
	qemu_argv_free(argv);
	s.role = QEMU_TEMPLATE;
	argv = qemu_argv(&s);
	assert_non_null(strstr(after("-M"), ",memory-backend=ram"));
	assert_string_equal(after("-object"),
			    "memory-backend-file,id=ram,mem-path=/proc/self/fd/4,size=300M,"
			    "share=on");
	assert_string_equal(after("-mon"), "chardev=qmp,mode=control");
	assert_string_equal(after("-incoming"), "");
	qemu_argv_free(argv);
	s.role = QEMU_RESTORED;
	argv = qemu_argv(&s);
	/* what it writes must not reach the snapshot */
	assert_non_null(strstr(after("-object"), "share=off"));
	assert_string_equal(after("-incoming"), "defer");
	qemu_argv_free(argv);
}

static void for_people(void **state)
{
	struct qemu_spec s = { .kernel = "/k",
			       .initramfs = "/i",
			       .cpus = 2,
			       .memory_mib = 300,
			       .accel = ACCEL_TCG,
			       .deterministic = true,
			       .own_initramfs = true };

	(void)state;
	argv = qemu_argv(&s);
	assert_string_equal(after("-accel"), "tcg,thread=single");
	assert_non_null(strstr(after("-icount"), "sleep=off"));
	assert_non_null(strstr(after("-rtc"), "clock=vm"));
	assert_string_equal(after("-initrd"), "/proc/self/fd/6");
	assert_non_null(strstr(after("-append"), " tsc_early_khz=1000000"));
	assert_string_equal(after("-gdb"), "");
	qemu_argv_free(argv);
	s = (struct qemu_spec){ .kernel = "/k", .cpus = 2, .memory_mib = 300, .gdb = true };
	argv = qemu_argv(&s);
	assert_string_equal(after("-gdb"), "chardev:gdb");
	assert_string_equal(after("-S"), "-chardev");
	assert_string_equal(after("-icount"), "");
	qemu_argv_free(argv);
}

static void accel_words(void **state)
{
	enum accel a = ACCEL_TCG;

	(void)state;
	for (enum accel i = ACCEL_AUTO; i <= ACCEL_TCG; i++) {
		assert_true(accel_parse(accel_name(i), &a));
		assert_int_equal(a, i);
	}
	assert_false(accel_parse("xen", &a));
	assert_int_equal(a, ACCEL_TCG);
}

/* A stand-in that says `text` when it is asked for its version. */
static char *stand_in(const char *dir, const char *text)
{
	CLEANUP(free_p) char *script = xasprintf("#!/bin/sh\necho '%s'\n", text);
	char *path = xasprintf("%s/qemu", dir);

	assert_int_equal(path_write_atomic(path, script, strlen(script), 0755, NULL), 0);
	setenv("FAULTLINE_QEMU", path, 1);
	return path;
}

static void versions(void **state)
{
	char dir[] = "/tmp/qemu-XXXXXX";
	CLEANUP(free_p) char *a = NULL;
	CLEANUP(free_p) char *b = NULL;
	CLEANUP(free_p) char *version = NULL;
	struct error err = ERROR_INIT;

	(void)state;
	assert_non_null(mkdtemp(dir));
	a = stand_in(dir, "QEMU emulator version 7.2.22 (Debian 1:7.2)");
	assert_int_equal(qemu_version(&version, &err), 0);
	assert_string_equal(version, "7.2.22");
	b = stand_in(dir, "something else");
	assert_int_equal(qemu_version(&version, &err), -EIO);
	setenv("FAULTLINE_QEMU", "/nonexistent/qemu", 1);
	assert_int_equal(qemu_version(&version, &err), -ENOENT);
	assert_int_equal(path_remove_tree(dir, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments),  cmocka_unit_test(roles),
		cmocka_unit_test(for_people), cmocka_unit_test(accel_words),
		cmocka_unit_test(versions),
	};

	return cmocka_run_group_tests_name("qemu", tests, NULL, NULL);
}
