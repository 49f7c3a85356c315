package lab

import "context"

// StopDC cuts the domain controller off, as a broken network does: nobody can bind or search until StartDC.
func (l *Lab) StopDC() { l.dc.Outage() }

// StartDC ends what StopDC began, at the same address.
func (l *Lab) StartDC(ctx context.Context) error { return l.dc.Recover(ctx) }

// StopIdP cuts Harbour ID off until StartIdP.
func (l *Lab) StopIdP() { l.servers.harbour.Outage() }

// StartIdP ends what StopIdP began, at the same address.
func (l *Lab) StartIdP(ctx context.Context) error { return l.servers.harbour.Recover(ctx) }
