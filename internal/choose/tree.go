package choose

import "github.com/fourways-id/fourways/authn"

// Microsoft's pages: "Determine your cloud identity model for Microsoft 365" and "Choose the right authentication method
// for your Microsoft Entra hybrid identity solution".
const (
	modelPage  = "https://learn.microsoft.com/en-us/microsoft-365/enterprise/deploy-identity-solution-identity-model"
	methodPage = "https://learn.microsoft.com/en-us/entra/identity/hybrid/connect/choose-ad-authn"
)

// onPremises is the answer of who has a directory.
const onPremises = "directory"

// Questions lists every question, the first one first.
func Questions() []Question {
	return []Question{
		{
			Key: "directory", Source: modelPage,
			Ask:  "Do you have, or need, an on-premises directory or another identity provider?",
			Help: "Cloud-only suits organisations without one. Who has Active Directory keeps it as the master and synchronises: the identity is hybrid. fourways also takes people whose accounts only another provider knows.",
			Options: []Option{
				{Word: "none", Text: "neither: accounts live in the cloud alone", Because: "without a directory of your own the cloud is the master", Path: authn.PathCloud},
				{Word: onPremises, Text: "an on-premises directory (Active Directory, LDAP)", Because: "the on-premises directory stays the master, so the identity is hybrid", Next: "handover"},
				{Word: "provider", Text: "no directory here, but another identity provider", Because: "the other provider knows the people, so it signs them in", Next: "provider-protocol", Path: authn.PathFederated},
			},
		},
		{
			Key: "handover", Source: methodPage,
			Ask:  "Should a trusted provider of yours (such as AD FS) carry out the sign-in, rather than the cloud?",
			Help: "Handing over is federation. Microsoft advises it only where the cloud's own sign-in can't do what is needed, since it needs servers that face the internet.",
			Options: []Option{
				{Word: "no", Text: "the cloud may sign people in", Because: "the cloud may sign people in: managed", Next: "features"},
				{Word: "yes", Text: "hand it over", Because: "sign-in is handed over to a provider that exists already", Next: "protocol", Path: authn.PathFederated},
			},
		},
		{
			Key: "features", Source: methodPage,
			Ask:  "Do you need a sign-in feature that the cloud doesn't have itself, such as third-party MFA, smart cards at your own provider, or a multi-site system?",
			Help: "Microsoft names third-party authentication and systems of several sites. Its own cloud takes certificates and smart cards too; fourways takes them by federation only.",
			Options: []Option{
				{Word: "no", Text: "no such feature", Because: "no feature calls for federation", Next: "policies"},
				{Word: "yes", Text: "at least one", Because: "a feature that the cloud lacks calls for federation", Next: "protocol", Path: authn.PathFederated},
			},
		},
		{
			Key: "policies", Source: methodPage,
			Ask:  "Must Active Directory's rules for each user apply at every sign-in: account disabled or expired, password expired, locked out, sign-in hours?",
			Help: "With synchronised hashes the cloud learns of a disabled account with the next directory run (up to 30 minutes), and of expiry, hours or a lockout not at all. Pass-through authentication asks the directory each time, and needs on-premises parts to be up.",
			Options: []Option{
				{Word: "no", Text: "a delay is acceptable", Because: "no rule must apply at once, so nothing on-premises is needed at sign-in; with the hashes leaked credentials can be found", Path: authn.PathPHS, Hashes: true},
				{Word: "yes", Text: "at every sign-in", Because: "the directory's own rules must apply at once, so it is asked at each sign-in", Next: "backup", Path: authn.PathPTA},
			},
		},
		{
			Key: "protocol", Source: methodPage, Ask: protocolAsk, Help: protocolHelp,
			Options: protocols("backup"),
		},
		{
			Key: "provider-protocol", Source: methodPage, Ask: protocolAsk, Help: protocolHelp,
			Options: protocols(""),
		},
		{
			Key: "backup", Source: methodPage,
			Ask:  "Synchronise password hashes as well, as a way out when the premises are down, and to find leaked credentials?",
			Help: "Microsoft advises it with every method: hours instead of weeks after a disaster, and the leaked-credentials report needs the hashes. The switch to them is yours: it is never automatic.",
			Options: []Option{
				{Word: "yes", Text: "keep them as a backup", Because: "the hashes are the way out, and leaked credentials can be found", Hashes: true},
				{Word: "no", Text: "no hash may leave the premises", Because: "no hash may leave the premises: with them down nobody signs in"},
			},
		},
	}
}

const (
	protocolAsk  = "Which protocol does that provider speak?"
	protocolHelp = "Microsoft federates a domain by SAML 2.0 or WS-Federation. OpenID Connect for a domain is an extension of fourways."
)

func protocols(next string) []Option {
	return []Option{
		{Word: "saml", Text: "SAML 2.0", Because: "the provider speaks SAML 2.0", Next: next, Protocol: "saml"},
		{Word: "oidc", Text: "OpenID Connect", Because: "the provider speaks OpenID Connect", Next: next, Protocol: "oidc"},
	}
}
