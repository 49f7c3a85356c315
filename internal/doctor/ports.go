package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"github.com/fourways-id/fourways/internal/config"
)

// Ports looks whether the addresses of a configuration are free, or held by a gateway that answers there.
func Ports(c *config.Config) Check {
	return Check{ID: "ports.listen", Title: "The listeners' addresses", Run: func(ctx context.Context) Seen {
		asked, cancel := context.WithTimeout(ctx, usual/2) // another program may take the connection and be silent
		defer cancel()
		running := isConsole(asked, c.Server.ConsoleListen) && isTelemetry(asked, c.Server.TelemetryListen)
		var all []Seen
		for _, l := range [][2]string{
			{"public_listen", c.Server.PublicListen},
			{"console_listen", c.Server.ConsoleListen},
			{"telemetry_listen", c.Server.TelemetryListen},
			{"agent_listen", c.Server.AgentListen},
		} {
			all = append(all, listener(ctx, l[0], l[1], running))
		}
		return Worst(Seen{}, all...)
	}}
}

func listener(ctx context.Context, key, address string, running bool) Seen {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	switch {
	case err == nil:
		_ = l.Close() // nothing was accepted
		return OK("%s %s is free", key, address)
	case errors.Is(err, syscall.EADDRINUSE) && running:
		return OK("%s %s is held by the running gateway", key, address)
	case errors.Is(err, syscall.EADDRINUSE):
		return Fail("end the other program, or give server."+key+" another port", "%s %s is held by another program", key, address)
	}
	return Fail("correct server."+key, "%s %s can't be listened on: %v", key, address, err)
}

// isConsole knows a console by how it refuses whoever has no token.
func isConsole(ctx context.Context, address string) bool {
	res, err := get(ctx, http.DefaultClient, "http://"+dialable(address)+"/api/v1/doctor")
	return err == nil && strings.Contains(res.header.Get("WWW-Authenticate"), "fourways console")
}

func isTelemetry(ctx context.Context, address string) bool {
	res, err := get(ctx, http.DefaultClient, "http://"+dialable(address)+"/livez")
	return err == nil && res.status == http.StatusOK && strings.TrimSpace(string(res.body)) == "ok"
}

// dialable makes an address to dial of one to listen on.
func dialable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}

// response is an answer, read whole.
type response struct {
	status int
	header http.Header
	body   []byte
}

// longestAnswer bounds what is read of one, in bytes.
const longestAnswer = 8 << 20

// get reads an address without following redirects: what is looked at is that very server.
func get(ctx context.Context, client *http.Client, address string) (response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return response{}, err
	}
	here := *client
	here.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := here.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // it names the address again
		}
		return response{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, longestAnswer))
	if err != nil {
		return response{}, fmt.Errorf("read the answer: %w", err)
	}
	return response{res.StatusCode, res.Header, body}, nil
}
