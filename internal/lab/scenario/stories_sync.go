package scenario

import (
	"fmt"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
	"github.com/fourways-id/fourways/internal/lab/world"
)

func passwordChanged() Story {
	const fresh = "Autumn-2025!"
	return Story{
		Scenario: api.Scenario{
			Name: "password-changed-two-minutes-ago", Title: "The password was changed two minutes ago",
			Summary: "Pass-through authentication takes a new password at once, password hash synchronisation after its next run; until then the old one works.",
		},
		Agents: 1,
		play: func(s *stage) {
			s.setsPassword(alice(world.PTADomain), fresh, "")
			s.setsPassword(alice(world.PHSDomain), fresh, "")
			s.signInWith(alice(world.PTADomain), fresh, success, lesson("The domain controller itself is asked, so the new password works at once,", docThrough))
			s.signInWith(alice(world.PTADomain), world.Password, refused(authn.BadPassword), "and the old one no more.")
			s.signInWith(alice(world.PHSDomain), fresh, refused(authn.BadPassword), lesson("The hash here is the one of the last run; runs are two minutes apart.", docHash))
			s.signInWith(alice(world.PHSDomain), world.Password, success, "Until then the old password works: that is what a stolen one is worth.")
			s.hears(alice(world.PHSDomain), "The gateway asks every few seconds who changed a password, without fetching it: step H0 of the trace tells of the change.")
			s.synchronises("hash", "synchronised", "")
			s.signInWith(alice(world.PHSDomain), fresh, success, "")
			s.signInWith(alice(world.PHSDomain), world.Password, refused(authn.BadPassword), "")
		},
	}
}

func unitRenamed() Story {
	return Story{
		Scenario: api.Scenario{
			Name: "ou-renamed-500-deletes", Title: "An organisational unit is renamed, and hundreds would be deleted",
			Summary: "The people of a renamed unit are out of scope with the next run. The deletion guard stops it before the first one is deleted.",
		},
		Agents: 1,
		play: func(s *stage) {
			people := 0
			s.act("fourways user list", "everybody is here", "", func() (string, error) {
				n, err := s.count()
				people = n
				return "everybody is here", err
			})
			s.breaks("sync-mass-delete", api.FaultSetting{Param: "50"}, "The people of that unit are missing from what the agent reads: here fifty, which is more than a fifth of the tenant.")
			s.previews(stopped, "A preview changes nothing, and says what a run would come to.")
			s.synchronises("directory", stopped, lesson("Microsoft's threshold is 500 objects, and the export stops before any delete; fourways also stops at a fifth of everybody.", docDeletes))
			s.act("fourways user list", "everybody is here", "Nothing was deleted, not even in part.", func() (string, error) {
				n, err := s.count()
				if n != people {
					return fmt.Sprintf("%d of %d are here", n, people), err
				}
				return "everybody is here", err
			})
			s.signIn(alice(world.PHSDomain), success, "Sign-ins go on: the last good state stays.")
			s.mends("sync-mass-delete")
			s.synchronises("directory", "synchronised", "Once the unit is in scope again, the next run has nothing to delete.")
		},
	}
}

func leaver() Story {
	return Story{
		Scenario: api.Scenario{
			Name: "leaver-disabled-on-premises", Title: "Somebody leaves, and the account is disabled on-premises",
			Summary: "Pass-through authentication and federation refuse at once. Password hash synchronisation goes on letting in until the next directory run, whatever the hash runs do.",
		},
		Agents: 1,
		play: func(s *stage) {
			for _, domain := range []string{world.PHSDomain, world.PTADomain, world.SAMLDomain} {
				s.signIn(rita(domain), success, "")
				s.disables(rita(domain), "")
			}
			s.signIn(rita(world.PTADomain), refused(authn.AccountDisabled), lesson("The domain controller itself is asked, so its account states count at once.", docPTA))
			s.signIn(rita(world.SAMLDomain), "interrupted", "The identity provider asks it too.")
			s.signIn(rita(world.PHSDomain), success, "Nobody asks the domain controller here.")
			s.synchronises("hash", "synchronised", "")
			s.signIn(rita(world.PHSDomain), success, "Hashes say nothing of accounts: the two cycles are apart.")
			s.synchronises("directory", "synchronised", "")
			s.signIn(rita(world.PHSDomain), refused(authn.AccountDisabled), lesson("Disabling takes up to half an hour: the length of the directory cycle. Who can't wait runs it at once, and ends the sessions.", docEnd))
		},
	}
}
