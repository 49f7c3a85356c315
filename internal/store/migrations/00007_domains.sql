-- +goose Up
-- Domains that were added at run time, and what was set at run time for those of the configuration.
CREATE TABLE domains (
	name TEXT PRIMARY KEY,
	body TEXT NOT NULL
);

CREATE TABLE mode_changes (
	id     BIGINT PRIMARY KEY,
	domain TEXT NOT NULL,
	at     BIGINT NOT NULL,
	body   TEXT NOT NULL
);
CREATE INDEX mode_changes_by_domain ON mode_changes (domain, id);

CREATE TABLE rollouts (
	member_of TEXT PRIMARY KEY,
	path      TEXT NOT NULL,
	body      TEXT NOT NULL
);

-- +goose Down
DROP TABLE rollouts;
DROP TABLE mode_changes;
DROP TABLE domains;
