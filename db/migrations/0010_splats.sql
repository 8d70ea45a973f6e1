-- SPDX-License-Identifier: MIT
PRAGMA user_version = 10;

CREATE INDEX results_splats ON results (status, run_id DESC, fingerprint, splat_title)
	WHERE fingerprint IS NOT NULL;
