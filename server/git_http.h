/* SPDX-License-Identifier: MIT */
/*
 * git_http: GET /git/{repo}.git/… for agents: read-only smart HTTP through `git http-backend`.
 *
 * One thread a request reads the child's output into a bounded buffer and stops reading while the
 * client is slow: a pack is never held in memory. The child ends with its client, its deadline or
 * its thread.
 */
#ifndef FAULTLINE_SERVER_GIT_HTTP_H
#define FAULTLINE_SERVER_GIT_HTTP_H

#include "server/http.h"

struct git_serve;

struct git_serve *git_serve_new(int max);
void git_serve_free(struct git_serve *g);

void git_info_refs(struct server *srv, const struct http_req *req, struct http_res *res);
void git_upload_pack(struct server *srv, const struct http_req *req, struct http_res *res);
void git_receive_pack(struct server *srv, const struct http_req *req, struct http_res *res);

#endif
