-- SPDX-License-Identifier: MIT
--
-- The search (view_search.c). ?1: a pattern of LIKE with "\" as its escape (of hashes: their beginning),
-- ?2: the text as it is, where it is compared as a whole; last: how many at most.

-- name: search_commits_by_sha
SELECT 'commit' AS kind, sha AS name, subject AS title, '/commits/' || sha AS href
FROM commits WHERE sha >= ?1 AND sha < ?1 || 'g' ORDER BY sha LIMIT ?2

-- name: search_commits
-- Among the newest 16384.
SELECT 'commit' AS kind, sha AS name, subject AS title, '/commits/' || sha AS href
FROM commits WHERE id > (SELECT max(id) FROM commits) - 16384
	AND (subject LIKE ?1 ESCAPE '\' OR author LIKE ?1 ESCAPE '\')
ORDER BY id DESC LIMIT ?2

-- name: search_regressions
SELECT 'regression' AS kind, CAST(id AS TEXT) AS name, state || ': ' || title AS title,
	'/regressions/' || id AS href
FROM regressions WHERE title LIKE ?1 ESCAPE '\' OR signature = lower(?2)
ORDER BY ended_us IS NULL DESC, id DESC LIMIT ?3

-- name: search_branches
SELECT 'branch' AS kind, r.name AS repo, b.ref AS ref, r.name || ' ' || b.ref AS title
FROM branches b JOIN repos r ON r.id = b.repo_id
WHERE b.ref LIKE ?1 ESCAPE '\' OR r.name LIKE ?1 ESCAPE '\' ORDER BY r.name, b.ref LIMIT ?2

-- name: search_submissions
-- Among the newest 16384.
SELECT 'submission' AS kind, CAST(s.id AS TEXT) AS name, r.name || ' ' || s.ref AS title,
	'/submissions/' || s.id AS href
FROM submissions s JOIN repos r ON r.id = s.repo_id
WHERE s.id > (SELECT max(id) FROM submissions) - 16384 AND s.ref LIKE ?1 ESCAPE '\'
ORDER BY s.id DESC LIMIT ?2

-- name: search_failures
-- Kinds of failures by what the kernel said or by their fingerprint, among the newest 4096 results that
-- failed with a splat; the newest of each.
SELECT 'failure' AS kind, fingerprint AS name, max(splat_title) || ', ' || count(*) || ' results'
	AS title, '/results/' || max(id) AS href
FROM (SELECT id, fingerprint, splat_title FROM results
	WHERE status = 'FAIL' AND fingerprint IS NOT NULL ORDER BY run_id DESC LIMIT 4096)
WHERE splat_title LIKE ?1 ESCAPE '\' OR fingerprint = lower(?2)
GROUP BY fingerprint ORDER BY count(*) DESC LIMIT ?3
