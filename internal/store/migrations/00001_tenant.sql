-- Times are nanoseconds since 1970 in UTC, 0 for none. The body columns hold JSON; beside them stand the columns that
-- are searched or must be unique.

-- +goose Up
CREATE TABLE meta (
	name  TEXT PRIMARY KEY,
	value BLOB NOT NULL
);

CREATE TABLE users (
	id     TEXT PRIMARY KEY,
	upn    TEXT NOT NULL UNIQUE,
	domain TEXT NOT NULL,
	anchor TEXT NOT NULL,
	synced BOOLEAN NOT NULL,
	body   TEXT NOT NULL
);
CREATE INDEX users_by_domain ON users (domain, upn);
CREATE UNIQUE INDEX users_by_anchor ON users (anchor) WHERE synced AND anchor <> '';

CREATE TABLE credentials (
	account TEXT NOT NULL,
	scheme  TEXT NOT NULL,
	sealed  BLOB NOT NULL,
	source  TEXT NOT NULL,
	changed BIGINT NOT NULL,
	stored  BIGINT NOT NULL,
	PRIMARY KEY (account, scheme)
);

CREATE TABLE user_groups (
	id     TEXT PRIMARY KEY,
	name   TEXT NOT NULL,
	anchor TEXT NOT NULL,
	synced BOOLEAN NOT NULL,
	body   TEXT NOT NULL
);
CREATE UNIQUE INDEX user_groups_by_anchor ON user_groups (anchor) WHERE synced AND anchor <> '';

CREATE TABLE memberships (
	member_of TEXT NOT NULL,
	account   TEXT NOT NULL,
	PRIMARY KEY (member_of, account)
);
CREATE INDEX memberships_by_account ON memberships (account);

CREATE TABLE contacts (
	id     TEXT PRIMARY KEY,
	name   TEXT NOT NULL,
	anchor TEXT NOT NULL,
	synced BOOLEAN NOT NULL,
	body   TEXT NOT NULL
);
CREATE UNIQUE INDEX contacts_by_anchor ON contacts (anchor) WHERE synced AND anchor <> '';

CREATE TABLE overrides (
	domain TEXT PRIMARY KEY,
	body   TEXT NOT NULL
);

CREATE TABLE runs (
	id    TEXT PRIMARY KEY,
	began BIGINT NOT NULL,
	body  TEXT NOT NULL
);
CREATE INDEX runs_by_time ON runs (began);

-- +goose Down
DROP TABLE runs;
DROP TABLE overrides;
DROP TABLE contacts;
DROP TABLE memberships;
DROP TABLE user_groups;
DROP TABLE credentials;
DROP TABLE users;
DROP TABLE meta;
