package main

import "github.com/spf13/cobra"

func newFault(a *app) *cobra.Command { return nil }
