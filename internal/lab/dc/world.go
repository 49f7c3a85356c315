package dc

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
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

// Restore makes the domain what Keep wrote down, for connections that are open too: nobody is hung up on, and what they
// ask next is answered from it. After an error the domain in memory is one of the two, whole; Restore again.
func (s *Server) Restore(file string) error {
	s.saving.Lock()
	defer s.saving.Unlock()
	kept := s.dom.empty()
	found, err := kept.read(file)
	if err == nil && !found {
		err = fmt.Errorf("%s: %w", file, fs.ErrNotExist)
	}
	if err != nil {
		return fmt.Errorf("bring the state of the domain controller back: %w", err)
	}
	s.saved = s.dom.become(kept)
	// In this order: a journal of the domain that was must never be read over the file of the one that is.
	if err = s.journal.reset(s.opts.File); err == nil {
		err = shareFile(file, s.opts.File)
	}
	if err != nil {
		return fmt.Errorf("bring the state of the domain controller back: %w", err)
	}
	s.journal.fit(s.opts.File)
	return nil
}

// empty is a domain of the same name without anything in it.
func (d *domain) empty() *domain {
	return &domain{
		base: d.base, dns: d.dns, netbios: d.netbios, host: d.host, now: d.now,
		entries: map[string]*entry{}, upns: map[string]string{}, sams: map[string]string{},
		mails: map[string]map[string]struct{}{}, groups: map[string]map[string]struct{}{},
	}
}

// become takes over everything that other holds, and gives the version that this makes.
func (d *domain) become(other *domain) uint64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.entries, d.upns, d.sams, d.mails, d.groups = other.entries, other.upns, other.sams, other.mails, other.groups
	d.sid, d.rid, d.usn, d.touched = other.sid, other.rid, other.usn, nil
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
