// SPDX-License-Identifier: MIT
/*
 * Where in its source a kernel's addresses are, at next to no price: docs/running.md has the figures.
 *
 * Objects are compiled with -g1: lines, functions and what was inlined where, no types and no
 * variables. Code generation does not depend on -g (gcc's own bootstrap compares the two), and the
 * bootable image has none of it, with one exception: the linker makes the build ID a hash of all
 * sections, debug information included, so that a line more in a comment would make another image.
 * Whoever compares images by content (docs/regressions.md) would take that for another kernel. So the
 * build's linker sets a constant ID, and the image is the same byte for byte with lines as without.
 */
#include <string.h>
#include <sys/utsname.h>

#include "agent/kbuild.h"
#include "lib/clean.h"
#include "lib/path.h"

#define CONFIG_BYTES ((size_t)4 << 20)

/* 20 bytes, as sha1 has: "faultline". */
static const char linker[] = "#!/bin/sh\n"
			     "for a; do\n"
			     "\tshift\n"
			     "\tcase $a in --build-id|--build-id=*)\n"
			     "\t\ta=--build-id=0x6661756c746c696e650000000000000000000000;;\n"
			     "\tesac\n"
			     "\tset -- \"$@\" \"$a\"\n"
			     "done\n"
			     "exec %sld \"$@\"\n";

const char *kbuild_cross(const struct kbuild *k)
{
	struct utsname u;

	return uname(&u) == 0 && !strcmp(u.machine, k->arch->name) ? "" : k->arch->cross;
}

int kbuild_tools_write(const struct kbuild *k, struct error *err)
{
	CLEANUP(free_p) char *path = xasprintf("%s/ld", k->tools);
	CLEANUP(free_p) char *text = xasprintf(linker, kbuild_cross(k));
	int r = path_mkdirs(k->tools, 0755, err);

	return r ? r : path_write_atomic(path, text, strlen(text), 0755, err);
}

/* A configuration with debug information of its own keeps that: -g1 would take the types from it that
 * BTF is made of. */
void kbuild_lines_decide(struct kbuild *k)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;

	k->lines = kbuild_read(k->obj, ".config", CONFIG_BYTES, &b, NULL) == 0 &&
		   !strstr(buf_cstr(&b), "\nCONFIG_DEBUG_INFO=y\n");
}

/* zlib: every reader of such files knows it. With the notes the file would be as long as the image,
 * filled with nothing. Without the tool, or when it does not know the file, the kernel is good all the
 * same. */
char *kbuild_debug_script(const struct kbuild *k)
{
	return xasprintf("\"$0\" \"$@\"; cd " KBUILD_OBJ "; "
			 "[ " KBUILD_DEBUG " -nt vmlinux ] || "
			 "%sobjcopy --only-keep-debug --compress-debug-sections=zlib "
			 "-R .notes -R .debug_frame -R .comment vmlinux " KBUILD_DEBUG
			 " || rm -f " KBUILD_DEBUG,
			 kbuild_cross(k));
}
