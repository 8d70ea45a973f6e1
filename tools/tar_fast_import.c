// SPDX-License-Identifier: MIT
/*
 * tar_fast_import: a tarball as a stream for `git fast-import`, one commit on one ref.
 *
 *   tar_fast_import REF MESSAGE < linux-source.tar.xz | git fast-import
 *
 * A source package is unpacked, hashed and written in one pass: no work tree, no index, and git
 * reads the contents while xz still decompresses. The first path component is dropped. Author and
 * dates are fixed, so that the same tarball gives the same commit everywhere.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLOCK_BYTES (1 << 20)
#define IDENTITY "faultline <faultline@localhost> 1735689600 +0000" /* 2025-01-01 */

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "tar_fast_import: %s: %s\n", what, why);
	return 1;
}

/* The path behind the first component; "" for that component itself. */
static const char *strip(const char *path)
{
	const char *slash;

	if (!strncmp(path, "./", 2))
		path += 2;
	slash = strchr(path, '/');
	return slash ? slash + 1 : "";
}

/* fast-import would take these, and every later checkout would stumble over them. */
static bool path_is_safe(const char *path)
{
	size_t len;

	for (; *path; path += len + (path[len] == '/')) {
		len = strcspn(path, "/");
		if (!len || (len <= 2 && !strncmp(path, "..", len)) ||
		    (len == 4 && !strncasecmp(path, ".git", 4)))
			return false;
	}
	return true;
}

/* fast-import reads a path to the end of the line unless it is quoted like a C string. */
static void put_path(const char *path)
{
	putchar('"');
	for (; *path; path++) {
		if (*path == '"' || *path == '\\')
			putchar('\\');
		if (*path == '\n')
			fputs("\\n", stdout);
		else
			putchar(*path);
	}
	putchar('"');
}

/* As bytes: in the C locale libarchive has no other form of a name that is not ASCII. */
static const char *name(struct archive_entry *e)
{
	const char *path = archive_entry_pathname_utf8(e);

	return path ? path : archive_entry_pathname(e);
}

static int put_data(struct archive *a, struct archive_entry *e)
{
	static char block[BLOCK_BYTES];
	la_int64_t left = archive_entry_size(e);

	printf("data %lld\n", (long long)left);
	while (left > 0) {
		la_ssize_t n = archive_read_data(a, block, sizeof(block));

		if (n <= 0)
			return fail(name(e), n ? archive_error_string(a) : "is cut short");
		fwrite(block, 1, (size_t)n, stdout);
		left -= n;
	}
	putchar('\n');
	return 0;
}

static int put_entry(struct archive *a, struct archive_entry *e)
{
	const char *path = name(e);
	const char *link = archive_entry_symlink(e);
	bool executable = archive_entry_perm(e) & 0100;

	if (!path)
		return fail("input", "holds a file name that cannot be read");
	path = strip(path);
	if (!*path || archive_entry_filetype(e) == AE_IFDIR)
		return 0;
	if (!path_is_safe(path))
		return fail(path, "is no path that git can check out");
	if (archive_entry_hardlink(e))
		return fail(path, "hard links are not expected in a source package");
	if (archive_entry_filetype(e) == AE_IFLNK) {
		if (!link)
			return fail(path, "is a symbolic link that cannot be read");
		fputs("M 120000 inline ", stdout);
		put_path(path);
		printf("\ndata %zu\n%s\n", strlen(link), link);
		return 0;
	}
	if (archive_entry_filetype(e) != AE_IFREG)
		return fail(path, "is neither file, folder nor symbolic link");
	printf("M %s inline ", executable ? "100755" : "100644");
	put_path(path);
	putchar('\n');
	return put_data(a, e);
}

static int convert(struct archive *a)
{
	struct archive_entry *e;
	int r, files = 0;

	while ((r = archive_read_next_header(a, &e)) == ARCHIVE_OK || r == ARCHIVE_WARN) {
		if (put_entry(a, e))
			return 1;
		files++;
	}
	if (r != ARCHIVE_EOF)
		return fail("input", archive_error_string(a));
	if (!files)
		return fail("input", "holds no files");
	/* Without it fast-import takes a stream that was cut short for a whole one. */
	fputs("done\n", stdout);
	return fflush(stdout) || ferror(stdout) ? fail("output", strerror(errno)) : 0;
}

static const char usage[] =
	"usage: tar_fast_import REF MESSAGE < TARBALL | git fast-import\n"
	"Writes one commit on REF (refs/heads/base) with the files of TARBALL, whose first path\n"
	"component is dropped. The same tarball and message give the same commit.\n";

int main(int argc, char **argv)
{
	struct archive *a = archive_read_new();
	int r;

	if (argc != 3 || argv[1][0] == '-') {
		fputs(usage, stderr);
		return 64;
	}
	archive_read_support_filter_all(a);
	archive_read_support_format_tar(a);
	if (archive_read_open_fd(a, 0, BLOCK_BYTES) != ARCHIVE_OK)
		return fail("input", archive_error_string(a));
	printf("feature done\ncommit %s\nauthor %s\ncommitter %s\ndata %zu\n%s\n", argv[1],
	       IDENTITY, IDENTITY, strlen(argv[2]), argv[2]);
	r = convert(a);
	archive_read_free(a);
	return r;
}
