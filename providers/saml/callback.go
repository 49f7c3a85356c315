package saml

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/beevik/etree"

	"github.com/fourways-id/fourways/authn"
)

// exchange is one Response on its way through the checks. Each check may use what those before it found.
type exchange struct {
	p     *Provider
	match authn.Match
	want  authn.Want
	kept  kept
	relay []string
	now   time.Time // protocol time, one moment for all checks

	raw       []byte         // as it arrived
	response  *etree.Element // as it arrived
	assertion *etree.Element // as it arrived, decrypted
	wrapper   wrapper        // what is around the assertion; it proves nothing unless the Response was signed
	said      statement      // what the identity provider signed
	name      string         // the person, as SAML's NameID has it
	subject   authn.Subject
}

// finding is what one check saw. A nil err passes.
type finding struct {
	expected, got string
	algorithm     string
	until         time.Time
	err           error
}

// check is one step of the trace.
type check struct {
	step   authn.StepID
	reason authn.Reason // of a refusal
	look   func(*exchange) finding
}

// checks stand in the order in which they are made; the first refusal ends it.
func checks() []check {
	return []check{
		{authn.F4Signature, authn.SignatureInvalid, (*exchange).checkSignature},
		{authn.F4Issuer, authn.IssuerMismatch, (*exchange).checkIssuer},
		{authn.F4Audience, authn.AudienceMismatch, (*exchange).checkAudience},
		{authn.F4Recipient, authn.AudienceMismatch, (*exchange).checkRecipient},
		{authn.F4InResponse, authn.StateMismatch, (*exchange).checkInResponseTo},
		{authn.F4Time, authn.AssertionTime, (*exchange).checkTime},
		{authn.F4Replay, authn.Replay, (*exchange).noteReplay},
		{authn.F4Subject, authn.SubjectUnknown, (*exchange).checkSubject},
	}
}

// callback takes the browser's POST to our assertion consumer service (SAML bindings 3.5).
func (p *Provider) callback(a authn.Attempt, cb authn.Callback) authn.Outcome {
	k, err := unpack(a.Kept)
	if err == nil && cb.IdP != p.config.ID {
		err = fmt.Errorf("a response for identity provider %q came to the sign-in of %q", clip(cb.IdP), p.config.ID)
	}
	if err != nil {
		step := authn.StartStep(p.clock, authn.F4InResponse, authn.Gateway, authn.Gateway).End(p.clock, authn.StepRefused)
		return authn.Deny(authn.StateMismatch, authn.F4InResponse, err, step)
	}
	x := &exchange{p: p, match: a.Realm.Match, want: a.Want, kept: k, relay: cb.Values["RelayState"], now: realNow()}
	t := &trail{clock: p.clock}
	t.arrived(x, cb)
	return x.judge(t, cb)
}

func (x *exchange) judge(t *trail, cb authn.Callback) authn.Outcome {
	structure := check{authn.F4Structure, authn.SAMLInvalid, func(x *exchange) finding { return finding{err: x.read(cb)} }}
	if out, refused := t.run(structure, x); refused {
		return out
	}
	if x.wrapper.status != statusSuccess {
		return x.turnedAway(t)
	}
	for _, c := range checks() {
		if out, refused := t.run(c, x); refused {
			return out
		}
	}
	agree := check{authn.F4Structure, authn.SAMLInvalid, (*exchange).checkLibrary}
	if f := agree.look(x); f.err != nil {
		return t.refuse(agree, f, authn.StartStep(x.p.clock, agree.step, authn.Gateway, authn.Gateway))
	}
	out := authn.Allow(x.subject, x.proof(), t.done()...)
	out.Once = []authn.Once{x.once()}
	return out
}

// read decodes and holds the shape, before any library sees a tree.
func (x *exchange) read(cb authn.Callback) error {
	values := cb.Values["SAMLResponse"]
	switch {
	case cb.Binding != string(Post):
		return fmt.Errorf("the response came by %q: it is taken by post only", clip(cb.Binding))
	case len(values) != 1:
		return fmt.Errorf("%d values of SAMLResponse, one is needed", len(values))
	case len(values[0]) > 2*responseLimits.bytes: // line breaks included
		return fmt.Errorf("%d bytes of base64", len(values[0]))
	}
	raw, err := base64.StdEncoding.DecodeString(values[0])
	if err != nil {
		return fmt.Errorf("SAMLResponse is not base64: %w", err)
	}
	if x.response, err = parse(raw); err != nil {
		return err
	}
	x.raw = raw
	if x.wrapper, err = readWrapper(x.response); err != nil || x.wrapper.status != statusSuccess {
		return err
	}
	if x.assertion, err = x.p.open(x.wrapper.content); err != nil {
		return err
	}
	_, err = readStatement(x.assertion, x.p.config.Policy.UPNAttribute)
	return err
}

// turnedAway is the identity provider's no. It isn't signed as a rule, so it is believed only as the answer to our request.
func (x *exchange) turnedAway(t *trail) authn.Outcome {
	late := check{authn.F4InResponse, authn.StateMismatch, (*exchange).checkWrapperAnswers}
	if f := late.look(x); f.err != nil {
		return t.refuse(late, f, authn.StartStep(x.p.clock, late.step, authn.Gateway, authn.Gateway))
	}
	t.markArrival(x.wrapper.statusName())
	return authn.Deny(authn.IdPError, authn.F3, fmt.Errorf("the identity provider's status is %s", clip(x.wrapper.statusName())), t.steps...)
}

// checkWrapperAnswers holds the Response to our request and this browser.
func (x *exchange) checkWrapperAnswers() finding {
	f := finding{expected: x.kept.Request, got: x.wrapper.inResponseTo}
	switch {
	case f.got == "":
		f.err = errors.New("the response answers no request: sign-ins that begin at the identity provider are not taken")
	case f.got != f.expected:
		f.err = errors.New("the response answers another request")
	case len(x.relay) != 1 || subtle.ConstantTimeCompare([]byte(x.relay[0]), []byte(x.kept.Relay)) != 1:
		f.err = errors.New("RelayState did not come back as it was sent (SAML bindings 3.5.3)")
	}
	return f
}

// checkLibrary wants crewjam/saml to accept the Response, and to read the same person out of it.
func (x *exchange) checkLibrary() finding {
	a, err := x.p.lastWord(x.raw, x.kept.Request)
	switch {
	case err != nil:
		return finding{err: fmt.Errorf("crewjam/saml refuses the response: %w", err)}
	case a.Subject == nil || a.Subject.NameID == nil || a.Subject.NameID.Value != x.name || a.ID != x.said.id:
		return finding{err: errors.New("two readers of the response found two persons")}
	}
	return finding{}
}
