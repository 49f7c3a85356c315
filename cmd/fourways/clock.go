package main

import "github.com/spf13/cobra"

func newClock(a *app) *cobra.Command { return nil }
