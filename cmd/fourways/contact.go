package main

import "github.com/spf13/cobra"

func newContact(_ *app) *cobra.Command { return nil }
