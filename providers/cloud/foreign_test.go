package cloud_test

import (
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/passhash"
)

// broughtAlong are records of "Spring-2025!" as other systems write them.
func broughtAlong() map[authn.AccountID]string {
	return map[authn.AccountID]string{
		"bcrypt":       "$2y$04$6WBBzWK.Z8Q.iPayJG/oSeNoqEDbgyqy5gLcL1DJcQU1fFfC7Dkku",
		"sha512-crypt": "$6$abcdefgh$w0pEO0UTKpXVTDqat4zkFFlibaOvOJcM6IPyiONQofpjsPdofMRzU/Wz4acHCnUWVnETadIhgMdOH93geMycQ0",
	}
}

func TestARecordOfAnotherSchemeIsHashedAnewAtTheNextSignIn(t *testing.T) {
	records := broughtAlong()
	p := provider(t, records)
	for id := range records {
		who := authn.Account{ID: id}
		if out := step(p, who, "wrong"); out.Verdict != authn.Denied || out.Reason != authn.BadPassword || out.Record != nil {
			t.Errorf("%s, wrong: %v %v", id, out.Verdict, out.Reason)
		}
		out := step(p, who, password)
		fresh, err := passhash.Parse(string(out.Record))
		if out.Verdict != authn.Allowed || err != nil || !fresh.Current(cheap) || !fresh.Match([]byte(password)) {
			t.Errorf("%s: %v %v, new record: %v", id, out.Verdict, out.Reason, err)
		}
		k2, k3 := out.Steps[1], out.Steps[2]
		if k2.Held[authn.Store] != authn.FormForeign+authn.Stored || k2.Facts[authn.FactScheme] != string(id) || k3.Facts[authn.FactScheme] != string(id) || k3.Facts[authn.FactParams] == "" {
			t.Errorf("%s: the trace says %v %v and %v", id, k2.Held, k2.Facts, k3.Facts)
		}
		out = change(p, who, password, next)
		if fresh, err := passhash.Parse(string(out.Record)); err != nil || !fresh.Match([]byte(next)) || string(out.Checked) != records[id] {
			t.Errorf("%s, changed: %v, over the record %v", id, err, string(out.Checked) == records[id])
		}
	}
}
