// SPDX-License-Identifier: MIT
/*
 * kconfig's files in the tree: when they changed, and what they say about an option that did not
 * take.
 */
#include <ctype.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/kbuild.h"
#include "agent/kconfig.h"
#include "lib/clean.h"
#include "lib/path.h"

#define FILE_BYTES ((size_t)4 << 20) /* the longest Kconfig file of Linux has 130 KB */
#define WHY_BYTES 300

/* ---- stamp --------------------------------------------------------------------------------- */

static void stamp_path(struct buf *b, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
		buf_printf(b, "%s %lld %lld.%09ld %llu\n", path, (long long)st.st_size,
			   (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec,
			   (unsigned long long)st.st_ino);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void stamp_dir(struct buf *b, const char *source, const char *rel)
{
	CLEANUP(free_p) char *dir = xasprintf("%s/%s", source, rel);
	struct dirent **list = NULL;
	int n = scandir(dir, &list, NULL, by_name);

	for (int i = 0; i < n; i++) {
		CLEANUP(free_p) char *path = xasprintf("%s/%s", dir, list[i]->d_name);

		stamp_path(b, path);
		free(list[i]);
	}
	free(list);
}

/* The compiler that is found by its name now. */
static void stamp_program(struct buf *b, const char *name)
{
	static const char *const dirs[] = { "/usr/local/bin", "/usr/bin", "/bin" };

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++) {
		CLEANUP(free_p) char *path = xasprintf("%s/%s", dirs[i], name);

		stamp_path(b, path);
	}
}

/* include/config/auto.conf.cmd lists each file that kconfig read: "\tmm/Kconfig \". */
static void stamp_listed(struct buf *b, const char *source, char *list)
{
	char *save = NULL;

	for (char *l = strtok_r(list, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		CLEANUP(free_p) char *path = NULL;
		size_t n;

		if (*l != '\t')
			continue;
		l++;
		n = strcspn(l, " \\");
		path = *l == '/' ? xstrndup(l, n) : xasprintf("%s/%.*s", source, (int)n, l);
		if (str_starts(path, KBUILD_SOURCE "/")) {
			char *host = xasprintf("%s%s", source, path + strlen(KBUILD_SOURCE));

			free(path);
			path = host;
		}
		stamp_path(b, path);
	}
}

bool kconfig_stamp(const struct plan_config *config, const char *source, const char *obj,
		   char ret_hex[HASH_HEX_MAX])
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	CLEANUP(buf_free) struct buf deps = BUF_INIT;
	CLEANUP(free_p) char *configs = xasprintf("arch/%s/configs", kbuild_srcarch(config->arch));
	CLEANUP(free_p) char *makefile = xasprintf("%s/Makefile", source);

	if (kbuild_read(obj, "include/config/auto.conf.cmd", FILE_BYTES, &deps, NULL) < 0 ||
	    kbuild_read(obj, ".config", FILE_BYTES, &b, NULL) < 0)
		return false;
	buf_printf(&b, "%s %s %s\n", config->hash, config->arch, config->compiler);
	for (size_t i = 0; i < config->n_fragments; i++)
		buf_printf(&b, "%s\n%s\n", config->fragments[i].name, config->fragments[i].text);
	stamp_program(&b, config->compiler);
	stamp_program(&b, "ld");
	stamp_path(&b, makefile);
	stamp_listed(&b, source, deps.data);
	stamp_dir(&b, source, "scripts");
	stamp_dir(&b, source, "scripts/kconfig");
	stamp_dir(&b, source, "kernel/configs");
	stamp_dir(&b, source, configs);
	hash_bytes(b.data, b.len, ret_hex);
	return true;
}

/* ---- why an option did not take ------------------------------------------------------------ */

/* nftw() passes no argument. */
static _Thread_local struct {
	const char *name; /* without CONFIG_ */
	char *found; /* owned: what its definition says */
	bool defined;
} why;

/* The definition that starts at `s`: its "depends on", or that it cannot be chosen by hand. */
static char *read_definition(const char *s)
{
	struct buf out = BUF_INIT;
	bool prompt = false;

	for (s += strcspn(s, "\n"); *s == '\n' && out.len < WHY_BYTES; s += strcspn(s, "\n")) {
		const char *line = ++s;
		int len = (int)strcspn(line, "\n");

		if (len && *line != ' ' && *line != '\t')
			break;
		line += strspn(line, " \t");
		len = (int)strcspn(line, "\n");
		if (str_starts(line, "help"))
			break;
		if (str_starts(line, "depends on "))
			buf_printf(&out, "%s%.*s", out.len ? " and " : "", len, line);
		if (str_starts(line, "prompt") || memchr(line, '"', (size_t)len))
			prompt = true;
	}
	if (!out.len && !prompt)
		buf_str(&out, "cannot be chosen, only selected by others");
	return out.len ? buf_steal(&out) : NULL;
}

/* "config X" or "menuconfig X" at the start of a line; p is at "config". */
static bool starts_entry(const char *text, const char *p)
{
	if (p - text >= 4 && str_starts(p - 4, "menu"))
		p -= 4;
	return p == text || p[-1] == '\n';
}

static int look_into(const char *path, const struct stat *st, int type, struct FTW *at)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	const char *base = path + at->base;
	size_t n = strlen(why.name);

	if (type == FTW_D && (base[0] == '.' || !strcmp(base, "Documentation")) && at->level)
		return FTW_SKIP_SUBTREE;
	if (type != FTW_F || !S_ISREG(st->st_mode) || !str_starts(base, "Kconfig") ||
	    path_read(path, FILE_BYTES, &b, NULL) < 0)
		return FTW_CONTINUE;
	for (const char *p = b.data; (p = strstr(p, "config ")) != NULL; p++) {
		const char *name = p + 7;

		if (strncmp(name, why.name, n) || !isspace((unsigned char)name[n]) ||
		    !starts_entry(b.data, p))
			continue;
		why.defined = true;
		why.found = read_definition(name);
		return FTW_STOP;
	}
	return FTW_CONTINUE;
}

char *kconfig_why(const char *source, const char *symbol, bool want_off)
{
	why.name = symbol + strlen("CONFIG_");
	why.found = NULL;
	why.defined = false;
	if (nftw(source, look_into, 16, FTW_PHYS | FTW_ACTIONRETVAL) < 0)
		return NULL;
	if (want_off) {
		free(why.found);
		return xstrdup("something selects it");
	}
	return why.defined ? why.found : xstrdup("this tree has no such option");
}
