// SPDX-License-Identifier: MIT
#include "server/config_notify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/mail.h"
#include "lib/path.h"

#define SECRET_BYTES_MAX 4096

void config_put(char **slot, const char *value)
{
	free(*slot);
	*slot = xstrdup(value);
}

int config_check_recipients(const char *list, struct error *err)
{
	CLEANUP(free_p) char *copy = xstrdup(list);
	char name[MAIL_NAME_MAX], addr[MAIL_ADDR_MAX], *save = NULL;

	for (char *s = strtok_r(copy, ",", &save); s; s = strtok_r(NULL, ",", &save))
		if (strcmp(s, "author") != 0 && !mail_address(s, name, addr))
			return error_set(err, -EINVAL, "'%s' is not a mail address", s);
	return 0;
}

int config_check_hook(const char *url, struct error *err)
{
	if (str_starts(url, "https://") || str_starts(url, "http://"))
		return 0;
	return error_set(err, -EINVAL, "'%s' is not an http address", url);
}

static int set_from(struct config *c, const char *value, struct error *err)
{
	char name[MAIL_NAME_MAX], addr[MAIL_ADDR_MAX];

	if (!mail_address(value, name, addr))
		return error_set(err, -EINVAL, "'%s' is not 'Name <user@host>'", value);
	config_put(&c->report_from, value);
	return 0;
}

/* A secret stands in a file of its own: its first line. */
static int read_secret(const char *path, char **slot, struct error *err)
{
	CLEANUP(buf_free) struct buf b = BUF_INIT;
	int r = path_read(path, SECRET_BYTES_MAX, &b, err);

	if (r)
		return r;
	free(*slot);
	*slot = xstrndup(buf_cstr(&b), strcspn(buf_cstr(&b), "\r\n"));
	return **slot ? 0 : error_set(err, -EINVAL, "%s is empty", path);
}

int config_set_notify(struct config *c, const char *section, const char *key, const char *value,
		      bool *ret_known, struct error *err)
{
	bool mail = !strcmp(section, "mail");

	*ret_known = true;
	if (!strcmp(section, "report") && !strcmp(key, "from"))
		return set_from(c, value, err);
	if (!strcmp(section, "hook") && !strcmp(key, "secret_file"))
		return read_secret(value, &c->hook_secret, err);
	if (mail && !strcmp(key, "password_file"))
		return read_secret(value, &c->smtp_password, err);
	if (mail && !strcmp(key, "user")) {
		config_put(&c->smtp_user, value);
	} else if (mail && !strcmp(key, "smtp")) {
		if (!str_starts(value, "smtp://") && !str_starts(value, "smtps://"))
			return error_set(err, -EINVAL, "'%s' is not smtp://HOST or smtps://HOST",
					 value);
		config_put(&c->smtp_url, value);
	} else {
		*ret_known = false;
	}
	return 0;
}
