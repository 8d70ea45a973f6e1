/* SPDX-License-Identifier: MIT */
#include "agent/gdb.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/decode.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/path.h"

#define MAP_BYTES_MAX (64 << 20) /* all of a distribution's kernel is 6 MiB */

/* Where reports begin, as far as the kernel has them: WARN, oops and BUG, panic, KASAN, bad pages. */
static const char *const splat_functions[] = {
	"__warn", "oops_begin", "panic", "vpanic", "kasan_report", "bad_page", NULL,
};

bool gdb_stop_parse(const char *s, enum gdb_stop *ret)
{
	if (strcmp(s, "injection") == 0)
		*ret = GDB_STOP_INJECTION;
	else if (strcmp(s, "splat") == 0)
		*ret = GDB_STOP_SPLAT;
	else
		return false;
	return true;
}

/* --- symbols ------------------------------------------------------------------------------ */

/* The function's line "ADDRESS T NAME" in a System.map; NULL without one. */
static const char *find_line(const char *map, const char *name)
{
	CLEANUP(free_p) char *end = xasprintf(" %s\n", name);
	const char *at = strstr(map, end);

	while (at && !((at[-1] == 'T' || at[-1] == 't') && at[-2] == ' '))
		at = strstr(at + 1, end);
	if (!at)
		return NULL;
	while (at > map && at[-1] != '\n')
		at--;
	return at;
}

/* 0 when there is none. *ret_end is where the next symbol begins; the map is sorted. */
static uint64_t find_function(const char *map, const char *name, uint64_t *ret_end)
{
	const char *line = find_line(map, name);
	uint64_t address;

	if (!line)
		return 0;
	address = *ret_end = strtoull(line, NULL, 16);
	while (*ret_end == address && (line = strchr(line, '\n')) && *++line)
		*ret_end = strtoull(line, NULL, 16);
	return address;
}

/* --- the script --------------------------------------------------------------------------- */

static int break_at_splats(const char *map, struct buf *out)
{
	uint64_t address, end;
	int n = 0;

	for (const char *const *f = splat_functions; *f; f++) {
		address = find_function(map, *f, &end);
		if (!address)
			continue;
		buf_printf(out, "# %s\nhbreak *0x%" PRIx64 "\n", *f, address);
		n++;
	}
	return n;
}

/* fail_dump() is called for each failure and for nothing else (lib/fault-inject.c). Where it became
 * part of should_fail_ex() the stack dump that it asks for is as good. */
static int break_at_injection(const char *map, struct buf *out)
{
	uint64_t address, from, to, end;

	address = find_function(map, "fail_dump", &end);
	if (address) {
		buf_printf(out, "# fail_dump\nhbreak *0x%" PRIx64 "\n", address);
		return 1;
	}
	address = find_function(map, "dump_stack", &end);
	from = find_function(map, "should_fail_ex", &to);
	if (!address || !from)
		return 0;
	buf_printf(out,
		   "# dump_stack, called by fail_dump, which is a part of should_fail_ex\n"
		   "hbreak *0x%" PRIx64 " if *(unsigned long *)$rsp > 0x%" PRIx64
		   " && *(unsigned long *)$rsp <= 0x%" PRIx64 "\n",
		   address, from, to);
	return 1;
}

/*
 * gdb's own backtrace ends early where there is no debug information; the kernel's frame pointers
 * are always there (CONFIG_UNWINDER_FRAME_POINTER, jobs/kconfig). At a function's first
 * instruction the caller is on top of the stack; an odd frame pointer is one of an exception and
 * points to its registers (ENCODE_FRAME_POINTER, arch/x86/include/asm/frame.h), of which bp is the
 * fifth and ip the seventeenth.
 */
static const char head[] =
	"set pagination off\n"
	"set confirm off\n"
	"set architecture i386:x86-64\n"
	"define kernel-frame\n"
	"  output/a $where\n"
	"  echo \\n\n"
	"end\n"
	"define kernel-stack\n"
	"  set $where = (unsigned long)$rip\n"
	"  kernel-frame\n"
	"  set $where = *(unsigned long *)$rsp\n"
	"  kernel-frame\n"
	"  set $frame = (unsigned long)$rbp\n"
	"  set $left = 64\n"
	"  while $frame >= 0xffff800000000000 && $left > 0\n"
	"    if $frame & 1\n"
	"      set $where = *(unsigned long *)($frame - 1 + 128)\n"
	"      kernel-frame\n"
	"      set $frame = *(unsigned long *)($frame - 1 + 32)\n"
	"    else\n"
	"      set $where = *(unsigned long *)($frame + 8)\n"
	"      kernel-frame\n"
	"      set $frame = *(unsigned long *)$frame\n"
	"    end\n"
	"    set $left = $left - 1\n"
	"  end\n"
	"end\n"
	"document kernel-stack\n"
	"The functions on the kernel's stack, at a function's first instruction.\n"
	"end\n";

static int script_text(const char *kernel, const char *symbols, enum gdb_stop stop, int port,
		       struct buf *out, struct error *err)
{
	CLEANUP(buf_free) struct buf map = BUF_INIT;
	CLEANUP(free_p) char *vmlinux = NULL;
	int r = path_read(symbols, MAP_BYTES_MAX, &map, err);

	if (r < 0)
		return r;
	vmlinux = decode_find(symbols, kernel);
	buf_str(out, head);
	if (vmlinux && !strpbrk(vmlinux, "\"\n"))
		buf_printf(out, "file \"%s\"\n", vmlinux);
	buf_printf(out, "target remote 127.0.0.1:%d\n", port);
	r = stop == GDB_STOP_SPLAT ? break_at_splats(buf_cstr(&map), out)
				   : break_at_injection(buf_cstr(&map), out);
	if (!r)
		return error_set(err, -ENOEXEC, "'%s' has no function to stop at", symbols);
	buf_str(out, "continue\nkernel-stack\n");
	return 0;
}

static int listen_on_loopback(int *ret_fd, int *ret_port, struct error *err)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	CLEANUP(close_p) int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 1) < 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &len) < 0)
		return error_errno(err, -errno, "a port for gdb");
	*ret_port = ntohs(a.sin_port);
	*ret_fd = steal_fd(&fd);
	return 0;
}

int gdb_prepare(const char *kernel, const char *symbols, enum gdb_stop stop, const char *dir,
		struct gdb_session *ret, struct error *err)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT;
	CLEANUP(free_p) char *path = NULL;
	CLEANUP(close_p) int listener = -1;
	CLEANUP(close_p) int file = -1;
	int port = 0, r;

	if (!symbols)
		return error_set(err, -ENOENT, "gdb needs the kernel's System.map (--symbols)");
	r = listen_on_loopback(&listener, &port, err);
	if (!r)
		r = script_text(kernel, symbols, stop, port, &text, err);
	if (r < 0)
		return r;
	path = xasprintf("%s/gdb-XXXXXX", dir);
	file = mkstemp(path);
	r = file < 0 ? -errno : fd_write_all(file, text.data, text.len);
	if (r < 0)
		return error_errno(err, r, "cannot write '%s'", path);
	ret->command = xasprintf("gdb -x '%s'", path);
	ret->script = STEAL(path);
	ret->listen_fd = steal_fd(&listener);
	return 0;
}

void gdb_free(struct gdb_session *s)
{
	if (!s->script)
		return;
	close(s->listen_fd);
	unlink(s->script);
	free(s->script);
	free(s->command);
	*s = (struct gdb_session){ 0 };
}
