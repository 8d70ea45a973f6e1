/* SPDX-License-Identifier: MIT */
/*
 * http_cost: how long pages took lately, by address. All pages have the same time to be there, so one
 * that takes long has to begin sooner: the pool takes the page that is due first (earliest deadline
 * first: Liu and Layland 1973), and this tells when that is.
 *
 * Thread: under the pool's lock. Included by http_pool.c.
 */
#ifndef FAULTLINE_SERVER_HTTP_COST_H
#define FAULTLINE_SERVER_HTTP_COST_H

#include <stdint.h>

struct http_costs;

struct http_costs *http_costs_new(void);
void http_costs_free(struct http_costs *k);

/* Where the costs of an address are kept; query may be NULL. Addresses may share a place: then both are
 * taken to cost what either does. Needs no lock. */
unsigned http_cost_place(const char *path, const char *query);
/* The moving average of what was there took, µs; 0 while nothing is known. */
int64_t http_cost_of(const struct http_costs *k, unsigned place);
/* It took so long, µs. */
void http_cost_took(struct http_costs *k, unsigned place, int64_t us);

#endif
