package endtoend_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/lab/world"
)

// useInBulk imports the secret, in rows that are taken and in rows that are refused, and looks for it in a leak. It gives
// what was answered.
func (h *house) useInBulk(secret string) map[string][]byte {
	h.t.Helper()
	ctx, said := h.t.Context(), map[string][]byte{}
	keep := func(where string, answer any, err error) {
		h.t.Helper()
		text, _ := json.Marshal(answer)
		if err != nil {
			text = append(text, err.Error()...)
		}
		said[where] = text
	}
	row := func(line int, upn string) api.ImportRow {
		return api.ImportRow{Line: line, UserChange: directory.UserChange{UPN: &upn}, Password: secret}
	}
	both := row(4, "both@"+world.CloudDomain)
	both.PasswordHash = secret
	hash := row(5, "hash@"+world.CloudDomain)
	hash.Password, hash.PasswordHash = "", "$2b$05$"+secret
	done, err := h.console.ImportUsers(ctx, api.Import{Rows: []api.ImportRow{row(1, "bulk@"+world.CloudDomain), row(2, "bulk@"+world.PTADomain), row(3, "no name"), both, hash}})
	keep("the answer to an import", done, err)
	if !slices.Equal(done.Made, []string{"bulk@" + world.CloudDomain}) || len(done.Refused) != 4 {
		h.t.Fatalf("the import: %+v, %v", done, err)
	}
	pairs := []api.LeakedPair{{Line: 1, User: "bulk@" + world.CloudDomain, Password: secret}, {Line: 2, User: "alice@" + world.PHSDomain, Password: secret}, {Line: 3, User: "nobody@" + world.CloudDomain, Password: secret}}
	found, err := h.console.CheckLeaked(ctx, api.LeakedCheck{Pairs: pairs, Flag: true})
	keep("the answer to a check for leaked passwords", found, err)
	if err != nil || len(found.Matches) == 0 || found.Unknown != 1 {
		h.t.Fatalf("the check: %+v, %v", found, err)
	}
	log, err := h.console.Audit(ctx, 100)
	keep("the audit log", log, err)
	return said
}

// Sign-ins go on beside a large import; each person that it brings is there afterwards.
func TestPeopleSignInWhileManyAreImported(t *testing.T) {
	h := openHouse(t, nil)
	h.populate()
	ctx := t.Context()
	over := make(chan error, 1)
	go func() {
		over <- func() error {
			for chunk := range 5 {
				var rows []api.ImportRow
				for i := range 200 {
					upn := "p" + string(rune('a'+chunk)) + string(rune('a'+i/20)) + string(rune('a'+i%20)) + "@" + world.CloudDomain
					rows = append(rows, api.ImportRow{Line: chunk*200 + i, UserChange: directory.UserChange{UPN: &upn}})
				}
				done, err := h.console.ImportUsers(ctx, api.Import{Rows: rows})
				if err != nil {
					return err
				}
				if len(done.Made) != len(rows) {
					t.Errorf("%d of %d were made: %v", len(done.Made), len(rows), done.Refused)
				}
			}
			return nil
		}()
	}()
	signedIn := 0
	for {
		h.allowed(h.signIn("alice@"+world.PHSDomain, world.Password), "alice@"+world.PHSDomain, "phs")
		signedIn++
		select {
		case err := <-over:
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d sign-ins beside the import", signedIn)
			return
		default:
		}
	}
}
