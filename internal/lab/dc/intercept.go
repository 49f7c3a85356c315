package dc

import "time"

// Op is a request that has arrived, as an Intercept sees it.
type Op struct {
	Kind  string // bind, search, or other
	Name  string // of a bind: whom it names, as typed; else the DN that the connection is bound as
	Again bool   // a bind on a connection that saw one before: its owner kept it
}

// Fate is what becomes of a request before it is looked at; the zero value is nothing.
type Fate struct {
	Wait   time.Duration
	Until  <-chan struct{} // when it closes, the wait is over; nil: it takes its time
	HangUp bool            // after the wait: the connection ends without an answer
}

// intercepted lets the lab break this hop. False: nothing more is answered on this connection.
func (s *session) intercepted(r request) bool {
	if s.srv.opts.Intercept == nil {
		return true
	}
	op := Op{Kind: "other", Name: s.who.name}
	switch r.op.Tag {
	case opBind:
		op.Kind, op.Name, op.Again = "bind", bindName(r), s.binds > 0
		s.binds++
	case opSearch:
		op.Kind = "search"
	}
	fate := s.srv.opts.Intercept(op)
	if fate.Wait > 0 {
		wait := time.NewTimer(fate.Wait)
		defer wait.Stop()
		select {
		case <-wait.C:
		case <-fate.Until:
		case <-s.srv.ctx.Done():
			return false
		}
	}
	if fate.HangUp {
		s.srv.log(Event{Conn: s.id, Op: "hangup", Name: op.Name, Result: codeUnavailable, Text: "the connection ended without an answer to " + op.Kind})
	}
	return !fate.HangUp
}

func bindName(r request) string {
	if len(r.op.Children) != 3 {
		return ""
	}
	return contents(r.op.Children[1])
}

// Drop hangs up on everybody and goes on listening.
func (s *Server) Drop() {
	s.lock.Lock()
	defer s.lock.Unlock()
	for conn := range s.conns {
		_ = conn.Close()
	}
}
