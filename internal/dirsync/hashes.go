package dirsync

import (
	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/passhash"
)

// Hashes plans a hash run. Only synchronised people of a domain with password hash synchronisation get one (on says so);
// with it off the store holds no credential of theirs at all. A malformed record is skipped and stops nobody else.
func Hashes(now []directory.User, wanted []Object, on func(domain string) bool) Plan {
	p := Plan{read: len(wanted), had: len(now)}
	here := map[string]directory.User{}
	for _, u := range now {
		if u.Synced && u.Onprem.Anchor != "" {
			here[u.Onprem.Anchor] = u
		}
	}
	seen := map[string]bool{}
	for _, o := range wanted {
		u, known := here[o.Anchor]
		if o.Hash == "" || !known || !on(authn.ParseIdentifier(u.UPN).Domain()) {
			continue // not in scope: that is no mistake
		}
		o.Kind, o.UPN = User, u.UPN
		if _, err := passhash.ParseOrgID(o.Hash); err != nil {
			p.skip(o, "its password hash is malformed: %v", err)
			continue
		}
		if seen[o.Anchor] {
			p.skip(o, "another object of the source has the same anchor")
			continue
		}
		seen[o.Anchor] = true
		p.Hashes = append(p.Hashes, u.UPN)
		p.changes.Hashes = append(p.changes.Hashes, directory.Credential{
			Account: u.ID, Scheme: directory.SchemePHS, Record: []byte(o.Hash), Changed: o.PasswordAt,
		})
	}
	return p
}
