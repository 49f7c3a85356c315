package realtest

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestSambaHasAPartForSynchronisationThatAnAdministratorMayChange(t *testing.T) {
	dc := NewSamba(t)
	if members := dc.Values(t, "CN=company,OU=Berlin,"+dc.Synced(), "member"); !slices.Contains(members, "CN=crew,"+dc.Synced()) || len(members) != 3 {
		t.Errorf("the company's members are %q", members)
	}
	before := dc.USN(t)
	who := dc.AddUser(t, "new", dc.Synced())
	if err := dc.bind(who.UPN, who.Password); err != nil {
		t.Errorf("a new user: %v", err)
	}
	who.DN = dc.Rename(t, dc.Move(t, who.DN, dc.NotSynced()), "CN=Newer")
	dc.AddMember(t, "CN=crew,"+dc.Synced(), who.DN)
	if !slices.Contains(dc.Values(t, "CN=crew,"+dc.Synced(), "member"), "CN=Newer,"+dc.NotSynced()) {
		t.Error("the new user is no member")
	}
	dc.RemoveMember(t, "CN=crew,"+dc.Synced(), who.DN)
	dc.SetPassword(t, who.DN, "Another-Pw-1!")
	if err := dc.bind(who.UPN, "Another-Pw-1!"); err != nil {
		t.Errorf("with the new password: %v", err)
	}
	dc.Disable(t, who.DN)
	if err := dc.bind(who.UPN, "Another-Pw-1!"); err == nil || !strings.Contains(err.Error(), "data 533,") {
		t.Errorf("once disabled: %v", err)
	}
	if after := dc.USNs(t)[who.DN]; after != strconv.FormatInt(dc.USN(t), 10) || dc.USN(t) <= before {
		t.Errorf("the last change has the number %s, the server %d; before all %d", after, dc.USN(t), before)
	}
	dc.Delete(t, who.DN)
	dc.Kill()
	dc.Start(t)
	if _, still := dc.USNs(t)[who.DN]; still {
		t.Error("who was deleted is there after a power cut")
	}
}

func TestOpenLDAPKeepsAnNTHashOfEachPassword(t *testing.T) {
	s := OpenLDAPWithHashes(t)
	alice := s.Who(t, "alice")
	hash := func() []string { return s.Values(t, alice.DN, "sambaNTPassword") }
	first := hash()
	if len(first) != 1 || len(first[0]) != 32 {
		t.Fatalf("alice's hash is %q", first)
	}
	if at, err := strconv.ParseInt(s.Values(t, alice.DN, "sambaPwdLastSet")[0], 10, 64); err != nil || time.Since(time.Unix(at, 0)) > time.Hour {
		t.Errorf("her password is of %d, %v", at, err)
	}
	s.ChangePassword(t, alice, "Another-Pw-1!")
	if second := hash(); len(second) != 1 || second[0] == first[0] {
		t.Errorf("after a change it is %q, before it %q", second, first)
	}
	if err := s.bind(alice.DN, "Another-Pw-1!"); err != nil {
		t.Error(err)
	}
	s.SetPassword(t, alice.DN, "Reset-Pw-1!")
	if second, reset := hash(), s.Values(t, alice.DN, "pwdReset"); len(second) != 1 || second[0] == first[0] || len(reset) != 1 || reset[0] != "TRUE" {
		t.Errorf("after a reset her hash is %q, and to be changed %q", second, reset)
	}
	s.WithoutSyncprov(t)
}

func TestSambaCrowdIsThereOnceItWasBuilt(t *testing.T) {
	const people = 10_000
	dc := SambaCrowd(t, people)
	crowd := 0
	for dn := range dc.USNs(t) {
		if strings.HasSuffix(dn, ","+dc.Crowd()) {
			crowd++
		}
	}
	if crowd != people {
		t.Errorf("%d people are in the crowd, want %d", crowd, people)
	}
}
