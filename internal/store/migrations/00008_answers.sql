-- +goose Up
-- What changes answered, so that a repeated request is not carried out twice. Keys and requests are keyed hashes.
CREATE TABLE answers (
	token   TEXT NOT NULL,
	name    BLOB NOT NULL,
	request BLOB NOT NULL,
	sealed  BLOB NOT NULL,
	busy    BIGINT NOT NULL,
	ends    BIGINT NOT NULL,
	PRIMARY KEY (token, name)
);
CREATE INDEX answers_by_end ON answers (ends);

-- +goose Down
DROP TABLE answers;
