package agent_test

import (
	"testing"

	"github.com/fourways-id/fourways/internal/agent"
	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/onprem"
)

// A directory finds a scope however its letters are written, so nobody of it may be left out for them.
func TestAScopeIsTheSameInSmallLetters(t *testing.T) {
	o := adOptions()
	o.Scope = []string{"ou=ärzte,dc=corp"}
	f := &forest{at: "start", entries: []onprem.Entry{human("CN=Eva,OU=Ärzte,DC=corp", "eva"), human("CN=Max,OU=Arzte,DC=corp", "max")}}
	if got := read(t, agent.NewSource(f, o), dirsync.Ask{Kind: dirsync.KindDirectory}); got.names() != "eva" {
		t.Errorf("in scope: %q", got.names())
	}
}
