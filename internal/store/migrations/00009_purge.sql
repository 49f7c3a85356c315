-- +goose Up
-- Sessions that nobody uses any more are found without reading the others.
CREATE INDEX sessions_by_idle ON sessions ((last_seen + idle_for)) WHERE idle_for > 0;

-- +goose Down
DROP INDEX sessions_by_idle;
