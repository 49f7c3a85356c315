package main

import "github.com/spf13/cobra"

func newRollout(_ *app) *cobra.Command { return nil }
