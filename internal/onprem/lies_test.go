package onprem_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"

	"github.com/fourways-id/fourways/internal/onprem"
)

// scope is where talk's client reads.
const scope = "OU=People," + base

func readAll(t *testing.T, f *fake) (names []string, failed error) {
	t.Helper()
	d := talk(t, f, onprem.USN, 10*time.Second)
	guard(t, func() {
		for e, err := range d.Read(t.Context(), onprem.Query{BaseDN: scope, Attributes: []string{"member", "objectGUID"}}) {
			if err != nil {
				failed = err
				return
			}
			names = append(names, fmt.Sprintf("%s (%d)", e.DN, len(e.Get("member"))))
		}
	})
	return names, failed
}

func TestPagesThatLeadNowhereEndWithAnError(t *testing.T) {
	one, two := object("CN=one,"+scope, "objectGUID", idA), object("CN=two,"+scope, "objectGUID", idB)
	same := packets(paged("1"))
	tests := map[string]struct {
		answers []reply
		names   int
		want    string
	}{
		"the same page for ever":      {[]reply{{0, []message{one}, same}}, 1, "begins with"},
		"two pages in turn":           {[]reply{{0, []message{one}, same}, {0, []message{two}, same}, {0, []message{one}, same}}, 2, "again"},
		"empty pages for ever":        {[]reply{{0, []message{one}, same}, {0, nil, same}}, 1, "empty pages in a row"},
		"references for ever":         {[]reply{{0, []message{reference()}, same}}, 0, "empty pages in a row"},
		"size limit in the middle":    {[]reply{{0, []message{one}, same}, {4, []message{two}, nil}}, 1, "Size Limit Exceeded"},
		"control: one cookie, an end": {[]reply{{0, []message{one}, same}, {0, nil, same}, {0, []message{two}, packets(paged(""))}}, 2, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			names, err := readAll(t, &fake{answers: map[string][]reply{scope: test.answers}})
			if len(names) != test.names || (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("%d entries and %v, want %d and %q", len(names), err, test.names, test.want)
			}
		})
	}
}

func TestValuesThatNeverEndAreAnError(t *testing.T) {
	group := "CN=Everybody," + scope
	begin := reply{messages: []message{object(group, "objectGUID", idA, "member;range=0-0", "CN=a")}}
	tests := map[string]struct {
		answers []reply
		want    string
	}{
		"the same part for ever": {[]reply{{messages: []message{object(group, "member;range=0-0", "CN=a")}}}, "member"},
		"a part is left out":     {[]reply{{messages: []message{object(group, "member;range=7-*", "CN=a")}}}, "member"},
		"control":                {[]reply{{messages: []message{object(group, "member;range=1-*", "CN=b")}}}, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			names, err := readAll(t, &fake{answers: map[string][]reply{scope: {begin}, group: test.answers}})
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v and %v, want an error with %q", names, err, test.want)
			}
			if test.want == "" && (len(names) != 1 || names[0] != group+" (2)") {
				t.Errorf("read %v", names)
			}
		})
	}
}

// A reader takes ErrNotFound for the base of its search being gone.
func TestAGroupThatIsRenamedWhileItIsReadIsNotTheScopeThatIsGone(t *testing.T) {
	group := "CN=Everybody," + scope
	begin := reply{messages: []message{object(group, "objectGUID", idA, "member;range=0-0", "CN=a")}}
	_, err := readAll(t, &fake{answers: map[string][]reply{scope: {begin}}})
	if err == nil || errors.Is(err, onprem.ErrNotFound) || !strings.Contains(err.Error(), group) {
		t.Errorf("got %v", err)
	}
	if _, err = readAll(t, &fake{}); !errors.Is(err, onprem.ErrNotFound) {
		t.Errorf("control: a scope that isn't there gives %v", err)
	}
}

func TestDirSyncThatPromisesMoreForEverIsAnError(t *testing.T) {
	way := fakes()[onprem.DirSync]
	top := reply{messages: []message{object(base, "objectGUID", idRoot)}}
	way.answers[base] = []reply{top, {}}
	f := &fake{answers: way.answers, ever: func(n int32) []*ber.Packet { return packets(dirSynced(1, fmt.Sprint(n))) }}
	d := talk(t, f, onprem.DirSync, 10*time.Second)
	guard(t, func() {
		nothing := func(onprem.Changes) error { return nil }
		if err := d.Changes(t.Context(), way.from, nothing); err == nil || !strings.Contains(err.Error(), "promises more") {
			t.Errorf("following: %v", err)
		}
		if _, err := d.Position(t.Context()); err == nil || !strings.Contains(err.Error(), "promises more") {
			t.Errorf("finding the position: %v", err)
		}
	})
}
