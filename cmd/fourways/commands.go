package main

import "github.com/spf13/cobra"

// commands lists every command below the root, in one place.
func commands(a *app) []*cobra.Command {
	return []*cobra.Command{
		newUp(a),
		newServe(a),
		newConfig(a), newAdmin(a), newUser(a),
		newSignIn(a), newCompare(a), newTrace(a), newSignIns(a),
		newMode(a), newOnprem(a), newSync(a), newAgent(a),
		newVersion(a),
	}
}
