package lab

import (
	"context"
	"strings"
	"time"

	"github.com/fourways-id/fourways/internal/lab/fault"
	"github.com/fourways-id/fourways/internal/lab/harbour"
)

// anotherService is whom an assertion of the wrong audience is meant for.
const anotherService = "https://another-service.example.test"

// expired is how long ago an assertion ran out, unless the fault says otherwise.
const expired = 10 * time.Minute

// breakIdP joins the board with what breaks Harbour ID as a whole: its socket and its keys.
func (l *Lab) breakIdP() {
	l.faults.Watch("idp-down", func(on bool, a fault.Active) {
		switch {
		case !a.Total(): // message by message, in atIdP
		case on:
			l.harbour.Outage()
		default:
			l.mended(l.harbour.Recover(context.Background()))
		}
	})
	l.faults.Watch("idp-cert-rotated", func(on bool, _ fault.Active) {
		if on { // the key stays published afterwards, for answers that are on their way
			l.mended(l.harbour.RollOver())
		}
	})
}

func (l *Lab) mended(err error) {
	if err != nil {
		l.log.Error("mend what was broken on purpose", "error", err)
	}
}

// atIdP decides what goes wrong with a message of Harbour ID.
func (l *Lab) atIdP(login harbour.Login) harbour.Tampering {
	target := fault.Target{User: login.UPN, Domain: login.Domain, Path: "federated"}
	hit := func(name string) bool {
		_, struck := l.faults.Strikes(name, target)
		return struck
	}
	if login.Moment == harbour.Asked {
		if down, struck := l.faults.Strikes("idp-down", target); struck {
			return harbour.Tampering{Down: true, Until: down.Over}
		}
		slow, _ := l.faults.Strikes("idp-slow", target)
		return harbour.Tampering{Wait: slow.Wait, Until: slow.Over}
	}
	t := harbour.Tampering{OtherKey: hit("idp-wrong-signature"), NextKey: hit("idp-cert-rotated"), Replay: hit("idp-replay")}
	if late, struck := l.faults.Strikes("idp-expired-assertion", target); struck {
		t.Behind = late.Wait
		if t.Behind == 0 {
			t.Behind = expired
		}
	}
	if hit("idp-wrong-audience") {
		t.Audience = anotherService
	}
	if hit("idp-wrong-subject") {
		t.Subject = somebodyElse(login.UPN)
	}
	return t
}

// somebodyElse is another person of the same domain: alice, or rita for alice herself. Both are healthy.
func somebodyElse(upn string) string {
	name, domain, _ := strings.Cut(upn, "@")
	if name == "alice" {
		return "rita@" + domain
	}
	return "alice@" + domain
}
