/* SPDX-License-Identifier: MIT */
/* The lines of a build, on a toy tree that links a real program with the linker that it is given. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <stdlib.h>
#include <string.h>

#include "agent/kbuild.h"
#include "agent/sandbox.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/path.h"

static char *top, *source, *work;
static struct buf logged;

/* What the image is made of is what bzImage is made of: vmlinux without its symbols and lines. */
static const char makefile[] =
	"ifeq ($(KCONFIG_CONFIG),)\nKCONFIG_CONFIG := .config\nendif\n"
	"C := $(O)/$(KCONFIG_CONFIG)\n"
	"tinyconfig:\n\t@cat toy.config >$(C)\n"
	"olddefconfig:\n\t@true\n"
	"bzImage:\n\t@echo 'flags [$(KCFLAGS)] [$(KAFLAGS)]'; sh -e extra.sh; "
	"mkdir -p $(O)/include/config $(O)/mm $(O)/arch/x86/boot; "
	"echo 6.12.0-toy >$(O)/include/config/kernel.release; "
	"$(CC) -O2 $(KCFLAGS) -ffreestanding -c -o $(O)/mm/a.o $(CURDIR)/mm/a.c && "
	"$(LD) -static --build-id=sha1 -e start_kernel -o $(O)/vmlinux $(O)/mm/a.o; "
	"sh -e behind.sh; nm $(O)/vmlinux >$(O)/System.map || echo 0 T start >$(O)/System.map; "
	"strip -s -R .comment -o $(O)/arch/x86/boot/bzImage $(O)/vmlinux || "
	"cp $(O)/vmlinux $(O)/arch/x86/boot/bzImage\n"
	".PHONY: tinyconfig olddefconfig bzImage\n";

static const char a_c[] = "void start_kernel(void);\n"
			  "void start_kernel(void)\n"
			  "{\n"
			  "\tfor (;;)\n"
			  "\t\t__asm__ volatile(\"nop\");\n"
			  "}\n";

static void put(const char *rel, const char *text)
{
	CLEANUP(free_p) char *path = xasprintf("%s/src/%s", top, rel);
	CLEANUP(free_p) char *dir = xstrndup(path, (size_t)(strrchr(path, '/') - path));

	assert_int_equal(path_mkdirs(dir, 0755, NULL), 0);
	assert_int_equal(path_write_atomic(path, text, strlen(text), 0644, NULL), 0);
}

static int setup(void **state)
{
	char dir[] = "/tmp/faultline-lines-XXXXXX";

	(void)state;
	top = xstrdup(mkdtemp(dir));
	source = xasprintf("%s/src", top);
	work = xasprintf("%s/work", top);
	put("Makefile", makefile);
	put("Kconfig", "config KSM\n\tbool \"merge\"\n");
	put("toy.config", "CONFIG_TOY=y\n");
	put("extra.sh", ":\n");
	put("behind.sh", ":\n");
	put("mm/a.c", a_c);
	return 0;
}

static int teardown(void **state)
{
	int r = path_remove_tree(top, NULL);

	(void)state;
	buf_free(&logged);
	free(top);
	free(source);
	free(work);
	return r;
}

static void on_log(void *arg, const char *data, size_t len)
{
	(void)arg;
	buf_add(&logged, data, len);
}

/* A build that passes; its image is added to `image`. */
static struct kbuild_image build(struct buf *image)
{
	static struct plan_fragment fragments[1] = { { (char *)"base", (char *)"CONFIG_KSM=y\n" } };
	const struct engine_watch watch = { .log = on_log };
	const struct plan_config config = { .name = (char *)"default",
					    .arch = (char *)"x86_64",
					    .compiler = (char *)"gcc",
					    .fragments = fragments,
					    .n_fragments = 1 };
	const struct kbuild_opts opts = { .work = work,
					  .source = source,
					  .config = &config,
					  .jobs = 1,
					  .timeout_ms = 60000,
					  .watch = &watch };
	struct build_result b = { 0 };
	struct kbuild_image i = { 0 };
	struct error err = ERROR_INIT;

	if (sandbox_check(NULL) < 0)
		skip();
	buf_reset(&logged);
	if (kbuild_run(&opts, &b, &i, &err) < 0 || b.status != STATUS_PASS)
		fail_msg("%s %s\n%s", err.msg, b.detail ? b.detail : "", buf_cstr(&logged));
	build_result_free(&b);
	assert_int_equal(path_read(i.kernel, 1 << 20, image, NULL), 0);
	return i;
}

/* A line more in the source: the same kernel to the byte, and its lines are one further. */
static void test_lines_are_not_in_the_image(void **state)
{
	CLEANUP(buf_free) struct buf before = BUF_INIT, after = BUF_INIT;
	CLEANUP(buf_free) struct buf lines = BUF_INIT, lines_after = BUF_INIT;
	CLEANUP(free_p) char *longer = xasprintf("/* a remark */\n%s", a_c);
	struct kbuild_image i = build(&before);

	(void)state;
	assert_non_null(strstr(buf_cstr(&logged), "flags [-g1] [-g1]\n"));
	assert_non_null(i.debug);
	assert_int_equal(path_read(i.debug, 1 << 20, &lines, NULL), 0);
	kbuild_image_free(&i);
	put("mm/a.c", longer);
	i = build(&after);
	assert_int_equal(path_read(i.debug, 1 << 20, &lines_after, NULL), 0);
	kbuild_image_free(&i);
	assert_int_equal(before.len, after.len);
	assert_memory_equal(before.data, after.data, before.len);
	assert_false(lines.len == lines_after.len &&
		     !memcmp(lines.data, lines_after.data, lines.len));
}

static void test_own_debug_information_is_kept(void **state)
{
	CLEANUP(buf_free) struct buf image = BUF_INIT;
	struct kbuild_image i;

	(void)state;
	put("toy.config", "CONFIG_TOY=y\nCONFIG_DEBUG_INFO=y\n");
	i = build(&image);
	assert_non_null(strstr(buf_cstr(&logged), "flags [] []\n"));
	kbuild_image_free(&i);
}

/* Not the build's failure, and nothing that an earlier build left. */
static void test_no_elf_file(void **state)
{
	CLEANUP(buf_free) struct buf image = BUF_INIT;
	struct kbuild_image i = build(&image);

	(void)state;
	assert_non_null(i.debug);
	kbuild_image_free(&i);
	put("behind.sh", "echo what is this >/faultline/obj/vmlinux\n");
	i = build(&image);
	assert_null(i.debug);
	assert_non_null(i.kernel);
	kbuild_image_free(&i);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_lines_are_not_in_the_image),
		TEST(test_own_debug_information_is_kept),
		TEST(test_no_elf_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
