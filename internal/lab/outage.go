package lab

import (
	"context"
	"errors"
)

// StopDC cuts the domain controller off, as a broken network does: nobody can bind or search until StartDC.
func (l *Lab) StopDC() {
	s := &l.premises.dc
	s.mu.Lock()
	defer s.mu.Unlock()
	s.operator = true
	l.mended(s.apply(l.dc))
}

// StartDC ends what StopDC began, at the same address. What a fault broke is not its to mend.
func (l *Lab) StartDC(context.Context) error {
	s := &l.premises.dc
	s.mu.Lock()
	defer s.mu.Unlock()
	s.operator = false
	if s.fault {
		return errors.New("the fault dc-down keeps the domain controller down: clear it with `fourways fault clear dc-down`")
	}
	return s.apply(l.dc)
}

// StopIdP cuts Harbour ID off until StartIdP.
func (l *Lab) StopIdP() { l.servers.harbour.Outage() }

// StartIdP ends what StopIdP began, at the same address.
func (l *Lab) StartIdP(ctx context.Context) error { return l.servers.harbour.Recover(ctx) }
