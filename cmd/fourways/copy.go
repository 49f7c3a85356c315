package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/lab"
	"github.com/fourways-id/fourways/internal/lab/matrix"
	"github.com/fourways-id/fourways/internal/lab/world"
)

// copies makes throw-away copies of a lab, one at a time: each has the lab's seed and its fourways.toml, with what
// somebody edited in it, and else the demo world as it is seeded.
type copies struct {
	of   *workshop
	life context.Context //nolint:containedctx // the life of the lab: its copies end before it does
	end  context.CancelFunc

	mu   sync.Mutex
	busy chan struct{} // closed when the copy is gone; nil when there is none
}

func newCopies(of *workshop) *copies {
	c := &copies{of: of}
	c.life, c.end = context.WithCancel(context.Background())
	return c
}

// close ends the copy that there is, and waits until nothing of it is left.
func (c *copies) close() {
	if c == nil {
		return
	}
	c.end()
	c.mu.Lock()
	busy := c.busy
	c.mu.Unlock()
	if busy != nil {
		<-busy
	}
}

// take reserves the one place that there is.
func (c *copies) take() (leave func(), err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy != nil {
		return nil, fmt.Errorf("another run has a throw-away copy of this lab, and there is one at a time; try again when it has ended: %w", directory.ErrConflict)
	}
	busy := make(chan struct{})
	c.busy = busy
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.busy = nil
		close(busy)
	}, nil
}

// with starts a copy that has so many agents, lends it, and removes it whatever happens. The context that it lends ends
// with the lab's too.
func (c *copies) with(ctx context.Context, agents int, do func(context.Context, *workshop) error) error {
	leave, err := c.take()
	if err != nil {
		return err
	}
	defer leave()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(c.life, cancel)()
	if err = c.lend(ctx, agents, do); err != nil && c.life.Err() != nil {
		return errors.New("the lab was stopped in the middle of the run")
	}
	return err
}

func (c *copies) lend(ctx context.Context, agents int, do func(context.Context, *workshop) error) error {
	dir, err := os.MkdirTemp("", "fourways-copy-")
	if err != nil {
		return fmt.Errorf("make a folder for the copy of the lab: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := copyRules(filepath.Join(c.of.dir, labConfig), filepath.Join(dir, labConfig)); err != nil {
		return err
	}
	log, closeLog, err := labLog(dir, io.Discard)
	if err != nil {
		return err
	}
	defer closeLog()
	s, err := openSockets(ctx, 0)
	if err != nil {
		return err
	}
	w, err := openWorld(ctx, dir, world.Spec{Seed: c.of.config.Lab.Seed}, agents, s, log)
	if err != nil {
		return fmt.Errorf("start a copy of the lab: %w", err)
	}
	defer w.close()
	return do(ctx, w)
}

// copyRules gives the copy the lab's configuration, except for its schedule, since nothing may be synchronised behind a run's
// back, and for where agents dial: that is the lab's own broker. Without a file the copy makes the one that the lab would make.
func copyRules(from, to string) error {
	if _, err := os.Stat(from); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	c, err := config.LoadFile(from)
	if err != nil {
		return fmt.Errorf("read the lab's configuration: %w", err)
	}
	c.Sync.Paused, c.Server.AgentURL = true, ""
	for i := range c.IdP {
		if c.IdP[i].Protocol == "oidc" {
			c.IdP[i].Binding = "" // reading filled it in; a file may not have it
		}
	}
	return writeConfig(to, c)
}

// shown is a workshop as the matrix sees it.
func shown(w *workshop) matrix.World {
	return matrix.World{Door: w.sockets.publicURL(), History: w.gateway, Premises: labPremises{w.lab}}
}

// labPremises adds to the lab's own logs the switch that the matrix turns.
type labPremises struct{ *lab.Lab }

// CutDC implements matrix.Premises.
func (p labPremises) CutDC(_ context.Context, off bool) error {
	if off {
		p.Premises().StopDC()
		return nil
	}
	return p.Premises().StartDC()
}
