package journal

import "github.com/fourways-id/fourways/authn"

// failure is the operator's sentence of a reason: what happened, precisely. It never goes to the person at the door.
func failure(r authn.Reason) string { return failures()[r] }

func failures() map[authn.Reason]string {
	return map[authn.Reason]string{
		authn.None:                  "",
		authn.UnknownUser:           "There is no account of that name.",
		authn.BadPassword:           "The password is wrong.",
		authn.NoPasswordHash:        "No password of this account is known here: synchronise it, or set one.",
		authn.UPNMismatch:           "The on-premises name differs from the name that was typed, and the directory does not know it.",
		authn.OnpremLocked:          "The account is locked in the on-premises directory.",
		authn.CloudLocked:           "The account is locked here after too many wrong passwords.",
		authn.Throttled:             "Too many sign-ins came at once from one address or for one account.",
		authn.Overloaded:            "The gateway had too many sign-ins at work and turned this one away.",
		authn.AccountDisabled:       "The account is disabled.",
		authn.AccountExpired:        "The account has expired in the on-premises directory.",
		authn.CloudPasswordExpired:  "The password has expired.",
		authn.CloudMustChange:       "The password is good only for changing it.",
		authn.OnpremPasswordExpired: "The password has expired in the on-premises directory.",
		authn.OnpremMustChange:      "The password must be changed in the on-premises directory first.",
		authn.LogonHours:            "The on-premises directory does not let the account sign in at this hour.",
		authn.WorkstationDenied:     "The on-premises directory does not let the account sign in from the agent's machine.",
		authn.MFARequired:           "A second proof is needed.",
		authn.NoAgent:               "No pass-through agent is connected.",
		authn.AgentTimeout:          "The pass-through agent did not answer in time.",
		authn.AgentBadResponse:      "The pass-through agent's answer could not be trusted or read.",
		authn.AgentError:            "The pass-through agent failed while it asked the directory.",
		authn.ADUnreachable:         "The pass-through agent can't reach the on-premises directory.",
		authn.AgentDecrypt:          "The pass-through agent could not open the request.",
		authn.AgentKey:              "The pass-through agent's key is not the one that the request was sealed for.",
		authn.TimeSkew:              "The clocks of the gateway and the pass-through agent differ too much.",
		authn.AgentLate:             "The pass-through agent took up the request after its deadline.",
		authn.DomainUnknown:         "The domain is not one of ours.",
		authn.RealmUnknown:          "The domain's identity provider is not configured here.",
		authn.IdPUnreachable:        "The identity provider can't be reached.",
		authn.IdPError:              "The identity provider answered with an error.",
		authn.IdPAbandoned:          "The person did not come back from the identity provider.",
		authn.SAMLInvalid:           "The SAML response is malformed.",
		authn.JWTInvalid:            "The ID token is malformed.",
		authn.SignatureInvalid:      "The signature is not the identity provider's.",
		authn.IssuerMismatch:        "The issuer may not speak for this domain.",
		authn.AudienceMismatch:      "The assertion is meant for somebody else.",
		authn.StateMismatch:         "The answer does not belong to a sign-in that this browser began.",
		authn.AssertionTime:         "The assertion is too old or not yet good.",
		authn.Replay:                "The assertion or code was used before.",
		authn.SubjectUnknown:        "The identity provider named a person who has no account here.",
		authn.ImmutableIDMismatch:   "The identity provider named another person than the one who was asked for.",
		authn.NotLicensed:           "The person has no licence for the application.",
		authn.NotAssigned:           "The person is not assigned to the application.",
		authn.Internal:              "Something failed in the gateway.",
	}
}
