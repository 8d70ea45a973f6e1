/* SPDX-License-Identifier: MIT */
#include "server/config_regress.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"

#define RATE_MIN 0.0001
#define RATE_MAX 0.99

static const struct rate_key {
	const char *key;
	size_t offset;
} rate_keys[] = {
	{ "p0", offsetof(struct config, confirm.p0) },
	{ "p1", offsetof(struct config, confirm.p1) },
	{ "alpha", offsetof(struct config, confirm.alpha) },
	{ "beta", offsetof(struct config, confirm.beta) },
};

int config_set_rate(struct config *c, const char *key, const char *value, bool *ret_known,
		    struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(rate_keys); i++) {
		char *end;
		double v;

		if (strcmp(rate_keys[i].key, key) != 0)
			continue;
		*ret_known = true;
		v = strtod(value, &end);
		/* strtod() takes blanks, signs, exponents and "nan" as well */
		if (!*value || *end || strspn(value, "0123456789.") != strlen(value) ||
		    v < RATE_MIN || v > RATE_MAX)
			return error_set(err, -EINVAL, "'%s' is not a rate from %g to %g", value,
					 RATE_MIN, RATE_MAX);
		*(double *)((char *)c + rate_keys[i].offset) = v;
		return 0;
	}
	return 0;
}

int config_check_rates(const struct config *c, const char *name, struct error *err)
{
	const struct confirm_opts *o = &c->confirm;

	if (o->p0 >= o->p1)
		return error_set(err, -EINVAL, "%s: [regressions]: p0 (%g) is not below p1 (%g)",
				 name, o->p0, o->p1);
	if (o->alpha + o->beta >= 1)
		return error_set(err, -EINVAL,
				 "%s: [regressions]: alpha and beta (%g, %g) add up to 1 or more",
				 name, o->alpha, o->beta);
	if (o->batch > o->max_runs)
		return error_set(err, -EINVAL,
				 "%s: [regressions]: batch (%d) is above max_runs (%d)", name,
				 o->batch, o->max_runs);
	return 0;
}
