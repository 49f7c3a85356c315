// Package evidence keeps what the lab's own servers tell of themselves: in memory for whoever asks soon, in files for later.
//
// In come the events of the domain controller and of the other company's identity provider; out come those that are
// remembered, and lines of JSON in the lab's data folder. It never keeps a server waiting, and no event has a password or a
// hash in it.
package evidence

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/fourways-id/fourways/internal/lab/dc"
	"github.com/fourways-id/fourways/internal/lab/harbour"
)

// The own logs of the premises and of the other company, in the lab's data folder: JSON, one event a line. They hold names
// as they were typed.
const (
	DCLogFile      = "dc.log"
	HarbourLogFile = "harbour.log"
)

// Bounds of the evidence.
const (
	mostDCEvents = 4096     // that are remembered
	mostQueued   = 4096     // lines that wait to be written; beyond that they are counted and left out
	mostLogged   = 8 << 20  // octets of a file, then it becomes the .old one
	lineBuffer   = 64 << 10 // octets
)

// Recorder takes events until it is closed.
type Recorder struct {
	dc, harbour *logFile // the writer's
	lines       chan line
	done        chan struct{}
	log         *slog.Logger

	mu     sync.Mutex
	events []dc.Event // a ring
	oldest int
	lost   int
	over   bool
}

// line is one event on its way into a file.
type line struct {
	to    *logFile
	event any
}

// dcLine is a dc.Event as it is written.
type dcLine struct {
	At     time.Time `json:"at"`
	Conn   uint64    `json:"conn,omitempty"`
	Op     string    `json:"op"`
	Name   string    `json:"name,omitempty"`
	Target string    `json:"target,omitempty"`
	Result int       `json:"result"`
	Data   string    `json:"data,omitempty"`
	Text   string    `json:"text,omitempty"`
}

// Open appends to the files in dir.
func Open(dir string, log *slog.Logger) (*Recorder, error) {
	r := &Recorder{lines: make(chan line, mostQueued), done: make(chan struct{}), log: log}
	var err error
	if r.dc, err = openLog(filepath.Join(dir, DCLogFile)); err != nil {
		return nil, err
	}
	if r.harbour, err = openLog(filepath.Join(dir, HarbourLogFile)); err != nil {
		_ = r.dc.file.Close()
		return nil, err
	}
	go r.write()
	return r, nil
}

// DC takes an event of the domain controller.
func (r *Recorder) DC(e dc.Event) {
	r.mu.Lock()
	if len(r.events) < mostDCEvents {
		r.events = append(r.events, e)
	} else {
		r.events[r.oldest] = e
		r.oldest = (r.oldest + 1) % mostDCEvents
	}
	r.mu.Unlock()
	r.put(r.dc, dcLine{e.Time, e.Conn, e.Op, e.Name, e.Target, e.Result, e.Data, e.Text})
}

// Harbour takes an event of the other company's identity provider.
func (r *Recorder) Harbour(e harbour.Event) { r.put(r.harbour, e) }

// put never waits: a slow disk must not slow a bind.
func (r *Recorder) put(to *logFile, event any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return
	}
	select {
	case r.lines <- line{to, event}:
	default:
		r.lost++
	}
}

// DCEvents are the domain controller's own log since a time by the lab's clock, oldest first: as much of it as is remembered.
func (r *Recorder) DCEvents(since time.Time) []dc.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []dc.Event
	for i := range r.events {
		if e := r.events[(r.oldest+i)%len(r.events)]; !e.Time.Before(since) {
			all = append(all, e)
		}
	}
	return all
}

// write writes until the end, and flushes whenever nothing waits.
func (r *Recorder) write() {
	defer close(r.done)
	for next := range r.lines {
		r.complain(next.to.add(next.event))
		if len(r.lines) == 0 {
			r.complain(r.dc.w.Flush())
			r.complain(r.harbour.w.Flush())
		}
	}
	for _, f := range []*logFile{r.dc, r.harbour} {
		r.complain(f.w.Flush())
		r.complain(f.file.Close())
	}
}

// complain says once what is wrong with the files.
func (r *Recorder) complain(err error) {
	if err == nil {
		return
	}
	r.mu.Lock()
	first := r.lost == 0
	r.lost++
	r.mu.Unlock()
	if first {
		r.log.Warn("the lab's own logs are incomplete", "error", err)
	}
}

// Close writes what waits. It may be called again.
func (r *Recorder) Close() {
	r.mu.Lock()
	over := r.over
	r.over = true
	r.mu.Unlock()
	if over {
		return
	}
	close(r.lines)
	<-r.done
	if r.lost > 0 {
		r.log.Warn("the lab's own logs are incomplete", "events left out", r.lost)
	}
}

// logFile is one file, and the one before it.
type logFile struct {
	path string
	file *os.File
	w    *bufio.Writer
	size int64
}

func openLog(path string) (*logFile, error) {
	f := &logFile{path: path}
	return f, f.open()
}

func (f *logFile) open() error {
	file, err := os.OpenFile(f.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("open the lab's own log: %w", err)
	}
	if f.size, err = file.Seek(0, io.SeekEnd); err != nil {
		_ = file.Close()
		return fmt.Errorf("open the lab's own log: %w", err)
	}
	f.file, f.w = file, bufio.NewWriterSize(file, lineBuffer)
	return nil
}

func (f *logFile) add(event any) error {
	b, err := json.Marshal(event)
	if err != nil {
		return fmt.Errorf("encode an event: %w", err)
	}
	if f.size+int64(len(b)) >= mostLogged {
		if err := f.rotate(); err != nil {
			return err
		}
	}
	n, err := f.w.Write(append(b, '\n'))
	f.size += int64(n)
	return err
}

// rotate begins a new file; the one that was full stays until the next is.
func (f *logFile) rotate() error {
	if err := f.w.Flush(); err != nil {
		return err
	}
	if err := f.file.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.path, f.path+".old"); err != nil {
		return err
	}
	return f.open()
}
