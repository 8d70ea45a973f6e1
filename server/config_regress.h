/* SPDX-License-Identifier: MIT */
/* config_regress: section [regressions]: when a new failure is believed. Part of config.c. */
#ifndef FAULTLINE_SERVER_CONFIG_REGRESS_H
#define FAULTLINE_SERVER_CONFIG_REGRESS_H

#include "server/config.h"

/* One of the rates; *ret_known is left alone unless it is one. -EINVAL. */
must_check int config_set_rate(struct config *c, const char *key, const char *value,
			       bool *ret_known, struct error *err);
/* That a sequential test can be made of them; `name` is the file's. -EINVAL. */
must_check int config_check_rates(const struct config *c, const char *name, struct error *err);

#endif
