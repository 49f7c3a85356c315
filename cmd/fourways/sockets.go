package main

import (
	"context"
	"fmt"
	"net"
	"strconv"
)

// sockets are where a lab listens. Those that others are told of before they open are open already; with --port 0 the rest take
// a free port when they open, so that no two labs can want the same.
type sockets struct {
	public, console, telemetry net.Listener
	agent, idp, ldap           string
	host                       string // by which others reach public and idp; "" when they listen on loopback
}

// openSockets takes port N to N+5 on loopback; 0 takes free ones.
func openSockets(ctx context.Context, port int) (sockets, error) { return openSocketsAs(ctx, port, "") }

// openSocketsAs is openSockets for a lab that others reach by the name host: what is theirs to reach listens everywhere.
func openSocketsAs(ctx context.Context, port int, host string) (s sockets, err error) {
	s.host = host
	var config net.ListenConfig
	at := func(where string, offset int) string {
		if port == 0 {
			return net.JoinHostPort(where, "0")
		}
		return net.JoinHostPort(where, strconv.Itoa(port+offset))
	}
	const here = "127.0.0.1"
	open := here
	if host != "" {
		open = ""
	}
	next := func(offset int) string {
		if offset == 0 || offset == 4 {
			return at(open, offset)
		}
		return at(here, offset)
	}
	for i, l := range []*net.Listener{&s.public, &s.console, &s.telemetry} {
		if *l, err = config.Listen(ctx, "tcp", next(i)); err != nil {
			s.close()
			return s, failure{exitConflict, fmt.Sprintf("port %d can't be taken", port+i), err.Error(), "is another fourways running? `--port N` takes N to N+5, `--port 0` free ones"}
		}
	}
	s.agent, s.idp, s.ldap = next(3), next(4), next(5)
	return s, nil
}

func (s sockets) close() {
	for _, l := range []net.Listener{s.public, s.console, s.telemetry} {
		if l != nil {
			_ = l.Close() // a listener that was served is closed already
		}
	}
}

func (s sockets) publicURL() string {
	_, port, _ := net.SplitHostPort(s.public.Addr().String())
	if s.host != "" {
		return "http://" + net.JoinHostPort(s.host, port)
	}
	return "http://localhost:" + port
}
