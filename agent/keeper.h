/* SPDX-License-Identifier: MIT */
/*
 * keeper: keeps one job's lease alive and its log flowing while a slot works on it.
 *
 * The slot's thread gives progress and log bytes; the keeper's own thread sends heartbeats three
 * times a lease and uploads the log from a spool file, at the offset that the server
 * acknowledged, so that a broken connection costs nothing. When the lease is lost, keeper_lost()
 * turns true and the engine, which polls it, stops.
 * Thread: keeper_log() and keeper_progress() from the slot's threads, one at a time each.
 */
#ifndef FAULTLINE_AGENT_KEEPER_H
#define FAULTLINE_AGENT_KEEPER_H

#include "agent/api.h"
#include "agent/engine.h"

struct keeper;

struct keeper_opts {
	const char *server, *token;
	const char *spool_dir; /* the log waits here until it is acknowledged */
	const struct job *job; /* borrowed until keeper_stop() */
	bool (*stopping)(void *arg); /* the agent gives up its jobs */
	void *arg;
};

must_check int keeper_start(const struct keeper_opts *opts, struct keeper **ret, struct error *err);
void keeper_log(struct keeper *k, const char *data, size_t len);
void keeper_progress(struct keeper *k, enum engine_phase phase, int done, int total,
		     const char *what);
bool keeper_lost(struct keeper *k);
/* True when the lease is gone or the agent gives up: for engine_watch.cancelled. */
bool keeper_cancelled(struct keeper *k);
/* Uploads what is left of the log (until done, or the lease is gone, or the agent gives up), ends
 * the thread and removes the spool. NULL is fine. The lease is not kept any longer, so post the
 * result right after it. */
void keeper_stop(struct keeper *k);

#endif
