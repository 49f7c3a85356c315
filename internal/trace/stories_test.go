package trace

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/authn"
)

// tell builds a Record, a step a line: "P4 gateway>queue 5+2 agent=agent-1 queue~sealed:agent-1 !refused". It began 5 ms
// after the sign-in and took 2 ms; = is a fact (_ is a space), ~ what a lane holds, ! its result, simulated, or a fault.
func tell(t testing.TB, path authn.Path, v authn.Verdict, r authn.Reason, lines ...string) authn.Record {
	t.Helper()
	var steps []authn.Step
	for _, line := range lines {
		f := strings.Fields(line)
		from, to, _ := strings.Cut(f[1], ">")
		at, took, _ := strings.Cut(f[2], "+")
		s := step(0, authn.StepID(f[0]), authn.Lane(from), authn.Lane(to), msOf(t, took))
		s.At = began().Add(msOf(t, at))
		for _, word := range f[3:] {
			if flag, ok := strings.CutPrefix(word, "!"); ok {
				switch flag {
				case "refused", "skipped":
					s.Result = authn.StepResult(flag)
				case "simulated":
					s.Simulated = true
				default:
					s.Fault = flag
				}
			} else if lane, form, ok := strings.Cut(word, "~"); ok {
				s = s.Hold(authn.Lane(lane), authn.Form(strings.ReplaceAll(form, "_", " ")))
			} else if key, value, ok := strings.Cut(word, "="); ok {
				s = s.With(authn.Fact(key), strings.ReplaceAll(value, "_", " "))
			} else {
				t.Fatalf("%q in %q means nothing", word, line)
			}
		}
		steps = append(steps, s)
	}
	rec := record(path, v, r, steps...)
	for _, s := range steps {
		if s.Result == authn.StepRefused && rec.Check == "" {
			rec.Check = s.ID
		}
	}
	return rec
}

func msOf(t testing.TB, s string) time.Duration {
	t.Helper()
	n, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(n * float64(time.Millisecond))
}

// knock is how every sign-in with a password begins.
func knock(path string, more ...string) []string {
	return append([]string{
		"C1 browser>gateway 0+0",
		"C2 gateway>store 0.1+0.4 domain=" + path + ".example.test path=" + path + " rule=domain_" + path + ".example.test",
		"C3 gateway>store 0.6+0.1 remaining=10",
	}, more...)
}

// let is how one that is allowed ends, d ms after it began.
func let(steps []string, d string) []string {
	return append(steps, "C10 gateway>gateway "+d+"+0 gateway~none", "C7 gateway>gateway "+d+"+0", "C9 gateway>browser "+d+"+0")
}

func refuse(steps []string, d string) []string {
	return append(steps, "C10 gateway>gateway "+d+"+0 gateway~none")
}

func posted(id string) string { return id + " browser>gateway 0.8+0 browser~clear gateway~clear" }

func hashed(found, compared string) []string {
	return knock("phs", "H0 sync>store 0.8+0.1 "+found, posted("H1"), "H2 gateway>gateway 0.9+0.1 gateway~nt-hash",
		"H3 gateway>gateway 1+0 length=64", "H4 store>gateway 1+0 length=10", "H5 gateway>gateway 1.1+0.4 rounds=1000 wait=500ns gateway~hash-of-hash",
		"H6 gateway>gateway 1.5+0 "+compared)
}

const synced = "synced=2026-03-01T08:58:48Z run=run-1 store~hash-of-hash_stored"

// asked is one agent that was given the request.
func askedAgent(name, at string) []string {
	return []string{
		"P2 gateway>gateway " + at + "+0 agent=" + name, "P3 gateway>gateway " + at + "+0.2 algorithm=HPKE request=r1",
		"P4 gateway>queue " + at + "+0.3 agent=" + name + " queue~sealed:" + name,
	}
}

func answered(name, bind, verdict string) []string {
	steps := []string{
		"P5 queue>agent 2+0.1 agent=" + name + " queue~none agent~clear",
		"P6 agent>directory 2.2+1.6 agent=" + name + " server=ldap://dc01.example.test directory~clear " + bind,
	}
	if verdict != "" {
		steps = append(steps, "P7 directory>agent 3.8+0 agent="+name+" directory~none "+verdict)
	}
	return append(steps, "P8 agent>gateway 3.8+0 agent="+name+" algorithm=Ed25519 agent~none", "P9 gateway>gateway 4.2+0 request=r1")
}

func passed(agents, answer []string) []string {
	return knock("pta", slices.Concat([]string{posted("P1")}, agents, answer)...)
}

func toIdP(t testing.TB, protocol string) authn.Record {
	r := tell(t, authn.PathFederated, authn.Challenged, authn.None, append(knock("federated")[:2],
		"F1 gateway>browser 0.6+0.3 idp=harbour protocol="+protocol+" binding=redirect issuer=https://idp.example request=id-1 length=673")...)
	r.Challenge, r.Realm.IdP, r.Realm.Protocol = authn.Redirect, "harbour", protocol
	return r
}

func fromIdP(t testing.TB, protocol string, v authn.Verdict, reason authn.Reason, lines ...string) authn.Record {
	r := tell(t, authn.PathFederated, v, reason, lines...)
	r.Seq, r.At, r.Realm.IdP, r.Realm.Protocol = 1, began().Add(9*time.Second), "harbour", protocol
	return r
}

func cameBack() []string {
	return []string{
		"F2 idp>browser 0.9+8999 idp=harbour got=not_seen_by_us browser~assertion",
		"F3 browser>gateway 9000+0 idp=harbour protocol=saml binding=post request=id-1 length=9220 browser~none gateway~assertion",
		"F4.structure gateway>gateway 9000+1", "F4.signature gateway>gateway 9001+0.6 algorithm=rsa-sha256", "F4.issuer gateway>gateway 9002+0",
	}
}

// stories are one sign-in for each path and outcome, shaped like those of the providers.
func stories(t testing.TB) map[string]Attempt {
	of := func(records ...authn.Record) Attempt { return Attempt{Records: records} }
	cloud := func(more ...string) []string {
		return knock("cloud", append([]string{posted("K1"), "K2 store>gateway 0.8+0.3 scheme=argon2id params=m=19456,t=2,p=1 store~argon2id_stored"}, more...)...)
	}
	saml := append(cameBack(), "F4.audience gateway>gateway 9002+0", "F4.recipient gateway>gateway 9002+0", "F4.in_response_to gateway>gateway 9002+0 request=id-1",
		"F4.time gateway>gateway 9002+0 until=2026-03-01T09:05:00Z", "F4.replay gateway>gateway 9002+0", "F4.subject gateway>gateway 9002+0.1 got=q/bvBg== expected=immutable_id gateway~none",
		"C7 gateway>gateway 9003+0", "C9 gateway>browser 9003+0")
	oidc := []string{
		"F2 idp>browser 0.9+8999 idp=harbour got=not_seen_by_us", "F3 browser>gateway 9000+0 idp=harbour protocol=oidc binding=redirect request=id-1",
		"F5 gateway>idp 9000+1.4 gateway~assertion", "F4.structure gateway>gateway 9001+0.1", "F4.signature gateway>gateway 9001+0.5 algorithm=RS256", "F4.issuer gateway>gateway 9002+0",
		"F4.audience gateway>gateway 9002+0", "F4.in_response_to gateway>gateway 9002+0", "F4.time gateway>gateway 9002+0", "F4.subject gateway>gateway 9002+0",
		"C7 gateway>gateway 9003+0", "C9 gateway>browser 9003+0",
	}
	gone := fromIdP(t, "saml", authn.Challenged, authn.IdPAbandoned)
	gone.Final, gone.Challenge = true, authn.Redirect
	decoyAsked := []string{"P2 gateway>gateway 1+0 agent=agent-1", "P3 gateway>gateway 1+0.2 algorithm=HPKE request=r1 !skipped", "P4 gateway>queue 1+0.3 agent=agent-1 queue~none"}
	decoyAnswered := []string{
		"P5 queue>agent 2+0.1 agent=agent-1", "P6 agent>directory 2.2+1.6 agent=agent-1 server=ldap://dc01.example.test decoy=decoy_account",
		"P7 directory>agent 3.8+0 agent=agent-1 code=0 !skipped", "P8 agent>gateway 3.8+0 agent=agent-1 algorithm=Ed25519", "P9 gateway>gateway 4.2+0 request=r1 reason=unknown_user",
	}
	handed := append(askedAgent("agent-1", "1"), askedAgent("agent-2", "1.5")...)
	handed[0] += " reason=agent_decrypt !refused"
	waiting := tell(t, authn.PathPHS, authn.Challenged, authn.None, knock("phs")[:2]...)
	waiting.Challenge = authn.AskPassword
	second := tell(t, authn.PathPHS, authn.Allowed, authn.None, let(hashed(synced, ""), "2")[2:]...)
	second.Seq, second.At = 1, began().Add(3*time.Second)
	for i := range second.Steps {
		second.Steps[i].At = second.Steps[i].At.Add(3 * time.Second)
	}
	line := Away{At: began().Add(4 * time.Second), Request: "id-1", Who: "alice@federated.example.test", Result: "signed_in"}
	typed := toIdP(t, "saml") // at our own door, by a program
	typed.Steps[0] = typed.Steps[0].Hold(authn.Browser, authn.FormClear).Hold(authn.Gateway, authn.FormClear)
	typed.Steps = slices.Insert(typed.Steps, 2, step(1, authn.C10, authn.Gateway, authn.Gateway, 0).Hold(authn.Gateway, authn.FormNone))
	said := of(toIdP(t, "saml"), fromIdP(t, "saml", authn.Allowed, authn.None, saml...))
	said.Away = []Away{line, {At: line.At, Request: "id-1", Who: line.Who, Result: "refused", Reason: "bad password"}}
	overloaded := tell(t, authn.PathCloud, authn.Unavailable, authn.Overloaded, refuse(cloud("K3 gateway>gateway 1+0.2 !skipped"), "2")...)
	overloaded.Check = authn.K3
	return map[string]Attempt{
		"cloud-allowed":         of(tell(t, authn.PathCloud, authn.Allowed, authn.None, let(cloud("K3 gateway>gateway 1+38 scheme=argon2id wait=4ms"), "39")...)),
		"cloud-denied":          of(tell(t, authn.PathCloud, authn.Denied, authn.BadPassword, refuse(cloud("K3 gateway>gateway 1+38 scheme=argon2id !refused"), "39")...)),
		"cloud-locked":          of(tell(t, authn.PathCloud, authn.Denied, authn.CloudLocked, append(knock("cloud")[:2], "C3 gateway>store 0.6+0.1 reason=cloud_locked !refused")...)),
		"cloud-unavailable":     of(overloaded),
		"cloud-unknown-user":    of(tell(t, authn.PathCloud, authn.Denied, authn.UnknownUser, refuse(knock("cloud", posted("K1"), "K2 store>gateway 0.8+0.3 !skipped", "K3 gateway>gateway 1+38 scheme=argon2id !refused"), "39")...)),
		"phs-allowed":           of(tell(t, authn.PathPHS, authn.Allowed, authn.None, let(hashed(synced+" !simulated", ""), "2")...)),
		"phs-denied":            of(tell(t, authn.PathPHS, authn.Denied, authn.BadPassword, refuse(hashed(synced, "!refused"), "2")...)),
		"phs-unknown-user":      of(tell(t, authn.PathPHS, authn.Denied, authn.UnknownUser, refuse(hashed("!skipped", "!refused"), "2")...)),
		"phs-unavailable":       of(tell(t, authn.PathPHS, authn.Unavailable, authn.Internal, refuse(knock("phs", posted("H1"), "H0 sync>store 0.8+2 !refused !store-down"), "3")...)),
		"phs-challenged":        of(waiting),
		"phs-two-pages":         of(waiting, second),
		"pta-allowed":           of(tell(t, authn.PathPTA, authn.Allowed, authn.None, let(passed(askedAgent("agent-1", "1"), answered("agent-1", "", "code=0")), "5")...)),
		"pta-denied":            of(tell(t, authn.PathPTA, authn.Denied, authn.AccountDisabled, refuse(passed(askedAgent("agent-1", "1"), answered("agent-1", "", "code=49 data=533 reason=account_disabled !refused")), "5")...)),
		"pta-unavailable":       of(tell(t, authn.PathPTA, authn.Unavailable, authn.ADUnreachable, refuse(passed(askedAgent("agent-1", "1"), answered("agent-1", "!refused !dc-down", "")), "5")...)),
		"pta-unknown-user":      of(tell(t, authn.PathPTA, authn.Denied, authn.UnknownUser, refuse(passed(decoyAsked, decoyAnswered), "5")...)),
		"pta-dc-hangs":          of(tell(t, authn.PathPTA, authn.Unavailable, authn.AgentTimeout, refuse(passed(askedAgent("agent-1", "1"), answered("agent-1", "reason=agent_timeout !refused !dc-slow", "")), "5")...)),
		"pta-no-agent":          of(tell(t, authn.PathPTA, authn.Unavailable, authn.NoAgent, refuse(passed([]string{"P2 gateway>gateway 1+0 reason=no_agent !refused"}, nil), "2")...)),
		"pta-hand-over":         of(tell(t, authn.PathPTA, authn.Allowed, authn.None, let(passed(handed, answered("agent-2", "", "code=0")), "5")...)),
		"federated-allowed":     said,
		"federated-typed":       of(typed, fromIdP(t, "saml", authn.Allowed, authn.None, saml...)),
		"federated-oidc":        of(toIdP(t, "oidc"), fromIdP(t, "oidc", authn.Allowed, authn.None, oidc...)),
		"federated-denied":      of(toIdP(t, "saml"), fromIdP(t, "saml", authn.Denied, authn.AudienceMismatch, append(cameBack(), "F4.audience gateway>gateway 9002+0 expected=https://login.example got=https://evil.example reason=audience_mismatch !refused gateway~none")...)),
		"federated-unavailable": of(toIdP(t, "oidc"), fromIdP(t, "oidc", authn.Unavailable, authn.IdPUnreachable, append(oidc[:2:2], "F5 gateway>idp 9000+2000 reason=idp_unreachable !refused !idp-down")...)),
		"federated-challenged":  of(toIdP(t, "saml")),
		"federated-abandoned":   of(toIdP(t, "saml"), gone),
		"none-denied":           of(tell(t, authn.PathNone, authn.Denied, authn.DomainUnknown, "C1 browser>gateway 0+0", "C2 gateway>store 0.1+0.1 path=none rule=no_domain")),
	}
}
