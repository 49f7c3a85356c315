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
	"slices"
)

// journal is the file of changes since the domain was last written down whole: a line of JSON a save. A directory of a
// hundred thousand people is not written anew for one wrong password. It is guarded by Server.saving.
type journal struct {
	file *os.File // nil until the first change
	path string
	size int64 // what of the file is whole lines
	most int64 // where writing the domain down whole is worth it
}

// leastFull keeps a small domain from being written whole at every change.
const leastFull = 1 << 20

func journalOf(file string) string { return file + ".journal" }

// changes are what one save has to write.
type changes struct {
	header header
	put    map[string]*entry // nil: gone
}

// line is one save in the journal.
type line struct {
	Header header        `json:"header"`
	Put    []storedEntry `json:"put,omitempty"`
	Drop   []string      `json:"drop,omitempty"` // keys
}

func (c changes) stored() line {
	l := line{Header: c.header}
	for _, key := range slices.Sorted(maps.Keys(c.put)) {
		if e := c.put[key]; e != nil {
			l.Put = append(l.Put, e.stored())
		} else {
			l.Drop = append(l.Drop, key)
		}
	}
	return l
}

// touch notes that the entry of this key is to be saved.
func (d *domain) touch(key string) {
	if d.touched == nil {
		d.touched = map[string]struct{}{}
	}
	d.touched[key] = struct{}{}
}

// take is everything touched since the last take, and the version that it brings the file to.
func (d *domain) take() (changes, uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := changes{header: d.header(), put: make(map[string]*entry, len(d.touched))}
	for key := range d.touched {
		c.put[key] = d.entries[key]
	}
	d.touched = nil
	return c, d.version
}

// giveBack notes once more what could not be written.
func (d *domain) giveBack(c changes) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for key := range c.put {
		d.touch(key)
	}
}

// openJournal goes on with the journal of a domain's file. What follows its last whole line was never answered for.
func openJournal(file string) (journal, error) {
	j := journal{path: journalOf(file)}
	j.fit(file)
	raw, err := os.Open(j.path)
	if errors.Is(err, fs.ErrNotExist) {
		return j, nil
	}
	if err != nil {
		return j, err
	}
	defer raw.Close()
	j.size, err = wholeLines(raw, func([]byte) error { return nil })
	return j, err
}

// fit says from which size on the journal is full: when reading it takes about as long as reading the file.
func (j *journal) fit(file string) {
	j.most = leastFull
	if info, err := os.Stat(file); err == nil {
		j.most = max(leastFull, info.Size())
	}
}

func (j *journal) full() bool { return j.size > j.most }

// add returns when l is on disk. After an error nothing of it is: the next one is written over it.
func (j *journal) add(l line) error {
	body, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if j.file == nil {
		if j.file, err = os.OpenFile(j.path, os.O_CREATE|os.O_RDWR, 0o600); err != nil {
			return err
		}
		if err := j.file.Truncate(j.size); err != nil {
			return err
		}
	}
	if _, err = j.file.WriteAt(append(body, '\n'), j.size); err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		return errors.Join(err, j.file.Truncate(j.size))
	}
	j.size += int64(len(body)) + 1
	return nil
}

// reset begins an empty journal for the domain's file.
func (j *journal) reset(file string) error {
	if err := j.close(); err != nil {
		return err
	}
	if err := os.Remove(j.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	j.size = 0
	j.fit(file)
	return nil
}

func (j *journal) close() error {
	if j.file == nil {
		return nil
	}
	err := j.file.Close()
	j.file = nil
	return err
}

// replay carries a journal out.
func (d *domain) replay(path string) error {
	f, err := os.Open(path) //nolint:gosec // G304: beside the file that the operator names
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the domain controller can't read its journal: %w", err)
	}
	defer f.Close()
	_, err = wholeLines(f, d.redo)
	if err != nil {
		return fmt.Errorf("%s is no journal of a domain controller: %w; move it away to go on from the last whole state", path, err)
	}
	return nil
}

func (d *domain) redo(text []byte) error {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return err
	}
	if l.Header.Version != stateVersion || l.Header.Domain != d.dns {
		return fmt.Errorf("it holds version %d of domain %q", l.Header.Version, l.Header.Domain)
	}
	d.counters(l.Header)
	for _, key := range l.Drop {
		d.forget(key)
	}
	for _, stored := range l.Put {
		if err := d.putStored(stored); err != nil {
			return err
		}
	}
	return nil
}

// wholeLines gives each line that was written to its end, and how many bytes those are.
func wholeLines(r io.Reader, do func([]byte) error) (size int64, err error) {
	in := bufio.NewReaderSize(r, 1<<16)
	for {
		text, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return size, nil // a part of a line was never answered for
		}
		if err == nil {
			err = do(text)
		}
		if err != nil {
			return size, err
		}
		size += int64(len(text))
	}
}
