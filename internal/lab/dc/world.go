package dc

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
)

// Keep writes the domain as it is now to a file of its own, which Restore brings back. It needs Options.File, and is quick
// even for a large domain: the file is written once and shared.
func (s *Server) Keep(file string) error {
	s.saving.Lock()
	defer s.saving.Unlock()
	if err := s.checkpoint(); err != nil {
		return err
	}
	if err := shareFile(s.opts.File, file); err != nil {
		return fmt.Errorf("keep the state of the domain controller: %w", err)
	}
	return nil
}

// whole is a domain at one moment. Entries never change, so it costs what was changed since, and it needs no lock.
type whole struct {
	header  header
	entries map[string]*entry
	file    fs.FileInfo // that holds it; nil: none
}

func (d *domain) still() whole {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return whole{header: d.header(), entries: maps.Clone(d.entries)}
}

// remember notes what the file holds now. A kept world is that file too until it is written anew, and then need not be read.
func (s *Server) remember(w whole) {
	info, err := os.Stat(s.opts.File)
	if w.file = info; err != nil {
		w = whole{}
	}
	s.written = w
}

// in reports that the file is the one that holds w, untouched.
func (w whole) in(file string) bool {
	info, err := os.Stat(file)
	return err == nil && w.file != nil && os.SameFile(info, w.file) && info.Size() == w.file.Size() && info.ModTime().Equal(w.file.ModTime())
}

// fill puts everything of w into an empty domain.
func (d *domain) fill(w whole) {
	for _, e := range w.entries {
		d.put(e)
	}
	d.counters(w.header)
	d.ready()
}

// Kept is a domain that Keep wrote down, read whole and not yet anybody's.
type Kept struct {
	file  string
	dom   *domain
	whole whole
}

// ReadKept reads what Keep wrote. Nothing changes, so a file that is damaged is found out before anything else does.
func (s *Server) ReadKept(file string) (Kept, error) {
	s.saving.Lock()
	k := Kept{file: file, dom: s.dom.empty(), whole: s.written}
	s.saving.Unlock()
	if k.whole.in(file) {
		k.dom.fill(k.whole)
		return k, nil
	}
	found, err := k.dom.read(file)
	if err == nil && !found {
		err = fmt.Errorf("%s: %w", file, fs.ErrNotExist)
	}
	if err != nil {
		return Kept{}, fmt.Errorf("read a kept state of the domain controller: %w", err)
	}
	k.dom.ready()
	k.whole = k.dom.still()
	return k, nil
}

// Restore makes the domain what ReadKept read, for connections that are open too: nobody is hung up on, and what they ask
// next is answered from it. The invocationId comes back with the numbers it stands for: a place in the changes that was noted
// before Keep is good again, and one noted after it must be put back too by whoever holds it. Each Kept is good once. After an error the domain in memory is the kept one and the file may be
// the other: read and restore it again.
func (s *Server) Restore(k Kept) error {
	s.saving.Lock()
	defer s.saving.Unlock()
	s.saved = s.dom.become(k.dom)
	// In this order: a journal of the domain that was must never be read over the file of the one that is.
	err := s.journal.reset(s.opts.File)
	if err == nil {
		err = shareFile(k.file, s.opts.File)
	}
	if err != nil {
		return fmt.Errorf("bring the state of the domain controller back: %w", err)
	}
	s.remember(k.whole)
	s.journal.fit(s.opts.File)
	return nil
}

// empty is a domain of the same name without anything in it.
func (d *domain) empty() *domain {
	return &domain{
		base: d.base, dns: d.dns, netbios: d.netbios, host: d.host, now: d.now,
		entries: map[string]*entry{}, upns: map[string]string{}, sams: map[string]string{},
		mails: map[string]map[string]struct{}{}, groups: map[string]map[string]struct{}{}, guids: map[string]*entry{},
	}
}

// become takes over everything that other holds, and gives the version that this makes.
func (d *domain) become(other *domain) uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.entries, d.upns, d.sams, d.mails, d.groups = other.entries, other.upns, other.sams, other.mails, other.groups
	d.guids, d.history, d.graves = other.guids, other.history, other.graves
	d.counters(other.header())
	d.touched = nil
	d.version++
	return d.version
}

// shareFile puts what from holds at to, at once. Both may be one file on the disk: neither is ever written into, only
// replaced.
func shareFile(from, to string) error {
	fresh := to + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if os.Link(from, fresh) == nil {
		if err := os.Rename(fresh, to); err != nil {
			return err
		}
		_ = os.Remove(fresh) // there still when to was that file already: rename(2) does nothing then
		return nil
	}
	in, err := os.Open(from) //nolint:gosec // G304: a file of the lab's own
	if err != nil {
		return err
	}
	defer in.Close()
	return replaceFile(to, func(w io.Writer) error {
		_, err := io.Copy(w, in)
		return err
	})
}
