package harbour_test

import (
	"net/http"
	"testing"
)

func TestAfterAnOutageItIsTheSameIdentityProviderAtTheSameAddress(t *testing.T) {
	s := start(t, &directory{}, t.TempDir())
	metadata := s.URL() + "/saml/" + samlDomain + "/metadata"
	get := func() error {
		res, err := http.Get(metadata)
		if err != nil {
			return err
		}
		return res.Body.Close()
	}
	if err := get(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s.Outage()
	}
	if get() == nil {
		t.Error("it was reached during the outage")
	}
	for range 2 { // the second finds nothing to do
		if err := s.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := get(); err != nil {
		t.Errorf("not reached after the outage: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Recover(t.Context()); err == nil {
		t.Error("a closed one listened again")
	}
}
