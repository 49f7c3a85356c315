package scenario

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/client/browser"
	"github.com/fourways-id/fourways/internal/console"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/lab/world"
)

// stage is where a story is played. After an error nothing more is done: the story reads as if there were none.
type stage struct {
	World
	ctx  context.Context //nolint:containedctx // of one play
	acts []api.Act
	err  error

	traces []api.Trace // of the sign-ins
}

// act does something and writes down what came of it.
func (s *stage) act(did, expected, teaches string, do func() (string, error)) {
	if s.err != nil {
		return
	}
	saw, err := do()
	if err != nil {
		s.err = fmt.Errorf("%s: %w", did, err)
		return
	}
	s.acts = append(s.acts, api.Act{Did: did, Expected: expected, Saw: saw, OK: saw == expected, Teaches: teaches})
}

// The endings of a sign-in that stories speak of.
const success = "success"

// refused is how a reason is told.
func refused(r authn.Reason) string { return fmt.Sprintf("%d %s", r.Code(), r) }

// signIn signs a demo person in with the usual password.
func (s *stage) signIn(upn, expected, teaches string) {
	s.signInWith(upn, world.Password, expected, teaches)
}

func (s *stage) signInWith(upn, password, expected, teaches string) {
	did := "fourways signin " + upn
	if password != world.Password {
		did += "   (password " + password + ")"
	}
	s.watch(did, upn, password, expected, teaches, ending)
}

// watch signs somebody in and has tell say what the trace shows.
func (s *stage) watch(did, upn, password, expected, teaches string, tell func([]authn.Record) string) {
	var t api.Trace
	s.act(did, expected, teaches, func() (saw string, err error) {
		if t, err = s.attempt(upn, password); err != nil {
			return "", err
		}
		return tell(t.Records), nil
	})
	s.keep(t)
}

// attempt signs somebody in and gives the trace of it.
func (s *stage) attempt(upn, password string) (api.Trace, error) {
	did, err := browser.SignIn(s.ctx, browser.SignInOptions{Door: s.Door, UPN: upn, Password: authn.NewSecret([]byte(password))})
	if err != nil {
		return api.Trace{}, err
	}
	return s.Console.Trace(s.ctx, did.CorrelationID)
}

// keep has the last act name its sign-in.
func (s *stage) keep(t api.Trace) {
	if s.err == nil && t.ID != "" {
		s.traces = append(s.traces, t)
		s.acts[len(s.acts)-1].TraceID = t.ID
	}
}

// ending says how a sign-in ended.
func ending(records []authn.Record) string {
	last := records[len(records)-1]
	switch last.Verdict {
	case authn.Allowed:
		return success
	case authn.Challenged:
		return "interrupted"
	case authn.Undecided, authn.Denied, authn.Unavailable:
	}
	return refused(last.Reason)
}

// agentsIn names the agents that a sign-in went to, in their order.
func agentsIn(records []authn.Record) []string {
	var all []string
	for _, r := range records {
		for _, step := range r.Steps {
			if name := step.Facts[authn.FactAgent]; name != "" && step.ID == authn.P2 && !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all
}

// breaks sets a fault; the setting's words are its flags.
func (s *stage) breaks(name string, f api.FaultSetting, teaches string) {
	did := strings.TrimSpace("fourways fault set " + name + " " + f.Param)
	if f.Scope != "" {
		did += " --scope " + f.Scope
	}
	if f.Next > 0 {
		did += fmt.Sprintf(" --next %d", f.Next)
	}
	s.act(did, "broken", teaches, func() (string, error) {
		_, err := s.Console.SetFault(s.ctx, name, f)
		return "broken", err
	})
}

// mends clears a fault.
func (s *stage) mends(name string) {
	s.act("fourways fault clear "+name, "mended", "", func() (string, error) {
		_, err := s.Console.ClearFaults(s.ctx, name)
		return "mended", err
	})
}

// swaps sets the path of a domain.
func (s *stage) swaps(domain string, path authn.Path, teaches string) {
	s.act(fmt.Sprintf("fourways mode set %s --domain %s", path, domain), string(path), teaches, func() (string, error) {
		m, err := s.Console.SetMode(s.ctx, domain, "", api.ModeChange{Path: path, Reason: "scenario"})
		return string(m.Path), err
	})
}

// undoes takes the last swap of a domain back.
func (s *stage) undoes(domain string, path authn.Path, teaches string) {
	s.act("fourways mode undo --domain "+domain, string(path), teaches, func() (string, error) {
		m, err := s.Console.UndoMode(s.ctx, domain, "")
		return string(m.Path), err
	})
}

// rollsOut moves the members of a group.
func (s *stage) rollsOut(group string, path authn.Path, teaches string) {
	s.act(fmt.Sprintf("fourways rollout add %s %s", group, path), string(path), teaches, func() (string, error) {
		r, err := s.Console.AddRollout(s.ctx, group, path)
		return string(r.Path), err
	})
}

// signInBy signs somebody in and looks by which path.
func (s *stage) signInBy(upn, expected, teaches string) {
	s.watch("fourways signin "+upn+" --trace", upn, world.Password, expected, teaches, byPath)
}

// stopped is what a run that a guard refused is told as.
const stopped = "stopped by the deletion guard"

// synchronises runs one kind of synchronisation, or both for "".
func (s *stage) synchronises(kind, expected, teaches string) {
	did, kinds := "fourways sync run", []string(nil)
	if kind != "" {
		did, kinds = did+" --kind "+kind, []string{kind}
	}
	s.act(did, expected, teaches, func() (string, error) {
		_, err := s.Console.SyncRun(s.ctx, kinds...)
		var problem api.Problem
		if errors.As(err, &problem) && problem.Type == console.GuardType && problem.Status == http.StatusConflict {
			return stopped, nil
		}
		return "synchronised", err
	})
}

// setsPassword changes a person's password on-premises.
func (s *stage) setsPassword(upn, password, teaches string) {
	name, domain, _ := strings.Cut(upn, "@")
	s.act(fmt.Sprintf("fourways onprem user set-password %s --domain %s   (to %s)", name, domain, password), "changed", teaches, func() (string, error) {
		return "changed", s.Console.OnpremChange(s.ctx, upn, api.OnpremChange{Do: "password", Password: password})
	})
}

// disables disables a person's account on-premises.
func (s *stage) disables(upn, teaches string) {
	name, domain, _ := strings.Cut(upn, "@")
	s.act(fmt.Sprintf("fourways onprem user disable %s --domain %s", name, domain), "disabled", teaches, func() (string, error) {
		return "disabled", s.Console.OnpremChange(s.ctx, upn, api.OnpremChange{Do: "disable"})
	})
}

// previews asks what a run of the directory would do.
func (s *stage) previews(expected, teaches string) {
	s.act("fourways sync preview", expected, teaches, func() (string, error) {
		p, err := s.Console.SyncPreview(s.ctx, api.SyncPreviewRequest{})
		switch {
		case p.Stopped != "":
			return stopped, err
		case len(p.Adds)+len(p.Updates)+len(p.Deletes) == 0:
			return "nothing to do", err
		}
		return fmt.Sprintf("%d to add, %d to update, %d to delete", len(p.Adds), len(p.Updates), len(p.Deletes)), err
	})
}
