package main

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn/authntest"
	"github.com/fourways-id/fourways/internal/passhash"
)

// with rewrites a line of the agent's configuration.
func (p *premises) with(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(p.path("agent.toml"))
	if err != nil || !strings.Contains(string(text), from) {
		t.Fatalf("%q is not in the configuration: %v", from, err)
	}
	p.write(t, "agent.toml", strings.ReplaceAll(string(text), from, to))
}

func TestARehearsalShowsWhatWouldBeSent(t *testing.T) {
	p := setUp(t)
	code, out := p.agent(t, "", "sync")
	expect(t, code, 0, out, "KIND", "alice@corp.example.test", "CN=alice,OU=Synced,", "enabled", "in scope: 2 users, 0 groups, 0 contacts; 0 of them can't be sent")
	code, hashes := p.agent(t, "", "sync", "--kind", "hash")
	expect(t, code, 0, hashes, "CN=alice,OU=Synced,", "would be sent, of 20", "2 people in scope, of 2 the hash would be sent")
	nt := passhash.NTHash([]byte(alicePassword))
	for _, secret := range []string{alicePassword, hex.EncodeToString(nt[:]), strings.ToUpper(hex.EncodeToString(nt[:])), "PPH1"} {
		for _, form := range authntest.Leaks([]byte(out+hashes), secret) {
			t.Errorf("shown: %s", form)
		}
	}
	p.with(t, "[sync]", "[sync]\nfilter = \"(sAMAccountName=a*)\"\nselective_hashes = \"include\"")
	code, out = p.agent(t, "", "sync")
	expect(t, code, 0, out, "in scope: 1 users")
	code, out = p.agent(t, "", "sync", "--kind", "hash")
	expect(t, code, 0, out, "withheld: 1: filtered", "of 0 the hash would be sent")
	p.with(t, "OU=Synced,", "CN=Users,")
	code, out = p.agent(t, "", "sync", "--all")
	expect(t, code, 0, out, "in scope: 0 users", "left out: 1: is an object of the system itself (isCriticalSystemObject)")
}

func TestARehearsalThatCannotBe(t *testing.T) {
	p := setUp(t)
	code, out := p.agent(t, "", "sync", "--kind", "changes")
	expect(t, code, exitUsage, out, "directory or hash")
	code, out = p.agent(t, "", "sync", "now")
	expect(t, code, exitUsage, out, "unknown command")
	p.with(t, "OU=Synced,", "OU=Nowhere,")
	code, out = p.agent(t, "", "sync")
	expect(t, code, exitUnreachable, out, "the scope OU=Nowhere,", "correct sync.scope")
	p.with(t, "OU=Nowhere,", "OU=Synced,")
	p.write(t, "bind.secret", "not the password")
	code, out = p.agent(t, "", "sync")
	expect(t, code, exitUnreachable, out, "check the service account's name, password and state", "52e")
	p.write(t, "bind.secret", readerPw)
	p.with(t, `hash_source = "attribute"`, `hash_source = "none"`)
	code, out = p.agent(t, "", "sync", "--kind", "hash")
	expect(t, code, exitUnreachable, out, "set sync.hash_source")
	p.with(t, `["pta", "sync"]`, `["pta"]`)
	code, out = p.agent(t, "", "sync")
	expect(t, code, exitConfig, out, "agent.roles")
}

func TestACheckSaysWhatASynchronisationLacks(t *testing.T) {
	p := setUp(t)
	_, out := p.agent(t, "", "check")
	expect(t, 0, 0, out, "ok: reading: 2 objects", "ok: hashes: fourwaysNTHash can be seen of 2 of 2 people", "ok: changes are followed by dirsync", "ok: clock")
	p.with(t, "[sync]", "[sync]\nchanges = \"usn\"")
	_, out = p.agent(t, "", "check")
	expect(t, 0, 0, out, "ok: changes are followed by usn")
	p.with(t, `hash_attribute = "fourwaysNTHash"`, `hash_attribute = "unicodePwd"`)
	_, out = p.agent(t, "", "check")
	expect(t, 0, 0, out, "warning: hashes: unicodePwd can be seen of none of 2 people")
	p.with(t, "OU=Synced,", "OU=Empty,OU=Synced,")
	code, out := p.agent(t, "", "check")
	expect(t, code, exitUnreachable, out, "correct sync.scope")
}
