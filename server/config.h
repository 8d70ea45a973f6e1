/* SPDX-License-Identifier: MIT */
/*
 * config: the server's configuration, an ini file (docs/server.conf.example explains every key).
 * Unknown sections and keys are errors that name file and line. Read once; constant afterwards.
 * Thread: any.
 */
#ifndef FAULTLINE_SERVER_CONFIG_H
#define FAULTLINE_SERVER_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jobs/confirm.h"
#include "lib/error.h"

struct config_branch {
	char *ref, *base, *plan; /* base may be NULL; plan NULL = the default plan */
	char *mail; /* who is written to about its regressions: addresses with commas between, and
		     * the word "author"; NULL = nobody */
	char *hook; /* http(s) address that is told of them; NULL = none */
};

struct config_repo {
	char *name, *url;
	char *base; /* where ranges of submissions start when they name no base; may be NULL */
	bool local; /* the url is a path on this machine */
	struct config_branch *branches;
	size_t n_branches, cap_branches;
};

struct config {
	char *address; /* listen */
	int port;
	char *data;
	bool public_read;
	int workers, max_connections, max_per_ip, max_streams;
	int request_timeout_s, body_timeout_s, drain_s;
	int lease_s;
	int poll_s; /* 0 = only when told to */
	char *origin; /* of what is exported: export_origin_is_valid() */
	char *url; /* where others reach this server, for links in exports; NULL = no links */
	char *report_from; /* who reports regressions: mail_address() */
	int report_retry_s; /* before what was not taken is sent again; each time twice as long */
	int hook_timeout_s; /* of one call */
	struct confirm_opts confirm; /* of new failures */
	int every_max; /* commits of a branch's movement that are all tested */
	char *smtp_url, *smtp_user, *smtp_password; /* url NULL: no mail is sent */
	char *hook_secret; /* signs what hooks are told; NULL: they are not told */
	char *plan; /* of submissions that name none */
	char **allow; /* address prefixes that submissions may name */
	size_t n_allow, cap_allow;
	int fetch_timeout_s, serve_timeout_s, max_serves;
	bool fsck;
	struct config_repo *repos;
	size_t n_repos, cap_repos;
};

/* The defaults. */
struct config *config_new(void);
void config_free(struct config *c);
static inline void config_free_p(struct config **c)
{
	config_free(*c);
}
/* Adds what the file says. -ENOENT, -EINVAL with "file:line: …". */
must_check int config_read(struct config *c, const char *path, struct error *err);
/* The same from memory; `name` is for messages. */
must_check int config_parse(struct config *c, const char *name, const char *text,
			    struct error *err);
/* "127.0.0.1:8080", "[::1]:0". */
must_check int config_set_listen(struct config *c, const char *value, struct error *err);
const struct config_repo *config_repo(const struct config *c, const char *name);

#endif
