// SPDX-License-Identifier: MIT
/*
 * faultline doctor: what this machine has and lacks. One line a check, with the remedy.
 *
 * "missing" keeps tests from running (exit 2); "warn" costs speed or only a part: whoever has an
 * image already needs no compiler.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/initramfs.h"
#include "agent/qemu.h"
#include "cli/cli.h"
#include "lib/clean.h"
#include "lib/path.h"
#include "lib/proc.h"

#define GIB (INT64_C(1) << 30)
#define DISK_WANTED_GIB 12 /* source, one build tree, the compiler cache, images */
#define MEMORY_WANTED_MIB 2048 /* one machine of a plan and a linking vmlinux */

enum grade { GRADE_OK, GRADE_WARN, GRADE_MISSING, GRADE_COUNT };

struct doctor {
	const char *work;
	int counts[GRADE_COUNT];
};

static void say(struct doctor *d, enum grade g, const char *what, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void say(struct doctor *d, enum grade g, const char *what, const char *fmt, ...)
{
	static const char *const words[] = { "ok", "warn", "missing" };
	static const char *const colours[] = { "\033[32m", "\033[33m", "\033[31m" };
	bool colour = cli_colour();
	va_list ap;

	d->counts[g]++;
	printf("%s%-8s%s%-16s ", colour ? colours[g] : "", words[g], colour ? "\033[0m" : "", what);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* Output of a short command, first line; false when it failed. */
static bool first_line(const char *const *argv, struct buf *out, struct error *err)
{
	const struct proc_spec spec = {
		.argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1
	};
	const struct proc_run_opts opts = { .timeout_ms = 10000, .out = out };

	if (proc_check(&spec, &opts, err) < 0)
		return false;
	if (out->data)
		out->data[strcspn(out->data, "\n")] = '\0';
	return true;
}

static void check_qemu(struct doctor *d)
{
	CLEANUP(free_p) char *version = NULL;
	struct error err = ERROR_INIT;

	if (qemu_version(&version, &err) < 0)
		say(d, GRADE_MISSING, "qemu", "%s: apt-get install qemu-system-x86", err.msg);
	else
		say(d, GRADE_OK, "qemu", "%s %s", qemu_program(), version);
}

static void check_kvm(struct doctor *d)
{
	static const char note[] = "machines are emulated, which is slower (accel=auto decides)";
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
		say(d, GRADE_OK, "kvm",
		    "/dev/kvm opens; accel=auto boots a kernel under it to see whether it works");
	} else if (errno == ENOENT) {
		say(d, GRADE_WARN, "kvm", "no /dev/kvm: %s", note);
	} else {
		say(d, GRADE_WARN, "kvm", "/dev/kvm: %s: %s; add this user to the group kvm",
		    strerror(errno), note);
	}
}

/* Builds run in a sandbox or not at all, so an empty one is really made here. */
static void check_sandbox(struct doctor *d)
{
	const char *argv[] = { "bwrap",
			       "--unshare-all",
			       "--die-with-parent",
			       "--ro-bind",
			       "/",
			       "/",
			       "--dev",
			       "/dev",
			       "--proc",
			       "/proc",
			       "true",
			       NULL };
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	CLEANUP(free_p) char *program = path_find_program("bwrap");
	struct error err = ERROR_INIT;

	if (!program)
		say(d, GRADE_WARN, "sandbox",
		    "no bwrap, kernels cannot be built: apt-get install bubblewrap");
	else if (!first_line(argv, &out, &err))
		say(d, GRADE_WARN, "sandbox",
		    "%s; builds need unprivileged user namespaces "
		    "(kernel.unprivileged_userns_clone=1)",
		    err.msg);
	else
		say(d, GRADE_OK, "sandbox", "bwrap makes one");
}

struct tool {
	const char *name, *package, *why;
};

static void check_tools(struct doctor *d)
{
	static const struct tool tools[] = {
		{ "git", "git", "kernels cannot be fetched" },
		{ "gcc", "gcc", "kernels cannot be built" },
		{ "make", "make", "kernels cannot be built" },
		{ "flex", "flex", "kernels cannot be built" },
		{ "bison", "bison", "kernels cannot be built" },
		{ "bc", "bc", "kernels cannot be built" },
		{ "perl", "perl", "kernels cannot be built" },
		{ "ccache", "ccache", "every build starts from nothing" },
		{ "addr2line", "binutils", "traces stay without files and lines" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(tools); i++) {
		const char *argv[] = { tools[i].name, "--version", NULL };
		CLEANUP(buf_free) struct buf out = BUF_INIT;
		CLEANUP(free_p) char *program = path_find_program(tools[i].name);
		CLEANUP(free_p) char *line = NULL;

		if (!program) {
			say(d, GRADE_WARN, tools[i].name, "%s: apt-get install %s", tools[i].why,
			    tools[i].package);
			continue;
		}
		/* perl says a blank line first; the path serves as well. */
		if (first_line(argv, &out, NULL) && out.data && *out.data)
			line = str_printable(out.data, strlen(out.data));
		say(d, GRADE_OK, tools[i].name, "%.60s", line ? line : program);
	}
}

static void check_headers(struct doctor *d)
{
	static const struct tool headers[] = {
		{ "libelf.h", "libelf-dev", "objtool cannot be built" },
		{ "openssl/opensslv.h", "libssl-dev", "module signing cannot be built" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
		CLEANUP(free_p) char *code = xasprintf("#include <%s>\n", headers[i].name);
		const char *argv[] = { "gcc", "-E", "-x", "c", "-o", "/dev/null", "-", NULL };
		const struct proc_spec spec = { .argv = argv };
		const struct proc_run_opts opts = { .timeout_ms = 10000,
						    .input = code,
						    .input_len = strlen(code) };

		if (proc_check(&spec, &opts, NULL) < 0)
			say(d, GRADE_WARN, headers[i].package, "no <%s>, %s: apt-get install %s",
			    headers[i].name, headers[i].why, headers[i].package);
		else
			say(d, GRADE_OK, headers[i].package, "<%s>", headers[i].name);
	}
}

static void check_data(struct doctor *d)
{
	CLEANUP(free_p) char *guest = initramfs_guest_program();
	CLEANUP(free_p) char *share = path_share("jobs");
	struct error err = ERROR_INIT;
	char **names = NULL;
	size_t n = 0;

	if (access(guest, R_OK) < 0)
		say(d, GRADE_MISSING, "guest", "no %s: run make, or set FAULTLINE_GUEST", guest);
	else
		say(d, GRADE_OK, "guest", "%s", guest);
	if (plan_list(share, &names, &n, &err) < 0)
		say(d, GRADE_MISSING, "plans", "%s: run make install, or set FAULTLINE_SHARE",
		    err.msg);
	else if (!n)
		say(d, GRADE_MISSING, "plans", "none in %s/plans: set FAULTLINE_SHARE", share);
	else
		say(d, GRADE_OK, "plans", "%zu in %s/plans", n, share);
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

static void check_resources(struct doctor *d)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	int64_t memory_mib =
		(int64_t)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE) / (INT64_C(1) << 20);
	int64_t disk = path_free_bytes(d->work);

	say(d, GRADE_OK, "cpus", "%ld", cpus);
	say(d, memory_mib < MEMORY_WANTED_MIB ? GRADE_WARN : GRADE_OK, "memory", "%lld MiB%s",
	    (long long)memory_mib,
	    memory_mib < MEMORY_WANTED_MIB ? "; 2 GiB are wanted for building and testing" : "");
	if (disk < 0)
		say(d, GRADE_WARN, "disk", "%s: %s", d->work, strerror((int)-disk));
	else
		say(d, disk < DISK_WANTED_GIB * GIB ? GRADE_WARN : GRADE_OK, "disk",
		    "%lld GiB free for %s%s", (long long)(disk / GIB), d->work,
		    disk < DISK_WANTED_GIB * GIB ? "; kernel builds want 12" : "");
}

static void check_server(struct doctor *d, const struct server_args *args)
{
	const char *server = args->server ? args->server : getenv("FAULTLINE_SERVER");
	CLEANUP(http_client_free_p) struct http_client *c = NULL;
	struct http_request req = HTTP_REQUEST_INIT;
	struct http_response res = { 0 };
	struct error err = ERROR_INIT;
	int r;

	if (!server || !*server)
		return;
	req.method = "GET";
	req.path = "/readyz";
	req.timeout_ms = 10000;
	r = cli_connect(args, &c, &err);
	if (!r)
		r = http_client_do(c, &req, &res, &err);
	/* Only local runs count for the exit code: they need no server. */
	if (r < 0)
		say(d, GRADE_WARN, "server", "%s: %s", server, err.msg);
	else if (res.status != 200)
		say(d, GRADE_WARN, "server", "%s answered %d: see its log", server, res.status);
	else
		say(d, GRADE_OK, "server", "%s", server);
	http_response_free(&res);
}

struct doctor_args {
	struct server_args server;
	const char *work;
};

static error_t on_arg(int key, char *arg, struct argp_state *state)
{
	struct doctor_args *a = state->input;

	switch (key) {
	case 'w':
		a->work = arg;
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->server;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "unexpected argument '%s'", arg);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* The folder that `faultline run` takes when none is given. */
static char *default_work(void)
{
	const char *cache = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");

	if (cache && *cache)
		return xasprintf("%s/faultline", cache);
	return xasprintf("%s/.cache/faultline", home && *home ? home : "/var/tmp");
}

int cmd_doctor(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "work", 'w', "DIR", 0, "folder for build trees (default ~/.cache/faultline)", 0 },
		{ 0 },
	};
	const struct argp_child children[] = { { &server_argp, 0, NULL, 0 }, { 0 } };
	const struct argp argp = {
		options,
		on_arg,
		NULL,
		"Checks what this machine has for building and testing kernels. Exit status 0 if "
		"tests can run, 2 otherwise.",
		children,
		NULL,
		NULL
	};
	CLEANUP(free_p) char *work = default_work();
	struct doctor_args args = { .work = work };
	struct doctor d = { 0 };

	cli_parse(&argp, argc, argv, &args);
	d.work = args.work;
	check_qemu(&d);
	check_kvm(&d);
	check_data(&d);
	check_sandbox(&d);
	check_tools(&d);
	check_headers(&d);
	check_resources(&d);
	check_server(&d, &args.server);
	if (d.counts[GRADE_MISSING])
		printf("\nTests cannot run here.\n");
	else if (d.counts[GRADE_WARN])
		printf("\nTests can run here; see the warnings.\n");
	else
		printf("\nTests can run here.\n");
	return d.counts[GRADE_MISSING] ? EXIT_TROUBLE : EXIT_OK;
}
