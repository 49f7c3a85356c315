package authn

import "time"

// Record is what is written of one step of a sign-in, opened as Undecided and written whatever happens, a panic included.
// All Records of one attempt share its ID: together they are its trace. The last one is Final and gives the sign-in log
// its row and the counters their count.
type Record struct {
	ID        AttemptID     `json:"id"`
	Seq       int           `json:"seq"`   // 0 for the first step of the attempt
	Began     time.Time     `json:"began"` // of the attempt
	At        time.Time     `json:"at"`    // of this step
	Took      time.Duration `json:"took"`  // of this step, nanoseconds
	Who       string        `json:"who"`   // Identifier.Key
	Account   AccountID     `json:"account,omitempty"`
	Name      string        `json:"name,omitempty"` // display name
	Realm     Realm         `json:"realm"`
	Place     Place         `json:"place"`
	Verdict   Verdict       `json:"verdict"`
	Reason    Reason        `json:"reason"`
	Check     StepID        `json:"check,omitempty"`
	Challenge ChallengeKind `json:"challenge,omitempty"`
	Final     bool          `json:"final"`
	Locked    bool          `json:"locked,omitempty"` // this step's failure locked the account
	Shed      int           `json:"shed,omitempty"`   // how many requests were turned away in one second; this Record stands for all of them
	Proof     Proof         `json:"proof"`
	Steps     []Step        `json:"steps"`
	Cause     string        `json:"cause,omitempty"` // private; for the operator
}

// Path is the record's signin_path label: PathNone when no realm was found.
func (r Record) Path() Path {
	if r.Realm.Path == "" {
		return PathNone
	}
	return r.Realm.Path
}

// StartStep begins a piece of evidence now.
func StartStep(c Clock, id StepID, from, to Lane) Step {
	return Step{ID: id, From: from, To: to, Result: StepOK, At: c.Now()}
}

// End closes a step that StartStep began.
func (s Step) End(c Clock, r StepResult) Step {
	s.Result, s.Took = r, c.Now().Sub(s.At)
	return s
}

// With returns the step with one more fact; an empty value adds none. Values are bounded: a fact is data, not a message.
func (s Step) With(k Fact, v string) Step {
	if v == "" {
		return s
	}
	facts := make(map[Fact]string, len(s.Facts)+1)
	for key, old := range s.Facts {
		facts[key] = old
	}
	facts[k] = clip(v)
	s.Facts = facts
	return s
}

// Hold returns the step with lane l holding the secret in form f from then on.
func (s Step) Hold(l Lane, f Form) Step {
	held := make(map[Lane]Form, len(s.Held)+1)
	for lane, form := range s.Held {
		held[lane] = form
	}
	held[l] = f
	s.Held = held
	return s
}
