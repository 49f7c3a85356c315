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

-- How many members a group has, of all kinds. Counting them would take longer the more there are; triggers keep this in
-- step whoever writes them.
CREATE TABLE group_sizes (
	member_of TEXT PRIMARY KEY,
	members   BIGINT NOT NULL
);
INSERT INTO group_sizes (member_of, members) SELECT member_of, count(*) FROM memberships GROUP BY member_of;

-- engine: sqlite
-- +goose StatementBegin
CREATE TRIGGER memberships_joined AFTER INSERT ON memberships BEGIN
	INSERT INTO group_sizes (member_of, members) VALUES (NEW.member_of, 1)
	ON CONFLICT (member_of) DO UPDATE SET members = group_sizes.members + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER memberships_left AFTER DELETE ON memberships BEGIN
	UPDATE group_sizes SET members = members - 1 WHERE member_of = OLD.member_of;
	DELETE FROM group_sizes WHERE member_of = OLD.member_of AND members <= 0;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER nestings_joined AFTER INSERT ON nestings BEGIN
	INSERT INTO group_sizes (member_of, members) VALUES (NEW.member_of, 1)
	ON CONFLICT (member_of) DO UPDATE SET members = group_sizes.members + 1;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER nestings_left AFTER DELETE ON nestings BEGIN
	UPDATE group_sizes SET members = members - 1 WHERE member_of = OLD.member_of;
	DELETE FROM group_sizes WHERE member_of = OLD.member_of AND members <= 0;
END;
-- +goose StatementEnd
-- engine: postgres
-- +goose StatementBegin
CREATE FUNCTION group_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	INSERT INTO group_sizes (member_of, members) VALUES (NEW.member_of, 1)
	ON CONFLICT (member_of) DO UPDATE SET members = group_sizes.members + 1;
	RETURN NULL;
END;
$$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION group_shrinks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	UPDATE group_sizes SET members = members - 1 WHERE member_of = OLD.member_of;
	DELETE FROM group_sizes WHERE member_of = OLD.member_of AND members <= 0;
	RETURN NULL;
END;
$$;
-- +goose StatementEnd
CREATE TRIGGER memberships_joined AFTER INSERT ON memberships FOR EACH ROW EXECUTE FUNCTION group_grows();
CREATE TRIGGER memberships_left AFTER DELETE ON memberships FOR EACH ROW EXECUTE FUNCTION group_shrinks();
CREATE TRIGGER nestings_joined AFTER INSERT ON nestings FOR EACH ROW EXECUTE FUNCTION group_grows();
CREATE TRIGGER nestings_left AFTER DELETE ON nestings FOR EACH ROW EXECUTE FUNCTION group_shrinks();
-- engine: any

-- A contact is found by its address too, in lower case.
ALTER TABLE contacts ADD COLUMN mail TEXT NOT NULL DEFAULT '';
-- engine: sqlite
UPDATE contacts SET mail = lower(coalesce(json_extract(body, '$.mail'), ''));
-- engine: postgres
UPDATE contacts SET mail = lower(coalesce(CAST(body AS json) ->> 'mail', ''));
-- engine: any
CREATE INDEX contacts_by_mail ON contacts (mail);

-- +goose Down
DROP INDEX contacts_by_mail;
ALTER TABLE contacts DROP COLUMN mail;
-- engine: postgres
DROP TRIGGER memberships_joined ON memberships;
DROP TRIGGER memberships_left ON memberships;
DROP TRIGGER nestings_joined ON nestings;
DROP TRIGGER nestings_left ON nestings;
DROP FUNCTION group_grows;
DROP FUNCTION group_shrinks;
-- engine: sqlite
DROP TRIGGER memberships_joined;
DROP TRIGGER memberships_left;
DROP TRIGGER nestings_joined;
DROP TRIGGER nestings_left;
-- engine: any
DROP TABLE group_sizes;
DROP INDEX contacts_by_name;
DROP INDEX user_groups_by_name;
DROP TABLE nestings;
