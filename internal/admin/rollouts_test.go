package admin

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console"
	"github.com/fourways-id/fourways/internal/directory"
)

func (r *registry) group(t *testing.T, name string, members ...authn.AccountID) {
	t.Helper()
	if err := r.base.Store.PutGroup(t.Context(), directory.Group{ID: "id of " + name, Name: name, Members: members}); err != nil {
		t.Fatal(err)
	}
}

func TestGroupsAreRolledOutWithinTheLimits(t *testing.T) {
	r := newRegistry(t)
	ctx := t.Context()
	for i := range 12 {
		r.group(t, fmt.Sprintf("g%02d", i), "id-ann")
	}
	for i := range 10 {
		name := fmt.Sprintf("g%02d", i)
		if n, err := r.AddRollout(ctx, name, authn.PathPHS); err != nil || n.Name != name || n.Members != 1 || n.By != "test" {
			t.Fatalf("%s: %+v, %v", name, n, err)
		}
	}
	if _, err := r.AddRollout(ctx, "g10", authn.PathPHS); refusal(err).Type != console.GuardType {
		t.Errorf("an eleventh: %v", err)
	}
	if _, err := r.AddRollout(ctx, "g00", authn.PathPHS); err != nil {
		t.Errorf("one that is in it already: %v", err)
	}
	if n, err := r.AddRollout(ctx, "g09", authn.PathPTA); err != nil || n.Path != authn.PathPTA {
		t.Errorf("to the other path: %+v, %v", n, err)
	}
	if _, err := r.AddRollout(ctx, "id of g10", authn.PathPHS); err != nil {
		t.Errorf("there is room again, by id: %v", err)
	}
	if _, err := r.AddRollout(ctx, "g11", authn.PathCloud); refusal(err).Status != http.StatusBadRequest {
		t.Errorf("to cloud: %v", err)
	}
	if _, err := r.AddRollout(ctx, "nobody", authn.PathPTA); refusal(err).Status != http.StatusNotFound {
		t.Errorf("no such group: %v", err)
	}
	if n, err := r.RemoveRollout(ctx, "g09"); err != nil || n.Path != authn.PathPTA {
		t.Errorf("%+v, %v", n, err)
	}
	if _, err := r.RemoveRollout(ctx, "g09"); refusal(err).Status != http.StatusNotFound {
		t.Errorf("removed again: %v", err)
	}
	if all, err := r.Rollouts(ctx); err != nil || len(all) != 10 {
		t.Errorf("%d, %v", len(all), err)
	}
}

func TestRolloutsOfTheFileAreChangedThere(t *testing.T) {
	r := newRegistry(t)
	ctx := t.Context()
	r.group(t, "Pilot", "id-ann")
	r.group(t, "Twin", "id-ann")
	if err := r.base.Store.PutGroup(ctx, directory.Group{ID: "another", Name: "Twin"}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.AddRollout(ctx, "Pilot", authn.PathPTA); err != nil {
		t.Fatal(err)
	}
	r.tenant.Configure(r.conf.Domains(), nil,
		directory.Rollout{Group: "Pilot", Path: authn.PathPHS, File: true}, directory.Rollout{Group: "Twin", Path: authn.PathPHS, File: true}, directory.Rollout{Group: "Nobody", Path: authn.PathPHS, File: true})
	all, err := r.Rollouts(ctx)
	if err != nil || len(all) != 3 || all[0].Note == "" || all[1].Name != "Pilot" || !all[1].File || all[1].Path != authn.PathPHS || all[1].Members != 1 || all[2].Note == "" {
		t.Errorf("%+v, %v", all, err)
	}
	if _, err := r.AddRollout(ctx, "Pilot", authn.PathPTA); refusal(err).Type != console.MasteredType {
		t.Errorf("added beside the file: %v", err)
	}
	if _, err := r.RemoveRollout(ctx, "Pilot"); err != nil {
		t.Errorf("what run time had left: %v", err)
	}
	if _, err := r.RemoveRollout(ctx, "Pilot"); refusal(err).Type != console.MasteredType {
		t.Errorf("the file's: %v", err)
	}
}
