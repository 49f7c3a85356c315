package dirsync

import (
	"sync"
	"time"

	"github.com/fourways-id/fourways/internal/directory"
)

// The phases of a run.
const (
	PhaseRead  = "read"
	PhaseApply = "apply"
)

// Progress is how far a run is.
type Progress struct {
	Run, Kind, Agent, Phase string
	Full                    bool
	Read, Planned, Applied  int // objects
	Began                   time.Time
}

// meter holds the progress of the run that is at work.
type meter struct {
	mu  sync.Mutex
	now *Progress
}

// Progress is how far the run is that is at work; false without one.
func (e *Engine) Progress() (Progress, bool) {
	e.progress.mu.Lock()
	defer e.progress.mu.Unlock()
	if e.progress.now == nil {
		return Progress{}, false
	}
	return *e.progress.now, true
}

func (m *meter) begin(r *directory.Run) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = &Progress{Run: r.ID, Kind: r.Kind, Phase: PhaseRead, Began: r.Began}
}

func (m *meter) end() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = nil
}

func (m *meter) change(do func(*Progress)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.now != nil {
		do(m.now)
	}
}

func (m *meter) read(r *directory.Run, b Batch) {
	m.change(func(p *Progress) { p.Agent, p.Read, p.Full = r.Agent, r.Read, b.Full })
}
