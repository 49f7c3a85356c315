package saml

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// checkIssuer holds both issuers to the one that is configured (SAML profiles 4.1.4.2).
func (x *exchange) checkIssuer() finding {
	f := finding{expected: x.p.idp.Issuer, got: x.said.issuer}
	if x.wrapper.issuer != "" && f.got == f.expected {
		f.got = x.wrapper.issuer
	}
	if f.got != f.expected {
		f.err = fmt.Errorf("the issuer is %q", clip(f.got))
	}
	return f
}

// checkAudience takes an assertion that is for us and for nobody else. One that names others as well could have been
// passed on by any of them.
func (x *exchange) checkAudience() finding {
	f := finding{expected: x.p.config.EntityID}
	var named []string
	for _, restriction := range x.said.audiences {
		for _, audience := range restriction {
			named = append(named, audience)
			if audience != f.expected {
				f.err = fmt.Errorf("the assertion is for %q", clip(audience))
			}
		}
	}
	f.got = strings.Join(named, " ")
	if len(named) == 0 {
		f.err = errors.New("the assertion names no audience")
	}
	return f
}

// checkRecipient holds Recipient (SAML core 2.4.1.2) and Destination (SAML bindings 3.5.5.2) to our address. A signed
// Response must have a Destination.
func (x *exchange) checkRecipient() finding {
	f := finding{expected: x.p.config.ACSURL, got: x.said.bearer.recipient}
	if f.got == f.expected && (x.wrapper.signed || x.wrapper.destination != "") {
		f.got = x.wrapper.destination
	}
	if f.got != f.expected {
		f.err = fmt.Errorf("the response is addressed to %q", clip(f.got))
	}
	return f
}

// checkInResponseTo holds the Response, the assertion and the browser to our request.
func (x *exchange) checkInResponseTo() finding {
	f := x.checkWrapperAnswers()
	if f.err == nil && x.said.bearer.inResponseTo != x.kept.Request {
		f.got = x.said.bearer.inResponseTo
		f.err = errors.New("the assertion answers another request than the response around it")
	}
	return f
}

// checkTime compares with real time. Each moment may be off by the skew; an issue instant may also be as old as the
// configured delay.
func (x *exchange) checkTime() finding {
	f := finding{expected: x.now.Format(time.RFC3339Nano), until: x.until()}
	policy, s := x.p.config.Policy, x.said
	oldest := x.now.Add(-policy.MaxIssueDelay - policy.Skew)
	early, late := x.now.Add(policy.Skew), x.now.Add(-policy.Skew)
	refuse := func(bad bool, at time.Time, what string) {
		if bad && f.err == nil {
			f.got, f.err = at.Format(time.RFC3339Nano), fmt.Errorf("%s: %s", what, at.Format(time.RFC3339Nano))
		}
	}
	for _, issued := range [...]time.Time{x.wrapper.issued, s.issued} {
		refuse(issued.After(early), issued, "the response or its assertion is issued in the future")
		refuse(issued.Before(oldest), issued, "the response or its assertion was issued too long ago")
	}
	// SAML profiles 4.1.4.2: a bearer confirmation has NotOnOrAfter and no NotBefore.
	refuse(!s.bearer.valid.from.IsZero(), s.bearer.valid.from, "the subject confirmation has NotBefore")
	refuse(!late.Before(s.bearer.valid.until), s.bearer.valid.until, "the subject confirmation is over or has no end")
	refuse(s.valid.from.After(early), s.valid.from, "the assertion is not valid yet")
	refuse(!late.Before(s.valid.until), s.valid.until, "the assertion is over or has no end")
	refuse(s.session.instant.After(early), s.session.instant, "the person is said to sign in in the future")
	refuse(!s.session.until.IsZero() && !late.Before(s.session.until), s.session.until, "the identity provider's session is over")
	refuse(x.want.Fresh && s.session.instant.Before(x.kept.Real.Add(-policy.Skew)), s.session.instant, "a fresh sign-in was asked for, and this one is older")
	oldestSession := x.now.Add(-x.want.MaxAge - policy.Skew)
	refuse(x.want.MaxAge > 0 && s.session.instant.Before(oldestSession), s.session.instant, "the sign-in is older than was asked for")
	return f
}

// until is the last moment at which this assertion could be taken again.
func (x *exchange) until() time.Time {
	end := x.said.valid.until
	if b := x.said.bearer.valid.until; b.Before(end) {
		end = b
	}
	return end.Add(x.p.config.Policy.Skew)
}

// noteReplay hands the assertion's id over: whether it was used before is found where it is stored (Outcome.Once).
func (x *exchange) noteReplay() finding { return finding{got: x.said.id, until: x.until()} }
