package main

import "github.com/spf13/cobra"

func newGroups(_ *app) *cobra.Command { return nil }
