package main

import "github.com/spf13/cobra"

func newApplication(_ *app) *cobra.Command { return nil }
