// SPDX-License-Identifier: MIT
#include "server/admin_cmd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/path.h"
#include "lib/table.h"
#include "server/api.h"
#include "server/token.h"

#define EXIT_USAGE 64

struct admin {
	struct store *store;
	struct tokens *tokens;
	const struct config *config;
};

static int cmd_add(struct admin *a, char **argv, struct error *err)
{
	CLEANUP(free_p) char *token = NULL;
	enum role role;
	int r;

	if (!role_parse(argv[1], &role) || role == ROLE_NONE)
		return error_set(err, -EINVAL,
				 "'%s' is not one of admin, maintainer, agent, reader", argv[1]);
	r = tokens_add(a->tokens, argv[0], role, &token, err);
	if (!r)
		printf("%s\n", token);
	return r;
}

static int cmd_list(struct admin *a, char **argv, struct error *err)
{
	CLEANUP(json_put_p) struct json_object *view = NULL;
	CLEANUP(buf_free) struct buf out = BUF_INIT;
	struct json_object *items = NULL;
	int r = store_tokens_view(a->store, &view, err);

	(void)argv;
	if (!r && json_object_object_get_ex(view, "items", &items)) {
		table_txt(items, &out);
		fputs(buf_cstr(&out), stdout);
	}
	return r;
}

static int cmd_revoke(struct admin *a, char **argv, struct error *err)
{
	return tokens_revoke(a->tokens, argv[0], err);
}

static int cmd_backup(struct admin *a, char **argv, struct error *err)
{
	return store_backup(a->store, argv[0], err);
}

static const struct {
	const char *words[2];
	int n_args;
	int (*run)(struct admin *a, char **argv, struct error *err);
	const char *online; /* what does the same while a server runs */
} commands[] = {
	{ { "token", "add" }, 2, cmd_add, "faultline token add" },
	{ { "token", "list" }, 0, cmd_list, "faultline token list" },
	{ { "token", "revoke" }, 1, cmd_revoke, "faultline token revoke" },
	{ { "backup", NULL }, 1, cmd_backup, "faultline backup" },
};

static int execute(const struct config *c, size_t i, char **argv, struct error *err)
{
	struct admin a = { .config = c };
	int r = path_mkdirs(c->data, 0700, err);

	if (!r)
		r = store_open(c->data, &a.store, err);
	if (r == -EBUSY)
		return error_wrap(err, r, "a server is running on '%s' (use '%s' instead)", c->data,
				  commands[i].online);
	if (!r)
		r = tokens_open(a.store, c->data, &a.tokens, err);
	if (!r)
		r = commands[i].run(&a, argv, err);
	tokens_free(a.tokens);
	store_close(a.store);
	return r;
}

int admin_cmd_run(const struct config *c, int argc, char **argv)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		int words = commands[i].words[1] ? 2 : 1;
		struct error err = ERROR_INIT;

		if (argc < words || strcmp(argv[0], commands[i].words[0]) ||
		    (words == 2 && strcmp(argv[1], commands[i].words[1])))
			continue;
		if (argc - words != commands[i].n_args)
			break;
		if (!execute(c, i, argv + words, &err))
			return 0;
		fprintf(stderr, "faultline-server: %s\n", err.msg);
		return 1;
	}
	fprintf(stderr, "faultline-server: commands are: token add NAME ROLE, token list, "
			"token revoke NAME, backup FILE\n");
	return EXIT_USAGE;
}
