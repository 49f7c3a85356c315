package dirsync

import (
	"fmt"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/passhash"
)

// Newcomers is what a synchronisation makes of people in a tenant that has nobody: the accounts, and the credentials of those
// who brought a hash and whose domain wants it. Everybody must be one who can be taken.
func Newcomers(people []Object, d Domains, at time.Time) (users []directory.User, hashes []directory.Credential, err error) {
	incoming, hash := make([]Incoming, len(people)), map[string]Object{}
	for i, o := range people {
		incoming[i], hash[o.Anchor] = Incoming{Object: o}, o
	}
	plan := Diff(directory.Objects{}, incoming, Rules{Verified: d.Verified})
	if len(plan.Skipped) > 0 {
		return nil, nil, fmt.Errorf("%d people could not be taken, the first is %s", len(plan.Skipped), plan.Skipped[0])
	}
	users = plan.Changes("", at).Put.Users
	for _, u := range users {
		o := hash[u.Onprem.Anchor]
		if o.Hash == "" || !d.HashSync(authn.ParseIdentifier(u.UPN).Domain()) {
			continue
		}
		if _, err := passhash.ParseOrgID(o.Hash); err != nil {
			return nil, nil, fmt.Errorf("the hash of %s: %w", u.UPN, err)
		}
		hashes = append(hashes, directory.Credential{Account: u.ID, Scheme: directory.SchemePHS, Record: []byte(o.Hash), Changed: o.PasswordAt, Stored: at})
	}
	return users, hashes, nil
}
