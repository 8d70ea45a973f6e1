/* SPDX-License-Identifier: MIT */
/*
 * dash_nosync: a database that need not survive a power cut is filled many times faster: every
 * commit of the store waits for the disk otherwise, and there are forty thousand.
 */
#ifndef FAULTLINE_BENCH_DASH_NOSYNC_H
#define FAULTLINE_BENCH_DASH_NOSYNC_H

/* From now on SQLite writes in this process wait for no disk. Before any database is opened. */
void dash_nosync(void);

#endif
