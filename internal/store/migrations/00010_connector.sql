-- +goose Up
-- What the on-premises directory has in scope, one row an object, as its agent read it last. An object is gone when its
-- generation is below the one that was completed last; 0 is gone for sure. due says that it is to be planned, and in which
-- order: 1 users, 2 contacts, 3 groups; 0 is not. stale says that a member of a group has another DN now: who its members are
-- must be read again.
CREATE TABLE connector_space (
	id          TEXT PRIMARY KEY,
	kind        TEXT NOT NULL,
	anchor      TEXT NOT NULL,
	upn         TEXT NOT NULL,
	ref         TEXT NOT NULL,
	generation  BIGINT NOT NULL,
	due         BIGINT NOT NULL,
	body        TEXT NOT NULL,
	reason      TEXT NOT NULL DEFAULT '',
	error       TEXT NOT NULL DEFAULT '',
	since       BIGINT NOT NULL DEFAULT 0,
	tries       BIGINT NOT NULL DEFAULT 0,
	password_at BIGINT NOT NULL DEFAULT 0,
	hash_at     BIGINT NOT NULL DEFAULT 0,
	hash_tried  BIGINT NOT NULL DEFAULT 0,
	hash_due    BOOLEAN NOT NULL DEFAULT FALSE,
	hash_status TEXT NOT NULL DEFAULT '',
	hash_reason TEXT NOT NULL DEFAULT '',
	withheld    TEXT NOT NULL DEFAULT '',
	temporary   BOOLEAN NOT NULL DEFAULT FALSE,
	stale       BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX connector_space_by_generation ON connector_space (generation, id);
CREATE INDEX connector_space_by_anchor ON connector_space (anchor);
CREATE INDEX connector_space_by_upn ON connector_space (upn) WHERE upn <> '';
CREATE INDEX connector_space_by_ref ON connector_space (ref);
CREATE INDEX connector_space_due ON connector_space (due, id) WHERE due > 0;
CREATE INDEX connector_space_failed ON connector_space (id) WHERE error <> '';
CREATE INDEX connector_space_stale ON connector_space (id) WHERE stale;
CREATE INDEX connector_space_hash_due ON connector_space (id) WHERE hash_due;
CREATE INDEX connector_space_withheld ON connector_space (id) WHERE hash_status = 'FilteredByTarget';
CREATE INDEX connector_space_hashless ON connector_space (id) WHERE hash_at = 0 AND hash_tried > 0;
CREATE INDEX connector_space_late ON connector_space (password_at) WHERE hash_at > 0 AND password_at > hash_at;

-- Who is in a group there. Whoever is in no scope has no row above.
CREATE TABLE connector_members (
	member_of TEXT NOT NULL,
	ref       TEXT NOT NULL,
	PRIMARY KEY (member_of, ref)
);
CREATE INDEX connector_members_by_ref ON connector_members (ref);

-- Where the last read of a kind ended. begun and complete are generations.
CREATE TABLE sync_cursors (
	kind     TEXT PRIMARY KEY,
	place    BLOB,
	about    TEXT NOT NULL DEFAULT '',
	at       BIGINT NOT NULL DEFAULT 0,
	full_at  BIGINT NOT NULL DEFAULT 0,
	begun    BIGINT NOT NULL DEFAULT 0,
	complete BIGINT NOT NULL DEFAULT 0
);
INSERT INTO sync_cursors (kind, begun, complete) VALUES ('directory', 1, 1), ('hash', 1, 1);

-- Who synchronises; until 0: nobody does.
CREATE TABLE sync_lease (
	one     BIGINT PRIMARY KEY,
	epoch   BIGINT NOT NULL,
	run     TEXT NOT NULL,
	kind    TEXT NOT NULL,
	holder  TEXT NOT NULL,
	began   BIGINT NOT NULL,
	expires BIGINT NOT NULL
);
INSERT INTO sync_lease (one, epoch, run, kind, holder, began, expires) VALUES (1, 0, '', '', '', 0, 0);

-- An account is found by its address too, in lower case: a new object of the premises may stand for it.
ALTER TABLE users ADD COLUMN mail TEXT NOT NULL DEFAULT '';
-- engine: sqlite
UPDATE users SET mail = lower(coalesce(json_extract(body, '$.mail'), ''));
-- engine: postgres
UPDATE users SET mail = lower(coalesce(CAST(body AS json) ->> 'mail', ''));
-- engine: any
CREATE INDEX users_by_mail ON users (mail) WHERE mail <> '';
CREATE INDEX deleted_users_by_anchor ON deleted_users (anchor) WHERE anchor <> '';

-- +goose Down
DROP INDEX deleted_users_by_anchor;
DROP INDEX users_by_mail;
ALTER TABLE users DROP COLUMN mail;
DROP TABLE sync_lease;
DROP TABLE sync_cursors;
DROP TABLE connector_members;
DROP TABLE connector_space;
