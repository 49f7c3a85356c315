package broker

import (
	"fmt"
	"log/slog"
	"strings"
)

// natsLog gives the server's complaints to slog. Notices, debug and trace lines are dropped: a trace shows messages.
// The first fatal one goes to whoever starts the server.
type natsLog struct {
	log   *slog.Logger
	fatal chan<- string
}

func (natsLog) Noticef(string, ...any) {}
func (natsLog) Debugf(string, ...any)  {}
func (natsLog) Tracef(string, ...any)  {}

func (n natsLog) Warnf(format string, v ...any) {
	if strings.Contains(format, "TLS Handshake First") { // that it is wanted is our own choice, at every start
		return
	}
	n.log.Warn("agent broker", "detail", fmt.Sprintf(format, v...))
}

func (n natsLog) Errorf(format string, v ...any) {
	n.log.Warn("agent broker", "detail", fmt.Sprintf(format, v...))
}

func (n natsLog) Fatalf(format string, v ...any) {
	why := fmt.Sprintf(format, v...)
	n.log.Error("agent broker", "detail", why)
	select {
	case n.fatal <- why:
	default:
	}
}
