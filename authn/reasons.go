package authn

// Public sentences that several reasons share.
const (
	tellAdmin   = "Your organisation's directory does not let this account sign in now. Please contact your administrator."
	tellExpired = "Your password has expired. Change it in your organisation's network, then sign in again."
	tellTryOn   = "Your password can't be checked right now. Please try again in a moment."
	tellBusy    = "Too many people are signing in at this moment. Please try again shortly."
	tellChange  = "Your password must be changed before you can sign in: choose a new one."
	tellRenew   = "Your password has expired: choose a new one."
	tellAtHome  = "Your password can't be changed here: it is your organisation's own. Change it in your organisation's network, then sign in with it."
	tellAtIdP   = "Your password can't be changed here: your organisation's identity provider keeps it. Change it there, then sign in with it."
	tellIdP     = "Your organisation's identity provider can't be used right now. Please try again in a moment."
)

func managed() []Path    { return []Path{PathCloud, PathPHS, PathPTA} }
func everywhere() []Path { return Paths() }
func anyOf(p ...Path) []Path {
	return p
}

// reasonTable is the closed list, one line a reason; its order is that of the constants (a test holds it).
var reasonTable = [...]reasonRow{
	None:                  {"none", 0, false, false, nothingTold, Allowed, anyOf(PathCloud, PathPHS, PathPTA, PathFederated), ""},
	UnknownUser:           {"unknown_user", 50034, false, true, uniform, Denied, managed(), ""},
	BadPassword:           {"bad_password", 50126, false, true, uniform, Denied, managed(), ""},
	NoPasswordHash:        {"no_password_hash", 50056, false, true, uniform, Denied, anyOf(PathCloud, PathPHS), ""},
	UPNMismatch:           {"upn_mismatch", 80004, false, true, uniform, Denied, anyOf(PathPTA), ""},
	OnpremLocked:          {"onprem_locked", 50053, true, true, uniform, Denied, anyOf(PathPTA), ""}, // AD says it for right and wrong passwords alike
	CloudLocked:           {"cloud_locked", 50053, false, false, ownAnswer, Denied, managed(), "This account is locked for a while after too many wrong passwords. Please try again later, or contact your administrator."},
	Throttled:             {"throttled", 90055, true, false, ownAnswer, Unavailable, everywhere(), "There are too many sign-ins from here at once. Please try again shortly."},
	Overloaded:            {"overloaded", 90055, true, false, ownAnswer, Unavailable, everywhere(), tellBusy},
	AccountDisabled:       {"account_disabled", 50057, false, false, afterRight, Denied, anyOf(PathCloud, PathPHS, PathPTA, PathFederated), "This account is disabled. Please contact your administrator."},
	AccountExpired:        {"account_expired", 50057, true, false, afterRight, Denied, anyOf(PathPTA), "This account has expired. Please contact your administrator."},
	CloudPasswordExpired:  {"cloud_password_expired", 50055, false, false, afterRight, Denied, anyOf(PathCloud, PathPHS), "Your password has expired. Please contact your administrator for a new one."},
	CloudMustChange:       {"cloud_must_change", 50055, false, false, afterRight, Denied, anyOf(PathCloud, PathPHS), "Your password must be changed before you can sign in. Please contact your administrator."},
	OnpremPasswordExpired: {"onprem_password_expired", 50144, false, false, afterRight, Denied, anyOf(PathPTA), tellExpired},
	OnpremMustChange:      {"onprem_must_change", 50144, true, false, afterRight, Denied, anyOf(PathPTA), tellExpired},
	LogonHours:            {"logon_hours", 80012, false, false, afterRight, Denied, anyOf(PathPTA), "Your organisation does not let you sign in at this hour."},
	WorkstationDenied:     {"workstation_denied", 50126, true, false, afterRight, Denied, anyOf(PathPTA), tellAdmin},
	MFARequired:           {"mfa_required", 50074, true, false, afterRight, Denied, anyOf(PathCloud, PathPHS, PathPTA, PathFederated), "A second proof of who you are is needed to sign in."},
	NoAgent:               {"no_agent", 80001, false, false, ownAnswer, Unavailable, anyOf(PathPTA), tellTryOn},
	AgentTimeout:          {"agent_timeout", 80002, false, false, ownAnswer, Unavailable, anyOf(PathPTA), tellTryOn},
	AgentBadResponse:      {"agent_bad_response", 80003, false, false, ownAnswer, Unavailable, anyOf(PathPTA), tellTryOn},
	AgentError:            {"agent_error", 80005, false, false, ownAnswer, Unavailable, anyOf(PathPTA), tellTryOn},
	ADUnreachable:         {"ad_unreachable", 80007, false, false, ownAnswer, Unavailable, anyOf(PathPTA), tellTryOn},
	AgentDecrypt:          {"agent_decrypt", 80010, false, false, ownAnswer, Unavailable, anyOf(PathPTA), tellTryOn},
	AgentKey:              {"agent_key", 80011, false, false, ownAnswer, Unavailable, anyOf(PathPTA), tellTryOn},
	TimeSkew:              {"time_skew", 80013, false, false, ownAnswer, Unavailable, anyOf(PathPTA), tellTryOn},
	AgentLate:             {"agent_late", 80014, false, false, ownAnswer, Unavailable, anyOf(PathPTA), tellTryOn},
	DomainUnknown:         {"domain_unknown", 50059, false, false, ownAnswer, Denied, anyOf(PathNone), "We don't know this organisation. Check the part after the @ of your user name."},
	RealmUnknown:          {"realm_unknown", 50107, false, false, ownAnswer, Denied, anyOf(PathFederated), "Your organisation's identity provider is not set up here. Please contact your administrator."},
	IdPUnreachable:        {"idp_unreachable", 40010, true, false, ownAnswer, Unavailable, anyOf(PathFederated), tellIdP},
	IdPError:              {"idp_error", 40008, false, false, ownAnswer, Denied, anyOf(PathFederated), "Your organisation's identity provider did not sign you in."},
	IdPAbandoned:          {"idp_abandoned", 0, true, false, nothingTold, Challenged, anyOf(PathFederated), ""},
	SAMLInvalid:           {"saml_invalid", 50008, false, false, assertion, Denied, anyOf(PathFederated), ""},
	JWTInvalid:            {"jwt_invalid", 50027, false, false, assertion, Denied, anyOf(PathFederated), ""},
	SignatureInvalid:      {"signature_invalid", 50006, true, false, assertion, Denied, anyOf(PathFederated), ""},
	IssuerMismatch:        {"issuer_mismatch", 50107, true, false, assertion, Denied, anyOf(PathFederated), ""},
	AudienceMismatch:      {"audience_mismatch", 50010, true, false, assertion, Denied, anyOf(PathFederated), ""},
	StateMismatch:         {"state_mismatch", 50013, true, false, assertion, Denied, anyOf(PathFederated), ""},
	AssertionTime:         {"assertion_time", 500133, true, false, assertion, Denied, anyOf(PathFederated), ""},
	Replay:                {"replay", 50013, true, false, assertion, Denied, anyOf(PathFederated), ""},
	SubjectUnknown:        {"subject_unknown", 51004, false, false, assertion, Denied, anyOf(PathFederated), ""},
	ImmutableIDMismatch:   {"immutable_id_mismatch", 90072, false, false, assertion, Denied, anyOf(PathFederated), ""},
	NotLicensed:           {"not_licensed", 650052, true, false, ownAnswer, Denied, nil, "You have no licence for this application."},
	NotAssigned:           {"not_assigned", 50105, false, false, ownAnswer, Denied, nil, "You are not assigned to this application."},
	Internal:              {"internal", 50000, false, false, ownAnswer, Unavailable, everywhere(), "Something went wrong on our side. Please try again in a moment."},
}
