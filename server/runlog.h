/* SPDX-License-Identifier: MIT */
/*
 * runlog: the raw log of each run, <data>/logs/<run>.log.
 *
 * A byte is acknowledged when it is on disk and the store knows the new size, in this order. After
 * a crash the file may therefore be longer than what was acknowledged; the surplus is cut off
 * before the next append and never shown.
 * Thread: any; appends to one run take turns.
 */
#ifndef FAULTLINE_SERVER_RUNLOG_H
#define FAULTLINE_SERVER_RUNLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

struct runlog;
struct store;

must_check int runlog_open(struct store *store, const char *dir, struct runlog **ret,
			   struct error *err);
void runlog_close(struct runlog *l);

enum runlog_append {
	RUNLOG_OK,
	RUNLOG_GAP, /* the offset is beyond what is there */
	RUNLOG_FULL /* LIMIT_LOG_BYTES; the log is marked as truncated */
};

/* Appends at `offset`; what overlaps with acknowledged bytes is skipped. *ret_size is the
 * acknowledged size afterwards, whatever the outcome. */
must_check int runlog_append(struct runlog *l, int64_t run, int64_t offset, const void *data,
			     size_t len, enum runlog_append *ret, int64_t *ret_size,
			     struct error *err);
/* Descriptor (owned) and acknowledged size; an empty log of a known run has descriptor -1. */
must_check int runlog_read(struct runlog *l, int64_t run, int *ret_fd, int64_t *ret_size,
			   bool *ret_truncated, struct error *err);

#endif
