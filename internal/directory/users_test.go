package directory

import (
	"errors"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
)

func cloudAnn() User {
	return User{ID: "ann", UPN: "ann@cloud.example", DisplayName: "Ann", Enabled: true}
}

func syncedTom() User {
	return User{
		ID: "tom", UPN: "tom@phs.example", DisplayName: "Tom", Enabled: true, Synced: true, UsageLocation: "DE",
		Onprem: Onprem{Anchor: "dG9t", Location: "DE"},
	}
}

func TestAValueThatCannotBeSaysWhatCan(t *testing.T) {
	for why, all := range map[string][]UserChange{
		"no user principal name": {
			{UPN: new("ann")},
			{UPN: new("")},
			{UPN: new("ann.@cloud.example")},
			{UPN: new("änn@cloud.example")},
			{UPN: new("a nn@cloud.example")},
			{UPN: new(strings.Repeat("a", 65) + "@cloud.example")},
			{UPN: new("ann@" + strings.Repeat("a", 45) + ".com")},
			{UPN: new("ann@cloud")},
		},
		"at most 256 printable": {{DisplayName: new(strings.Repeat("ä", 257))}, {DisplayName: new("Ann\x1b[2J")}, {Mail: new("a@b.example\nBcc: x")}},
		"at most 64 printable":  {{GivenName: new(strings.Repeat("a", 65))}, {Surname: new(strings.Repeat("a", 65))}, {Department: new(strings.Repeat("a", 65))}},
		"at most 128 printable": {{JobTitle: new(strings.Repeat("a", 129))}},
		"at most 60 printable":  {{ImmutableID: new(strings.Repeat("A", 61))}},
		"can't be empty":        {{DisplayName: new(" ")}},
		"no mail address":       {{Mail: new("nonsense")}, {Mail: new("Ann <ann@cloud.example>")}},
		"no usage location":     {{UsageLocation: new("N")}, {UsageLocation: new("ZZ")}, {UsageLocation: new("UK")}, {UsageLocation: new("D N")}, {UsageLocation: new("ſe")}},
		"ASCII without blanks":  {{ImmutableID: new("a b")}, {ImmutableID: new("ä")}},
	} {
		for i, c := range all {
			c.Blocked = new(true)
			if got, err := c.Apply(cloudAnn()); err == nil || !strings.Contains(err.Error(), why) || got != cloudAnn() {
				t.Errorf("%s, %d: %v, %+v", why, i, err, got)
			}
		}
	}
}

func TestEveryCloudAttributeCanBeChangedAndCleared(t *testing.T) {
	all := UserChange{
		UPN: new(" Anna@Cloud.example "), DisplayName: new("Anna"), GivenName: new("Anna"), Surname: new("Ásh"), Mail: new("anna@cloud.example"),
		Department: new("Quay"), JobTitle: new("Clerk"), ImmutableID: new("3q2+7w=="), UsageLocation: new("nl"),
		Enabled: new(false), Blocked: new(true), Admin: new(true), MustChange: new(true),
	}
	got, err := all.Apply(cloudAnn())
	want := User{
		ID: "ann", UPN: "anna@cloud.example", DisplayName: "Anna", GivenName: "Anna", Surname: "Ásh", Mail: "anna@cloud.example", Department: "Quay",
		JobTitle: "Clerk", UsageLocation: "NL", Blocked: true, Admin: true, MustChange: true, Onprem: Onprem{Anchor: "3q2+7w=="},
	}
	if err != nil || got != want {
		t.Fatalf("%+v, %v", got, err)
	}
	if n := len(Differences(cloudAnn(), got)); n != 13 {
		t.Errorf("%d differences of 13 attributes", n)
	}
	none := UserChange{GivenName: new(""), Surname: new(""), Mail: new(""), Department: new(""), JobTitle: new(""), ImmutableID: new(""), UsageLocation: new("")}
	got, err = none.Apply(got)
	want = User{ID: "ann", UPN: want.UPN, DisplayName: want.DisplayName, Blocked: true, Admin: true, MustChange: true}
	if err != nil || got != want {
		t.Errorf("cleared: %+v, %v", got, err)
	}
}

func TestWhatAdministratorsSetHereOutlivesSynchronisations(t *testing.T) {
	here, err := UserChange{UsageLocation: new("NL")}.Apply(syncedTom())
	if err != nil || here.UsageLocation != "NL" {
		t.Fatal(here, err)
	}
	for _, there := range []string{"NL", "DE", "", "FR"} { // it may agree with the premises for a while
		fromThere := syncedTom()
		fromThere.Onprem.Location = there
		if here = fromThere.KeepCloud(here); here.UsageLocation != "NL" {
			t.Errorf("the premises say %q: it is %q", there, here.UsageLocation)
		}
	}
	cleared, err := UserChange{UsageLocation: new("")}.Apply(here)
	if err != nil || cleared.UsageLocation != "FR" {
		t.Fatal(cleared, err)
	}
	fromThere := syncedTom()
	if now := fromThere.KeepCloud(cleared); now.UsageLocation != "DE" || now.Tag() != fromThere.Tag() {
		t.Errorf("after it was cleared: %+v", now)
	}

	agreed, err := UserChange{UsageLocation: new("de")}.Apply(syncedTom()) // as the premises have it, and to stay
	if err != nil {
		t.Fatal(err)
	}
	fromThere.Onprem.Location = "FR"
	if now := fromThere.KeepCloud(agreed); now.UsageLocation != "DE" {
		t.Errorf("it became %q", now.UsageLocation)
	}
	cloud := cloudAnn()
	cloud.UsageLocation = "NL"
	fromThere.UsageLocation = "FR"
	if taken := fromThere.KeepCloud(cloud); taken.UsageLocation != "NL" || taken.ID != "ann" || !taken.Synced {
		t.Errorf("a cloud account that was taken over: %+v", taken)
	}
}

// FuzzUserChange: whatever is asked for, what comes of it is an account that a sign-in finds and a terminal can show, and a
// synchronised one keeps what its directory masters.
func FuzzUserChange(f *testing.F) {
	f.Add("ann@cloud.example", "Ann", "a@b.example", "NL", "3q2+7w==", true, false)
	f.Add("ANN@cloud.example.", "\u202e", "<a@b>", "nl", " ", false, true)
	f.Fuzz(func(t *testing.T, upn, name, mail, location, id string, flag, synced bool) {
		before := cloudAnn()
		if synced {
			before = syncedTom()
		}
		c := UserChange{UPN: &upn, DisplayName: &name, Mail: &mail, UsageLocation: &location, ImmutableID: &id, Enabled: &flag}
		after, err := c.Apply(before)
		if err != nil {
			if after != before {
				t.Errorf("a refused change changed %+v", after)
			}
			return
		}
		if authn.ParseIdentifier(after.UPN).UPN() != after.UPN || after.UPN == "" || after.DisplayName == "" {
			t.Errorf("%+v can't sign in", after)
		}
		for _, s := range []string{after.DisplayName, after.Mail, after.Onprem.Anchor} {
			if strings.ContainsAny(s, "\n\r\x00\x1b\u202e") {
				t.Errorf("%q can't be shown", s)
			}
		}
		if after.UsageLocation != "" {
			if same, err := UsageLocation(after.UsageLocation); err != nil || same != after.UsageLocation {
				t.Errorf("usage location %q", after.UsageLocation)
			}
		}
		if same := after.KeepCloud(before); synced && (same.UPN != before.UPN || same.DisplayName != before.DisplayName || same.Mail != before.Mail || same.Enabled != before.Enabled || same.Onprem != before.Onprem) {
			t.Errorf("of the premises: %+v", same)
		}
		if again, err := c.Apply(after); err != nil || again != after {
			t.Errorf("the same change once more: %+v, %v", again, err)
		}
	})
}

func TestARefusalSaysWhereToChangeIt(t *testing.T) {
	for words, c := range map[string]UserChange{
		"displayName of tom@phs.example|Set-ADUser -DisplayName": {DisplayName: new("Thomas"), Blocked: new(true)},
		"accountEnabled|Disable-ADAccount|block the sign-in":     {Enabled: new(false)},
		"immutableId|Active Directory Users and Computers":       {ImmutableID: new("x")},
	} {
		got, err := c.Apply(syncedTom())
		if !errors.Is(err, ErrMastered) || got != syncedTom() {
			t.Errorf("%s: %v", words, err)
			continue
		}
		for word := range strings.SplitSeq(words, "|") {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%q is missing in: %v", word, err)
			}
		}
	}
	if got, err := (UserChange{DisplayName: new("Tom"), Blocked: new(true)}).Apply(syncedTom()); err != nil || !got.Blocked {
		t.Errorf("what stays as it is needs no leave: %v", err)
	}
}
