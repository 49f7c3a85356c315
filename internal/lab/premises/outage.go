package premises

import (
	"context"
	"errors"
	"sync"

	"github.com/fourways-id/fourways/internal/lab/dc"
)

// dcSwitch is the domain controller's socket. Two may want it off: an operator and a fault.
type dcSwitch struct {
	mu              sync.Mutex
	operator, fault bool
}

func (s *dcSwitch) broken(d *dc.Server, on bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = on
	return s.apply(d)
}

func (s *dcSwitch) apply(d *dc.Server) error {
	if s.operator || s.fault {
		d.Outage()
		return nil
	}
	return d.Recover(context.Background())
}

// StopDC cuts the domain controller off, as a broken network does: nobody can bind or search until StartDC.
func (p *Premises) StopDC() {
	s := &p.off
	s.mu.Lock()
	defer s.mu.Unlock()
	s.operator = true
	p.mended(s.apply(p.dc))
}

// StartDC ends what StopDC began, at the same address. What a fault broke is not its to mend.
func (p *Premises) StartDC() error {
	s := &p.off
	s.mu.Lock()
	defer s.mu.Unlock()
	s.operator = false
	if s.fault {
		return errors.New("the fault dc-down keeps the domain controller down: clear it with `fourways fault clear dc-down`")
	}
	return s.apply(p.dc)
}
