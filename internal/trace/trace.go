// Package trace tells what happened in a sign-in: a sentence for each step, the whole as text, the stages that took time,
// and the custody ledger: who held the password, in which form, and what was stored.
//
// In come the Records of one attempt; out come text and plain data. Everything is drawn from the Records' steps alone: the
// package looks nothing up, invents nothing between two steps, and says "not seen by us" where nobody here was looking.
package trace

import (
	"slices"
	"strings"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// Stages of a sign-in: the pieces whose time is worth a metric of its own.
const (
	StageRealm    = "realm_discovery"
	StageLockout  = "lockout_check"
	StageHashWait = "hash_queue"
	StageHash     = "hash_verify"
	StageQueue    = "queue_wait"
	StageDecrypt  = "agent_decrypt"
	StageBind     = "ldap_bind"
	StageReturn   = "agent_return"
	StageAssert   = "assertion_validate"
	StageToken    = "token_exchange"
)

// StagesOf is the closed list of a path's stages, in their order.
func StagesOf(p authn.Path) []string {
	switch p {
	case authn.PathCloud, authn.PathPHS:
		return []string{StageRealm, StageLockout, StageHashWait, StageHash}
	case authn.PathPTA:
		return []string{StageRealm, StageLockout, StageQueue, StageDecrypt, StageBind, StageReturn}
	case authn.PathFederated:
		return []string{StageRealm, StageAssert, StageToken}
	default:
		return []string{StageRealm}
	}
}

// stageOf says which stage a step is; "" when it is none.
func stageOf(id authn.StepID) string {
	if strings.HasPrefix(string(id), "F4.") {
		return StageAssert
	}
	return map[authn.StepID]string{
		authn.C2: StageRealm, authn.C3: StageLockout, authn.K3: StageHash, authn.H5: StageHash,
		authn.P4: StageQueue, authn.P5: StageDecrypt, authn.P6: StageBind, authn.P8: StageReturn, authn.F5: StageToken,
	}[id]
}

// Stages adds up the time of each stage; the checks of an assertion are one stage. A stage that didn't run is not in it.
func Stages(steps []authn.Step) map[string]time.Duration {
	took := map[string]time.Duration{}
	for _, step := range steps {
		stage := stageOf(step.ID)
		if stage == "" || step.Result == authn.StepSkipped {
			continue
		}
		work := step.Took
		if wait, err := time.ParseDuration(step.Facts[authn.FactWait]); err == nil && stage == StageHash {
			took[StageHashWait] += wait
			if step.ID == authn.K3 { // it begins before the wait; H5 begins when the worker does
				work = max(0, work-wait)
			}
		}
		took[stage] += work
	}
	return took
}

// inOrder gives the Records in the order of their steps in the attempt.
func inOrder(records []authn.Record) []authn.Record {
	return slices.SortedStableFunc(slices.Values(records), func(a, b authn.Record) int { return a.Seq - b.Seq })
}

// Fact finds what a sign-in says of f, the last step's word first; "" when nothing does.
func Fact(steps []authn.Step, f authn.Fact) string {
	for _, s := range slices.Backward(steps) {
		if v := s.Facts[f]; v != "" {
			return v
		}
	}
	return ""
}

// Has reports a step of that id that ran.
func Has(steps []authn.Step, id authn.StepID) bool {
	return slices.ContainsFunc(steps, func(s authn.Step) bool { return s.ID == id && s.Result != authn.StepSkipped })
}

func allSteps(records []authn.Record) []authn.Step {
	var all []authn.Step
	for _, r := range inOrder(records) {
		all = append(all, r.Steps...)
	}
	return all
}
