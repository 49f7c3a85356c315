package gateway

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// certificate is the public listener's pair of files. It is looked at again now and then, so that a renewed certificate
// needs no restart; while the new pair can't be read the old one stays, and the log says so.
type certificate struct {
	cert, key string
	now       func() time.Time
	log       *slog.Logger

	mu     sync.Mutex
	pair   *tls.Certificate
	looked time.Time
}

// lookAgain is how long a pair is used before its files are read anew.
const lookAgain = 10 * time.Second

// read reads the pair. After an error the one before stays.
func (c *certificate) read() error {
	c.looked = c.now()
	fresh, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return fmt.Errorf("read the TLS certificate %s and its key %s: %w", c.cert, c.key, err)
	}
	c.pair = &fresh
	return nil
}

// get is for tls.Config; read was called once before, and succeeded.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now().Sub(c.looked) >= lookAgain {
		if err := c.read(); err != nil {
			c.log.Error("the TLS certificate could not be renewed; the old one stays", "error", err)
		}
	}
	return c.pair, nil
}
