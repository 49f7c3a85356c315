package scenario

import (
	"fmt"
	"strings"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/lab/world"
)

// Sections of Microsoft's documentation that the stories lean on.
const (
	hybrid = "https://learn.microsoft.com/en-us/entra/identity/hybrid/connect/"

	docOutage    = hybrid + "choose-ad-authn#recommendations"
	docPTA       = hybrid + "choose-ad-authn#cloud-authentication-pass-through-authentication"
	docPTACodes  = hybrid + "tshoot-connect-pass-through-authentication#sign-in-failure-reasons-on-the-microsoft-entra-admin-center-needs-premium-license"
	docAgents    = hybrid + "how-to-connect-pta-quick-start#step-4-ensure-high-availability"
	docRollover  = hybrid + "how-to-connect-fed-o365-certs"
	docHash      = hybrid + "how-to-connect-password-hash-synchronization#how-password-hash-synchronization-works"
	docThrough   = hybrid + "how-to-connect-pta-how-it-works#how-does-microsoft-entra-pass-through-authentication-work"
	docDeletes   = hybrid + "how-to-connect-sync-feature-prevent-accidental-deletes"
	docLockout   = "https://learn.microsoft.com/en-us/entra/identity/authentication/howto-password-smart-lockout"
	docMigration = hybrid + "migrate-from-federation-to-cloud-authentication"
	docEnd       = hybrid + "choose-ad-authn#cloud-authentication-password-hash-synchronization"
	docStaged    = hybrid + "how-to-connect-staged-rollout"
)

// lesson is a sentence and where it comes from.
func lesson(sentence, source string) string { return sentence + " [" + source + "]" }

func alice(domain string) string { return "alice@" + domain }

func dcDies() Story {
	return Story{
		Scenario: api.Scenario{
			Name: "dc-dies-at-9am", Title: "The domain controller dies at nine in the morning",
			Summary: "Who can still sign in when the domain controller is gone, and how a domain gets back to work without it.",
		},
		Agents: 1,
		play: func(s *stage) {
			s.swaps(world.LabDomain, authn.PathPTA, "")
			for _, domain := range []string{world.PTADomain, world.SAMLDomain, world.LabDomain} {
				s.signIn(alice(domain), success, "")
			}
			s.breaks("dc-down", api.FaultSetting{}, "")
			s.signIn(alice(world.CloudDomain), success, "")
			s.signIn(alice(world.PHSDomain), success, lesson("With password hash synchronisation nobody needs the premises to sign in.", docOutage))
			s.signIn(alice(world.PTADomain), refused(authn.ADUnreachable), lesson("80007: the agent is there, but can't connect to Active Directory.", docPTACodes))
			s.signIn(alice(world.SAMLDomain), "interrupted", lesson("Pass-through authentication and federation both rely on domain controllers to respond.", docOutage))
			s.signIn(alice(world.LabDomain), refused(authn.ADUnreachable), "")
			s.swaps(world.LabDomain, authn.PathPHS, lesson("Failing over to password hash synchronisation does not happen by itself: somebody switches.", docPTA))
			s.signIn(alice(world.LabDomain), success, "The hashes were there already: the next sign-in works, and nothing was restarted.")
			s.mends("dc-down")
			s.signIn(alice(world.PTADomain), success, "")
			s.signIn(alice(world.SAMLDomain), success, "Everything heals by itself once the domain controller is back.")
		},
	}
}

func oneAgentOfThree() Story {
	return Story{
		Scenario: api.Scenario{
			Name: "one-agent-of-three-fails-midflight", Title: "One of three agents fails while it holds a request",
			Summary: "A sign-in survives the agent that it was given to; only without any agent does pass-through authentication end.",
		},
		Agents: 3,
		play: func(s *stage) {
			s.agents(3, lesson("Microsoft recommends three agents.", docAgents))
			s.signIn(alice(world.PTADomain), success, "")
			s.breaks("agent-down", api.FaultSetting{Next: 1}, "")
			s.watch("fourways signin "+alice(world.PTADomain)+" --trace", alice(world.PTADomain), world.Password, "success, after 2 agents were asked",
				"The agent had not yet bound to the directory, so the request went to another one. fourways differs here: with Microsoft's agents such a sign-in is dropped. ["+hybrid+"how-to-connect-pta-faq]",
				handedOver)
			s.mends("agent-down")
			s.breaks("agent-down", api.FaultSetting{Scope: "agent=agent-2"}, "")
			s.signIn(alice(world.PTADomain), success, lesson("With three agents one can fail while another is down for maintenance.", docPTA))
			s.mends("agent-down")
			s.breaks("agent-down", api.FaultSetting{}, "")
			s.signIn(alice(world.PTADomain), refused(authn.NoAgent), lesson("80001: no authentication agent is available.", docPTACodes))
			s.mends("agent-down")
			s.agents(3, "")
			s.signIn(alice(world.PTADomain), success, "It heals by itself: nobody restarted anything.")
		},
	}
}

func rolloverForgotten() Story {
	return Story{
		Scenario: api.Scenario{
			Name: "idp-cert-rollover-forgotten", Title: "The identity provider rolls its certificate over, and nobody tells us",
			Summary: "Every federated sign-in of that identity provider is refused at the signature check until its new certificate is known here.",
		},
		Agents: 1,
		play: func(s *stage) {
			s.signIn(alice(world.SAMLDomain), success, "")
			s.breaks("idp-cert-rotated", api.FaultSetting{}, "")
			s.signIn(alice(world.SAMLDomain), refused(authn.SignatureInvalid), lesson("The password was right and the identity provider said so, but nobody here can check the new signature.", docRollover))
			s.signIn(alice(world.PHSDomain), success, "Only federated people are hit.")
			s.mends("idp-cert-rotated")
			s.signIn(alice(world.SAMLDomain), success, "In production the new certificate is taken over ahead of time: as the next signing certificate, or by reading the metadata again.")
		},
	}
}

func ransomware() Story {
	return Story{
		Scenario: api.Scenario{
			Name: "ransomware", Title: "Ransomware: the premises are gone for good",
			Summary: "Domain controller, agents and identity provider are lost. Who had switched password hash synchronisation on before is back at once; who had not can't switch now.",
		},
		Agents: 1,
		play: func(s *stage) {
			s.swaps(world.LabDomain, authn.PathPTA, "")
			s.signIn(alice(world.LabDomain), success, "")
			for _, name := range []string{"dc-down", "agent-down", "idp-down"} {
				s.breaks(name, api.FaultSetting{For: "30m"}, "")
			}
			s.signIn(alice(world.PTADomain), refused(authn.NoAgent), "")
			s.signIn(alice(world.LabDomain), refused(authn.NoAgent), "")
			s.signIn(alice(world.SAMLDomain), "interrupted", "")
			s.signIn(alice(world.CloudDomain), success, "")
			s.swaps(world.LabDomain, authn.PathPHS, "")
			s.signIn(alice(world.LabDomain), success, lesson("Organisations that had turned password hash synchronisation on were back in a matter of hours.", docOutage))
			s.swaps(world.PTADomain, authn.PathPHS, "")
			s.signIn(alice(world.PTADomain), refused(authn.NoPasswordHash), lesson("Organisations that had not needed weeks: what was never synchronised can't be synchronised any more.", docOutage))
		},
	}
}

func spray() Story {
	const guess = "Password1"
	sprayed := []string{"alice", "ivan", "judy", "mallory", "rita"}
	return Story{
		Scenario: api.Scenario{
			Name: "spray-low-and-slow", Title: "A password spray, low and slow",
			Summary: "One guess for each person, an hour apart, stays below every lockout and finds the one weak password; many guesses at one person lock it.",
		},
		Agents: 1,
		play: func(s *stage) {
			for i, name := range sprayed {
				expected, teaches := refused(authn.BadPassword), ""
				if name == "mallory" {
					expected, teaches = success, lesson("Smart lockout counts failures of one account: a spray makes one each, so look for one address that fails at many accounts.", docLockout)
				}
				s.signInWith(name+"@"+world.PHSDomain, guess, expected, teaches)
				if i < len(sprayed)-1 {
					s.waits("1h")
				}
			}
			for i := range 9 { // with the slow guess: a failure is not forgotten before a success
				s.hammer(alice(world.PHSDomain), i)
			}
			s.signIn(alice(world.PHSDomain), refused(authn.CloudLocked), lesson("Ten different wrong passwords lock an account for a minute, also for the right one; the slow guess was the first of them.", docLockout))
			s.waits("2m")
			s.signIn(alice(world.PHSDomain), success, "The lock ends by itself.")
		},
	}
}

func staged() Story {
	return Story{
		Scenario: api.Scenario{
			Name: "federation-to-phs-staged", Title: "From federation to password hash synchronisation",
			Summary: "A domain leaves its identity provider without a day of outage: hashes first, then the people of one group, then the whole domain, and a way back.",
		},
		Agents: 1,
		play: func(s *stage) {
			s.swaps(world.LabDomain, authn.PathFederated, "")
			s.signInBy(alice(world.LabDomain), "success by federated", "")
			s.synchronises("hash", "synchronised", lesson("Switch password hash synchronisation on well before the swap, so that everybody's hash is there.", docMigration))
			s.rollsOut(world.GroupPilot, authn.PathPHS, lesson("A staged roll-out moves the direct members of a group; the domain stays federated for everybody else.", docStaged))
			s.signInBy(rita(world.LabDomain), "success by phs", "rita is in the group: she gives her password here.")
			s.signInBy(alice(world.LabDomain), "success by federated", "")
			s.breaks("idp-down", api.FaultSetting{}, "")
			s.signInBy(rita(world.LabDomain), "success by phs", "The identity provider is not asked for her any more.")
			s.mends("idp-down")
			s.swaps(world.LabDomain, authn.PathPHS, "")
			s.signInBy(alice(world.LabDomain), "success by phs", "Now the whole domain: nobody is asked to do anything.")
			s.undoes(world.LabDomain, authn.PathFederated, "The way back is one command.")
			s.signInBy(alice(world.LabDomain), "success by federated", "")
		},
	}
}

func rita(domain string) string { return "rita@" + domain }

func byPath(records []authn.Record) string {
	return strings.Join([]string{ending(records), "by", string(records[0].Path())}, " ")
}

// handedOver says how a sign-in ended and how many agents it took.
func handedOver(records []authn.Record) string {
	return fmt.Sprintf("%s, after %d agents were asked", ending(records), len(agentsIn(records)))
}
