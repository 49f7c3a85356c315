package store

import (
	"context"
	"database/sql"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// postgresPool opens connections as they are needed. Each gives up a server that keeps silent for longer than silence.
func postgresPool(conf *pgx.ConnConfig, silence time.Duration, params map[string]string) *sql.DB {
	mine := conf.Copy()
	dial := mine.DialFunc
	mine.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &patient{Conn: c, silence: silence}, nil
	}
	for name, value := range params {
		mine.RuntimeParams[name] = value
	}
	return stdlib.OpenDB(*mine, stdlib.OptionAfterConnect(durable))
}

// durable makes a commit wait for the disk, also where the server's default is not to.
func durable(ctx context.Context, c *pgx.Conn) error {
	_, err := c.Exec(ctx, `SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`)
	return err
}

// lostPostgres reports whether the driver has given the connection up.
func lostPostgres(c *sql.Conn) bool {
	gone := true
	err := c.Raw(func(driven any) error {
		if p, ok := driven.(*stdlib.Conn); ok {
			gone = p.Conn().IsClosed()
		}
		return nil
	})
	return err != nil || gone
}
