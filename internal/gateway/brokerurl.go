package gateway

import (
	"net"
	"net/url"

	"github.com/fourways-id/fourways/internal/config"
)

// brokerHosts are the names under which agents may know the broker; the first is the one they are told.
func brokerHosts(c *config.Config) []string {
	var hosts []string
	for _, raw := range []string{c.Server.AgentURL, c.Server.PublicURL} {
		if u, err := url.Parse(raw); err == nil && u.Hostname() != "" {
			hosts = append(hosts, u.Hostname())
		}
	}
	return append(hosts, "localhost", "127.0.0.1", "::1")
}

// brokerURL is where agents are told to dial.
func brokerURL(c *config.Config, host string, at net.Addr) string {
	if c.Server.AgentURL != "" {
		return c.Server.AgentURL
	}
	_, port, _ := net.SplitHostPort(at.String()) // a listener's address always has a port
	return "tls://" + net.JoinHostPort(host, port)
}
