/* SPDX-License-Identifier: MIT */
#include "agent/initramfs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/clean.h"
#include "lib/hash.h"
#include "lib/path.h"

/* A static program with debug information is some MiB. */
#define GUEST_PROGRAM_MAX (64 << 20)

struct entry {
	const char *name;
	unsigned int mode;
	unsigned int rdev_major, rdev_minor;
	const void *data;
	size_t len;
};

static void pad4(struct buf *out, size_t start)
{
	while ((out->len - start) % 4)
		buf_char(out, '\0');
}

/* `start` is where the archive begins in `out`: names and data are aligned to it. */
static void write_entry(struct buf *out, size_t start, unsigned int ino, const struct entry *e)
{
	size_t name_len = strlen(e->name) + 1;

	buf_printf(out, "070701%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x", ino,
		   e->mode, 0U, 0U, S_ISDIR(e->mode) ? 2U : 1U, 0U, e->len, 0U, 0U, e->rdev_major,
		   e->rdev_minor, name_len, 0U);
	buf_add(out, e->name, name_len);
	pad4(out, start);
	buf_add(out, e->data, e->len);
	pad4(out, start);
}

/* Everything but the end; the next inode number is returned. */
static unsigned int write_base(const void *init, size_t init_len, size_t start, struct buf *out)
{
	const struct entry entries[] = {
		{ .name = "dev", .mode = S_IFDIR | 0755 },
		{ .name = "dev/console", .mode = S_IFCHR | 0600, .rdev_major = 5, .rdev_minor = 1 },
		{ .name = "dev/null", .mode = S_IFCHR | 0666, .rdev_major = 1, .rdev_minor = 3 },
		{ .name = "proc", .mode = S_IFDIR | 0755 },
		{ .name = "sys", .mode = S_IFDIR | 0755 },
		{ .name = "tmp", .mode = S_IFDIR | 0777 | S_ISVTX },
		{ .name = "init", .mode = S_IFREG | 0755, .data = init, .len = init_len },
	};

	for (size_t i = 0; i < ARRAY_SIZE(entries); i++)
		write_entry(out, start, (unsigned int)i + 1, &entries[i]);
	return ARRAY_SIZE(entries) + 1;
}

static void write_end(struct buf *out, size_t start, unsigned int ino)
{
	write_entry(out, start, ino, &(const struct entry){ .name = "TRAILER!!!" });
}

void initramfs_write(const void *init, size_t init_len, struct buf *out)
{
	size_t start = out->len;

	write_end(out, start, write_base(init, init_len, start, out));
}

static int write_file(const struct initramfs_file *f, size_t start, unsigned int ino,
		      struct buf *out, struct error *err)
{
	CLEANUP(buf_free) struct buf data = BUF_INIT;
	CLEANUP(free_p) char *name = xasprintf("%s/%s", f->folder, f->name);
	int r = path_read(f->host, GUEST_PROGRAM_MAX, &data, err);

	if (r < 0)
		return r;
	write_entry(
		out, start, ino,
		&(const struct entry){
			.name = name, .mode = S_IFREG | 0755, .data = data.data, .len = data.len });
	return 0;
}

static int write_all(const struct buf *init, const struct initramfs_file *files, size_t n,
		     struct buf *out, struct error *err)
{
	unsigned int ino = write_base(init->data, init->len, 0, out);

	for (size_t i = 0; i < n; i++) {
		int r;

		if (i == 0 || strcmp(files[i].folder, files[i - 1].folder) != 0)
			write_entry(out, 0, ino++,
				    &(const struct entry){ .name = files[i].folder,
							   .mode = S_IFDIR | 0755 });
		r = write_file(&files[i], 0, ino++, out, err);
		if (r < 0)
			return r;
	}
	write_end(out, 0, ino);
	return 0;
}

void initramfs_write_file(const char *name, const void *data, size_t len, struct buf *out)
{
	const struct entry file = { .name = name, .mode = S_IFREG | 0644, .data = data, .len = len };
	const struct entry trailer = { .name = "TRAILER!!!" };
	size_t start = out->len;

	write_entry(out, start, 1, &file);
	write_entry(out, start, 2, &trailer);
}

char *initramfs_guest_program(void)
{
	const char *env = getenv("FAULTLINE_GUEST");

	return env && *env ? xstrdup(env) : path_share("guest/init");
}

int initramfs_make(const char *init, const struct initramfs_file *files, size_t n, const char *dir,
		   char **ret_path, struct error *err)
{
	CLEANUP(buf_free) struct buf program = BUF_INIT;
	CLEANUP(buf_free) struct buf archive = BUF_INIT;
	CLEANUP(free_p) char *path = NULL;
	char hex[HASH_HEX_MAX];
	int r;

	r = path_read(init, GUEST_PROGRAM_MAX, &program, err);
	if (r < 0)
		return error_wrap(err, r, "the guest's program");
	r = write_all(&program, files, n, &archive, err);
	if (r < 0)
		return error_wrap(err, r, "the guest's files");
	hash_bytes(archive.data, archive.len, hex);
	path = xasprintf("%s/initramfs-%.16s.cpio", dir, hex);
	if (!path_exists(path)) {
		r = path_mkdirs(dir, 0755, err);
		if (!r)
			r = path_write_atomic(path, archive.data, archive.len, 0644, err);
		if (r < 0)
			return error_wrap(err, r, "initramfs");
	}
	*ret_path = STEAL(path);
	return 0;
}
