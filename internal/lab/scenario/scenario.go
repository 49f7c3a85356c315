// Package scenario tells stories of things that go wrong, and plays them in a lab that nobody else uses: what is done,
// what the story says must come of it, and what really did.
//
// In come a story's name and a lab, steered as any operator steers one: over its console, and at its front door. Out comes
// a report of acts. It breaks things by the fault board alone, changes nothing behind the console's back, and starts no
// lab.
package scenario

import (
	"context"
	"fmt"
	"slices"

	"github.com/fourways-id/fourways/internal/client"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/directory"
)

// World is a lab that nobody else uses. Both must be set.
type World struct {
	Console *client.Console // with a token that may do everything
	Door    string          // origin of the public listener
}

// Story is a scenario that can be played.
type Story struct {
	api.Scenario
	Agents int // how many the lab must have
	play   func(*stage)
}

// Stories lists all of them.
func Stories() []Story {
	return []Story{
		dcDies(), oneAgentOfThree(), rolloverForgotten(), ransomware(), passwordChanged(), leaver(), unitRenamed(), spray(), staged(),
	}
}

// Find gives the story of that name; directory.ErrNotFound when there is none.
func Find(name string) (Story, error) {
	all := Stories()
	i := slices.IndexFunc(all, func(s Story) bool { return s.Name == name })
	if i < 0 {
		return Story{}, fmt.Errorf("there is no scenario %q (`fourways fault run` lists them): %w", name, directory.ErrNotFound)
	}
	return all[i], nil
}

// Play plays a story to its end. An act that goes another way than the story says is in the report; an error is an act that
// could not be done at all.
func (s Story) Play(ctx context.Context, w World) (api.ScenarioReport, error) {
	st := &stage{World: w, ctx: ctx}
	s.play(st)
	if st.err != nil {
		return api.ScenarioReport{}, fmt.Errorf("play %s: %w", s.Name, st.err)
	}
	report := api.ScenarioReport{Scenario: s.Scenario, Acts: st.acts, OK: true, Traces: st.traces}
	for _, act := range st.acts {
		report.OK = report.OK && act.OK
	}
	return report, nil
}
