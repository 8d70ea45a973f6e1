/* SPDX-License-Identifier: MIT */
/*
 * mirror: addresses of the dashboard as files of a mirror, and its pages with links to those files.
 * Pure functions. Thread: any.
 *
 * A page's file is named after its address: "/" is index.html, "/runs/7" runs/7.html,
 * "/results?status=FAIL" results@status=FAIL.html; in another format
 * "/runs/7?format=json" is runs/7.json. Bytes that a file system, a shell or an address may take for something else
 * become ~XX, long parts are cut and told apart by a hash.
 */
#ifndef FAULTLINE_CLI_MIRROR_H
#define FAULTLINE_CLI_MIRROR_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/buf.h"

/* The file, relative to the mirror, of an address "/path?query". Owned. */
char *mirror_file(const char *target);

/* What is not another format, a picture or the like. */
bool mirror_is_page(const char *target);

/* Whether an address of the site ("/path?query", without a fragment) is part of the mirror. */
typedef bool (*mirror_has_fn)(void *arg, const char *target);

struct mirror_page {
	const char *target; /* the page's own address */
	const char *
		live; /* where the server is, without a slash at its end: for what is not mirrored */
	mirror_has_fn has;
	void *arg;
};

/* Appends the page with every address in href and src leading to a file of the mirror, or to the
 * server if the mirror does not have it; forms lead to the server. Nothing refreshes itself. `out`
 * NULL only asks `has` about each address of href and src. */
void mirror_rewrite(const struct mirror_page *page, const char *html, size_t len, struct buf *out);

#endif
