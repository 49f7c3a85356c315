-- +goose Up
CREATE TABLE plans (
	id   TEXT PRIMARY KEY,
	body TEXT NOT NULL
);

-- Groups whose direct members get a licence.
CREATE TABLE group_plans (
	member_of TEXT NOT NULL,
	plan      TEXT NOT NULL,
	PRIMARY KEY (member_of, plan)
);
CREATE INDEX group_plans_by_plan ON group_plans (plan);

-- What was begun for a group's members and is not done yet: they are told some hundred at a time.
CREATE TABLE licence_work (
	member_of TEXT NOT NULL,
	plan      TEXT NOT NULL,
	gives     BOOLEAN NOT NULL,
	PRIMARY KEY (member_of, plan)
);

-- One row a person, plan and source; an empty source is a direct one.
CREATE TABLE licences (
	account TEXT NOT NULL,
	plan    TEXT NOT NULL,
	source  TEXT NOT NULL,
	state   TEXT NOT NULL,
	why     TEXT NOT NULL,
	since   BIGINT NOT NULL,
	PRIMARY KEY (account, plan, source)
);
CREATE INDEX licences_by_plan ON licences (plan, state, account);
CREATE INDEX licences_by_source ON licences (source, plan, account);
-- Who waits for a seat, in the order in which they get one.
CREATE INDEX licences_waiting ON licences (plan, since, account) WHERE state = 'refused' AND why = 'no seats left';
CREATE INDEX licences_suspended ON licences (since) WHERE state = 'suspended';

CREATE TABLE apps (
	id   TEXT PRIMARY KEY,
	body TEXT NOT NULL
);

CREATE TABLE assignments (
	app     TEXT NOT NULL,
	kind    TEXT NOT NULL,
	subject TEXT NOT NULL,
	role    TEXT NOT NULL,
	PRIMARY KEY (app, kind, subject, role)
);
CREATE INDEX assignments_by_subject ON assignments (subject);

-- +goose Down
DROP TABLE assignments;
DROP TABLE apps;
DROP TABLE licences;
DROP TABLE licence_work;
DROP TABLE group_plans;
DROP TABLE plans;
