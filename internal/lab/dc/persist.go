package dc

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// stateVersion changes when an older program couldn't read the file.
const stateVersion = 1

// header is what stands in the file before the entries: the file holds the whole domain, NT hashes included, so it is
// readable by its owner only.
type header struct {
	Version int       `json:"version"`
	Domain  string    `json:"domain"`
	SID     [3]uint32 `json:"sid"`
	RID     uint32    `json:"rid"`
	USN     int64     `json:"usn"`
	ID      []byte    `json:"invocationId,omitempty"`
}

type storedEntry struct {
	DN    string              `json:"dn"`
	Attrs map[string][][]byte `json:"attrs"`
	Hash  []byte              `json:"hash,omitempty"`
}

// save returns when everything changed so far is on disk: what was changed is added to the journal beside the file.
// Callers that come while one write is running share the next.
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
	c, version := s.dom.take()
	if err := s.journal.add(c.stored()); err != nil {
		s.dom.giveBack(c)
		return fmt.Errorf("the domain controller could not write its state; the change is in memory only: %w", err)
	}
	s.saved = version
	if s.journal.full() {
		return s.checkpoint()
	}
	return nil
}

// checkpoint writes the whole domain down and begins an empty journal. The caller holds saving. Should the program end
// between the two, the journal is read over a file that has its changes already, which comes to the same.
func (s *Server) checkpoint() error {
	c, version := s.dom.take()
	now := s.dom.still()
	err := now.write(s.opts.File)
	if err == nil {
		s.remember(now)
		err = s.journal.reset(s.opts.File)
	}
	if err != nil {
		s.dom.giveBack(c)
		return fmt.Errorf("the domain controller could not write its state down whole; the journal beside it holds the changes: %w", err)
	}
	s.saved = version
	return nil
}

// write replaces file by the domain as it was.
func (w whole) write(file string) error {
	h, entries := w.header, w.entries
	return replaceFile(file, func(w io.Writer) error {
		first, err := json.Marshal(h)
		if err != nil {
			return err
		}
		out := bufio.NewWriterSize(w, 1<<16)
		_, _ = out.Write(first[:len(first)-1]) // a bufio.Writer keeps its first error until Flush
		sep := `,"entries":[`
		for _, key := range slices.Sorted(maps.Keys(entries)) {
			body, err := json.Marshal(entries[key].stored())
			if err != nil {
				return err
			}
			_, _ = out.WriteString(sep)
			_, _ = out.Write(body)
			sep = ",\n"
		}
		if len(entries) == 0 {
			_, _ = out.WriteString(sep)
		}
		_, _ = out.WriteString("]}\n")
		return out.Flush()
	})
}

func (d *domain) header() header {
	return header{Version: stateVersion, Domain: d.dns, SID: d.sid, RID: d.rid, USN: d.usn, ID: d.id}
}

func (d *domain) counters(h header) { d.sid, d.rid, d.usn, d.id = h.SID, h.RID, h.USN, h.ID }

func (e *entry) stored() storedEntry {
	stored := storedEntry{DN: e.name.String(), Attrs: make(map[string][][]byte, len(e.attrs)), Hash: e.hash}
	for _, a := range e.attrs {
		vals := make([][]byte, len(a.values))
		for i, v := range a.values {
			vals[i] = []byte(v)
		}
		stored.Attrs[a.name] = vals
	}
	return stored
}

// load reads the file and its journal; false when there is none yet.
func (s *Server) load() (bool, error) {
	found, err := s.dom.read(s.opts.File)
	if err == nil && found {
		s.remember(s.dom.still())
		err = s.dom.replay(journalOf(s.opts.File))
	}
	if err == nil {
		s.dom.ready()
	}
	return found, err
}

// read takes the file in piece by piece: it may hold a hundred thousand people.
func (d *domain) read(file string) (bool, error) {
	f, err := os.Open(file) //nolint:gosec // G304: the operator names the file
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("the domain controller can't read its state: %w", err)
	}
	defer f.Close()
	dec := json.NewDecoder(bufio.NewReaderSize(f, 1<<16))
	h := header{}
	for err = open(dec, '{'); err == nil && dec.More(); {
		var field json.Token
		if field, err = dec.Token(); err != nil {
			break
		}
		switch field {
		case "version":
			err = dec.Decode(&h.Version)
		case "domain":
			err = dec.Decode(&h.Domain)
		case "sid":
			err = dec.Decode(&h.SID)
		case "rid":
			err = dec.Decode(&h.RID)
		case "usn":
			err = dec.Decode(&h.USN)
		case "invocationId":
			err = dec.Decode(&h.ID)
		case "entries":
			if h.Version == stateVersion && h.Domain == d.dns {
				err = d.readEntries(dec)
				continue
			}
			fallthrough
		default:
			err = dec.Decode(&json.RawMessage{})
		}
	}
	if err == nil {
		_, err = dec.Token() // a file that was cut off is none
	}
	if err != nil {
		return false, fmt.Errorf("%s is no state of a domain controller: %w; move it away to begin with an empty domain", file, err)
	}
	if h.Version != stateVersion || h.Domain != d.dns {
		return false, fmt.Errorf("%s holds version %d of domain %q; wanted are version %d and %q: move it away or change the domain",
			file, h.Version, h.Domain, stateVersion, d.dns)
	}
	d.counters(h)
	return true, nil
}

func open(dec *json.Decoder, want json.Delim) error {
	t, err := dec.Token()
	if err == nil && t != want {
		err = fmt.Errorf("%v stands where %v is due", t, want)
	}
	return err
}

func (d *domain) readEntries(dec *json.Decoder) error {
	if err := open(dec, '['); err != nil {
		return err
	}
	for dec.More() {
		var stored storedEntry
		if err := dec.Decode(&stored); err != nil {
			return err
		}
		if err := d.putStored(stored); err != nil {
			return err
		}
	}
	_, err := dec.Token()
	return err
}

func (d *domain) putStored(stored storedEntry) error {
	name, err := parseDN(stored.DN)
	if err != nil {
		return fmt.Errorf("the name %q: %w", stored.DN, err)
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
	e.usn, e.grave = e.number("uSNChanged"), e.first("isDeleted") == "TRUE"
	d.put(e)
	return nil
}

// Unfinished begins the names of the files beside Options.File that a program leaves when it ends while it writes. They hold
// the whole domain and are nobody's.
const Unfinished = ".dc-"

// replaceFile replaces file at once: a reader, or a start after a crash, sees the old content or the new, never a part.
func replaceFile(file string, fill func(io.Writer) error) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(file), Unfinished+"*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}()
	err = fill(tmp)
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
