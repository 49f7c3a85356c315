package onprem

import (
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
)

func TestReasonTable(t *testing.T) {
	for _, c := range []struct {
		code int
		data string
		want authn.Reason
	}{
		{0, "", authn.None},
		{49, "", authn.BadPassword},
		{49, "52e", authn.BadPassword},
		{49, "525", authn.UnknownUser},
		{49, "52f", authn.WorkstationDenied},
		{49, "530", authn.LogonHours},
		{49, "531", authn.WorkstationDenied},
		{49, "532", authn.OnpremPasswordExpired},
		{49, "533", authn.AccountDisabled},
		{49, "701", authn.AccountExpired},
		{49, "773", authn.OnpremMustChange},
		{49, "775", authn.OnpremLocked},
		{49, "51f", authn.ADUnreachable},
		{49, "999", authn.AgentError},
		{48, "", authn.BadPassword},
		{32, "", authn.UnknownUser},
		{34, "", authn.UnknownUser},
		{3, "", authn.AgentTimeout},
		{51, "", authn.ADUnreachable},
		{52, "", authn.ADUnreachable},
		{10, "", authn.AgentError},
		{8, "", authn.AgentError},
		{53, "", authn.AgentError},
		{-1, "", authn.AgentError},
		{200, "", authn.ADUnreachable},
	} {
		if got := ReasonOf(c.code, c.data); got != c.want {
			t.Errorf("ReasonOf(%d, %q) = %v, want %v", c.code, c.data, got, c.want)
		}
	}
}

func TestSubCode(t *testing.T) {
	const front = "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data "
	for text, want := range map[string]string{
		front + "52e, v1db1":       "52e",
		front + "52E, v1db1":       "52e",
		front + "00000775, v4563":  "775",
		front + "773":              "773",
		front + "52e, v2580\x00":   "52e",
		front + ", v1db1":          "",
		front + "52eg, v1db1":      "",
		front + "123456789, v1db1": "",
		"":                         "",
		"Invalid credentials":      "",
		"data 775, v1db1":          "",
		"BindSimple: Transport encryption required.":                "",
		"000004DC: LdapErr: DSID-0C090A5C, comment: x, data 0, v45": "",
	} {
		if got := subCode(text); got != want {
			t.Errorf("subCode(%q) = %q, want %q", text, got, want)
		}
	}
}

// No text makes a code 49 a success, and a sub-code is always a short hexadecimal number.
func FuzzDiagnostic(f *testing.F) {
	f.Add("80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 52e, v1db1")
	f.Add("AcceptSecurityContext error, data ")
	f.Add("AcceptSecurityContext error, data 00000000")
	f.Fuzz(func(t *testing.T, text string) {
		data := subCode(text)
		if len(data) > maxData || strings.Trim(data, "0123456789abcdef") != "" || strings.HasPrefix(data, "0") {
			t.Fatalf("subCode(%q) = %q", text, data)
		}
		if r := ReasonOf(49, data); r == authn.None {
			t.Fatalf("%q lets somebody in", text)
		}
	})
}

// Whatever a server sends, a frame is as long as it says and its front is read without a panic.
func FuzzFrame(f *testing.F) {
	f.Add([]byte("\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00"))
	f.Add([]byte("\x30\x84\x00\x00\x00\x02\x02\x01"))
	f.Add([]byte("\x30\x81\x80"))
	f.Fuzz(func(t *testing.T, octets []byte) {
		frame, err := readFrame(strings.NewReader(string(octets)))
		if err == nil && !strings.HasPrefix(string(octets), string(frame)) {
			t.Fatalf("frame %x isn't what was sent: %x", frame, octets)
		}
		if id, _, ok := peek(octets); ok && id < 0 {
			t.Fatalf("negative id from %x", octets)
		}
	})
}
