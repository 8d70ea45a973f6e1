/* SPDX-License-Identifier: MIT */
/*
 * decode: call traces get the files, lines and inlined functions of their frames, from the debug
 * information of the kernel's build: what scripts/decode_stacktrace.sh of the kernel does to a log.
 *
 *   System.map's place is taken by the file's own symbol table (agent/symtab.h), and each frame has to
 *   fit it by the function's size: another kernel's file decodes nothing, instead of something wrong.
 *
 * nm and addr2line of binutils read the file, in the sandbox: it comes out of somebody's kernel tree.
 * Thread: any, traces and documents of one owner. Included by agent/ and cli/.
 */
#ifndef FAULTLINE_AGENT_DECODE_H
#define FAULTLINE_AGENT_DECODE_H

#include "jobs/result.h"

/* The artifact of a build that has its symbols and lines and nothing else. */
#define DECODE_ARTIFACT "vmlinux.debug"

struct decode_opts {
	const char *vmlinux; /* an ELF file with symbols and lines */
	bool (*cancelled)(void *arg); /* may be NULL */
	void *arg;
};

/* Adds to the traces what is known of their frames; before each frame come those of the functions
 * that were inlined there. Frames of modules, and those that fit nothing, stay as they are.
 * On an error all of them do: the file is not there, is no ELF file or has no lines (-EINVAL); it is
 * another kernel's, no frame fits (-ENOMSG); of the sandbox; -ETIMEDOUT, -ECANCELED. */
must_check int decode_traces(const struct decode_opts *opts, struct trace *const *traces, size_t n,
			     struct error *err);

/* A vmlinux, or a file of the artifact's name, in the folder of one of the files, which may be NULL;
 * the first comes first. Owned, or NULL. */
char *decode_find(const char *beside, const char *or_beside);

/* Whether a result of the document has a trace that somebody will read: it failed. */
bool decode_is_wanted(const struct result_doc *doc);
/* The traces of the results that failed, decoded; all others are dropped, and of very many
 * failures only the first have any. When they cannot be, each of
 * these results says why; no verdict depends on it. `opts` NULL: `why` says so. */
void decode_doc(struct result_doc *doc, const struct decode_opts *opts, const char *why);

#endif
