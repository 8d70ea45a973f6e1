/* SPDX-License-Identifier: MIT */
/*
 * regress_stale: regressions that nothing can be learned about any more: their line of history is gone
 * or rewritten, or nobody runs their case. They end as "stale", with the reason, instead of staying
 * open for ever. Included by regress.c.
 */
#ifndef FAULTLINE_SERVER_REGRESS_STALE_H
#define FAULTLINE_SERVER_REGRESS_STALE_H

#include "db/store_regress.h"

/* So many submissions of a line in a row that do not ask for the case. */
#define REGRESS_STALE_SUBMISSIONS 3

/* Ends the open ones whose branch is not followed any more, or is gone from its repository. */
must_check int regress_stale_branches(struct store *s, struct error *err);
/* Ends those of the submission's line whose case it and the ones before it do not have. */
must_check int regress_stale_cases(struct store *s, int64_t submission, struct error *err);

/* A step to "fixed" by a commit that does not have the one which brought it becomes one to "stale":
 * history was rewritten, and no commit mended anything. `dir` is the repository. */
must_check int regress_stale_rewritten(const char *dir, const struct regression_row *g,
				       struct regression_step *step, struct error *err);

#endif
