package console

import (
	"net/http"

	"github.com/fourways-id/fourways/internal/console/api"
)

func (c *console) clockRoutes() map[string]http.Handler {
	port := func(l *LabPorts) Clock { return l.Clock }
	return map[string]http.Handler{
		"GET /api/v1/clock":    c.get(Reader, lab(c, port, clockNow)),
		"POST /api/v1/clock":   c.change(Operator, labChange(c, port, advanceClock)),
		"DELETE /api/v1/clock": c.change(Operator, labChange(c, port, resetClock)),
	}
}

func clockNow(l Clock, r *http.Request) (any, error) { return l.ClockNow(r.Context()) }

func advanceClock(l Clock, r *http.Request, _ api.Token) (changed, error) {
	did := changed{Action: "Advance clock"}
	ask, err := read[api.ClockChange](r)
	if err != nil {
		return did, err
	}
	now, err := l.AdvanceClock(r.Context(), ask)
	did.Answer, did.After = now, now.Offset
	return did, err
}

func resetClock(l Clock, r *http.Request, _ api.Token) (changed, error) {
	did := changed{Action: "Reset clock"}
	now, err := l.ResetClock(r.Context())
	did.Answer, did.After = now, now.Offset
	return did, err
}
