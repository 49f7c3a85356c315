package broker

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"sync"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// connections knows which agent is behind which connection. An agent has one: a second one with the same key replaces the
// first, so that no request is ever tried twice.
type connections struct {
	cut func(conn uint64)

	mu       sync.Mutex
	agents   map[uint64]string
	watchers map[int]func(string, uint64, bool)
	next     int
}

func newConnections(cut func(uint64)) *connections {
	return &connections{cut: cut, agents: map[uint64]string{}, watchers: map[int]func(string, uint64, bool){}}
}

// came reports whether the connection replaces another.
func (c *connections) came(agent string, conn uint64) (replaced bool) {
	c.mu.Lock()
	old := c.ofLocked(agent)
	c.agents[conn] = agent
	for _, see := range c.watchers {
		see(agent, conn, true)
	}
	c.mu.Unlock()
	for _, o := range old {
		go c.cut(o) // the server's locks are held here
	}
	return len(old) > 0
}

func (c *connections) went(conn uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	agent, ok := c.agents[conn]
	if !ok {
		return
	}
	delete(c.agents, conn)
	for _, see := range c.watchers {
		see(agent, conn, false)
	}
}

func (c *connections) cutAll(agent string) {
	c.mu.Lock()
	conns := c.ofLocked(agent)
	c.mu.Unlock()
	for _, conn := range conns {
		c.cut(conn)
	}
}

func (c *connections) ofLocked(agent string) []uint64 {
	var conns []uint64
	for conn, a := range c.agents {
		if a == agent {
			conns = append(conns, conn)
		}
	}
	slices.Sort(conns)
	return conns
}

func (c *connections) watch(see func(string, uint64, bool)) (stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn, agent := range c.agents {
		see(agent, conn, true)
	}
	id := c.next
	c.next++
	c.watchers[id] = see
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.watchers, id)
	}
}

// disconnected hears the server say that a connection went.
func (b *Broker) disconnected(msg *nats.Msg) {
	var e server.DisconnectEventMsg
	if err := json.Unmarshal(msg.Data, &e); err != nil {
		b.o.Log.Error("the broker's own event can't be read", "error", err)
		return
	}
	b.agents.went(e.Client.ID)
}

// signedNonce checks that the client holds the private half of nkey.
func signedNonce(nkey, sig string, nonce []byte) bool {
	if !nkeys.IsValidPublicUserKey(nkey) || len(nonce) == 0 {
		return false
	}
	raw, err := base64.RawURLEncoding.DecodeString(sig)
	if err != nil {
		return false
	}
	key, err := nkeys.FromPublicKey(nkey)
	return err == nil && key.Verify(nonce, raw) == nil
}
