-- SPDX-License-Identifier: MIT
PRAGMA user_version = 8;

ALTER TABLE branches ADD COLUMN followed INTEGER NOT NULL DEFAULT 1 CHECK (followed IN (0, 1));
ALTER TABLE branches ADD COLUMN gone_us INTEGER;
