package main

import "github.com/spf13/cobra"

func newDomain(_ *app) *cobra.Command { return nil }
