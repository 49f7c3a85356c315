package main

import (
	"slices"

	"github.com/spf13/cobra"
)

// commands lists every command below the root, in one place.
func commands(a *app) []*cobra.Command {
	all := []*cobra.Command{
		newUp(a),
		newServe(a),
		newConfig(a), newAdmin(a), newAudit(a),
		newUser(a), newGroups(a), newContact(a), newLicense(a), newApplication(a), newLeaked(a),
		newSignIn(a), newCompare(a), newTrace(a), newSignIns(a),
		newMode(a), newDomain(a), newRollout(a), newOnprem(a), newSync(a), newAgent(a),
		newFault(a), newClock(a), newReset(a), newSnapshot(a), newLoad(a),
		newDoctor(a), newChoose(a),
		newVersion(a),
	}
	return slices.DeleteFunc(all, func(c *cobra.Command) bool { return c == nil })
}
