// SPDX-License-Identifier: MIT
#include "server/gitcmd.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/clean.h"
#include "lib/path.h"
#include "lib/proc.h"
#include "server/tracker_range.h"
#include "server/url.h"

#define OUTPUT_MAX_BYTES (4 << 20) /* of ls-remote with a handful of names: some hundred bytes */

/* For our own processes and for what they start (upload-pack on a local path drops -c options).
 * Serving: objects are taken from packs as they are, new deltas are not searched for: agents
 * fetch once and nearby, their time counts more than bytes. */
static const char gitconfig[] = "[core]\n"
				"\thooksPath = /dev/null\n"
				"\tfsmonitor = false\n"
				"[safe]\n"
				"\tdirectory = *\n"
				"[gc]\n"
				"\tauto = 0\n"
				"[maintenance]\n"
				"\tauto = false\n"
				"[http]\n"
				"\tfollowRedirects = false\n"
				"\treceivepack = false\n"
				"[uploadpack]\n"
				"\tallowAnySHA1InWant = true\n"
				"\tallowFilter = true\n"
				"[pack]\n"
				"\twindow = 0\n"
				"\tcompression = 1\n"
				"\tthreads = 2\n"
				"[receive]\n"
				"\tfsckObjects = true\n"
				"[fetch]\n"
				"\twriteCommitGraph = false\n"
				"[advice]\n"
				"\tdetachedHead = false\n";

int gitcmd_setup(const char *root, struct error *err)
{
	CLEANUP(free_p) char *path = xasprintf("%s/gitconfig", root);
	int r = path_mkdirs(root, 0700, err);

	return r ? r : path_write_atomic(path, gitconfig, strlen(gitconfig), 0600, err);
}

/* Of our environment only what is needed to reach the network. */
static const char *const inherited[] = {
	"PATH",	       "HOME",	    "SSH_AUTH_SOCK", "https_proxy",   "http_proxy",
	"HTTPS_PROXY", "ALL_PROXY", "no_proxy",	     "SSL_CERT_FILE", "SSL_CERT_DIR",
};

char **gitcmd_env(const char *root, bool local, const char *const *extra)
{
	size_t n = 0, n_extra = 0;
	char **env;

	while (extra && extra[n_extra])
		n_extra++;
	env = xcalloc(ARRAY_SIZE(inherited) + n_extra + 10, sizeof(*env));
	for (size_t i = 0; i < ARRAY_SIZE(inherited); i++) {
		const char *value = getenv(inherited[i]);

		if (value)
			env[n++] = xasprintf("%s=%s", inherited[i], value);
	}
	env[n++] = xstrdup("LC_ALL=C");
	env[n++] = xstrdup("GIT_CONFIG_NOSYSTEM=1");
	env[n++] = xasprintf("GIT_CONFIG_GLOBAL=%s/gitconfig", root);
	env[n++] = xstrdup("GIT_TERMINAL_PROMPT=0");
	env[n++] = xstrdup("GIT_ASKPASS=/bin/false");
	env[n++] = xstrdup("GIT_SSH_COMMAND=ssh -oBatchMode=yes -oConnectTimeout=20");
	/* What an address may make git run; ext:: and file:// are never among them by default. */
	env[n++] = xasprintf("GIT_ALLOW_PROTOCOL=%s", local ? "file" : "https:http:git:ssh");
	for (size_t i = 0; i < n_extra; i++)
		env[n++] = xstrdup(extra[i]);
	return env;
}

void gitcmd_env_free(char **env)
{
	for (size_t i = 0; env && env[i]; i++)
		free(env[i]);
	free(env);
}

#define MAX_ARGS 300

struct args {
	const char *argv[MAX_ARGS];
	size_t n;
};

static void arg(struct args *a, const char *s)
{
	if (a->n < MAX_ARGS - 1)
		a->argv[a->n++] = s;
}

/* "git --git-dir=… ": the caller adds the rest. `dir_arg` must outlive the call. */
static void begin(struct args *a, const struct gitcmd *g, const char *dir_arg)
{
	memset(a, 0, sizeof(*a));
	arg(a, "git");
	arg(a, "-c");
	arg(a, g->fsck && !g->local ? "transfer.fsckObjects=true" : "transfer.fsckObjects=false");
	arg(a, "-c");
	arg(a, "protocol.allow=never");
	for (size_t i = 0; i < 4 && !g->local; i++) {
		static const char *const allowed[] = { "protocol.https.allow=always",
						       "protocol.http.allow=always",
						       "protocol.git.allow=always",
						       "protocol.ssh.allow=always" };

		arg(a, "-c");
		arg(a, allowed[i]);
	}
	if (g->local) {
		arg(a, "-c");
		arg(a, "protocol.file.allow=always");
	}
	if (dir_arg)
		arg(a, dir_arg);
}

static int run(const struct gitcmd *g, struct args *a, const char *what, struct buf *out,
	       struct error *err)
{
	char **env = gitcmd_env(g->root, g->local, NULL);
	CLEANUP(buf_free) struct buf words = BUF_INIT;
	CLEANUP(free_p) char *said = NULL;
	struct proc_spec spec = { .argv = a->argv,
				  .env = (const char *const *)env,
				  .cwd = g->root,
				  .stdin_fd = -1,
				  .stdout_fd = -1,
				  .stderr_fd = -1 };
	struct proc_run_opts opts = { .timeout_ms = g->timeout_ms,
				      .output_max_bytes = OUTPUT_MAX_BYTES,
				      .out = out,
				      .err_out = &words,
				      .cancelled = g->cancelled,
				      .arg = g->arg };
	int status = 0, r = proc_run(&spec, &opts, &status, err);
	char text[64];

	gitcmd_env_free(env);
	if (r)
		return error_wrap(err, r, "%s", what);
	if (!status)
		return 0;
	while (words.len && (words.data[words.len - 1] == '\n' || words.data[words.len - 1] == ' '))
		words.data[--words.len] = 0;
	/* The last words are the reason; what comes before is progress. */
	said = str_printable(words.len > 180 ? words.data + words.len - 180 : buf_cstr(&words),
			     words.len > 180 ? 180 : words.len);
	return error_set(err, -EIO, "%s: git: %s: %s", what, proc_status_text(status, text), said);
}

static int write_alternates(const char *dir, const char *url, struct error *err)
{
	CLEANUP(free_p) char *objects = NULL, *line = NULL, *path = NULL;
	int r = range_objects_dir(url, &objects, err);

	if (r)
		return error_wrap(err, r, "local repository '%s'", url);
	path = xasprintf("%s/objects/info/alternates", dir);
	line = xasprintf("%s\n", objects);
	return path_write_atomic(path, line, strlen(line), 0600, err);
}

static int make_bare(const struct gitcmd *g, const char *dir, const char *url, struct error *err)
{
	CLEANUP(free_p) char *tmp = xasprintf("%s.new", dir);
	struct args a;
	int r = path_remove_tree(tmp, err);

	if (r)
		return r;
	begin(&a, g, NULL);
	arg(&a, "init");
	arg(&a, "--bare");
	arg(&a, "--quiet");
	arg(&a, "--template=");
	arg(&a, tmp);
	r = run(g, &a, "making a repository", NULL, err);
	if (!r) {
		CLEANUP(free_p) char *info = xasprintf("%s/objects/info", tmp);

		r = path_mkdirs(info, 0700, err);
	}
	if (!r && g->local)
		r = write_alternates(tmp, url, err);
	if (!r && rename(tmp, dir))
		r = error_errno(err, -errno, "making a repository");
	return r;
}

int gitcmd_ensure(const struct gitcmd *g, const char *name, const char *url, char **ret_dir,
		  struct error *err)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	CLEANUP(free_p) char *dir = xasprintf("%s/%s.git", g->root, name);
	int r = 0;

	if (!path_name_is_safe(name))
		return error_set(err, -EINVAL, "'%s' is not a repository name", name);
	pthread_mutex_lock(&lock);
	if (!path_exists(dir))
		r = make_bare(g, dir, url, err);
	else if (g->local)
		r = write_alternates(dir, url, err); /* it may have moved */
	pthread_mutex_unlock(&lock);
	if (!r)
		*ret_dir = STEAL(dir);
	return r;
}

void remote_refs_free(struct remote_ref *refs, size_t n)
{
	for (size_t i = 0; refs && i < n; i++)
		free(refs[i].name);
	free(refs);
}

static int parse_refs(const struct buf *out, const char *const *names, size_t n,
		      struct remote_ref **ret, size_t *ret_n)
{
	struct remote_ref *refs = NULL;
	size_t count = 0, cap = 0;

	for (const char *s = buf_cstr(out); *s;) {
		size_t len = strcspn(s, "\n");
		const char *tab = memchr(s, '\t', len);

		for (size_t i = 0; tab && tab - s == 40 && i < n; i++) {
			if (strlen(names[i]) != len - 41 || memcmp(names[i], tab + 1, len - 41))
				continue;
			ARRAY_RESERVE(refs, count, cap);
			refs[count].name = xstrdup(names[i]);
			memcpy(refs[count].sha, s, 40);
			refs[count++].sha[40] = 0;
			break;
		}
		s += len + (s[len] == '\n');
	}
	*ret = refs;
	*ret_n = count;
	return 0;
}

int gitcmd_ls_remote(const struct gitcmd *g, const char *dir, const char *url,
		     const char *const *names, size_t n, struct remote_ref **ret, size_t *ret_n,
		     struct error *err)
{
	CLEANUP(free_p) char *dir_arg = xasprintf("--git-dir=%s", dir);
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	struct args a;
	int r;

	begin(&a, g, dir_arg);
	arg(&a, "ls-remote");
	arg(&a, "--quiet");
	arg(&a, "--");
	arg(&a, url);
	for (size_t i = 0; i < n; i++)
		arg(&a, names[i]);
	r = run(g, &a, "asking for branches", &out, err);
	return r ? r : parse_refs(&out, names, n, ret, ret_n);
}

int gitcmd_fetch(const struct gitcmd *g, const char *dir, const char *url,
		 const char *const *refspecs, size_t n, struct error *err)
{
	CLEANUP(free_p) char *dir_arg = xasprintf("--git-dir=%s", dir);
	struct args a;

	begin(&a, g, dir_arg);
	arg(&a, "fetch");
	arg(&a, "--quiet");
	arg(&a, "--no-tags");
	arg(&a, "--no-write-fetch-head");
	arg(&a, "--no-auto-maintenance");
	arg(&a, "--no-recurse-submodules");
	arg(&a, "--");
	arg(&a, url);
	for (size_t i = 0; i < n; i++)
		arg(&a, refspecs[i]);
	return run(g, &a, "fetching", NULL, err);
}

int gitcmd_update_ref(const struct gitcmd *g, const char *dir, const char *ref, const char *sha,
		      struct error *err)
{
	CLEANUP(free_p) char *dir_arg = xasprintf("--git-dir=%s", dir);
	struct args a;

	if (!sha_is_full(sha))
		return error_set(err, -EINVAL, "'%s' is not a commit hash", sha);
	begin(&a, g, dir_arg);
	arg(&a, "update-ref");
	arg(&a, "--");
	arg(&a, ref);
	arg(&a, sha);
	return run(g, &a, "keeping a commit", NULL, err);
}
