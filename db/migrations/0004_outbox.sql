-- SPDX-License-Identifier: MIT
PRAGMA user_version = 4;

CREATE TABLE outbox (
	id INTEGER PRIMARY KEY,
	regression_id INTEGER NOT NULL REFERENCES regressions (id),
	kind TEXT NOT NULL CHECK (kind IN ('report', 'fixed')),
	channel TEXT NOT NULL CHECK (channel IN ('mail', 'hook')),
	recipient TEXT NOT NULL,
	state TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'refused', 'doubtful')),
	attempts INTEGER NOT NULL DEFAULT 0,
	next_us INTEGER NOT NULL,
	message TEXT,
	created_us INTEGER NOT NULL,
	ended_us INTEGER,
	UNIQUE (regression_id, kind, channel, recipient)
) STRICT;
CREATE INDEX outbox_due ON outbox (next_us) WHERE state = 'waiting';
