/* SPDX-License-Identifier: MIT */
/*
 * events: GET /api/v1/events, server-sent events (HTML Living Standard, 9.2). Each event is
 * "id: N", "event: TYPE", "data: JSON". A client that comes back with Last-Event-ID (or ?after=)
 * gets what it missed, as far as it is kept; one that says ?since= gets what happened since that
 * time; one that comes without gets what happens from now on.
 */
#ifndef FAULTLINE_SERVER_EVENTS_H
#define FAULTLINE_SERVER_EVENTS_H

#include "server/http.h"

struct server;

void api_events(struct server *srv, const struct http_req *req, struct http_res *res);

#endif
