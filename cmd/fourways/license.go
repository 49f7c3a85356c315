package main

import "github.com/spf13/cobra"

func newLicense(_ *app) *cobra.Command { return nil }
