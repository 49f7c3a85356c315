package realtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

const postgresPattern = "/usr/lib/postgresql/*/bin/postgres"

// Database is an empty PostgreSQL database of the test's own, in a cluster that the tests of the package share.
// The cluster doesn't fsync.
type Database struct {
	URL                        string // postgres://...: holds the password
	Host, Name, User, Password string
	Port                       int
}

// PostgresServer is a server of the test's own with an empty database, which the test may stop and start again.
type PostgresServer struct {
	*Database
	*cluster
}

// cluster is a running PostgreSQL server.
type cluster struct {
	*server
	folder, ip, password string
}

const (
	postgresPort = 5432
	postgresUser = "fourways"
)

// Postgres gives an empty database.
func Postgres(t testing.TB) *Database {
	t.Helper()
	Need(t, "postgres")
	return house.cluster.get(t, startPostgres).empty(t)
}

// NewPostgres gives a server of the test's own.
func NewPostgres(t testing.TB) *PostgresServer {
	t.Helper()
	Need(t, "postgres")
	c := own(t, startPostgres)
	return &PostgresServer{c.empty(t), c}
}

func (c *cluster) empty(t testing.TB) *Database {
	t.Helper()
	name := "t" + strings.ToLower(rand.Text())
	if _, err := c.psql("postgres", "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	return c.database(name)
}

func (c *cluster) database(name string) *Database {
	return &Database{
		URL:  fmt.Sprintf("postgres://%s:%s@%s:%d/%s?sslmode=disable", postgresUser, c.password, c.ip, postgresPort, name),
		Host: c.ip, Port: postgresPort, Name: name, User: postgresUser, Password: c.password,
	}
}

// psql runs one statement and gives its rows, unaligned.
func (c *cluster) psql(database, statement string) (string, error) {
	return tool("/", statement, "psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", "--dbname="+c.database(database).URL)
}

func startPostgres(on *stage) (*cluster, error) {
	found, err := filepath.Glob(postgresPattern)
	if err != nil || len(found) == 0 {
		return nil, errors.Join(fmt.Errorf("no file %s", postgresPattern), err)
	}
	bin := filepath.Dir(slices.Max(found))
	ip, err := loopback(postgresPort)
	if err != nil {
		return nil, err
	}
	folder, err := on.folder("postgres")
	if err != nil {
		return nil, err
	}
	c := &cluster{folder: folder, ip: ip, password: rand.Text()}
	secret := filepath.Join(folder, "password")
	if err := os.WriteFile(secret, []byte(c.password), 0o600); err != nil {
		return nil, err
	}
	data := filepath.Join(folder, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-A", "scram-sha-256", "--pwfile="+secret,
		"-U", postgresUser, "-E", "UTF8", "--no-sync", "--no-instructions")
	demote, err := c.demote(secret)
	if err != nil {
		return nil, err
	}
	demote(initdb)
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	c.server = &server{on: on, folder: folder, command: func() *exec.Cmd {
		cmd := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-c", "listen_addresses="+ip,
			"-c", "port="+strconv.Itoa(postgresPort), "-c", "unix_socket_directories=", "-c", "fsync=off",
			"-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "shared_buffers=32MB")
		demote(cmd)
		return cmd
	}, ask: syscall.SIGINT, answers: func(context.Context) error { // SIGINT: without waiting for clients (server-shutdown.html)
		_, err := c.psql("postgres", "SELECT 1")
		return err
	}}
	return c, c.start()
}

// demote gives the folder to the user postgres, and makes commands run as that user: PostgreSQL refuses to run as root.
func (c *cluster) demote(secret string) (func(*exec.Cmd), error) {
	within := func(cmd *exec.Cmd) { cmd.Dir, cmd.Env = c.folder, environment() }
	if os.Geteuid() != 0 {
		return within, nil
	}
	who, err := user.Lookup("postgres")
	if err != nil {
		return nil, err
	}
	uid, uidErr := strconv.ParseUint(who.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(who.Gid, 10, 32)
	return func(cmd *exec.Cmd) {
		within(cmd)
		actAs(cmd, uint32(uid), uint32(gid))
	}, errors.Join(uidErr, gidErr, os.Chown(c.folder, int(uid), int(gid)), os.Chown(secret, int(uid), int(gid)))
}
