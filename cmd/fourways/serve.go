package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/gateway"
)

const serveLong = `A gateway for real people, from a configuration file. A path that can't work yet does not keep it from starting: the
others go on, and ` + "`fourways mode get --all`" + ` and /readyz?verbose say why.

SIGHUP, or ` + "`fourways config reload`" + `, reads the file again.`

func newServe(a *app) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "serve -c FILE", Short: "Run a gateway from a configuration file", Long: serveLong, Args: exactly(),
		Example: "  fourways serve -c fourways.toml",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				return misuse(cmd, "-c FILE is missing: `fourways config init` writes a file to start from")
			}
			return a.serve(cmd.Context(), file)
		},
	}
	cmd.Flags().StringVarP(&file, "config", "c", "", "the configuration `file`")
	return cmd
}

func (a *app) serve(ctx context.Context, file string) error {
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	hangup := hangups()
	defer signal.Stop(hangup)
	c, err := config.LoadFile(file)
	if err != nil {
		return err
	}
	if err := c.RefuseLab(); err != nil {
		return err
	}
	if err := c.Check(); err != nil {
		return err
	}
	log := logger(c.Log, a.err)
	g, err := gateway.Open(ctx, gateway.Options{Config: c, File: file, Log: log})
	if err != nil {
		return ended(ctx, err)
	}
	defer g.Close()
	modes, err := g.Modes(ctx)
	if err != nil {
		return err
	}
	for _, m := range modes {
		fmt.Fprintf(a.out, "%s: %s, %s\n", m.Domain, inWords(m), readiness(m))
	}
	fmt.Fprintf(a.out, "fourways %s is ready: sign in at %s (listening at %s), console at %s, metrics and health at %s\n",
		version(), c.Server.PublicURL, c.Server.PublicListen, c.Server.ConsoleListen, c.Server.TelemetryListen)
	untilStopped(ctx, g, hangup)
	return nil
}

// hangups takes SIGHUP from the start: one that comes before the gateway is ready must not end it.
func hangups() chan os.Signal {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c
}

// untilStopped waits for the end. SIGHUP reads the configuration again.
func untilStopped(ctx context.Context, g *gateway.Gateway, hangup <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
			g.ReloadOnSignal(ctx, "SIGHUP")
		}
	}
}

// logger writes to w as the configuration says.
func logger(c config.Log, w io.Writer) *slog.Logger {
	var level slog.Level
	if level.UnmarshalText([]byte(c.Level)) != nil {
		level = slog.LevelInfo
	}
	o := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
