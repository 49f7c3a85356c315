package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fourways-id/fourways/internal/console/api"
)

// furthest bounds how far the clock can be moved ahead: enough for every period that the gateway or a directory knows.
const furthest = 10 * 366 * 24 * time.Hour

// realTime is protocol time.
type realTime struct{}

func (realTime) Now() time.Time { return time.Now() } //nolint:forbidigo // the lab moves policy time, never protocol time

// Clock is the lab's policy time: lockout, sessions, retention, and the directory's account rules and password ages go by
// it. It runs as fast as real time does, and somebody may have moved it ahead; that is kept in the data folder. Protocol
// time (SAML, OpenID Connect, TLS, the agent link) and console tokens stay real: nothing that others check moves.
type Clock struct {
	file  string
	ahead atomic.Int64 // nanoseconds

	mu    sync.Mutex // one move at a time
	moved func(context.Context)
}

type clockFile struct {
	Ahead string `json:"ahead"` // Go duration
}

// OpenClock reads how far ahead a lab's clock is; without a file it is not.
func OpenClock(dir string) (*Clock, error) {
	c := &Clock{file: filepath.Join(dir, "clock.json")}
	raw, err := os.ReadFile(c.file)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the lab's clock: %w", err)
	}
	var f clockFile
	err = json.Unmarshal(raw, &f)
	ahead, bad := time.ParseDuration(f.Ahead)
	if err != nil || bad != nil || ahead < 0 || ahead > furthest {
		return nil, fmt.Errorf("%s is damaged: remove it, and the clock shows real time", c.file)
	}
	c.ahead.Store(int64(ahead))
	return c, nil
}

// Now implements authn.Clock.
func (c *Clock) Now() time.Time { return realTime{}.Now().Add(c.offset()) }

func (c *Clock) offset() time.Duration { return time.Duration(c.ahead.Load()) }

// Moved names what is to be done after each move, such as ending what is over now.
func (c *Clock) Moved(do func(context.Context)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moved = do
}

// ClockNow implements console.Clock.
func (c *Clock) ClockNow(context.Context) (api.Clock, error) {
	real, offset := realTime{}.Now().UTC(), c.offset()
	return api.Clock{Now: real.Add(offset), Real: real, Offset: offset.String()}, nil
}

// AdvanceClock implements console.Clock.
func (c *Clock) AdvanceClock(ctx context.Context, by api.ClockChange) (api.Clock, error) {
	d, err := time.ParseDuration(by.Advance)
	if err != nil || d <= 0 {
		return api.Clock{}, badRequest("%q is no time to advance by: write a Go duration above 0, as in 90s, 2m or 72h", by.Advance)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if d > furthest-c.offset() {
		return api.Clock{}, badRequest("the clock goes at most %s ahead, and is %s ahead already: `fourways clock reset` brings it back", furthest, c.offset())
	}
	return c.move(ctx, c.offset()+d)
}

// ResetClock implements console.Clock. What happened while the clock was ahead keeps its times: a lock that ends in what
// is the future now lasts until then.
func (c *Clock) ResetClock(ctx context.Context) (api.Clock, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.move(ctx, 0)
}

// set is a move to where the clock of another world stood.
func (c *Clock) set(ctx context.Context, ahead time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.move(ctx, ahead)
	return err
}

func (c *Clock) move(ctx context.Context, ahead time.Duration) (api.Clock, error) {
	if ahead != c.offset() {
		if err := writeJSON(c.file, clockFile{ahead.String()}); err != nil {
			return api.Clock{}, fmt.Errorf("keep the lab's clock: %w", err)
		}
		c.ahead.Store(int64(ahead))
		if c.moved != nil {
			c.moved(ctx)
		}
	}
	return c.ClockNow(ctx)
}

// writeJSON replaces a file of the data folder whole, for this user's eyes only, or leaves the old one.
func writeJSON(file string, v any) error {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return replace(file, append(raw, '\n'))
}

// replace is writeJSON for what is written already.
func replace(file string, content []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(file), unfinished+"*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // gone once it has been renamed
	_, err = tmp.Write(content)
	if err == nil {
		err = tmp.Sync()
	}
	if err := errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), file)
}

func badRequest(format string, args ...any) error {
	return api.Problem{Title: "Bad Request", Status: http.StatusBadRequest, Detail: fmt.Sprintf(format, args...)}
}

func refused(format string, args ...any) error {
	return api.Problem{Title: "Conflict", Status: http.StatusConflict, Detail: fmt.Sprintf(format, args...)}
}
