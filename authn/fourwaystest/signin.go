package fourwaystest

import (
	"context"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// Result is how a sign-in ended.
type Result struct {
	Verdict       authn.Verdict
	Path          authn.Path
	Account       string          // user principal name of who was let in
	Name          string          // display name of the same
	CorrelationID authn.AttemptID // for Trace
	Code          int             // what the person was told, as a public code; 0 for nothing
	Message       string          // its sentence
	Reason        authn.Reason    // the operator's, from the sign-in log
	Note          string          // what kept a federated sign-in from ending
	Shown         string          // what the identity provider's last page said, when it let nobody through
	Took          time.Duration
}

// SignIn signs somebody in at the public endpoint as a browser would, through the identity provider's pages if the path
// leads there. A refusal is a result. Only a sign-in that could not be made ends the test.
func (l *Lab) SignIn(upn, password string) Result {
	l.t.Helper()
	if password == "" {
		l.t.Fatalf("fourwaystest: %s could not be signed in: the password is empty; Lab.Password gives that of a demo person", upn)
	}
	var said struct {
		Verdict       authn.Verdict      `json:"verdict"`
		Path          authn.Path         `json:"path"`
		Account       string             `json:"account"`
		Name          string             `json:"displayName"`
		CorrelationID authn.AttemptID    `json:"correlationId"`
		Milliseconds  int64              `json:"milliseconds"`
		Error         *authn.PublicError `json:"error"`
		Reason        authn.Reason       `json:"reason"`
		Note          string             `json:"note"`
		Shown         string             `json:"shown"`
	}
	ctx, cancel := context.WithTimeout(context.Background(), hangGuard)
	defer cancel()
	if err := l.p.signIn(ctx, l, upn, password, &said); err != nil {
		l.t.Fatalf("fourwaystest: %s could not be signed in: %v", upn, err)
	}
	r := Result{
		Verdict: said.Verdict, Path: said.Path, Account: said.Account, Name: said.Name,
		CorrelationID: said.CorrelationID, Reason: said.Reason, Note: said.Note, Shown: said.Shown,
		Took: time.Duration(said.Milliseconds) * time.Millisecond,
	}
	if said.Error != nil {
		r.Code, r.Message = said.Error.Code, said.Error.Message
	}
	return r
}
