-- SPDX-License-Identifier: MIT
PRAGMA user_version = 6;

ALTER TABLE runs ADD COLUMN strip TEXT;
UPDATE runs SET strip = (
	SELECT CASE WHEN count(x.status) = (SELECT count(*) FROM cells n WHERE n.run_id = runs.id)
		THEN group_concat(coalesce(substr(x.status, 1, 1), '.'), '') END
	FROM (SELECT c.status FROM jobs j JOIN tests t ON t.id = j.test_id
		JOIN case_lists cl ON cl.id = t.case_list_id JOIN json_each(cl.scenarios) e
		LEFT JOIN cells c ON c.run_id = runs.id AND c.scenario = e.value
		WHERE j.id = runs.job_id ORDER BY e.key) x)
WHERE EXISTS (SELECT 1 FROM cells o WHERE o.run_id = runs.id);

CREATE INDEX submissions_line ON submissions (repo_id, ref, state, id);
CREATE INDEX submissions_planned ON submissions (id) WHERE state = 'planned';
CREATE INDEX submissions_refused ON submissions (id) WHERE state = 'refused';
