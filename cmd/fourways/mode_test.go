package main

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// switchboard pretends two domains and remembers what was asked for.
func switchboard() (routes, *api.ModeChange) {
	var asked api.ModeChange
	lab := api.Mode{Domain: labDomain, Model: "hybrid", Type: "Managed", Path: authn.PathPHS, File: authn.PathPHS, Ready: true, Rule: "domain " + labDomain}
	set := func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewDecoder(r.Body).Decode(&asked)
		after := lab
		after.Path, after.IdP, after.Override = asked.Path, asked.IdP, &directory.Override{Path: asked.Path}
		after.Ready, after.Why = asked.Path != authn.PathPTA, ""
		if !after.Ready {
			after.Why = "no live agent"
		}
		reply(w, http.StatusOK, after)
	}
	return routes{
		"GET /api/v1/mode":                 api.Page[api.Mode]{Items: []api.Mode{{Domain: "cloud.example.test", Path: authn.PathCloud, Ready: true}, lab}},
		"GET /api/v1/mode/" + labDomain:    lab,
		"PUT /api/v1/mode/" + labDomain:    set,
		"DELETE /api/v1/mode/" + labDomain: lab,
		"GET /api/v1/config":               map[string]string{"text": "server.public_url  \"http://localhost:1\"  file\n"},
	}, &asked
}

func TestModeMeansTheSwitchDomainInTheLab(t *testing.T) {
	r, asked := switchboard()
	s := labAt(t, r)
	says(t, s.want(exitOK, "mode", "get").out, labDomain, "phs", "yes")
	got := s.want(exitOK, "mode", "set", "PTA", "--reason", "demo").out
	says(t, got, labDomain+": phs -> pta", "not ready", "why: no live agent", "says phs", "fourways mode reset --domain "+labDomain)
	if asked.Path != authn.PathPTA || asked.Reason != "demo" {
		t.Errorf("asked for %+v", *asked)
	}
	says(t, s.want(exitOK, "mode", "set", "federated", "--idp", "oidc").out, "phs -> federated (oidc)", "ready: the next sign-in takes it")
	says(t, s.want(exitOK, "mode", "reset").out, "phs -> phs")
	j := parse[swap](t, s.want(exitOK, "mode", "set", "cloud", "-o", "json").out)
	if j.Before.Path != authn.PathPHS || j.After.Path != authn.PathCloud {
		t.Errorf("%+v", j)
	}
}

func TestModeNeedsADomainOutsideTheLab(t *testing.T) {
	r, _ := switchboard()
	url, asked := pretend(t, r)
	s := newShell(t).at(url)
	for _, verb := range [][]string{{"mode", "get"}, {"mode", "set", "pta"}, {"mode", "reset"}} {
		says(t, s.want(exitUsage, verb...).err, "--domain is missing")
	}
	for _, at := range asked() {
		if at == "PUT /api/v1/mode/"+labDomain || at == "DELETE /api/v1/mode/"+labDomain {
			t.Error("a domain was changed that nobody named")
		}
	}
	says(t, s.want(exitOK, "mode", "set", "pta", "--domain", "LAB.example.test").out, "phs -> pta")
	says(t, s.want(exitNotFound, "mode", "get", "--domain", "other.test").err, "other.test is no domain")
	if all := parse[[]api.Mode](t, s.want(exitOK, "mode", "get", "--all", "-o", "json").out); len(all) != 2 {
		t.Errorf("%+v", all)
	}
}
