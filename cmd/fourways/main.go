// Command fourways is the gateway, its lab, and every command that a person types.
//
// In come arguments, a configuration file, FOURWAYS_… variables and, in the lab, the lab's state file; out come a running
// server, or an answer on stdout, an error in three lines on stderr (what, why, what to do), and an exit code that
// `fourways help exit-codes` lists. The commands reach a running gateway through its console and sign people in at its
// public endpoint only. No command prints a password, and none keeps one.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(Main()) }

// Main runs the program with this process's arguments, environment and streams, and returns its exit code.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	a := &app{in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.Getenv}
	return a.run(ctx, os.Args[1:]...)
}
