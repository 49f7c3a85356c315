package agent

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/onprem"
	"github.com/fourways-id/fourways/internal/passhash"
)

// Reader reads entries. onprem.Directory is one.
type Reader interface {
	Read(ctx context.Context, q onprem.Query) iter.Seq2[onprem.Entry, error]
	Anchor(e onprem.Entry) []byte
}

// SourceOptions say what is read, and under which names.
type SourceOptions struct {
	Kind            string   // onprem.AD or onprem.LDAP
	Scope           []string // DNs that are read; empty: the base
	CloudUPN        string   // attribute that holds the name in the tenant
	BindUPN         string   // attribute that holds the name that the directory binds
	AnchorAttribute string
	HashAttribute   string // attribute that holds the NT hash, as 16 octets or 32 hex digits; "": no hashes
}

// NewSource reads users, contacts and groups as Active Directory or OpenLDAP keeps them.
func NewSource(r Reader, o SourceOptions) dirsync.Source {
	if len(o.Scope) == 0 {
		o.Scope = []string{""}
	}
	return &source{r: r, o: o}
}

type source struct {
	r Reader
	o SourceOptions
}

// Filters by kind of directory. In Active Directory a computer is a user too.
func (s *source) filter(kind string) string {
	ad := map[string]string{
		dirsync.User:    "(&(objectClass=user)(!(objectClass=computer)))",
		dirsync.Contact: "(objectClass=contact)",
		dirsync.Group:   "(objectClass=group)",
	}
	ldap := map[string]string{
		dirsync.User:  "(objectClass=person)",
		dirsync.Group: "(|(objectClass=groupOfNames)(objectClass=groupOfUniqueNames))",
	}
	if s.o.Kind == onprem.LDAP {
		return ldap[kind]
	}
	return ad[kind]
}

// Read implements dirsync.Source.
func (s *source) Read(ctx context.Context, ask dirsync.Ask, yield func(dirsync.Part) error) error {
	full := func(objects []dirsync.Object) error { return yield(dirsync.Part{Objects: objects, Full: true}) }
	switch ask.Kind {
	case dirsync.KindHash:
		return s.hashes(ctx, full)
	case dirsync.KindDirectory:
		return s.objects(ctx, full)
	}
	return fmt.Errorf("this agent can't do %q yet", ask.Kind)
}

// pageSize is how many objects are yielded at once.
const pageSize = 500

// objects reads people and contacts, then groups.
func (s *source) objects(ctx context.Context, yield func([]dirsync.Object) error) error {
	for _, kind := range []string{dirsync.User, dirsync.Contact} {
		page := make([]dirsync.Object, 0, pageSize)
		err := s.each(ctx, kind, s.attributes(), func(e onprem.Entry) error {
			o := s.object(kind, e)
			page = append(page, o)
			if len(page) < pageSize {
				return nil
			}
			err := yield(page)
			page = page[:0]
			return err
		})
		if err == nil && len(page) > 0 {
			err = yield(page)
		}
		if err != nil {
			return err
		}
	}
	return s.groups(ctx, yield)
}

func (s *source) groups(ctx context.Context, yield func([]dirsync.Object) error) error {
	var groups []dirsync.Object
	var members [][][]byte
	err := s.each(ctx, dirsync.Group, append(s.attributes(), "member", "uniqueMember", "cn"), func(e onprem.Entry) error {
		g := s.object(dirsync.Group, e)
		if g.DisplayName == "" {
			g.DisplayName = e.First("cn")
		}
		groups, members = append(groups, g), append(members, append(e.Get("member"), e.Get("uniqueMember")...))
		return nil
	})
	if err != nil || len(groups) == 0 {
		return err
	}
	for i := range groups {
		for _, dn := range members[i] {
			groups[i].Members = append(groups[i].Members, dirsync.Ref(onprem.NormalDN(string(dn))))
		}
	}
	return yield(groups)
}

func (s *source) each(ctx context.Context, kind string, attributes []string, do func(onprem.Entry) error) error {
	filter := s.filter(kind)
	if filter == "" {
		return nil // this directory has no such things
	}
	for _, base := range s.o.Scope {
		for e, err := range s.r.Read(ctx, onprem.Query{BaseDN: base, Filter: filter, Attributes: attributes}) {
			if err != nil {
				return fmt.Errorf("read the %ss: %w", kind, err)
			}
			if err := do(e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *source) attributes() []string {
	return []string{
		s.o.AnchorAttribute, s.o.CloudUPN, s.o.BindUPN, "sAMAccountName", "uid", "displayName", "givenName", "sn", "mail",
		"msExchUsageLocation", "c", "userAccountControl", "whenChanged", "modifyTimestamp",
	}
}

// accountDisabled is a bit of userAccountControl (MS-ADTS, section 2.2.16).
const accountDisabled = 0x2

func (s *source) object(kind string, e onprem.Entry) dirsync.Object {
	o := dirsync.Object{
		Kind: kind, ID: base64.StdEncoding.EncodeToString(s.r.Anchor(e)), Anchor: base64.StdEncoding.EncodeToString(s.r.Anchor(e)),
		DN: e.DN, Ref: dirsync.Ref(onprem.NormalDN(e.DN)),
		SAM: first(e, "sAMAccountName", "uid"), DisplayName: e.First("displayName"), Mail: e.First("mail"),
		ChangedAt: generalized(first(e, "whenChanged", "modifyTimestamp")),
	}
	if kind != dirsync.User {
		return o
	}
	o.UPN, o.GivenName, o.Surname = e.First(s.o.CloudUPN), e.First("givenName"), e.First("sn")
	o.UsageLocation = first(e, "msExchUsageLocation", "c")
	if bind := e.First(s.o.BindUPN); !strings.EqualFold(bind, o.UPN) {
		o.OnpremUPN = bind
	}
	uac, err := strconv.ParseInt(e.First("userAccountControl"), 10, 64)
	o.Enabled = err != nil || uac&accountDisabled == 0 // OpenLDAP has no such attribute
	return o
}

// hashes reads every person's NT hash, hashes it again, and wipes it before the next one is looked at.
func (s *source) hashes(ctx context.Context, yield func([]dirsync.Object) error) error {
	if s.o.HashAttribute == "" {
		return errors.New("no hash source is configured for this agent: set sync.hash_source")
	}
	page := make([]dirsync.Object, 0, pageSize)
	attributes := []string{s.o.AnchorAttribute, s.o.HashAttribute, "pwdLastSet", "pwdChangedTime"}
	err := s.each(ctx, dirsync.User, attributes, func(e onprem.Entry) error {
		values := e.Get(s.o.HashAttribute)
		if len(values) == 0 {
			return nil // no password, or one whose hash this account may not see
		}
		if e.First("pwdLastSet") == "0" {
			clear(values[0])
			return nil // good only for being changed: withheld until it was (Microsoft: password hash synchronization, "Temporary passwords")
		}
		record, err := hashAgain(values)
		if err != nil {
			record = badRecord // the plan skips it and says whose it is: one bad object must not stop the rest
		}
		page = append(page, dirsync.Object{
			Kind: dirsync.User, ID: base64.StdEncoding.EncodeToString(s.r.Anchor(e)), Anchor: base64.StdEncoding.EncodeToString(s.r.Anchor(e)),
			DN: e.DN, Hash: record, PasswordAt: changedAt(e),
		})
		if len(page) < pageSize {
			return nil
		}
		err = yield(page)
		page = page[:0]
		return err
	})
	if err == nil && len(page) > 0 {
		err = yield(page)
	}
	return err
}

// badRecord stands in for the hash of a value that is none; no parser takes it.
const badRecord = "not an NT hash"

// hashAgain makes the record that may leave the premises, and wipes what it was made of.
func hashAgain(values [][]byte) (string, error) {
	var nt [16]byte
	defer clear(nt[:])
	defer func() {
		for _, v := range values {
			clear(v)
		}
	}()
	switch v := values[0]; {
	case len(v) == len(nt):
		copy(nt[:], v)
	case len(v) == 2*len(nt):
		if _, err := hex.Decode(nt[:], v); err != nil {
			return "", errors.New("the value is no NT hash in hex")
		}
	default:
		return "", fmt.Errorf("the value has %d bytes; an NT hash has 16, or 32 hex digits", len(v))
	}
	return passhash.NewOrgID(nt).String(), nil
}

func first(e onprem.Entry, names ...string) string {
	for _, n := range names {
		if v := e.First(n); v != "" {
			return v
		}
	}
	return ""
}

func changedAt(e onprem.Entry) time.Time {
	if t := e.First("pwdChangedTime"); t != "" {
		return generalized(t)
	}
	n, err := strconv.ParseInt(e.First("pwdLastSet"), 10, 64)
	if err != nil || n <= 0 {
		return time.Time{}
	}
	return fileTime(n)
}

// fileTime reads a count of 100 ns since 1601 (MS-DTYP, section 2.3.3).
func fileTime(n int64) time.Time {
	const to1970 = 11_644_473_600 // seconds
	return time.Unix(n/10_000_000-to1970, n%10_000_000*100).UTC()
}

// generalized reads a GeneralizedTime (RFC 4517, section 3.3.13) as directories write it; the zero time when it is none.
func generalized(s string) time.Time {
	for _, layout := range []string{"20060102150405.0Z", "20060102150405Z"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}
