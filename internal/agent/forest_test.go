package agent_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/internal/agent"
	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/onprem"
)

// forest is a directory in memory: entries, and what is said of changes.
type forest struct {
	entries  []onprem.Entry
	err      error // of every search, after its entries
	at       string
	locked   error // of Position and Changes
	pages    []onprem.Changes
	searches int
	asked    []string // attributes, of every search
	written  []string
	refuse   error // of Write
}

func entry(dn, guid, classes string, attrs ...string) onprem.Entry {
	e := onprem.Entry{DN: dn, Attrs: map[string][][]byte{"objectGUID": {id(guid)}}}
	for _, c := range strings.Fields(classes) {
		e.Attrs["objectClass"] = append(e.Attrs["objectClass"], []byte(c))
	}
	for i := 0; i < len(attrs); i += 2 {
		e.Attrs[attrs[i]] = append(e.Attrs[attrs[i]], []byte(attrs[i+1]))
	}
	return e
}

func human(dn, guid string, attrs ...string) onprem.Entry {
	return entry(dn, guid, "top person organizationalPerson user", append([]string{"sAMAccountName", guid}, attrs...)...)
}

// id makes 16 octets of a short name.
func id(name string) []byte { return append([]byte(name), make([]byte, 16-len(name))...) }

func b64(name string) string { return base64.StdEncoding.EncodeToString(id(name)) }

func (f *forest) Read(_ context.Context, q onprem.Query) iter.Seq2[onprem.Entry, error] {
	base := onprem.NormalDN(q.BaseDN)
	return f.search(q.Filter, q.Attributes, q.BaseDN, func(e onprem.Entry) bool {
		dn := onprem.NormalDN(e.DN)
		return base == "" || dn == base || strings.HasSuffix(dn, ","+base)
	})
}

func (f *forest) Entries(_ context.Context, ids [][]byte, filter string, attributes []string) iter.Seq2[onprem.Entry, error] {
	return f.search(filter, attributes, "", func(e onprem.Entry) bool {
		return slices.ContainsFunc(ids, func(id []byte) bool { return bytes.Equal(id, f.ObjectID(e)) })
	})
}

func (f *forest) search(filter string, attributes []string, base string, in func(onprem.Entry) bool) iter.Seq2[onprem.Entry, error] {
	f.searches++
	f.asked = append(f.asked, attributes...)
	return func(yield func(onprem.Entry, error) bool) {
		found := base == ""
		for _, e := range f.entries {
			found = found || in(e)
			if in(e) && (filter == "" || match(filter, e)) && !yield(e, nil) {
				return
			}
		}
		if f.err != nil {
			yield(onprem.Entry{}, f.err)
		} else if !found {
			yield(onprem.Entry{}, fmt.Errorf("%w: %s", onprem.ErrNotFound, base))
		}
	}
}

func (*forest) ObjectID(e onprem.Entry) []byte { return bytes.Join(e.Get("objectGUID"), nil) }

func (f *forest) Position(context.Context) (onprem.Position, error) {
	return onprem.Position(`{"at":"` + f.at + `"}`), f.locked
}

func (f *forest) Changes(_ context.Context, from onprem.Position, yield func(onprem.Changes) error) error {
	if f.locked != nil {
		return f.locked
	}
	if !strings.Contains(string(from), "at") {
		return fmt.Errorf("%w: from nowhere", onprem.ErrPosition)
	}
	for i, p := range f.pages {
		p.Position = onprem.Position(fmt.Sprintf(`{"at":"page %d"}`, i+1))
		if err := yield(p); err != nil {
			return err
		}
	}
	if len(f.pages) == 0 {
		return yield(onprem.Changes{Position: from})
	}
	return nil
}

func (f *forest) Write(_ context.Context, id []byte, attribute string, value []byte) error {
	if f.refuse == nil {
		f.written = append(f.written, strings.TrimRight(string(id), "\x00")+" "+attribute+"="+strings.TrimRight(string(value), "\x00"))
	}
	return f.refuse
}

// match is as much of RFC 4515 as the source writes: and, or, not, presence, equality, \xx.
func match(filter string, e onprem.Entry) bool {
	ok, rest := evaluate(filter, e)
	if rest != "" {
		panic("a filter that can't be read: " + filter)
	}
	return ok
}

func evaluate(f string, e onprem.Entry) (ok bool, rest string) {
	f = strings.TrimPrefix(f, "(")
	switch op := f[0]; op {
	case '&', '|', '!':
		ok = op == '&'
		for f = f[1:]; f[0] == '('; {
			var one bool
			one, f = evaluate(f, e)
			switch op {
			case '&':
				ok = ok && one
			case '|':
				ok = ok || one
			default:
				ok = !one
			}
		}
		return ok, f[1:]
	}
	test, rest, _ := strings.Cut(f, ")")
	name, value, _ := strings.Cut(test, "=")
	return slices.ContainsFunc(e.Get(name), func(v []byte) bool {
		return value == "*" || strings.EqualFold(unescape(value), string(v))
	}), rest
}

func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+2 < len(s) {
			if octet, err := hex.DecodeString(s[i+1 : i+3]); err == nil {
				b.Write(octet)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func adOptions() agent.SourceOptions {
	return agent.SourceOptions{
		Kind: onprem.AD, Scope: []string{"OU=Synced,DC=corp"}, CloudUPN: "mail", BindUPN: "userPrincipalName",
		AnchorAttribute: "objectGUID", HashAttribute: "fourwaysNTHash",
	}
}

// answer is a whole answer.
type answer struct {
	objects  []dirsync.Object
	cursor   []byte
	full     bool
	note     string
	writable []string
	parts    int
}

// by is the object with an id; its zero value when it didn't come.
func (a answer) by(guid string) dirsync.Object {
	for _, o := range a.objects {
		if o.ID == b64(guid) {
			return o
		}
	}
	return dirsync.Object{}
}

func (a answer) names() string {
	var all []string
	for _, o := range a.objects {
		raw, _ := base64.StdEncoding.DecodeString(o.ID)
		name := strings.TrimRight(string(raw), "\x00")
		switch {
		case o.Gone:
			name = "-" + name
		case o.Same:
			name = "=" + name
		}
		all = append(all, name)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func read(t *testing.T, s dirsync.Source, ask dirsync.Ask) answer {
	t.Helper()
	a, err := tryRead(t, s, ask)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func tryRead(t *testing.T, s dirsync.Source, ask dirsync.Ask) (answer, error) {
	t.Helper()
	var a answer
	err := s.Read(t.Context(), ask, func(p dirsync.Part) error {
		if a.parts > 0 && a.full != p.Full {
			t.Error("parts of two kinds in one answer")
		}
		if len(p.Objects) > 500 {
			t.Errorf("a part of %d objects", len(p.Objects))
		}
		a.objects, a.cursor, a.full, a.parts = append(a.objects, p.Objects...), p.Cursor, p.Full, a.parts+1
		a.note += p.Note
		a.writable = append(a.writable, p.Writable...)
		return nil
	})
	return a, err
}
