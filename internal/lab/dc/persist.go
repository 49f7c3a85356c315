package dc

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// stateVersion changes when an older program couldn't read the file.
const stateVersion = 1

// state is the file: the whole domain, NT hashes included, so it is readable by its owner only.
type state struct {
	Version int           `json:"version"`
	Domain  string        `json:"domain"`
	SID     [3]uint32     `json:"sid"`
	RID     uint32        `json:"rid"`
	USN     int64         `json:"usn"`
	Entries []storedEntry `json:"entries"`
}

type storedEntry struct {
	DN    string              `json:"dn"`
	Attrs map[string][][]byte `json:"attrs"`
	Hash  []byte              `json:"hash,omitempty"`
}

// save writes the domain down and returns when everything changed so far is on disk. Callers that come while one write is
// running share the next.
func (s *Server) save() error {
	if s.opts.File == "" {
		return nil
	}
	s.dom.mu.RLock()
	mine := s.dom.version
	s.dom.mu.RUnlock()

	s.saving.Lock()
	defer s.saving.Unlock()
	if s.saved >= mine {
		return nil
	}
	body, version, err := s.dom.snapshot()
	if err != nil {
		return err
	}
	if err := writeFile(s.opts.File, body); err != nil {
		return fmt.Errorf("the domain controller could not write its state; the change is in memory only: %w", err)
	}
	s.saved = version
	return nil
}

// snapshot is the file's content. The entries themselves never change, so the long part of the work needs no lock.
func (d *domain) snapshot() ([]byte, uint64, error) {
	d.mu.RLock()
	st := state{Version: stateVersion, Domain: d.dns, SID: d.sid, RID: d.rid, USN: d.usn}
	version, entries := d.version, maps.Clone(d.entries)
	d.mu.RUnlock()
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		e := entries[key]
		stored := storedEntry{DN: e.name.String(), Attrs: map[string][][]byte{}, Hash: e.hash}
		for _, a := range e.attrs {
			for _, v := range a.values {
				stored.Attrs[a.name] = append(stored.Attrs[a.name], []byte(v))
			}
		}
		st.Entries = append(st.Entries, stored)
	}
	body, err := json.Marshal(st)
	return body, version, err
}

// load reads the file into d; false when there is none yet.
func (d *domain) load(file string) (bool, error) {
	body, err := os.ReadFile(file) //nolint:gosec // G304: the operator names the file
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("the domain controller can't read its state: %w", err)
	}
	var st state
	if err := json.Unmarshal(body, &st); err != nil {
		return false, fmt.Errorf("%s is no state of a domain controller: %w; move it away to begin with an empty domain", file, err)
	}
	if st.Version != stateVersion || st.Domain != d.dns {
		return false, fmt.Errorf("%s holds version %d of domain %q; wanted are version %d and %q: move it away or change the domain",
			file, st.Version, st.Domain, stateVersion, d.dns)
	}
	d.sid, d.rid, d.usn = st.SID, st.RID, st.USN
	for _, stored := range st.Entries {
		name, err := parseDN(stored.DN)
		if err != nil {
			return false, fmt.Errorf("%s holds the name %q: %w", file, stored.DN, err)
		}
		e := newEntry(name)
		e.hash = stored.Hash
		for attr, vals := range stored.Attrs {
			strs := make([]string, len(vals))
			for i, v := range vals {
				strs[i] = string(v)
			}
			e.set(attr, strs...)
		}
		d.put(e)
	}
	return true, nil
}

// writeFile replaces file at once: a reader, or a start after a crash, sees the old content or the new, never a part.
func writeFile(file string, body []byte) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(file), ".dc-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}()
	_, err = tmp.Write(body)
	if err == nil {
		err = tmp.Sync()
	}
	if cerr := tmp.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(tmp.Name(), file)
}
