package saml

import (
	"testing"

	"github.com/fourways-id/fourways/authn"
)

func TestHonestExchange(t *testing.T) {
	allowed(t, forgery{}.play(t, testProvider(t, nil)))
}

var _ authn.Provider = (*Provider)(nil)
