package main

import "github.com/spf13/cobra"

func newAudit(_ *app) *cobra.Command { return nil }
