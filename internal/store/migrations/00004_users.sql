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

-- +goose Down
DROP TABLE deleted_users;
