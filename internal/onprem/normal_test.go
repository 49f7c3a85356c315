package onprem_test

import (
	"testing"

	"github.com/fourways-id/fourways/internal/onprem"
)

func TestOneObjectHasOneSpelling(t *testing.T) {
	want := onprem.NormalDN("CN=Müller\\, Eva,OU=Staff,DC=corp,DC=example")
	for _, dn := range []string{
		"CN=MÜLLER\\, EVA,OU=Staff,DC=corp,DC=example",
		"cn=müller\\, eva, ou=STAFF, dc=corp,dc=example",
		"CN=M\\C3\\BCller\\2C Eva,OU=Staff,DC=corp,DC=example",
	} {
		if got := onprem.NormalDN(dn); got != want {
			t.Errorf("%s is %q, want %q", dn, got, want)
		}
	}
	if onprem.NormalDN("CN=Eva,DC=corp") == onprem.NormalDN("CN=Eva,DC=corq") || onprem.NormalDN("No DN") != "no dn" {
		t.Error("different names are one")
	}
}
