/* SPDX-License-Identifier: MIT */
/*
 * kbuild: the parts of kbuild_run() (agent/engine.h) that its files share.
 *
 * <work>/obj/<config>     the build tree, all that the sandbox can write besides the ccache
 * <work>/state/<config>/  what we know about that tree, out of the sandbox's reach:
 *   source    which source tree the objects were made from
 *   building  there while make runs: found at the start, its files are removed
 *   stamp     of what the .config was made from (kconfig_stamp())
 *   steps     how many lines a whole build and the last partial one printed
 *   warnings  of every object as last compiled, "target\ttext"
 *   tools/    a linker for the build (kbuild_debug.c)
 * Nothing below obj is trusted: it may hold links to anywhere.
 * Thread: one owner of a work folder's configuration (a lock file says so).
 */
#ifndef FAULTLINE_AGENT_KBUILD_H
#define FAULTLINE_AGENT_KBUILD_H

#include "agent/diag.h"
#include "agent/engine.h"

/* Where the trees are inside the sandbox: always the same, so that the same source gives the same
 * bytes and the same ccache key in every work folder. */
#define KBUILD_SOURCE "/faultline/src"
#define KBUILD_OBJ "/faultline/obj"
#define KBUILD_CCACHE "/faultline/ccache"
#define KBUILD_TOOLS "/faultline/tools" /* read-only */

struct kbuild_arch {
	const char *name; /* in plans: "x86_64" */
	const char *arch; /* make ARCH= */
	const char *srcarch; /* arch/<srcarch> */
	const char *cross; /* prefix of cross tools, used on other hosts */
	const char *target; /* make target of the bootable image */
	const char *image; /* its path */
};

struct kbuild {
	const struct kbuild_opts *o;
	const struct kbuild_arch *arch;
	char *source, *obj, *ccache, *state, *tools; /* owned absolute paths */
	bool lines; /* the build is asked for line numbers: its configuration has none */
	bool fresh; /* nothing was built in obj yet */
	int64_t deadline_ms; /* monotonic */
	enum engine_phase phase;
	struct diag diag;
	struct diag_list warnings; /* of objects that are not compiled this time */
	bool killed; /* in the middle of writing */
	int total; /* steps that are expected; 0 = unknown */
};

const char *kbuild_srcarch(const char *arch); /* "x86"; the name itself when unknown */

/* Reads a regular file below obj that no link leads to or through. -ELOOP, -EFBIG, -ENOENT. */
must_check int kbuild_read(const char *obj, const char *rel, size_t max_bytes, struct buf *out,
			   struct error *err);
/* Its owned path, or NULL when it is not there or not to be trusted. */
char *kbuild_file(const char *obj, const char *rel);

/* --- kbuild_tree.c ----------------------------------------------------------------------- */

/* Makes the folders; throws away objects of another source tree and those of a build that was
 * killed while it wrote them. -ENOSPC. */
must_check int kbuild_tree_open(struct kbuild *k, struct error *err);
/* The next two surround make. */
must_check int kbuild_tree_begin(struct kbuild *k, struct error *err);
void kbuild_tree_end(struct kbuild *k, bool succeeded);
/* A target is compiled: its earlier warnings no longer count. */
void kbuild_tree_step(struct kbuild *k, const char *target);
bool kbuild_tree_configured(const struct kbuild *k);

/* --- kbuild_debug.c ---------------------------------------------------------------------- */

/* Writes the build's linker. Errors of writing files. */
must_check int kbuild_tools_write(const struct kbuild *k, struct error *err);
/* After the configuration is made: whether the build has to be asked for lines. */
void kbuild_lines_decide(struct kbuild *k);
/* What follows make in one script: symbols and lines by themselves, in KBUILD_DEBUG. */
#define KBUILD_DEBUG "vmlinux.debug"
char *kbuild_debug_script(const struct kbuild *k);
/* The prefix of the tools for what is built, "" for this host's own. */
const char *kbuild_cross(const struct kbuild *k);

/* --- kbuild_make.c ----------------------------------------------------------------------- */

/* One command in the sandbox, its output read into k->diag and the log. `argv[0..]` after the
 * common arguments; *ret_failed: it ended otherwise than with 0. Errors are the host's. */
must_check int kbuild_make(struct kbuild *k, const char *script, const char *const *targets,
			   bool *ret_failed, struct error *err);

#endif
