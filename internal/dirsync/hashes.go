package dirsync

import (
	"fmt"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/passhash"
)

// here is what the tenant and the connector space have of people whose hashes came.
type here struct {
	accounts map[string]directory.User     // synchronised ones, by anchor
	objects  map[string]directory.Imported // by id
	hashed   map[authn.AccountID]string    // those who have a hash, with its source: a run, or the cloud
	on       func(domain string) bool      // hashes of the domain are synchronised
}

// plan plans a part of a hash run: what becomes of each person's hash, and of whom the store is to be told. Only
// synchronised people of a domain with password hash synchronisation get one; with it off the store holds no credential of
// theirs at all. A hash takes the place of another only when the password was changed on the premises since that one came:
// a password that was set in the cloud meanwhile stays until then (Microsoft: "Implement password hash synchronization",
// manual reset). A malformed record stops nobody else.
func (h here) plan(all []Object) (updates []directory.HashUpdate, skipped []Skip) {
	for _, o := range all {
		row, in := h.objects[o.ID]
		if !in {
			continue // in no scope: nothing is kept of it
		}
		u := directory.HashUpdate{ID: o.ID, PasswordAt: o.PasswordAt, Temporary: o.MustChange, Withheld: o.Withheld}
		account, known := h.accounts[row.Anchor]
		switch {
		case !known:
			u.Status, u.Reason = directory.HashNotExported, "the account is not here yet"
		case !h.on(authn.ParseIdentifier(account.UPN).Domain()):
			u.Status, u.Reason, u.Withheld = directory.HashNoTarget, "password hash synchronisation is off for the domain", ""
		case o.Withheld != "":
			withhold(&u, o, account, h.hashed[account.ID])
		case h.hashed[account.ID] != "" && same(o.PasswordAt, row):
			continue // it is the one that came before
		default:
			record, err := passhash.ParseOrgID(o.Hash)
			if err != nil {
				u.Status, u.Reason = directory.HashError, "its password hash is malformed"
				skipped = append(skipped, Skip{Kind: User, Name: account.UPN, Reason: fmt.Sprintf("its password hash is malformed: %v", err)})
				break
			}
			u.Status = directory.HashSuccess
			u.Account = directory.Credential{Account: account.ID, Scheme: directory.SchemePHS, Record: []byte(record.String()), Changed: o.PasswordAt}
		}
		updates = append(updates, u)
	}
	return updates, skipped
}

// same reports that the stored hash came with the very change of the password. A directory that counts whole seconds may
// have seen two of them in one.
func same(changed time.Time, row directory.Imported) bool {
	precise := changed.Nanosecond() != 0 || row.HashTried.Sub(changed) > 2*time.Second
	return !changed.IsZero() && changed.Equal(row.HashAt) && precise
}

// inCloud is the source of a password that an administrator set here.
const inCloud = "cloud"

// withhold says why a hash does not come. Whoever is filtered keeps none of the premises; a temporary or missing one leaves
// what is there.
func withhold(u *directory.HashUpdate, o Object, account directory.User, source string) {
	switch o.Withheld {
	case WithheldTemporary:
		u.Status, u.Reason = directory.HashFiltered, "the password must be changed at the next logon, and is withheld until it was"
	case WithheldFiltered:
		u.Status, u.Reason = directory.HashFiltered, "the agent's rules leave this person's hash out"
		u.Account.Account, u.Account.Scheme, u.Drop = account.ID, directory.SchemePHS, source != "" && source != inCloud
	case WithheldUnasked: // it has another name here than there
		u.Status, u.Reason = directory.HashNoTarget, "its name on the premises is in no domain whose hashes are asked for"
	case WithheldMissing:
		u.Status, u.Reason = directory.HashMissing, "the directory shows the agent no hash of it"
	default:
		u.Status, u.Reason = directory.HashError, "its password hash is malformed"
	}
}
