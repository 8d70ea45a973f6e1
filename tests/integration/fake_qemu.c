/* SPDX-License-Identifier: MIT */
/*
 * fake_qemu: stands where QEMU would, so that every way a machine can misbehave is played on
 * purpose and in milliseconds. FAULTLINE_QEMU names it; the engine cannot tell.
 *
 * The "kernel" it is given is the script: one command a line. The first line is "#fake", other lines with "#" are comments. What the
 * engine hands over is used as QEMU would: descriptor 0 is the results channel, 1 the console, 3
 * the monitor.
 *
 *   snapshots             (first) has a monitor by which it can be snapshotted
 *   ready                 the ready record; a restored machine begins behind it
 *   restored COMMAND      COMMAND only in a restored machine
 *   console TEXT          one line on the console
 *   panic TEXT            the lines of an oops in TEXT and the panic that follows
 *   record TEXT           one raw line on the results channel
 *   flood                 console output until killed
 *   await                 reads a request and says nothing
 *   hang                  nothing more, until killed
 *   exit N                ends with this status; "crash" is exit 0, as after a reset
 *   kill                  ends by SIGKILL
 *   once FILE COMMAND     COMMAND only while FILE (beside the script) does not exist; makes it
 *   serve K               answers requests as a good guest: sweeps with K points, marks and all
 *   die SCENARIO N TEXT   (before serve) dies in point N of that scenario, TEXT as the oops
 *   chance PERCENT        (before serve) dies in only so many of a hundred such points
 *   skip                  (before serve) answers every case with predeposit
 *   killin SCENARIO       (before serve) ends by SIGKILL in the middle of that scenario
 *   slow SCENARIO         (before serve) takes a tenth of a second for that scenario
 *   metric SCENARIO NAME UNIT VALUE PERCENT
 *                         (before serve) measures that value in SCENARIO, so much from run to run
 *   stuck SCENARIO        (before serve) reports SCENARIO as unkillable and bails out
 * Without a last word it ends with status 0.
 */
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FAKE_CASES 512
#define FAKE_METRICS 16

struct fake_case {
	long id;
	char scenario[80], mode[16];
	int from, points, nth;
};

struct fake_metric {
	char scenario[80], name[80], unit[20];
	double value, percent;
};

static struct {
	const char *script;
	struct fake_metric metrics[FAKE_METRICS];
	int n_metrics;
	char die_scenario[80], die_text[200], stuck[80], killin[80], slow[80];
	int die_nth, chance;
	bool skip;
	bool monitor, served, restored; /* has a monitor; it is served; was restored */
	FILE *in;
} fake = { .chance = 100 };

static void say(int fd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(int fd, const char *fmt, ...)
{
	char line[4096];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	for (int at = 0; at < n;) {
		ssize_t w = write(fd, line + at, (size_t)(n - at));

		if (w <= 0)
			_exit(3);
		at += (int)w;
	}
}

static void mark(const char *what, long id, int nth)
{
	say(1, "[    1.000000] faultline: %s id=%ld nth=%d\n", what, id, nth);
}

static void die(const char *text)
{
	say(1, "[    1.500000] ------------[ cut here ]------------\n");
	say(1, "[    1.500000] kernel BUG at mm/huge_memory.c:2222!\n");
	say(1, "[    1.500000] Oops: invalid opcode: 0000 [#1] PREEMPT SMP\n");
	say(1, "[    1.500000] RIP: 0010:%s+0x1a/0x40\n", text);
	say(1, "[    1.500000] Call Trace:\n[    1.500000]  <TASK>\n");
	say(1, "[    1.500000]  __split_huge_pmd+0x10/0x20\n[    1.500000]  </TASK>\n");
	say(1, "[    1.500000] ---[ end trace 0000000000000000 ]---\n");
	say(1, "[    1.500000] Kernel panic - not syncing: Fatal exception\n");
	_exit(0);
}

static void injection(void)
{
	say(1, "[    1.200000] FAULT_INJECTION: forcing a failure.\n"
	       "name fail_page_alloc, interval 1, probability 100, space 0, times 1\n"
	       "[    1.200000] CPU: 0 UID: 0 PID: 57 Comm: split Not tainted 6.12.117 #1\n"
	       "[    1.200000] Call Trace:\n[    1.200000]  <TASK>\n"
	       "[    1.200000]  dump_stack_lvl+0x53/0x70\n[    1.200000]  should_fail_ex+0x1/0x2\n"
	       "[    1.200000]  pte_alloc_one+0x1/0x20\n"
	       "[    1.200000]  __split_huge_pmd+0x10/0x200\n"
	       "[    1.200000]  do_syscall_64+0x1/0x2\n[    1.200000]  </TASK>\n");
}

static unsigned int draw(void)
{
	unsigned int drawn = 0;

	if (getentropy(&drawn, sizeof(drawn)))
		_exit(3);
	return drawn;
}

static bool unlucky(void)
{
	return (int)(draw() % 100) < fake.chance;
}

/* Nearly normal, with mean 0 and deviation 1: the sum of twelve that are even. */
static double noise(void)
{
	double sum = -6;

	for (int i = 0; i < 12; i++)
		sum += draw() / 4294967296.0;
	return sum;
}

/* The member "metrics" of a result, or nothing. */
static const char *metrics(const struct fake_case *c)
{
	static char text[FAKE_METRICS * 250];
	int n = 0;

	*text = '\0';
	for (int i = 0; i < fake.n_metrics; i++) {
		const struct fake_metric *m = &fake.metrics[i];

		if (strcmp(m->scenario, c->scenario) != 0)
			continue;
		n += snprintf(text + n, sizeof(text) - (size_t)n,
			      "%s{\"name\":\"%s\",\"value\":%.17g,\"unit\":\"%s\"}",
			      n ? "," : "\"metrics\":[", m->name,
			      m->value * (1 + m->percent / 100 * noise()), m->unit);
	}
	if (n)
		snprintf(text + n, sizeof(text) - (size_t)n, "],");
	return text;
}

/* What only the tests of the kernel's own tests report: the program passed. */
static const char *program(const struct fake_case *c)
{
	return strncmp(c->scenario, "selftests.", strlen("selftests.")) == 0
		       ? "\"program\":{\"ended\":true,\"exit\":0,\"dropped\":0},"
		       : "";
}

static void point(const struct fake_case *c, int nth, int injected, bool last)
{
	say(0, "# faultline {\"type\":\"begin\",\"id\":%ld,\"nth\":%d}\n", c->id, nth);
	if (fake.skip) {
		say(0,
		    "# faultline {\"type\":\"result\",\"id\":%ld,\"nth\":%d,\"outcome\":\"skip\","
		    "\"skip\":\"predeposit\",\"detail\":\"allocates nothing\"}\n",
		    c->id, nth);
		return;
	}
	mark("begin", c->id, nth);
	mark("armed", c->id, nth);
	if (strcmp(c->scenario, fake.die_scenario) == 0 && nth == fake.die_nth && unlucky()) {
		injection();
		die(fake.die_text);
	}
	if (strcmp(c->scenario, fake.killin) == 0)
		raise(SIGKILL);
	if (injected)
		injection();
	if (strcmp(c->scenario, fake.stuck) == 0) {
		say(0,
		    "# faultline {\"type\":\"result\",\"id\":%ld,\"nth\":%d,"
		    "\"outcome\":\"timeout\",\"detail\":\"stuck\",\"injected\":%d,"
		    "\"stuck\":{\"state\":\"D\",\"killed\":false,\"wchan\":\"f\","
		    "\"stack\":[]}}\nBail out! id=%ld unkillable\n",
		    c->id, nth, injected, c->id);
		for (;;)
			pause();
	}
	if (strcmp(c->scenario, fake.slow) == 0)
		usleep(100000);
	mark("disarmed", c->id, nth);
	mark("end", c->id, nth);
	say(0,
	    "# faultline {\"type\":\"result\",\"id\":%ld,\"nth\":%d,\"outcome\":\"done\","
	    "\"injected\":%d,\"hits\":%d,\"errno\":%d,%s%s%s\"checks\":[{\"name\":\"data.pattern\","
	    "\"ok\":true,\"detail\":\"\"}],\"counters\":{\"thp_split_pmd_failed\":"
	    "{\"before\":0,\"after\":%d}},\"duration_us\":10}\n",
	    c->id, nth, injected, injected, injected ? 12 : 0, last ? "\"last\":true," : "",
	    program(c), metrics(c), injected);
}

/* A machine that was given its own initramfs has its request in there. */
static FILE *request_on_board(const char *initramfs)
{
	static const char head[] = "faultline-request 1\n";
	static char data[1 << 16];
	FILE *f = fopen(initramfs, "re");
	size_t n = f ? fread(data, 1, sizeof(data), f) : 0;
	char *at = memmem(data, n, head, strlen(head));

	if (f)
		fclose(f);
	return at ? fmemopen(at, n - (size_t)(at - data), "r") : NULL;
}

/* Returns how many points there were. */
static int serve_case(const struct fake_case *c, int points)
{
	int n;

	if (strcmp(c->mode, "sweep") != 0) {
		point(c, strcmp(c->mode, "nth") == 0 ? c->nth : 0, strcmp(c->mode, "none") != 0,
		      false);
		return 1;
	}
	for (n = c->from; n <= points && !fake.skip; n++) {
		point(c, n, 1, false);
		if (n - c->from + 1 == c->points)
			return c->points;
	}
	point(c, n, 0, !fake.skip);
	return n - c->from + 1;
}

/* Returns how many cases there are. */
static int read_request(struct fake_case *cases, bool *ret_skips_only)
{
	char line[1100];
	int n = 0;

	while (fgets(line, sizeof(line), fake.in)) {
		struct fake_case *c = &cases[n];

		*ret_skips_only = strcmp(line, "skips\n") == 0;
		if (*ret_skips_only || strcmp(line, "run\n") == 0)
			return n;
		if (strcmp(line, "poweroff\n") == 0)
			exit(0);
		if (n < FAKE_CASES &&
		    sscanf(line,
			   "case id=%ld scenario=%79s site=%*s within=%*s facility=%*s mode=%15s "
			   "from=%d points=%d times=%*d nth=%d",
			   &c->id, c->scenario, c->mode, &c->from, &c->points, &c->nth) == 6)
			n++;
	}
	exit(0);
}

static void serve(int points)
{
	static struct fake_case cases[FAKE_CASES];

	for (;;) {
		bool skips_only;
		int n = read_request(cases, &skips_only);

		say(0, "KTAP version 1\n1..%d\n", n);
		say(0,
		    "# faultline {\"type\":\"calibration\",\"site\":\"pte_alloc_one\","
		    "\"splits\":1,\"hits\":%d,\"allocates\":%s}\n",
		    fake.skip ? 0 : 1, fake.skip ? "false" : "true");
		for (int i = 0; i < n; i++) {
			int k = skips_only && !fake.skip ? 0 : serve_case(&cases[i], points);

			say(0, "ok %d %s # %d points\n", i + 1, cases[i].scenario, k);
		}
		say(0, "# faultline {\"type\":\"end\"}\n");
	}
}

static void flood(void)
{
	for (;;)
		say(1, "[    2.000000] mm: the same line again and again and again\n");
}

static void run_command(const char *cmd);

static void run_once(const char *rest)
{
	char name[100], path[600];
	int used = 0;
	FILE *f;

	if (sscanf(rest, "%99s %n", name, &used) != 1)
		exit(9);
	snprintf(path, sizeof(path), "%s.%s", fake.script, name);
	f = fopen(path, "wx");
	if (!f)
		return;
	fclose(f);
	run_command(rest + used);
}

/* Waits for a request, so that what follows happens in answer to it. */
static void await_request(void)
{
	static struct fake_case cases[FAKE_CASES];
	bool skips_only;

	(void)read_request(cases, &skips_only);
}

/* Says yes to everything, and that every migration is complete. */
static void *monitor_main(void *arg)
{
	FILE *in = fdopen(3, "r");
	char line[1000];

	(void)arg;
	say(3, "{\"QMP\":{\"version\":{},\"capabilities\":[]}}\r\n");
	while (in && fgets(line, sizeof(line), in)) {
		say(3, "{\"event\":\"ANYTHING\",\"data\":{}}\r\n");
		say(3, "{\"return\":{%s}}\r\n",
		    strstr(line, "query-migrate") ? "\"status\":\"completed\"" : "");
	}
	return NULL;
}

static void monitor_start(void)
{
	pthread_t thread;

	fake.served = true;
	if (fake.monitor && !fake.restored && pthread_create(&thread, NULL, monitor_main, NULL))
		exit(9);
}

/* In a restored machine all of the script before "ready" has happened. */
static bool has_happened(const char *cmd)
{
	static bool ready;

	if (!fake.restored || ready)
		return false;
	ready = strcmp(cmd, "ready") == 0;
	return strcmp(cmd, "snapshots") != 0;
}

static bool add_metric(const char *cmd)
{
	struct fake_metric *m = &fake.metrics[fake.n_metrics];

	if (fake.n_metrics == FAKE_METRICS ||
	    sscanf(cmd, "metric %79s %79s %19s %lf %lf", m->scenario, m->name, m->unit, &m->value,
		   &m->percent) != 5)
		return false;
	fake.n_metrics++;
	return true;
}

static void run_command(const char *cmd)
{
	int n;

	if (strcmp(cmd, "ready") == 0)
		say(0,
		    "# faultline {\"type\":\"ready\",\"version\":1,\"release\":\"6.12.0-fake\"}\n");
	else if (strncmp(cmd, "console ", 8) == 0)
		say(1, "[    0.100000] %s\n", cmd + 8);
	else if (strncmp(cmd, "panic ", 6) == 0)
		die(cmd + 6);
	else if (strncmp(cmd, "record ", 7) == 0)
		say(0, "%s\n", cmd + 7);
	else if (strcmp(cmd, "await") == 0)
		await_request();
	else if (strcmp(cmd, "flood") == 0)
		flood();
	else if (strcmp(cmd, "hang") == 0)
		for (;;)
			pause();
	else if (sscanf(cmd, "exit %d", &n) == 1)
		exit(n);
	else if (strcmp(cmd, "crash") == 0)
		exit(0);
	else if (strcmp(cmd, "kill") == 0)
		raise(SIGKILL);
	else if (strcmp(cmd, "snapshots") == 0)
		monitor_start();
	else if (strncmp(cmd, "restored ", 9) == 0 && fake.restored)
		run_command(cmd + 9);
	else if (strncmp(cmd, "once ", 5) == 0)
		run_once(cmd + 5);
	else if (sscanf(cmd, "serve %d", &n) == 1)
		serve(n);
	else if (sscanf(cmd, "die %79s %d %199[^\n]", fake.die_scenario, &fake.die_nth,
			fake.die_text) == 3)
		return;
	else if (sscanf(cmd, "chance %d", &fake.chance) == 1)
		return;
	else if (strcmp(cmd, "skip") == 0)
		fake.skip = true;
	else if (!add_metric(cmd) && sscanf(cmd, "killin %79s", fake.killin) != 1 &&
		 sscanf(cmd, "stuck %79s", fake.stuck) != 1 &&
		 sscanf(cmd, "slow %79s", fake.slow) != 1 && strncmp(cmd, "restored ", 9) != 0)
		exit(9);
}

int main(int argc, char **argv)
{
	char line[4096];
	FILE *f;

	if (argc > 1 && strcmp(argv[1], "--version") == 0) {
		puts("QEMU emulator version 7.2.99 (fake)");
		return 0;
	}
	for (int i = 1; i + 1 < argc; i++) {
		if (strcmp(argv[i], "-kernel") == 0)
			fake.script = argv[i + 1];
		if (strcmp(argv[i], "-initrd") == 0 && !strncmp(argv[i + 1], "/proc/", 6))
			fake.in = request_on_board(argv[i + 1]);
		fake.restored |= strcmp(argv[i], "-incoming") == 0;
		fake.monitor |= strcmp(argv[i], "-mon") == 0;
	}
	f = fake.script ? fopen(fake.script, "re") : NULL;
	if (!fake.in)
		fake.in = fdopen(0, "r");
	if (!f || !fake.in || !fgets(line, sizeof(line), f) || strcmp(line, "#fake\n") != 0) {
		fprintf(stderr, "fake_qemu: no script\n");
		return 1;
	}
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (*line && *line != '#' && !has_happened(line))
			run_command(line);
		if (fake.monitor && !fake.served)
			close(3);
	}
	return 0;
}
