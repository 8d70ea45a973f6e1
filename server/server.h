/* SPDX-License-Identifier: MIT */
/*
 * server: what every handler can reach. Made by main.c before the first thread starts, freed after
 * the last one ended; the pointers do not change in between, what they point to locks itself.
 */
#ifndef FAULTLINE_SERVER_SERVER_H
#define FAULTLINE_SERVER_SERVER_H

#include <stdint.h>

#include "db/store.h"
#include "server/config.h"

struct blob_store;
struct git_serve;
struct http;
struct outbox;
struct planner;
struct regress;
struct runlog;
struct sched;
struct tokens;
struct tracker;

struct server {
	const struct config *config;
	struct store *store;
	struct tokens *tokens;
	struct blob_store *blobs;
	struct runlog *runlog;
	struct tracker *tracker;
	struct outbox *outbox;
	struct planner *planner;
	struct regress *regress;
	struct sched *sched;
	struct git_serve *git_serve;
	struct http *http;
	char *git_dir; /* <data>/git */
	char *tmp_dir; /* <data>/tmp */
	char *jobs_dir; /* plans and configuration fragments */
	int64_t started_mono_us;
};

#endif
