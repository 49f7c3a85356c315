package api

import (
	"time"

	"github.com/fourways-id/fourways/authn"
)

// Fault is one thing in the lab that can be broken, and whether it is.
type Fault struct {
	Name    string   `json:"name"`
	Hop     string   `json:"hop"`     // what it breaks
	Summary string   `json:"summary"` // one sentence
	Unit    string   `json:"unit,omitempty"`
	Default string   `json:"default,omitempty"` // of the parameter
	Aims    []string `json:"aims,omitempty"`    // what a scope may name: user, domain, agent or path
	Shows   string   `json:"shows"`             // what a sign-in then says
	Active  *Breach  `json:"active,omitempty"`
}

// Breach is a fault that is on.
type Breach struct {
	Scope  string    `json:"scope,omitempty"` // "" is everybody
	Param  string    `json:"param,omitempty"`
	Rate   float64   `json:"rate"`           // share of the messages that are hit: above 0, at most 1
	Next   int       `json:"next,omitempty"` // how many messages are still to be hit; 0: no limit
	By     string    `json:"by,omitempty"`
	Reason string    `json:"reason,omitempty"`
	Since  time.Time `json:"since"`
	Until  time.Time `json:"until"` // it clears itself then
	Hits   int       `json:"hits"`
}

// FaultSetting asks for a fault.
type FaultSetting struct {
	Scope  string   `json:"scope,omitempty"`
	Param  string   `json:"param,omitempty"`
	Rate   *float64 `json:"rate,omitempty"` // none is 1; 0 is refused: whoever computed it did not mean everybody
	Next   int      `json:"next,omitempty"`
	For    string   `json:"for,omitempty"` // Go duration; default 10m, at most 30m
	Reason string   `json:"reason,omitempty"`
}

// Scenario is a story that can be run in a throw-away copy of the lab.
type Scenario struct {
	Name    string `json:"name"`
	Title   string `json:"title"`
	Summary string `json:"summary"`
}

// ScenarioReport is what happened in one.
type ScenarioReport struct {
	Scenario
	Acts   []Act   `json:"acts"`
	OK     bool    `json:"ok"`               // every act went as the story says
	Traces []Trace `json:"traces,omitempty"` // of the sign-ins: the copy they happened in is gone
}

// Act is one thing that was done in a scenario.
type Act struct {
	Did      string          `json:"did"`               // in words; as a command where there is one
	Expected string          `json:"expected"`          // what the story says
	Saw      string          `json:"saw"`               // what happened
	OK       bool            `json:"ok"`                // both are the same
	TraceID  authn.AttemptID `json:"traceId,omitempty"` // of the sign-in, if it was one
	Teaches  string          `json:"teaches,omitempty"` // one sentence, with its source
}

// Clock is the lab's policy time.
type Clock struct {
	Now    time.Time `json:"now"`
	Real   time.Time `json:"real"`
	Offset string    `json:"offset"` // Go duration; how far Now is ahead of Real
}

// ClockChange moves it on.
type ClockChange struct {
	Advance string `json:"advance"` // Go duration, above 0
}

// Snapshot is a kept state of the lab's world.
type Snapshot struct {
	Name  string    `json:"name"`
	At    time.Time `json:"at"` // real time
	Users int       `json:"users"`
	Bytes int64     `json:"bytes"`
}

// Restored says what a reset or a restored snapshot did.
type Restored struct {
	Name   string `json:"name"` // "" is the world as it was seeded
	Users  int    `json:"users"`
	Millis int64  `json:"milliseconds"`
}
