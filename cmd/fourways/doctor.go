package main

import "github.com/spf13/cobra"

func newDoctor(a *app) *cobra.Command { return nil }
