/* SPDX-License-Identifier: MIT */
#include "selftest.h"

#include "clock.h"
#include "fileio.h"
#include "kmsg.h"
#include "ktap.h"
#include "request.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MAX 16
#define SELFTEST_PIECE_MAX 4096 /* times six, when all of it is escaped, is below RECORD_MAX */
#define DEFAULT_DEADLINE_MS 120000
/* How often the end of the program is looked for while it says nothing. */
#define TICK_MS 50
#define MIB_PER_HUGE_PAGE 2

struct selftest {
	const char *name, *program, *arguments;
	int huge_mib;
	uint32_t deadline_ms;
};

static const struct selftest table[] = {
#define SELFTEST(name, program, arguments, huge_mib, deadline_s) \
	{ name, program, arguments, huge_mib, (deadline_s)*1000u },
#include "selftests.def"
};

static const struct selftest *find_known(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (!strcmp(table[i].name, name))
			return &table[i];
	return NULL;
}

const struct scenario_row *selftest_find(const char *name)
{
	static char copy[REQUEST_SCENARIO_MAX];
	static struct scenario_row row;
	const struct selftest *known;
	size_t prefix = strlen(SELFTEST_PREFIX);

	if (strncmp(name, SELFTEST_PREFIX, prefix) || !name[prefix] || strlen(name) >= sizeof(copy))
		return NULL;
	memmove(copy, name, strlen(name) + 1);
	known = find_known(copy + prefix);
	row = (struct scenario_row){
		.name = copy,
		.kind = SCENARIO_SELFTEST,
		.allowed_errnos = "",
		.deadline_ms = known ? known->deadline_ms : DEFAULT_DEADLINE_MS,
		.needs = "",
		.function = scenario_selftest,
	};
	return &row;
}

struct selftest_run *selftest_last(void)
{
	static struct selftest_run *run;

	if (!run) {
		void *memory = mmap(NULL, sizeof(*run), PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

		if (memory == MAP_FAILED)
			return NULL;
		run = memory;
	}
	return run;
}

int selftest_words(char *program, char *arguments, char **words, int max)
{
	char *word;
	int n = 0;

	words[n++] = program;
	while (arguments && (word = strsep(&arguments, " ")) != NULL && n < max - 1)
		if (*word)
			words[n++] = word;
	words[n] = NULL;
	return n;
}

/* What the programs take for granted, besides what machine_mount() made. */
static bool set_up(struct scenario *s, const struct selftest *test)
{
	char pages[16];

	(void)mkdir("/dev/shm", 01777);
	(void)mount("tmpfs", "/dev/shm", "tmpfs", 0, NULL); /* once is enough */
	/* they sleep on purpose, and some of them uninterruptibly; absent in some kernels */
	if (file_exists("/proc/sys/kernel/hung_task_timeout_secs") &&
	    !scenario_setting(s, "/proc/sys/kernel/hung_task_timeout_secs", "60"))
		return false;
	/* without huge pages it is the program that decides what there is left to test */
	if (test->huge_mib < 0 || !file_exists("/proc/sys/vm/nr_hugepages"))
		return true;
	snprintf(pages, sizeof(pages), "%d", test->huge_mib / MIB_PER_HUGE_PAGE);
	return scenario_setting(s, "/proc/sys/vm/nr_hugepages", pages);
}

static _Noreturn void become(struct scenario *s, const struct selftest *test, int output)
{
	char path[sizeof(SELFTEST_DIR) + REQUEST_SCENARIO_MAX], arguments[128];
	char *words[WORDS_MAX];
	char *environment[] = { "PATH=/bin", "HOME=/tmp", "LC_ALL=C", NULL };
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	snprintf(path, sizeof(path), SELFTEST_DIR "%s", test->program);
	snprintf(arguments, sizeof(arguments), "%s", test->arguments);
	selftest_words(path, arguments, words, WORDS_MAX);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
	    dup2(output, STDERR_FILENO) < 0 || chdir(SELFTEST_DIR))
		_exit(127);
	/* fail-nth and make-it-fail are the task's and survive exec, unlike the open files */
	if (fault_arm_open(&s->point->fault, 0) || fault_arm_now(&s->point->fault))
		_exit(127);
	execve(path, words, environment);
	_exit(127);
}

static void keep(struct selftest_run *run, const char *text, size_t length)
{
	size_t room = sizeof(run->output) - run->length;
	size_t n = length < room ? length : room;
	size_t i;

	for (i = 0; i < n; i++) /* a zero would end the record's string */
		run->output[run->length + i] = text[i] ? text[i] : ' ';
	/* last, so that a process that dies leaves whole bytes only */
	run->length += (uint32_t)n;
	run->dropped += (uint32_t)(length - n);
}

/* Reads until the program has ended, and then what is left: its children may keep the pipe open. */
static void read_output(struct selftest_run *run, int fd, pid_t pid)
{
	static char text[4096];

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		siginfo_t info = { .si_pid = 0 };
		bool ended = !waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) &&
			     info.si_pid;
		ssize_t n;

		if (poll(&p, 1, ended ? 0 : TICK_MS) <= 0) {
			if (ended)
				return;
			continue;
		}
		n = read(fd, text, sizeof(text));
		if (n > 0)
			keep(run, text, (size_t)n);
		else if (n == 0 || errno != EINTR)
			break;
	}
	/* the pipe is closed: only the end is still to come */
	(void)waitid(P_PID, (id_t)pid, &(siginfo_t){ 0 }, WEXITED | WNOWAIT);
}

static void reap(struct scenario *s, struct selftest_run *run, pid_t pid)
{
	int status = 0;

	/* while /proc/PID is there */
	fault_arm_collect(&s->point->fault, pid);
	s->point->duration_us = (clock_now_ns() - s->started_ns) / 1000;
	s->point->phase = POINT_DISARMED;
	kmsg_mark("disarmed", s->id, s->nth);
	waitpid(pid, &status, 0);
	run->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	run->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	run->ended = true;
}

static void run_program(struct scenario *s, const struct selftest *test, struct selftest_run *run)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC)) {
		scenario_check(s, "harness.pipe", false, "%s", strerror(errno));
		return;
	}
	if (vmstat_read(&s->point->before))
		s->point->before.count = 0;
	kmsg_mark("armed", s->id, s->nth);
	s->point->phase = POINT_ARMED;
	s->started_ns = clock_now_ns();
	pid = fork();
	if (!pid)
		become(s, test, fds[1]);
	close(fds[1]);
	if (pid < 0) {
		scenario_check(s, "harness.fork", false, "%s", strerror(errno));
	} else {
		s->point->armed_pid = pid;
		run->started = true;
		read_output(run, fds[0], pid);
		reap(s, run, pid);
	}
	close(fds[0]);
}

/* One record holds a piece, however much of it has to be escaped. */
static int send_piece(struct record *record, int port, uint32_t id, uint32_t nth, const char *text,
		      size_t length)
{
	char piece[SELFTEST_PIECE_MAX + 1];

	memcpy(piece, text, length);
	piece[length] = '\0';
	record_begin(record, "output");
	record_int(record, "id", id);
	record_int(record, "nth", nth);
	record_string(record, "text", piece);
	return record_send(record, port);
}

int selftest_send_output(struct record *record, int port, uint32_t id, uint32_t nth)
{
	const struct selftest_run *run = selftest_last();
	uint32_t length, at = 0;
	int r = 0;

	if (!run)
		return 0;
	length = run->length < sizeof(run->output) ? run->length : sizeof(run->output);
	while (at < length && !r) {
		uint32_t n = length - at < SELFTEST_PIECE_MAX ? length - at : SELFTEST_PIECE_MAX;
		uint32_t i = n;

		/* whole lines, so that no character of UTF-8 is cut */
		while (i > 0 && run->output[at + i - 1] != '\n')
			i--;
		if (i)
			n = i;
		r = send_piece(record, port, id, nth, run->output + at, n);
		at += n;
	}
	return r;
}

void selftest_put(struct record *record)
{
	const struct selftest_run *run = selftest_last();

	if (!run || !run->started)
		return;
	record_open(record, "program", '{');
	record_bool(record, "ended", run->ended);
	if (run->ended && run->signal)
		record_int(record, "signal", run->signal);
	else if (run->ended)
		record_int(record, "exit", run->exit_status);
	record_int(record, "dropped", run->dropped);
	record_close(record, '}');
}

void scenario_selftest(struct scenario *s)
{
	const char *name = s->row->name + strlen(SELFTEST_PREFIX);
	const struct selftest *known = find_known(name);
	const struct selftest plain = { name, name, "", -1, 0 };
	const struct selftest *test = known ? known : &plain;
	struct selftest_run *run = selftest_last();
	char path[sizeof(SELFTEST_DIR) + REQUEST_SCENARIO_MAX];

	if (!run) {
		scenario_check(s, "harness.memory", false, "no memory for the output");
		return;
	}
	snprintf(path, sizeof(path), SELFTEST_DIR "%s", test->program);
	if (access(path, X_OK)) {
		scenario_skip(s, "kconfig", "the machine has no program %s", test->program);
		return;
	}
	if (set_up(s, test))
		run_program(s, test, run);
}
