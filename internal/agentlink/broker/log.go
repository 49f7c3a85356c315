package broker

import (
	"fmt"
	"log/slog"
)

// natsLog gives the server's complaints to slog. Notices, debug and trace lines are dropped: a trace shows messages.
type natsLog struct{ log *slog.Logger }

func (natsLog) Noticef(string, ...any) {}
func (natsLog) Debugf(string, ...any)  {}
func (natsLog) Tracef(string, ...any)  {}

func (n natsLog) Warnf(format string, v ...any) {
	n.log.Warn("agent broker", "detail", fmt.Sprintf(format, v...))
}

func (n natsLog) Errorf(format string, v ...any) {
	n.log.Warn("agent broker", "detail", fmt.Sprintf(format, v...))
}

func (n natsLog) Fatalf(format string, v ...any) {
	n.log.Error("agent broker", "detail", fmt.Sprintf(format, v...))
}
