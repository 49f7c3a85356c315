-- +goose Up
-- Deleted accounts, kept for a while so that they can be brought back. Their credentials stay under their id.
CREATE TABLE deleted_users (
	id      TEXT PRIMARY KEY,
	upn     TEXT NOT NULL,
	domain  TEXT NOT NULL,
	anchor  TEXT NOT NULL,
	deleted BIGINT NOT NULL,
	body    TEXT NOT NULL,
	kept    TEXT NOT NULL
);
CREATE INDEX deleted_users_by_domain ON deleted_users (domain);
CREATE INDEX deleted_users_by_time ON deleted_users (deleted);

-- Administrators are counted before one is lost.
ALTER TABLE users ADD COLUMN admin BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE users SET admin = TRUE WHERE body LIKE '%"admin":true%';
CREATE INDEX users_admins ON users (upn) WHERE admin;
CREATE INDEX users_by_any_anchor ON users (anchor) WHERE anchor <> '';

-- +goose Down
DROP INDEX users_by_any_anchor;
DROP INDEX users_admins;
ALTER TABLE users DROP COLUMN admin;
DROP TABLE deleted_users;
