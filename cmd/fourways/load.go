package main

import "github.com/spf13/cobra"

func newLoad(a *app) *cobra.Command { return nil }
