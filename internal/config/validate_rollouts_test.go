package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/directory"
)

const cloudOnly = "[[domain]]\nname = \"cloud.example\"\npath = \"cloud\"\n"

func rolledOut(group, path string) string {
	return fmt.Sprintf("[[rollout]]\ngroup = %q\npath = %q\n", group, path)
}

func TestRolloutsComeFromTheFile(t *testing.T) {
	c, err := Load("f.toml", []byte("[tenant]\nresolver = \"[::1]:53\"\n"+cloudOnly+rolledOut("Pilot", "phs")+rolledOut("0f-1", "pta")))
	if err != nil {
		t.Fatal(err)
	}
	want := []directory.Rollout{{Group: "Pilot", Path: authn.PathPHS, File: true}, {Group: "0f-1", Path: authn.PathPTA, File: true}}
	if got := c.Rollouts(); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("%+v", got)
	}
}

func TestRolloutsBeyondTheLimitsAreRefused(t *testing.T) {
	var eleven strings.Builder
	for i := range 11 {
		eleven.WriteString(rolledOut(fmt.Sprint("g", i), "phs"))
	}
	for text, want := range map[string]string{
		rolledOut("Pilot", "cloud"):                                   "rollout[0].path",
		rolledOut("Pilot", "federated"):                               "rollout[0].path",
		rolledOut("", "phs"):                                          "rollout[0].group",
		rolledOut("Pilot", "phs") + rolledOut("Pilot", "pta"):         "configured twice (rollout[0])",
		eleven.String():                                               "rollout[10].path",
		"[tenant]\nresolver = \"192.0.2.53\"\n":                       "tenant.resolver",
		"[tenant]\nresolver = \":53\"\n":                              "tenant.resolver",
		"[tenant]\nresolver = \"dns.example:domain\"\n":               "tenant.resolver",
		eleven.String()[:len(eleven.String())-1] + "\nwhen = \"x\"\n": "when",
	} {
		if _, err := Load("f.toml", []byte(text+cloudOnly)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %s", text, err, want)
		}
	}
}
