package gateway

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/internal/agentlink"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/dirsync"
	"github.com/fourways-id/fourways/internal/doctor"
)

func TestWhatTheGatewaySeesOfItselfIsJudged(t *testing.T) {
	now := time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC)
	agent := func(name, version string, skew time.Duration) agentlink.AgentState {
		return agentlink.AgentState{Name: name, Version: version, Skew: skew, Live: true}
	}
	for name, c := range map[string]struct {
		got          doctor.Seen
		result, says string
	}{
		"store is well":       {judgeStore(nil, time.Millisecond), api.FindingOK, "answers"},
		"store is slow":       {judgeStore(nil, 2*time.Second), api.FindingWarn, "after 2s"},
		"store is gone":       {judgeStore(errors.New("no disk"), 0), api.FindingFail, "no disk"},
		"no agent":            {judgeAgents(0, []string{"dc1"}), api.FindingFail, "80001"},
		"one agent":           {judgeAgents(1, nil), api.FindingWarn, "one agent"},
		"two agents":          {judgeAgents(2, nil), api.FindingWarn, "3 or more"},
		"three agents":        {judgeAgents(3, nil), api.FindingOK, "3 agents"},
		"one version":         {seeVersions([]agentlink.AgentState{agent("a", "v1", 0), agent("b", "v1", 0)}), api.FindingOK, "v1"},
		"two versions":        {seeVersions([]agentlink.AgentState{agent("a", "v1", 0), agent("b", "v2", 0)}), api.FindingWarn, "v2: b"},
		"clocks agree":        {seeSkew([]agentlink.AgentState{agent("a", "", time.Second)}), api.FindingOK, "a"},
		"one clock behind":    {seeSkew([]agentlink.AgentState{agent("a", "", 0), agent("b", "", -agentSkew)}), api.FindingFail, "clock of b"},
		"administrator":       {seeAdmins(tally{cloudAdmins: 1}), api.FindingOK, "cloud-only"},
		"none":                {seeAdmins(tally{}), api.FindingWarn, "no cloud-only"},
		"synced one as well":  {seeAdmins(tally{cloudAdmins: 1, syncAdmins: []string{"root@a.test"}}), api.FindingWarn, "root@a.test"},
		"only synced":         {seeAdmins(tally{syncAdmins: []string{"root@a.test"}}), api.FindingWarn, "every administrator"},
		"people elsewhere":    {seeElsewhere(tally{elsewhere: map[string]int{"old.test": 2}}), api.FindingWarn, "2 in old.test"},
		"people at home":      {seeElsewhere(tally{}), api.FindingOK, ""},
		"never synchronised":  {judgeAge(dirsync.KindHash, time.Time{}, now, time.Minute), api.FindingWarn, "no hash run"},
		"three cycles ago":    {judgeAge(dirsync.KindHash, now.Add(-3*time.Minute), now, time.Minute), api.FindingOK, "3m"},
		"more than three ago": {judgeAge(dirsync.KindHash, now.Add(-3*time.Minute-time.Second), now, time.Minute), api.FindingWarn, "3m1s"},
	} {
		run := func() api.Finding {
			return doctor.Run(t.Context(), []doctor.Check{{ID: "x", Run: always(c.got)}})[0]
		}
		if f := run(); f.Result != c.result || !strings.Contains(f.Finding, c.says) {
			t.Errorf("%s: %+v, want %s with %q", name, f, c.result, c.says)
		}
	}
}

func always(s doctor.Seen) func(context.Context) doctor.Seen {
	return func(context.Context) doctor.Seen { return s }
}
