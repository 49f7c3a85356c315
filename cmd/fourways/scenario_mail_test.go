package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/client/browser"
	"github.com/fourways-id/fourways/internal/lab/world"
)

// visits is `visits USER`: USER signs in with the demo password, which must succeed, and opens Harbour Mail. stdout is the
// page's status and text, and what another application would be told of the same session.
func visits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: visits USER, after lab-start")
	}
	ctx, cancel := context.WithTimeout(context.Background(), hangGuard)
	defer cancel()
	door := ts.Getenv("SIGNIN")
	b := browser.New(&http.Client{Timeout: hangGuard})
	var did struct {
		Verdict authn.Verdict      `json:"verdict"`
		Error   *authn.PublicError `json:"error"`
	}
	_, err := b.PostJSON(ctx, door+"/signin", map[string]string{"username": args[0], "password": world.Password}, &did)
	ts.Check(err)
	if did.Verdict != authn.Allowed {
		ts.Fatalf("%s is not let in: %+v", args[0], did.Error)
	}
	page, err := b.Get(ctx, door+"/app/")
	ts.Check(err)
	var session struct {
		Application json.RawMessage `json:"application"`
	}
	_, err = b.GetJSON(ctx, door+"/session?app=mail", &session)
	ts.Check(err)
	_, err = fmt.Fprintf(ts.Stdout(), "status %d\n%s\n%s\n", page.Status, page.Text(), session.Application)
	ts.Check(err)
}
