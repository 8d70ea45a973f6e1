/* SPDX-License-Identifier: MIT */
/*
 * api_raw: what is compared with: SQLite by itself (WAL, synchronous=FULL, one writer) storing texts
 * as rows of one table, RAW_ROWS_A_COMMIT of them in a transaction. Any failure ends the program.
 * Thread: one owner.
 */
#ifndef FAULTLINE_BENCH_API_RAW_H
#define FAULTLINE_BENCH_API_RAW_H

#define RAW_ROWS_A_COMMIT 100

struct raw;

/* A fresh database in the file `path`. */
struct raw *raw_open(const char *path);
void raw_close(struct raw *r);
/* Stores `n` rows, taking the texts in turn; seconds, and the thread's CPU seconds. */
double raw_store(struct raw *r, const char *const *texts, int n_texts, int n, double *ret_cpu_s);

#endif
