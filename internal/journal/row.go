package journal

import (
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/trace"
)

// SignIn is one row of the sign-in log: the field names of Microsoft Graph's signIn resource (beta), as far as there is
// something to say, and all that Graph has no name for under `fourways`.
type SignIn struct {
	ID                           string     `json:"id"`
	CreatedDateTime              time.Time  `json:"createdDateTime"`
	CorrelationID                string     `json:"correlationId"`
	OriginalRequestID            string     `json:"originalRequestId"`
	UserDisplayName              string     `json:"userDisplayName"`
	UserPrincipalName            string     `json:"userPrincipalName"`
	UserID                       string     `json:"userId"`
	UserType                     string     `json:"userType"`
	SignInIdentifier             string     `json:"signInIdentifier"`
	IsInteractive                bool       `json:"isInteractive"`
	AppDisplayName               string     `json:"appDisplayName"`
	ClientAppUsed                string     `json:"clientAppUsed"`
	IPAddress                    string     `json:"ipAddress"`
	UserAgent                    string     `json:"userAgent"`
	Status                       Status     `json:"status"`
	AuthenticationRequirement    string     `json:"authenticationRequirement"`
	AuthenticationMethodsUsed    []string   `json:"authenticationMethodsUsed"`
	AuthenticationDetails        []Detail   `json:"authenticationDetails"`
	AuthenticationProcessing     []KeyValue `json:"authenticationProcessingDetails"`
	AuthenticationProtocol       string     `json:"authenticationProtocol"`
	TokenIssuerType              string     `json:"tokenIssuerType"`
	TokenIssuerName              string     `json:"tokenIssuerName"`
	IncomingTokenType            string     `json:"incomingTokenType"`
	ConditionalAccessStatus      string     `json:"conditionalAccessStatus"`
	ProcessingTimeInMilliseconds int64      `json:"processingTimeInMilliseconds"`
	RiskState                    string     `json:"riskState"`
	FlaggedForReview             bool       `json:"flaggedForReview"`
	Fourways                     Extension  `json:"fourways"`
}

// Status is how the sign-in ended, by AADSTS code: the operator's view, never the one at the door.
type Status struct {
	ErrorCode         int    `json:"errorCode"`
	FailureReason     string `json:"failureReason"`
	AdditionalDetails string `json:"additionalDetails"`
}

// Detail is one authentication step (Graph: authenticationDetail).
type Detail struct {
	StepDateTime     time.Time `json:"authenticationStepDateTime"`
	Method           string    `json:"authenticationMethod"`
	MethodDetail     string    `json:"authenticationMethodDetail"`
	Succeeded        bool      `json:"succeeded"`
	StepResultDetail string    `json:"authenticationStepResultDetail"`
	StepRequirement  string    `json:"authenticationStepRequirement"`
}

// KeyValue is one processing detail: the agent's or the identity provider's name.
type KeyValue struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Extension is what Graph has no field for.
type Extension struct {
	TraceID    string             `json:"traceId"`
	Path       authn.Path         `json:"path"`
	Rule       string             `json:"rule"`
	Outcome    string             `json:"outcome"`
	Reason     string             `json:"reason"`
	Check      string             `json:"check,omitempty"`
	Locked     bool               `json:"locked,omitempty"`
	Shed       int                `json:"shed,omitempty"`   // this row stands for so many requests that were turned away in one second
	Stages     map[string]float64 `json:"stages,omitempty"` // milliseconds
	Agent      string             `json:"agent,omitempty"`
	DC         string             `json:"dc,omitempty"`
	IdP        string             `json:"idp,omitempty"`
	HashAge    *int64             `json:"hashAgeSeconds,omitempty"`
	Custody    []trace.Entry      `json:"custody,omitempty"`
	Faults     []string           `json:"faults,omitempty"`
	Simulated  bool               `json:"simulated"`
	OwnMapping bool               `json:"ownMapping,omitempty"` // Microsoft documents no code for this reason; this one is our choice
}

// Row makes the sign-in log's row of a final Record. Steps, if the Record has them, fill stages, custody, agent and DC.
func Row(r authn.Record) SignIn {
	row := SignIn{
		ID: string(r.ID), CorrelationID: string(r.ID), OriginalRequestID: string(r.ID),
		CreatedDateTime: r.Began.UTC(), UserDisplayName: bound(r.Name), UserID: string(r.Account), UserType: "member",
		UserPrincipalName: bound(r.Who), SignInIdentifier: bound(r.Who), IsInteractive: true,
		AppDisplayName: bound(r.Place.App), ClientAppUsed: "Browser", UserAgent: bound(r.Place.UserAgent),
		Status: status(r), AuthenticationRequirement: "singleFactorAuthentication",
		AuthenticationMethodsUsed: methods(r.Path()), AuthenticationDetails: details(r), AuthenticationProcessing: processing(r),
		AuthenticationProtocol: "none", TokenIssuerType: "AzureAD", IncomingTokenType: "none",
		ConditionalAccessStatus: "notApplied", ProcessingTimeInMilliseconds: r.Took.Milliseconds(), RiskState: "none",
		Fourways: extension(r),
	}
	if r.Place.Addr.IsValid() {
		row.IPAddress = r.Place.Addr.String()
	}
	if r.Path() == authn.PathFederated {
		federated(&row, r.Realm)
	}
	return row
}

// federated says who issued the token that came in. Graph knows ADFederationServices; External is ours.
func federated(row *SignIn, realm authn.Realm) {
	row.TokenIssuerType, row.TokenIssuerName = "External", realm.Issuer
	switch realm.Protocol {
	case "saml":
		row.AuthenticationProtocol, row.IncomingTokenType = "saml20", "saml20"
	case "oidc":
		row.AuthenticationProtocol, row.IncomingTokenType = "oAuth2", "idToken"
	}
}

func status(r authn.Record) Status {
	if r.Verdict == authn.Allowed {
		return Status{}
	}
	return Status{ErrorCode: r.Reason.Code(), FailureReason: failure(r.Reason), AdditionalDetails: bound(r.Cause)}
}

// methods are Graph's names of what was used; PTA and PHS stand beside Password as Graph documents them.
func methods(p authn.Path) []string {
	switch p {
	case authn.PathCloud:
		return []string{"Password"}
	case authn.PathPHS:
		return []string{"PHS"}
	case authn.PathPTA:
		return []string{"PTA"}
	case authn.PathFederated:
		return []string{"Federated"}
	case authn.PathNone:
	}
	return []string{}
}

func details(r authn.Record) []Detail {
	text := methodDetail(r.Path())
	if text == "" {
		return []Detail{}
	}
	result := "Authentication succeeded."
	if r.Verdict != authn.Allowed {
		result = failure(r.Reason)
	}
	return []Detail{{
		StepDateTime: r.At.UTC(), Method: "Password", MethodDetail: text,
		Succeeded: r.Verdict == authn.Allowed, StepResultDetail: result, StepRequirement: "Primary authentication",
	}}
}

// methodDetail says where the password was checked. The words of cloud and phs are those seen in real sign-in logs; those
// of pta and federated are ours.
func methodDetail(p authn.Path) string {
	switch p {
	case authn.PathCloud:
		return "Password in the cloud"
	case authn.PathPHS:
		return "Password Hash Sync"
	case authn.PathPTA:
		return "Pass-through Authentication"
	case authn.PathFederated:
		return "Federated"
	case authn.PathNone:
	}
	return ""
}

func processing(r authn.Record) []KeyValue {
	all := []KeyValue{}
	if agent := trace.Fact(r.Steps, authn.FactAgent); agent != "" {
		all = append(all, KeyValue{"Pass-through agent", bound(agent)})
	}
	if r.Realm.IdP != "" && r.Path() == authn.PathFederated {
		all = append(all, KeyValue{"Identity provider", r.Realm.IdP})
	}
	return all
}

func extension(r authn.Record) Extension {
	e := Extension{
		TraceID: string(r.ID), Path: r.Path(), Rule: r.Realm.Rule, Outcome: r.Verdict.MetricOutcome(), Reason: r.Reason.String(),
		Check: string(r.Check), Locked: r.Locked, Shed: r.Shed, Agent: bound(trace.Fact(r.Steps, authn.FactAgent)),
		DC: bound(trace.Fact(r.Steps, authn.FactServer)), Custody: trace.Custody([]authn.Record{r}).Entries, OwnMapping: r.Reason.OwnMapping(),
	}
	if r.Path() == authn.PathFederated {
		e.IdP = r.Realm.IdP
	}
	for stage, d := range trace.Stages(r.Steps) {
		if e.Stages == nil {
			e.Stages = map[string]float64{}
		}
		e.Stages[stage] = float64(d.Microseconds()) / 1000
	}
	if at, err := time.Parse(time.RFC3339, trace.Fact(r.Steps, authn.FactSynced)); err == nil {
		age := int64(r.At.Sub(at).Seconds())
		e.HashAge = &age
	}
	for _, s := range r.Steps {
		e.Simulated = e.Simulated || s.Simulated
		if s.Fault != "" {
			e.Faults = append(e.Faults, bound(s.Fault))
		}
	}
	return e
}
