-- +goose Up
CREATE TABLE tallies (
	name         TEXT PRIMARY KEY,
	failures     BIGINT NOT NULL,
	lockouts     BIGINT NOT NULL,
	last_failure BIGINT NOT NULL,
	locked_until BIGINT NOT NULL
);
CREATE INDEX tallies_by_time ON tallies (last_failure);

CREATE TABLE sessions (
	hash      BLOB PRIMARY KEY,
	account   TEXT NOT NULL,
	attempt   TEXT NOT NULL,
	path      TEXT NOT NULL,
	proof     TEXT NOT NULL,
	began     BIGINT NOT NULL,
	ends      BIGINT NOT NULL,
	idle_for  BIGINT NOT NULL,
	last_seen BIGINT NOT NULL
);
CREATE INDEX sessions_by_account ON sessions (account);
CREATE INDEX sessions_by_end ON sessions (ends);

CREATE TABLE once_ids (
	kind TEXT NOT NULL,
	id   TEXT NOT NULL,
	ends BIGINT NOT NULL,
	PRIMARY KEY (kind, id)
);
CREATE INDEX once_ids_by_end ON once_ids (ends);

-- One row a step; steps is the evidence, kept apart because the sign-in log doesn't need it.
CREATE TABLE records (
	attempt TEXT NOT NULL,
	seq     BIGINT NOT NULL,
	at      BIGINT NOT NULL,
	body    TEXT NOT NULL,
	steps   TEXT NOT NULL,
	PRIMARY KEY (attempt, seq)
);
CREATE INDEX records_by_time ON records (at);

-- One row a finished attempt: which of its records ended it.
CREATE TABLE signins (
	attempt TEXT NOT NULL,
	seq     BIGINT NOT NULL,
	at      BIGINT NOT NULL,
	path    TEXT NOT NULL,
	verdict TEXT NOT NULL,
	reason  TEXT NOT NULL,
	who     TEXT NOT NULL,
	account TEXT NOT NULL,
	domain  TEXT NOT NULL,
	swept   BOOLEAN NOT NULL,
	PRIMARY KEY (attempt, seq)
);
CREATE INDEX signins_by_time ON signins (at);
CREATE INDEX signins_by_who ON signins (who, at);

CREATE TABLE open_attempts (
	attempt TEXT PRIMARY KEY,
	at      BIGINT NOT NULL
);
CREATE INDEX open_attempts_by_time ON open_attempts (at);

-- +goose Down
DROP TABLE open_attempts;
DROP TABLE signins;
DROP TABLE records;
DROP TABLE once_ids;
DROP TABLE sessions;
DROP TABLE tallies;
