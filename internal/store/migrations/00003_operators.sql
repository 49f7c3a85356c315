-- +goose Up
CREATE TABLE agents (
	id        TEXT PRIMARY KEY,
	name      TEXT NOT NULL,
	roles     TEXT NOT NULL,
	nkey      TEXT NOT NULL UNIQUE,
	sign_key  BLOB NOT NULL,
	box_key   BLOB NOT NULL,
	version   TEXT NOT NULL,
	created   BIGINT NOT NULL,
	last_seen BIGINT NOT NULL,
	revoked   BOOLEAN NOT NULL
);

CREATE TABLE invitations (
	hash  BLOB PRIMARY KEY,
	name  TEXT NOT NULL,
	roles TEXT NOT NULL,
	ends  BIGINT NOT NULL,
	by_whom TEXT NOT NULL
);

CREATE TABLE tokens (
	id      TEXT PRIMARY KEY,
	name    TEXT NOT NULL,
	role    TEXT NOT NULL,
	hash    BLOB NOT NULL UNIQUE,
	created BIGINT NOT NULL,
	ends    BIGINT NOT NULL
);

CREATE TABLE audit (
	id   INTEGER PRIMARY KEY AUTOINCREMENT,
	at   BIGINT NOT NULL,
	body TEXT NOT NULL
);

-- What was done stays written, whoever has the store open.
-- engine: sqlite
-- +goose StatementBegin
CREATE TRIGGER audit_not_changed BEFORE UPDATE ON audit BEGIN
	SELECT RAISE(ABORT, 'the audit log is append-only');
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER audit_not_deleted BEFORE DELETE ON audit BEGIN
	SELECT RAISE(ABORT, 'the audit log is append-only');
END;
-- +goose StatementEnd
-- engine: postgres
-- +goose StatementBegin
CREATE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'the audit log is append-only';
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_stays();
-- engine: any

-- +goose Down
DROP TABLE audit;
-- engine: postgres
DROP FUNCTION audit_stays;
-- engine: any
DROP TABLE tokens;
DROP TABLE invitations;
DROP TABLE agents;
