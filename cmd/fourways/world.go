package main

import "github.com/spf13/cobra"

func newReset(a *app) *cobra.Command { return nil }

func newSnapshot(a *app) *cobra.Command { return nil }
