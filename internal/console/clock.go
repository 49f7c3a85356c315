package console

import (
	"net/http"

	"github.com/fourways-id/fourways/internal/console/api"
)

func (c *console) clockOperations() []operation {
	port := func(l *LabPorts) Clock { return l.Clock }
	return []operation{
		labLook(c, port, "GET /clock", Reader, "The lab's policy time", clockNow),
		labAct(c, port, "POST /clock", Operator, "Advance clock", "Move the lab's policy time on", advanceClock),
		labAct(c, port, "DELETE /clock", Operator, "Reset clock", "Give the lab real time back", resetClock),
	}
}

func clockNow(l Clock, r *http.Request) (api.Clock, error) { return l.ClockNow(r.Context()) }

func advanceClock(l Clock, r *http.Request, ask api.ClockChange, _ api.Token) (did[api.Clock], error) {
	now, err := l.AdvanceClock(r.Context(), ask)
	return did[api.Clock]{After: now.Offset, Answer: now}, err
}

func resetClock(l Clock, r *http.Request, _ none, _ api.Token) (did[api.Clock], error) {
	now, err := l.ResetClock(r.Context())
	return did[api.Clock]{After: now.Offset, Answer: now}, err
}
