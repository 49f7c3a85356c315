package main

import "github.com/spf13/cobra"

func newChoose(a *app) *cobra.Command { return nil }
