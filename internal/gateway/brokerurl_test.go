package gateway

import (
	"net"
	"testing"

	"github.com/fourways-id/fourways/internal/config"
)

func TestAgentsAreToldWhereTheBrokerCanBeReached(t *testing.T) {
	at := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 4321}
	for _, x := range []struct{ listen, told, public, want string }{
		{":8403", "", "https://signin.example.com", "tls://signin.example.com:4321"},
		{"10.0.0.1:8403", "", "https://signin.example.com", "tls://signin.example.com:4321"},
		{":8403", "tls://agents.example.com:443", "https://signin.example.com", "tls://agents.example.com:443"},
		{"127.0.0.1:0", "", "http://lab.example.com:8400", "tls://127.0.0.1:4321"}, // only from this machine
		{"localhost:0", "", "http://lab.example.com:8400", "tls://localhost:4321"},
		{"127.0.0.1:0", "tls://tunnel.example.com:443", "http://lab.example.com:8400", "tls://tunnel.example.com:443"},
	} {
		c := &config.Config{Server: config.Server{AgentListen: x.listen, AgentURL: x.told, PublicURL: x.public}}
		if got := brokerURL(c, brokerHosts(c)[0], at); got != x.want {
			t.Errorf("%+v: %s", x, got)
		}
	}
}
