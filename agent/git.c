// SPDX-License-Identifier: MIT
#include "agent/git.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/limits.h"
#include "lib/proc.h"

#define ARGS_MAX 64
#define OUTPUT_MAX ((size_t)8 << 20) /* a fetch writes some thousand counters */

/* ---- what git says ------------------------------------------------------------------------- */

struct progress {
	const struct engine_watch *watch;
	enum engine_phase phase;
	struct buf line;
	char problem[160]; /* the last line that is an error */
};

/* "Receiving objects:  45% (123/456), 1.2 MiB": counters are progress, the rest is the log. */
static void git_line(struct progress *p, const char *line, size_t len)
{
	CLEANUP(free_p) char *s = NULL;
	const char *text, *paren;
	char what[64];
	int done, total;

	while (len && isspace((unsigned char)line[len - 1]))
		len--;
	if (!len)
		return;
	s = str_printable(line, len);
	text = str_starts(s, "remote: ") ? s + 8 : s;
	paren = strchr(text, '(');
	if (strchr(text, '%') && paren && sscanf(paren, "(%d/%d)", &done, &total) == 2) {
		snprintf(what, sizeof(what), "%.*s", (int)strcspn(text, ":"), text);
		if (p->watch && p->watch->progress)
			p->watch->progress(p->watch->arg, p->phase, done, total, what);
		return;
	}
	if (str_starts(s, "fatal: ") || str_starts(s, "error: "))
		snprintf(p->problem, sizeof(p->problem), "%s", s + 7);
	if (p->watch && p->watch->log) {
		p->watch->log(p->watch->arg, s, strlen(s));
		p->watch->log(p->watch->arg, "\n", 1);
	}
}

static void git_output(void *arg, const char *data, size_t len)
{
	struct progress *p = arg;

	for (size_t i = 0; i < len; i++) {
		if (data[i] != '\n' && data[i] != '\r') {
			if (p->line.len < LIMIT_TEXT_LEN)
				buf_char(&p->line, data[i]);
			continue;
		}
		git_line(p, buf_cstr(&p->line), p->line.len);
		buf_reset(&p->line);
	}
}

static bool git_cancelled(void *arg)
{
	const struct progress *p = arg;

	return p->watch && p->watch->cancelled && p->watch->cancelled(p->watch->arg);
}

static int git_problem(const struct progress *p, const char *what, int status, struct error *err)
{
	char text[64];
	int r = -EIO;

	if (strstr(p->problem, "No space left"))
		r = -ENOSPC;
	else if (strstr(p->problem, "not our ref") || strstr(p->problem, "remote ref"))
		r = -ENOENT;
	return error_set(err, r, "git %s: %s", what,
			 *p->problem ? p->problem : proc_status_text(status, text));
}

/* ---- running git --------------------------------------------------------------------------- */

/* Nothing of the host's or a user's git configuration applies; a proxy does. */
static const char *const base_env[] = {
	"GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_NOSYSTEM=1",  "GIT_CONFIG_GLOBAL=/dev/null",
	"GIT_ATTR_NOSYSTEM=1",	 "GIT_ASKPASS=/bin/false", "GIT_NO_REPLACE_OBJECTS=1",
	"GIT_OPTIONAL_LOCKS=0",	 "GIT_PROGRESS_DELAY=0",   "LC_ALL=C",
	"GIT_ADVICE=0",
};

static const char *const passed_env[] = {
	"PATH",	    "http_proxy",    "https_proxy",  "all_proxy",
	"no_proxy", "HTTP_PROXY",    "HTTPS_PROXY",  "ALL_PROXY",
	"NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO",
};

static const char *const base_args[] = {
	"git",
	"-c",
	"protocol.allow=never",
	"-c",
	"protocol.http.allow=always",
	"-c",
	"protocol.https.allow=always",
	"-c",
	"core.hooksPath=/dev/null",
	"-c",
	"core.attributesFile=/dev/null",
	"-c",
	"core.excludesFile=/dev/null",
	"-c",
	"core.fsmonitor=false",
	"-c",
	"submodule.recurse=false",
	/* A token must not follow to where somebody sends us. */
	"-c",
	"http.followRedirects=false",
	"-c",
	"gc.auto=0",
	"-c",
	"maintenance.auto=false",
	"-c",
	"checkout.workers=0",
	"-c",
	"advice.detachedHead=false",
	"-c",
	"http.lowSpeedLimit=1000",
	"-c",
	"http.lowSpeedTime=120",
};

int git_run(const struct git *g, enum engine_phase phase, int64_t timeout_ms,
	    const char *const *args, struct error *err)
{
	CLEANUP(free_p) char *home = xasprintf("HOME=%s", g->dir);
	CLEANUP(free_p) char *dir = xasprintf("GIT_DIR=%s", g->dir);
	CLEANUP(free_p) char *tree = xasprintf("GIT_WORK_TREE=%s", g->tree);
	CLEANUP(free_p) char *index = xasprintf("GIT_INDEX_FILE=%s", g->index);
	/* In the environment, because arguments are for everybody to read. */
	CLEANUP(free_p)
	char *auth = g->token ? xasprintf("GIT_CONFIG_VALUE_0=Authorization: Bearer %s", g->token)
			      : NULL;
	char *passed[ARRAY_SIZE(passed_env)] = { NULL };
	const char *argv[ARGS_MAX], *env[ARGS_MAX];
	struct progress p = { .watch = g->watch, .phase = phase };
	struct proc_spec spec = { .argv = argv, .env = env, .cwd = g->tree };
	const struct proc_run_opts run = { .timeout_ms = timeout_ms,
					   .output_max_bytes = OUTPUT_MAX,
					   .on_output = git_output,
					   .cancelled = git_cancelled,
					   .arg = &p };
	size_t n = 0, e = 0;
	int status, r;

	for (size_t i = 0; i < ARRAY_SIZE(base_args); i++)
		argv[n++] = base_args[i];
	if (g->allow_local) {
		argv[n++] = "-c";
		argv[n++] = "protocol.file.allow=always";
	}
	for (size_t i = 0; args[i] && n < ARGS_MAX - 1; i++)
		argv[n++] = args[i];
	argv[n] = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(base_env); i++)
		env[e++] = base_env[i];
	for (size_t i = 0; i < ARRAY_SIZE(passed_env); i++) {
		const char *value = getenv(passed_env[i]);

		if (value)
			env[e++] = passed[i] = xasprintf("%s=%s", passed_env[i], value);
	}
	env[e++] = home;
	env[e++] = dir;
	env[e++] = tree;
	env[e++] = index;
	if (auth) {
		env[e++] = "GIT_CONFIG_COUNT=1";
		env[e++] = "GIT_CONFIG_KEY_0=http.extraHeader";
		env[e++] = auth;
	}
	env[e] = NULL;
	r = proc_run(&spec, &run, &status, err);
	if (p.line.len)
		git_line(&p, buf_cstr(&p.line), p.line.len);
	if (r < 0)
		r = error_wrap(err, r, "git %s", args[0]);
	else if (!WIFEXITED(status) || WEXITSTATUS(status))
		r = git_problem(&p, args[0], status, err);
	buf_free(&p.line);
	for (size_t i = 0; i < ARRAY_SIZE(passed); i++)
		free(passed[i]);
	return r;
}
