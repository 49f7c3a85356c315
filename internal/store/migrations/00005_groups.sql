-- +goose Up
-- Groups and contacts that are members of a group; accounts stand in memberships.
CREATE TABLE nestings (
	member_of TEXT NOT NULL,
	kind      TEXT NOT NULL,
	member    TEXT NOT NULL,
	PRIMARY KEY (member_of, kind, member)
);
CREATE INDEX nestings_by_member ON nestings (member);
CREATE INDEX user_groups_by_name ON user_groups (name, id);
CREATE INDEX contacts_by_name ON contacts (name, id);

-- +goose Down
DROP INDEX contacts_by_name;
DROP INDEX user_groups_by_name;
DROP TABLE nestings;
