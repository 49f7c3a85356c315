package console

import (
	"context"
	"net/http"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/trace"
)

// LabPorts is what only a lab has; a nil one is something that this lab lacks.
type LabPorts struct {
	Onprem    Onprem
	Faults    Faults
	Scenarios Scenarios
	Clock     Clock
	Worlds    Worlds
	Matrix    Matrix
	Evidence  Evidence
}

// Onprem is the lab's own on-premises directory, changed by its administrator over LDAP.
type Onprem interface {
	OnpremUsers(ctx context.Context) ([]api.OnpremUser, error)
	OnpremChange(ctx context.Context, upn string, c api.OnpremChange) error
}

// Faults break the lab on purpose.
type Faults interface {
	Faults(ctx context.Context) ([]api.Fault, error)
	SetFault(ctx context.Context, name string, s api.FaultSetting, by string) (api.Fault, error)
	ClearFaults(ctx context.Context, name string) ([]string, error) // "" is all of them; the names of those that were on
}

// Scenarios are stories that are played in a throw-away copy of the lab.
type Scenarios interface {
	Scenarios(ctx context.Context) ([]api.Scenario, error)
	RunScenario(ctx context.Context, name string) (api.ScenarioReport, error)
	LastScenario(ctx context.Context) (api.ScenarioReport, error) // directory.ErrNotFound before the first run
}

// Clock is the lab's policy time.
type Clock interface {
	ClockNow(ctx context.Context) (api.Clock, error)
	AdvanceClock(ctx context.Context, c api.ClockChange) (api.Clock, error)
	ResetClock(ctx context.Context) (api.Clock, error)
}

// Worlds are kept states of the lab. The world called "" is the one that was seeded: it is there always.
type Worlds interface {
	Snapshots(ctx context.Context) ([]api.Snapshot, error)
	SaveSnapshot(ctx context.Context, name string) (api.Snapshot, error)
	RestoreWorld(ctx context.Context, name string) (api.Restored, error)
}

// Matrix runs the account states by the paths in a throw-away copy of the lab.
type Matrix interface {
	RunMatrix(ctx context.Context, ask api.MatrixRequest) (api.Matrix, error)
	LastMatrix(ctx context.Context) (api.Matrix, error) // directory.ErrNotFound before the first run
}

// Evidence is what others wrote of a sign-in in their own logs.
type Evidence interface {
	AwayOf(ctx context.Context, records []authn.Record) ([]trace.Away, error)
}

// labLook is look of one lab port: not found where there is no lab, or no such port in it.
func labLook[P comparable, Out any](c *console, port func(*LabPorts) P, pattern, role, summary string, h func(p P, r *http.Request) (Out, error), params ...param) operation {
	o := look(c, pattern, role, summary, func(r *http.Request) (out Out, err error) {
		p, err := labPort(c, port)
		if err != nil {
			return out, err
		}
		return h(p, r)
	}, params...)
	o.lab = true
	return o
}

// labAct is act of one lab port.
func labAct[P comparable, In, Out any](c *console, port func(*LabPorts) P, pattern, role, action, summary string, h func(p P, r *http.Request, ask In, by api.Token) (did[Out], error)) operation {
	o := act(c, pattern, role, action, summary, func(r *http.Request, ask In, by api.Token) (did[Out], error) {
		p, err := labPort(c, port)
		if err != nil {
			return did[Out]{}, err
		}
		return h(p, r, ask, by)
	})
	o.lab = true
	return o
}

func labPort[T comparable](c *console, port func(*LabPorts) T) (T, error) {
	var none T
	if c.Lab == nil {
		return none, notALab()
	}
	if p := port(c.Lab); p != none {
		return p, nil
	}
	return none, notALab()
}

func notALab() error {
	return api.Problem{Title: "Not Found", Status: http.StatusNotFound, Detail: "Only the lab (`fourways up`) has this: a gateway in production breaks nothing on purpose, and your directory is changed with its own tools."}
}
