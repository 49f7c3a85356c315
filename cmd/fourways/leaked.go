package main

import "github.com/spf13/cobra"

func newLeaked(_ *app) *cobra.Command { return nil }
