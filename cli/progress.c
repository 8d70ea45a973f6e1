// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/cli.h"
#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/clock.h"
#include "lib/limits.h"

#define BAR 24
#define REDRAW_US (100 * US_PER_MS)

static struct {
	bool shown; /* a bar stands on the terminal's line */
	char phase[32];
	int64_t drawn_at, began_at, started_at;
} state;

static int columns(void)
{
	struct winsize ws;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) || ws.ws_col < 20)
		return 80;
	return ws.ws_col;
}

static void draw(const char *phase, int done, int total, const char *what)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	CLEANUP(free_p) char *text = str_printable(what ? what : "", strlen(what ? what : ""));
	int64_t s = (clock_mono_us() - state.began_at) / US_PER_S;
	int fill = total > 0 ? (int)((long long)done * BAR / total) : 0;
	int used;

	if (fill > BAR)
		fill = BAR;
	buf_printf(&b, "%-8s [", phase);
	for (int i = 0; i < BAR; i++)
		buf_char(&b, i < fill ? '#' : '.');
	if (total > 0)
		buf_printf(&b, "] %d/%d %lld:%02lld ", done, total, (long long)s / 60,
			   (long long)s % 60);
	else
		buf_printf(&b, "] %d %lld:%02lld ", done, (long long)s / 60, (long long)s % 60);
	used = (int)b.len;
	if (used < columns() - 1)
		buf_printf(&b, "%.*s", columns() - 1 - used, text);
	fprintf(stderr, "\r\033[K%s", buf_cstr(&b));
	fflush(stderr);
	state.shown = true;
}

void progress_show(const char *phase, int done, int total, const char *what)
{
	bool same = !strcmp(state.phase, phase);
	int64_t now = clock_mono_us();

	if (!same) {
		snprintf(state.phase, sizeof(state.phase), "%s", phase);
		state.began_at = now;
	}
	if (!isatty(STDERR_FILENO)) {
		if (!same)
			fprintf(stderr, "faultline: %s\n", phase);
		return;
	}
	if (same && now - state.drawn_at < REDRAW_US && done != total)
		return;
	state.drawn_at = now;
	draw(phase, done, total, what);
}

void progress_found(const struct result *r)
{
	static bool known[REASON_COUNT];
	CLEANUP(free_p) char *detail = NULL;
	char title[LIMIT_NAME_LEN];

	/* A closing result says what its points have said. */
	if (r->status != STATUS_FAIL || r->closing || known[r->reason])
		return;
	known[r->reason] = true;
	result_title(r, title, sizeof(title));
	if (r->detail && *r->detail)
		detail = str_printable(r->detail, strlen(r->detail));
	if (state.shown)
		fputs("\r\033[K", stderr);
	fprintf(stderr, "faultline: after %.1f s: FAIL %s: %s%s%s\n",
		(double)(clock_mono_us() - state.started_at) / US_PER_S, reason_name(r->reason),
		title, detail ? ": " : "", detail ? detail : "");
	state.shown = false;
}

void progress_start(void)
{
	state.started_at = clock_mono_us();
}

void progress_end(void)
{
	if (state.shown)
		fputs("\r\033[K", stderr);
	state.shown = false;
	state.phase[0] = '\0';
}
