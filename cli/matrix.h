/* SPDX-License-Identifier: MIT */
/* matrix: a submission's commits × cases on the terminal. */
#ifndef FAULTLINE_CLI_MATRIX_H
#define FAULTLINE_CLI_MATRIX_H

#include "lib/json.h"

/* `submission` is GET /api/v1/submissions/{id}. */
void print_matrix(struct json_object *submission);
/* Verdicts of all cells, by status. */
void matrix_counts(struct json_object *submission, int counts[]);

#endif
