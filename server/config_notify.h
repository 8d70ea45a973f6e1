/* SPDX-License-Identifier: MIT */
/*
 * config_notify: the keys about who is told of regressions: [report], [mail], [hook], and the words
 * mail= and hook= of a branch. Used by server/config.c.
 */
#ifndef FAULTLINE_SERVER_CONFIG_NOTIFY_H
#define FAULTLINE_SERVER_CONFIG_NOTIFY_H

#include "server/config.h"

/* A value takes the place of an owned one. */
void config_put(char **slot, const char *value);
/* *ret_known false: there is no such key. -EINVAL, or what reading a secret's file said. */
must_check int config_set_notify(struct config *c, const char *section, const char *key,
				 const char *value, bool *ret_known, struct error *err);
/* Addresses with commas between, and the word "author". -EINVAL. */
must_check int config_check_recipients(const char *list, struct error *err);
must_check int config_check_hook(const char *url, struct error *err);

#endif
