/* SPDX-License-Identifier: MIT */
/* kbuild_run() on a toy tree whose Makefile answers to the targets that a kernel's does. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "tests/unit/test_kbuild.h"

/* EXTRA is a hook for the tests: what happens before the objects are made. */
static const char makefile[] =
	"ifeq ($(KCONFIG_CONFIG),)\nKCONFIG_CONFIG := .config\nendif\n"
	"C := $(O)/$(KCONFIG_CONFIG)\nS := $(CURDIR)\n"
	"OBJS := $(O)/mm/a.o $(O)/mm/b.o\n"
	"tinyconfig:\n\t@echo 'CONFIG_TINY=y' >$(C); echo run >>$(O)/kconfig-runs\n"
	"olddefconfig:\n\t@grep -v CONFIG_REFUSED $(C) >$(C).t; mv $(C).t $(C)\n"
	"prepare:\n\t@mkdir -p $(O)/include/config $(O)/mm $(O)/arch/x86/boot\n"
	"\t@echo 6.12.0-toy >$(O)/include/config/kernel.release\n"
	"\t@printf 'deps_config := \\\\\\n\\tKconfig\\n' >$(O)/include/config/auto.conf.cmd\n"
	"\t@sh -e $(S)/extra.sh\n"
	"$(O)/mm/%.o: mm/%.c | prepare\n\t@echo '  CC      mm/$*.o'; "
	"$(CC) -Wall -c -o $@ $(S)/$<\n"
	"vmlinux: $(OBJS)\n\t@echo '  LD      vmlinux'; "
	"cat $(OBJS) >$(O)/vmlinux; echo '0 T start' >$(O)/System.map\n"
	"bzImage: vmlinux\n\t@cp $(O)/vmlinux $(O)/arch/x86/boot/bzImage\n"
	".PHONY: prepare tinyconfig olddefconfig vmlinux bzImage\n";

static int setup(void **state)
{
	(void)state;
	tree_begin(makefile);
	fragments[0].text = (char *)"CONFIG_KSM=y\n";
	put("mm/a.c", "int a(void);\nint a(void) { return 1; }\n");
	put("mm/b.c", "int b(void);\nint b(void) { int unused; return 2; }\n");
	return 0;
}

struct outcome {
	int r;
	struct error err;
	struct build_result result;
	struct kbuild_image image;
};

static void outcome_free(struct outcome *o)
{
	build_result_free(&o->result);
	kbuild_image_free(&o->image);
}

static struct outcome build_for(int64_t timeout_ms)
{
	struct outcome o = { 0 };

	o.r = build_tree(timeout_ms, &o.result, &o.image, &o.err);
	return o;
}

static struct outcome build(void)
{
	return build_for(60000);
}

static void assert_passed(const struct outcome *o)
{
	if (o->r < 0 || o->result.status != STATUS_PASS)
		fail_msg("%s %s", o->err.msg, o->result.detail ? o->result.detail : "");
}

static void assert_failed(const struct outcome *o, const char *error)
{
	if (o->r < 0)
		fail_msg("%s", o->err.msg);
	assert_int_equal(o->result.status, STATUS_FAIL);
	assert_int_equal(o->result.reason, REASON_BUILD);
	assert_true(o->result.n_errors > 0);
	if (!strstr(o->result.errors[0], error))
		fail_msg("'%s' is not in '%s'", error, o->result.errors[0]);
	assert_null(o->image.kernel);
	assert_false(o->result.image);
}

static void test_image_and_warnings(void **state)
{
	CLEANUP(outcome_free) struct outcome o = build();
	CLEANUP(free_p) char *kernel = xasprintf("%s/obj/default/arch/x86/boot/bzImage", work);

	(void)state;
	assert_passed(&o);
	assert_string_equal(o.image.kernel, kernel);
	assert_non_null(o.image.symbols);
	assert_non_null(o.image.config);
	assert_string_equal(o.result.release, "6.12.0-toy");
	assert_int_equal(o.result.n_warnings, 1);
	assert_string_equal(o.result.warnings[0],
			    "mm/b.c:2: unused variable 'unused' [-Wunused-variable]");
	assert_int_equal(o.result.n_errors, 0);
}

static int kconfig_runs(void)
{
	CLEANUP(free_p) char *path = xasprintf("%s/obj/default/kconfig-runs", work);
	CLEANUP(buf_free) struct buf b = BUF_INIT;

	assert_int_equal(path_read(path, 4096, &b, NULL), 0);
	return (int)(b.len / strlen("run\n"));
}

static void test_second_build_does_only_what_changed(void **state)
{
	CLEANUP(outcome_free) struct outcome first = build();
	CLEANUP(outcome_free) struct outcome second = { 0 };
	CLEANUP(outcome_free) struct outcome third = { 0 };

	(void)state;
	assert_passed(&first);
	put("mm/a.c", "int a(void);\nint a(void) { return 7; }\n");
	second = build();
	assert_passed(&second);
	assert_int_equal(kconfig_runs(), 1);
	assert_non_null(strstr(logged.data, "CC      mm/a.o"));
	assert_null(strstr(logged.data, "CC      mm/b.o"));
	/* What is not compiled again still warns. */
	assert_int_equal(second.result.n_warnings, 1);

	put("mm/b.c", "int b(void);\nint b(void) { return 2; }\n");
	fragments[0].text = (char *)"CONFIG_KSM=y\nCONFIG_MORE=y\n";
	third = build();
	assert_passed(&third);
	assert_int_equal(kconfig_runs(), 2);
	assert_int_equal(third.result.n_warnings, 0);
}

static void test_same_config_keeps_its_time(void **state)
{
	CLEANUP(outcome_free) struct outcome first = build();
	CLEANUP(outcome_free) struct outcome second = { 0 };
	struct stat was, now;

	(void)state;
	assert_passed(&first);
	assert_int_equal(stat(first.image.config, &was), 0);
	put("Kconfig", "config KSM\n\tbool \"merge pages\"\n");
	second = build();
	assert_passed(&second);
	assert_int_equal(kconfig_runs(), 2);
	assert_int_equal(stat(second.image.config, &now), 0);
	assert_int_equal(was.st_ino, now.st_ino);
	assert_int_equal(was.st_mtim.tv_nsec, now.st_mtim.tv_nsec);
}

static void test_compile_error(void **state)
{
	CLEANUP(outcome_free) struct outcome bad = { 0 };
	CLEANUP(outcome_free) struct outcome good = { 0 };

	(void)state;
	put("mm/a.c", "int a(void);\nint a(void) { return missing; }\n");
	bad = build();
	assert_failed(&bad, "mm/a.c:2: 'missing' undeclared");
	put("mm/a.c", "int a(void);\nint a(void) { return 1; }\n");
	good = build();
	assert_passed(&good);
}

static void test_option_that_does_not_take(void **state)
{
	CLEANUP(outcome_free) struct outcome o = { 0 };

	(void)state;
	fragments[0].text = (char *)"CONFIG_KSM=y\n\nCONFIG_REFUSED=y\n";
	o = build();
	assert_failed(&o, "fragment base.config line 3: CONFIG_REFUSED=y did not take (is not "
			  "there; this tree has no such option)");
	assert_string_equal(o.result.detail, o.result.errors[0]);
}

static void test_broken_makefile(void **state)
{
	CLEANUP(outcome_free) struct outcome o = { 0 };

	(void)state;
	put("Makefile", "tinyconfig:\n        spaces\n");
	o = build();
	assert_failed(&o, "Makefile:2: missing separator");
}

static void test_no_image(void **state)
{
	CLEANUP(outcome_free) struct outcome o = { 0 };

	(void)state;
	put("Makefile", "KCONFIG_CONFIG ?= .config\n%:\n\t@echo CONFIG_KSM=y "
			">$(O)/$(KCONFIG_CONFIG)\n");
	o = build();
	assert_failed(&o, "make succeeded, but made no kernel image");
}

static void test_endless_output(void **state)
{
	CLEANUP(outcome_free) struct outcome o = { 0 };

	(void)state;
	put("extra.sh", "yes 'a line that is repeated for ever' | head -c 100m\n");
	o = build();
	assert_failed(&o, "more than 64 MiB");
}

static void test_tampering(void **state)
{
	CLEANUP(outcome_free) struct outcome o = { 0 };
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	CLEANUP(free_p) char *path = xasprintf("%s/extra.sh", source);

	(void)state;
	put("extra.sh", "echo x >/faultline/src/mm/a.c\n");
	o = build();
	assert_failed(&o, "");
	assert_int_equal(path_read(path, 4096, &b, NULL), 0);
	assert_true(str_starts(b.data, "echo x"));
}

/* A build that plants links does not make us read, or hand out, what they lead to. */
static void test_links_instead_of_files(void **state)
{
	CLEANUP(outcome_free) struct outcome o = { 0 };

	(void)state;
	put("Makefile", "KCONFIG_CONFIG ?= .config\n"
			"tinyconfig olddefconfig:\n\t@echo CONFIG_KSM=y "
			">$(O)/$(KCONFIG_CONFIG)\n"
			"bzImage:\n\t@mkdir -p $(O)/arch/x86; ln -s /etc $(O)/arch/x86/boot; "
			"ln -s /etc/passwd $(O)/System.map; ln -s passwd "
			"$(O)/arch/x86/boot/bzImage; true\n");
	o = build();
	assert_failed(&o, "made no kernel image");
	assert_null(o.image.symbols);
}

static void test_timeout(void **state)
{
	CLEANUP(outcome_free) struct outcome o = { 0 };

	(void)state;
	put("extra.sh", "sleep 600\n");
	o = build_for(2000);
	assert_int_equal(o.r, -ETIMEDOUT);
}

/* What a cancelled build was writing is newer than its source and wrong: it must not stay. */
static void test_cancelled_build_is_healed(void **state)
{
	CLEANUP(outcome_free) struct outcome first = build();
	CLEANUP(outcome_free) struct outcome second = { 0 };
	CLEANUP(outcome_free) struct outcome third = { 0 };
	CLEANUP(free_p) char *object = xasprintf("%s/obj/default/mm/a.o", work);
	struct stat st;

	(void)state;
	assert_passed(&first);
	put("extra.sh", "echo half >/faultline/obj/mm/a.o; touch /faultline/obj/half; "
			"echo STOP; echo STOP >&2; sleep 60\n");
	/* Output is held back until the step ends, so the deadline does it. */
	second = build_for(2000);
	assert_int_equal(second.r, -ETIMEDOUT);
	assert_int_equal(stat(object, &st), 0);
	assert_int_equal(st.st_size, 5);
	put("extra.sh", ":\n");
	third = build();
	assert_passed(&third);
	assert_int_equal(stat(object, &st), 0);
	assert_true(st.st_size > 100);
}

static void test_cancel(void **state)
{
	CLEANUP(outcome_free) struct outcome o = { 0 };

	(void)state;
	stop = true;
	o = build();
	assert_int_equal(o.r, -ECANCELED);
}

/* Times of another tree's files say nothing about our objects. */
static void test_another_tree_starts_anew(void **state)
{
	CLEANUP(outcome_free) struct outcome first = build();
	CLEANUP(outcome_free) struct outcome second = { 0 };
	CLEANUP(free_p) char *moved = xasprintf("%s/other", top);
	CLEANUP(free_p) char *was = STEAL(source);

	(void)state;
	source = STEAL(was);
	assert_passed(&first);
	assert_int_equal(rename(source, moved), 0);
	free(source);
	source = STEAL(moved);
	second = build();
	assert_passed(&second);
	assert_non_null(strstr(logged.data, "CC      mm/a.o"));
	assert_int_equal(kconfig_runs(), 1);
}

static void test_bad_parameters(void **state)
{
	struct plan_config config = { .name = (char *)"../x",
				      .arch = (char *)"x86_64",
				      .compiler = (char *)"gcc" };
	struct kbuild_opts opts = { .work = work, .source = source, .config = &config };
	struct outcome o = { 0 };

	(void)state;
	assert_int_equal(kbuild_run(&opts, &o.result, &o.image, &o.err), -EINVAL);
	config.name = (char *)"default";
	config.compiler = (char *)"sh -c id";
	assert_int_equal(kbuild_run(&opts, &o.result, &o.image, &o.err), -EINVAL);
	config.compiler = (char *)"gcc";
	config.arch = (char *)"vax";
	assert_int_equal(kbuild_run(&opts, &o.result, &o.image, &o.err), -EINVAL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_image_and_warnings),
		TEST(test_second_build_does_only_what_changed),
		TEST(test_same_config_keeps_its_time),
		TEST(test_compile_error),
		TEST(test_option_that_does_not_take),
		TEST(test_broken_makefile),
		TEST(test_no_image),
		TEST(test_endless_output),
		TEST(test_tampering),
		TEST(test_links_instead_of_files),
		TEST(test_timeout),
		TEST(test_cancelled_build_is_healed),
		TEST(test_cancel),
		TEST(test_another_tree_starts_anew),
		TEST(test_bad_parameters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
