package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/client/browser"
)

// attempt is one sign-in over the public endpoint.
type attempt = browser.Attempt

// signIn signs a person in at the door. A refusal is an attempt, not an error; an error has its exit code.
func signIn(ctx context.Context, door, upn string, pw authn.Secret) (attempt, error) {
	return signInWith(ctx, browser.SignInOptions{Door: door, UPN: upn, Password: pw})
}

// signInWith is signIn with all that can be asked for.
func signInWith(ctx context.Context, o browser.SignInOptions) (attempt, error) {
	did, err := browser.SignIn(ctx, o)
	var refused browser.Refused
	switch {
	case err == nil:
	case did.CorrelationID != "" && !errors.Is(err, browser.ErrUnreachable) && !errors.Is(err, browser.ErrInClear):
		return did, err // the identity provider's pages went wrong
	case errors.Is(err, browser.ErrUnreachable):
		err = failure{exitUnreachable, "the sign-in endpoint can't be reached", strings.TrimPrefix(err.Error(), browser.ErrUnreachable.Error()+": "), "start the gateway (`fourways up` starts the lab), or name its address with --signin-url"}
	case errors.Is(err, browser.ErrInClear):
		err = failure{exitGuard, "no password is sent there", err.Error() + ": everybody on the way could read the password", "use its https address"}
	case errors.As(err, &refused):
		err = refusedInput(refused)
	default:
		err = failure{exitFailed, "the sign-in endpoint's answer can't be understood", err.Error(), "check that a fourways gateway listens at " + o.Door}
	}
	return did, err
}

func refusedInput(r browser.Refused) error {
	do := "correct the user name or the password's form"
	if r.Status == http.StatusNotFound || r.Status == http.StatusMethodNotAllowed {
		do = "check the address: --signin-url wants the origin of the public listener, such as http://localhost:8400"
	}
	return failure{exitFailed, fmt.Sprintf("the sign-in endpoint refused the request with status %d", r.Status), r.Why(), do}
}
