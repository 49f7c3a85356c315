package gateway

import "github.com/nats-io/nats.go"

// InspectBroker is a connection that hears every message of the agent link and can say nothing. It is for tests: it works
// in a lab that was opened with Lab.Inspect, and the caller closes it.
func (g *Gateway) InspectBroker() (*nats.Conn, error) {
	g.onprem.mu.Lock()
	defer g.onprem.mu.Unlock()
	if g.onprem.broker == nil {
		return nil, errNoBroker
	}
	return g.onprem.broker.Inspect()
}
