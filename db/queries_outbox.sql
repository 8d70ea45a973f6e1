-- SPDX-License-Identifier: MIT
--
-- What is to be told to people and programs outside.

-- name: outbox_report
-- Once for a signature that one commit brought, however many lines of history have it.
INSERT INTO outbox (regression_id, kind, channel, recipient, state, next_us, created_us)
SELECT g.id, 'report', ?2, ?3, 'waiting', ?4, ?4 FROM regressions g
WHERE g.id = ?1 AND NOT EXISTS (
	SELECT 1 FROM outbox o JOIN regressions x ON x.id = o.regression_id
	WHERE o.kind = 'report' AND o.channel = ?2 AND o.recipient = ?3
		AND x.repo_id = g.repo_id AND x.signature = g.signature
		AND x.culprit_id IS g.culprit_id)
ON CONFLICT DO NOTHING

-- name: outbox_fixed
-- To whom the regression was reported, once.
INSERT INTO outbox (regression_id, kind, channel, recipient, state, next_us, created_us)
SELECT regression_id, 'fixed', channel, recipient, 'waiting', ?2, ?2 FROM outbox
WHERE regression_id = ?1 AND kind = 'report' AND state <> 'refused'
ON CONFLICT DO NOTHING

-- name: outbox_due
-- What follows a report waits for it.
SELECT id, regression_id, kind, channel, recipient, attempts FROM outbox o
WHERE state = 'waiting' AND next_us <= ?1 AND NOT (kind = 'fixed' AND EXISTS (
	SELECT 1 FROM outbox r WHERE r.regression_id = o.regression_id AND r.kind = 'report'
		AND r.channel = o.channel AND r.recipient = o.recipient AND r.state = 'waiting'))
ORDER BY id LIMIT 1

-- name: outbox_begin
UPDATE outbox SET state = 'sending' WHERE id = ?1 AND state = 'waiting'

-- name: outbox_end
UPDATE outbox SET state = ?2, message = ?3, next_us = ?4,
	ended_us = CASE WHEN ?2 <> 'waiting' THEN ?5 END, attempts = attempts + ?6
WHERE id = ?1 AND state IN ('waiting', 'sending')

-- name: outbox_recover
UPDATE outbox SET state = 'doubtful', ended_us = ?1,
	message = 'the server ended while this was being sent'
WHERE state = 'sending'

-- name: outbox_view
-- ?3: in this state; NULL: any.
SELECT o.id, o.state, o.kind, o.channel, o.recipient, o.regression_id AS regression, g.title,
	o.attempts, o.message, o.created_us AS "created:time",
	CASE WHEN o.state = 'waiting' THEN o.next_us END AS "due:time", o.ended_us AS "ended:time"
FROM outbox o JOIN regressions g ON g.id = o.regression_id
WHERE o.id <= ?1 AND (?3 IS NULL OR o.state = ?3) ORDER BY o.id DESC LIMIT ?2

-- name: outbox_told
-- To whom is nobody's business but the administrator's.
SELECT kind, channel, state, coalesce(ended_us, created_us) AS "at:time"
FROM outbox WHERE regression_id = ?1 ORDER BY id

-- name: stats_outbox
SELECT coalesce(sum(state = 'waiting'), 0) AS waiting, coalesce(sum(state = 'sending'), 0) AS sending,
	coalesce(sum(state = 'sent'), 0) AS sent, coalesce(sum(state = 'refused'), 0) AS refused,
	coalesce(sum(state = 'doubtful'), 0) AS doubtful
FROM outbox
