/* SPDX-License-Identifier: MIT */
/*
 * PID 1 of the machine under test: sets the machine up, says what it is, and answers requests
 * until it is told to stop (docs/guest-protocol.md). Nothing of it may wait longer than needed
 * before the ready record: every machine of every case starts here.
 */
#include "case.h"
#include "clock.h"
#include "fault.h"
#include "fileio.h"
#include "kallsyms.h"
#include "kmsg.h"
#include "ktap.h"
#include "machine.h"
#include "point.h"
#include "port.h"
#include "request.h"
#include "uapi.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/utsname.h>
#include <unistd.h>

#define PORT_TIMEOUT_MS 10000
#define CMDLINE_MAX 4096
/* What is to be replayed comes with the machine, so that nothing arrives from outside at an
 * instruction that nobody can foresee. */
#define REQUEST_FILE "/request"

/* There is no ACPI to power off with: under -no-reboot a reset ends the machine. */
static _Noreturn void power_off(void)
{
	for (;;) {
		reboot(RB_AUTOBOOT);
		pause();
	}
}

static int send_ready(int port, const struct machine *machine)
{
	static struct record record;
	static char cmdline[CMDLINE_MAX];
	struct utsname name;
	int i;

	uname(&name);
	file_read_line("/proc/cmdline", cmdline, sizeof(cmdline));
	record_begin(&record, "ready");
	record_int(&record, "version", 1);
	record_string(&record, "release", name.release);
	record_string(&record, "machine", name.machine);
	record_int(&record, "cpus", sysconf(_SC_NPROCESSORS_ONLN));
	record_int(&record, "memory_kb", file_read_key_kb("/proc/meminfo", "MemTotal"));
	record_int(&record, "uptime_us", clock_now_ns() / 1000);
	record_string(&record, "cmdline", cmdline);
	record_open(&record, "features", '{');
	for (i = 0; i < FEATURES; i++)
		record_bool(&record, machine_feature_name((enum machine_feature)i),
			    machine->features[i]);
	record_close(&record, '}');
	return record_send(&record, port);
}

/* Returns 0 for a request to run, 1 when the machine shall end, -errno after a bad line. */
static int read_request(struct port_reader *reader, struct request *request,
			struct problem *problem)
{
	char line[REQUEST_LINE_MAX + 1];
	int r;

	request_reset(request);
	while (request->state != REQUEST_RUN) {
		r = port_read_line(reader, line);
		if (r == 0)
			return 1;
		if (r < 0) {
			request->line++;
			return problem_set(problem, r, "%s", strerror(-r));
		}
		r = request_feed(request, line, problem);
		if (r)
			return r;
		if (request->state == REQUEST_POWEROFF)
			return 1;
	}
	return 0;
}

static void serve(int port, int request_file, const struct machine *machine)
{
	static struct port_reader reader;
	static struct request request;
	struct problem problem;
	int r;

	reader.file = request_file >= 0;
	reader.fd = reader.file ? request_file : port;
	for (;;) {
		r = read_request(&reader, &request, &problem);
		if (r > 0)
			return;
		if (r < 0) {
			(void)ktap_line(port, "Bail out! request line %u: %s", request.line,
					problem.text);
			return;
		}
		r = case_run_all(port, &request, machine, &problem);
		if (r) {
			(void)ktap_line(port, "Bail out! %s", problem.text);
			return;
		}
	}
}

int main(void)
{
	static struct machine machine;
	sigset_t chld;
	int port, request_file;

	/* child_run() waits for SIGCHLD instead of handling it */
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);

	/* a case that makes memory scarce must not swap out who judges it, nor be charged with it */
	(void)mlockall(MCL_CURRENT | MCL_FUTURE | UAPI_MCL_ONFAULT);
	machine_mount();
	(void)kmsg_open();
	machine_tune();
	/* now, so that a snapshot of the waiting machine has them */
	kallsyms_prefetch();
	point_prepare();
	machine_probe(&machine);
	request_file = open(REQUEST_FILE, O_RDONLY | O_CLOEXEC);
	port = port_open(PORT_TIMEOUT_MS);
	if (port < 0) {
		kmsg_mark("no-port", 0, 0);
		power_off();
	}
	if (send_ready(port, &machine))
		kmsg_mark("no-ready", 0, 0);
	else
		serve(port, request_file, &machine);
	power_off();
}
