package gateway

import (
	"net"
	"net/netip"
	"net/url"

	"github.com/fourways-id/fourways/internal/config"
)

// brokerHosts are the names under which agents may know the broker; the first is the one they are told. Where the broker
// listens on loopback only, agents are on this machine, whatever others call it.
func brokerHosts(c *config.Config) []string {
	var hosts []string
	if host, _, err := net.SplitHostPort(c.Server.AgentListen); err == nil && c.Server.AgentURL == "" && isLoopback(host) {
		hosts = append(hosts, host)
	}
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

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
