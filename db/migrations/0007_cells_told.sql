-- SPDX-License-Identifier: MIT
PRAGMA user_version = 7;

CREATE INDEX cells_told ON cells (run_id, scenario, status, reason, result_id, injected)
	WHERE status IN ('FAIL', 'ERROR', 'MISS');
