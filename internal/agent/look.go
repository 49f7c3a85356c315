package agent

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/onprem"
)

// longestName bounds what an object is looked for by, in octets.
const longestName = 1024

// look reads one object by a name: a user principal name, sAMAccountName, mail address, DN, the id or the anchor. An object
// out of scope comes too, as gone and with the reason. Of several that have the name in different attributes the first of
// that order is meant; several that have it in the same one all come.
func (s *source) look(ctx context.Context, name string, yield func(dirsync.Part) error) error {
	name = strings.TrimSpace(name)
	if name == "" || len(name) > longestName || strings.ContainsRune(name, 0) {
		return fmt.Errorf("an object is looked for by a name of 1 to %d octets", longestName)
	}
	in, members, err := s.membered(ctx)
	if err != nil {
		return err
	}
	r := &run{source: s, terms: in, cursor: cursor{Members: members}}
	ids, err := r.find(ctx, name)
	if err != nil {
		return err
	}
	part := dirsync.Part{Writable: s.o.WriteBack}
	if len(ids) > 0 {
		if part.Objects, err = r.show(ctx, ids); err != nil {
			return err
		}
	}
	return yield(part)
}

// find are the ids of what has a name.
func (r *run) find(ctx context.Context, name string) ([][]byte, error) {
	if id := guid(name); id != nil {
		return [][]byte{r.octets(id)}, nil
	}
	if strings.Contains(name, "=") && strings.Contains(name, ",") {
		ids, err := r.ids(ctx, onprem.Query{BaseDN: name, Filter: r.terms.kinds()}, name)
		if err == nil || errors.Is(err, onprem.ErrNotFound) {
			return ids, nil
		}
		return nil, err
	}
	value := onprem.Escape(name)
	for _, attribute := range distinct([]string{r.o.CloudUPN, r.o.BindUPN, "sAMAccountName", "uid", "mail", "cn"}) {
		ids, err := r.ids(ctx, onprem.Query{Filter: "(&" + r.terms.kinds() + "(" + attribute + "=" + value + "))"}, "")
		if err != nil || len(ids) > 0 {
			return ids, err
		}
	}
	raw, err := base64.StdEncoding.DecodeString(name)
	if err != nil || len(raw) == 0 {
		return nil, nil
	}
	if ids, err := r.anchored(ctx, raw); err != nil || len(ids) > 0 || len(raw) != objectID {
		return ids, err
	}
	return [][]byte{raw}, nil
}

// anchored are the ids of what has these octets in the anchor attribute, when that is one of its own.
func (r *run) anchored(ctx context.Context, raw []byte) ([][]byte, error) {
	names := r.idAttributes()
	if len(names) == 1 {
		if r.ad() {
			return nil, nil
		}
		names = append(names, names[0]) // of OpenLDAP the anchor is the id's text
	}
	var value strings.Builder
	for _, octet := range raw {
		fmt.Fprintf(&value, `\%02x`, octet)
	}
	return r.ids(ctx, onprem.Query{Filter: "(&" + r.terms.kinds() + "(" + names[1] + "=" + value.String() + "))"}, "")
}

// mostFound bounds what is shown of a name that many have.
const mostFound = 10

// ids runs a search; dn, when it is given, is the only entry that is wanted of it.
func (r *run) ids(ctx context.Context, q onprem.Query, dn string) ([][]byte, error) {
	q.Attributes = r.idAttributes()
	var ids [][]byte
	for e, err := range r.at.Read(ctx, q) {
		if err != nil {
			return nil, fmt.Errorf("look for an object: %w", err)
		}
		if dn == "" || onprem.NormalDN(e.DN) == onprem.NormalDN(dn) {
			ids = append(ids, r.at.ObjectID(e))
		}
		if len(ids) == mostFound {
			break
		}
	}
	return ids, nil
}

// show reads objects whole and says of those that are not in scope why.
func (r *run) show(ctx context.Context, ids [][]byte) ([]dirsync.Object, error) {
	matching, err := r.matching(ctx, ids)
	if err != nil {
		return nil, err
	}
	var all []dirsync.Object
	for e, err := range r.at.Entries(ctx, ids, r.anyKind(), r.source.attributes()) {
		if err != nil {
			return nil, fmt.Errorf("read an object: %w", err)
		}
		kind := r.terms.kindOf(e)
		if kind == "" {
			continue
		}
		o := r.object(kind, e)
		o.Reason = r.terms.judge(e, matching == nil || matching[string(r.at.ObjectID(e))])
		o.Gone = o.Reason != ""
		all = append(all, o)
	}
	return all, nil
}

// guid reads the text of a GUID: the octets in the order of the text; nil when it is none.
func guid(text string) []byte {
	text = strings.Trim(text, "{}")
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return nil
	}
	id, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	if err != nil {
		return nil
	}
	return id
}

// octets are those of a GUID as the directory keeps them: in Active Directory the first three fields come with their least
// octet first ([MS-DTYP] 2.3.4.2).
func (s *source) octets(id []byte) []byte {
	if !s.ad() {
		return id
	}
	return []byte{id[3], id[2], id[1], id[0], id[5], id[4], id[7], id[6], id[8], id[9], id[10], id[11], id[12], id[13], id[14], id[15]}
}
