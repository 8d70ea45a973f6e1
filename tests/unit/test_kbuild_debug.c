/* SPDX-License-Identifier: MIT */
/* The lines of a build, on a toy tree that links a real program with the linker that it is given. */
#include "tests/unit/test_kbuild.h"

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

static int setup(void **state)
{
	(void)state;
	tree_begin(makefile);
	put("toy.config", "CONFIG_TOY=y\n");
	put("behind.sh", ":\n");
	put("mm/a.c", a_c);
	return 0;
}

/* A build that passes; its image is added to `image`. */
static struct kbuild_image build(struct buf *image)
{
	struct build_result b = { 0 };
	struct kbuild_image i = { 0 };
	struct error err = ERROR_INIT;

	if (build_tree(60000, &b, &i, &err) < 0 || b.status != STATUS_PASS)
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
