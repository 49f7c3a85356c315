package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/internal/config"
	"github.com/fourways-id/fourways/internal/console/api"
)

// usualConfig is the configuration file when none is named.
const usualConfig = "fourways.toml"

func newConfig(a *app) *cobra.Command {
	return newGroup("config", "The gateway's configuration", "The gateway reads one TOML file; variables FOURWAYS_SECTION__KEY win over it.",
		"  fourways config init\n  fourways config check -c fourways.toml", newConfigInit(a), newConfigCheck(a), newConfigShow(a), newConfigReload(a))
}

func configFlag(cmd *cobra.Command, file *string, usual string) {
	cmd.Flags().StringVarP(file, "config", "c", usual, "the configuration `file`")
}

func newConfigInit(a *app) *cobra.Command {
	var file string
	var force bool
	cmd := &cobra.Command{
		Use: "init", Short: "Write a commented configuration file to start from", Long: "Write a configuration file with every key, its default, its unit and why. It starts as it stands. \"-c -\" writes it to standard output.",
		Example: "  fourways config init\n  fourways config init -c /etc/fourways/fourways.toml", Args: exactly(),
		RunE: func(*cobra.Command, []string) error {
			if file == "-" {
				_, err := a.out.Write(config.Example())
				return err
			}
			if err := writeExample(file, force); err != nil {
				return err
			}
			return a.done(file, "written; next: edit its [[domain]], then `fourways config check -c "+file+"`")
		},
	}
	configFlag(cmd, &file, usualConfig)
	cmd.Flags().BoolVar(&force, "force", false, "replace a file that is there already")
	return cmd
}

func writeExample(file string, force bool) error {
	mode := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		mode = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(file, mode, 0o644) //nolint:gosec // it holds no secret: those live in files of their own
	if errors.Is(err, fs.ErrExist) {
		return failure{exitConflict, "the file is there already", file + " would be overwritten", "name another with -c, or replace it with --force"}
	}
	if err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	_, err = f.Write(config.Example())
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	return nil
}

func newConfigCheck(a *app) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "check", Short: "Judge a configuration file", Long: "Judge a configuration file and the files that it names, with all complaints at once. Nothing is started or changed.\nThe exit code is 3 when it is not valid.",
		Example: "  fourways config check\n  fourways config check -c fourways.toml -o json", Args: exactly(),
		RunE: func(*cobra.Command, []string) error { return a.checkConfig(file) },
	}
	configFlag(cmd, &file, usualConfig)
	return cmd
}

func (a *app) checkConfig(file string) error {
	conf, err := config.LoadFile(file)
	if err == nil {
		err = conf.Check()
	}
	var bad *config.Errors
	if errors.As(err, &bad) && a.flags.output != formatTable {
		return errors.Join(list(a, bad.List, complaintColumns()), err)
	}
	if err != nil {
		return err
	}
	if a.flags.output != formatTable {
		return list(a, nil, complaintColumns())
	}
	_, err = fmt.Fprintf(a.out, "%s: valid, %s, %s\n", file, count(len(conf.Domain), "domain"), count(len(conf.IdP), "identity provider"))
	return err
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func complaintColumns() columns[config.Complaint] {
	return columns[config.Complaint]{
		names: []string{"file", "line", "column", "key", "wrong", "do"},
		cells: func(c config.Complaint) []string {
			return []string{c.File, fmt.Sprint(c.Line), fmt.Sprint(c.Column), c.Key, c.Wrong, c.Do}
		},
	}
}

func newConfigShow(a *app) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "show", Short: "Show every setting and where it comes from", Long: "Show every setting in force at the running gateway, and where it comes from: default, file or variable. With -c, what that file\nwould mean here and now.",
		Example: "  fourways config show\n  fourways config show -c fourways.toml", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := a.settingsText(cmd, file)
			if err != nil {
				return err
			}
			if a.flags.output == formatTable {
				_, err := io.WriteString(a.out, text)
				return err
			}
			return list(a, settingLines(text), settingColumns())
		},
	}
	configFlag(cmd, &file, "")
	return cmd
}

func (a *app) settingsText(cmd *cobra.Command, file string) (string, error) {
	if file != "" {
		conf, err := config.LoadFile(file)
		if err != nil {
			return "", err
		}
		var b strings.Builder
		err = config.Show(&b, conf)
		return b.String(), err
	}
	c, err := a.console()
	if err != nil {
		return "", err
	}
	return c.Config(cmd.Context())
}

// newConfigReload is what SIGHUP does, from afar.
func newConfigReload(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "reload", Short: "Make the gateway read its file again", Long: "Make the running gateway read its configuration file again. A file that is not valid changes nothing. It says what is in force now,\nwhat waits for a restart, and which domains keep another path because of an override.",
		Example: "  fourways config reload", Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.console()
			if err != nil {
				return err
			}
			r, err := c.Reload(cmd.Context())
			if err != nil {
				return err
			}
			return a.printReload(r)
		},
	}
}

func (a *app) printReload(r api.Reload) error {
	cols := columns[api.Reload]{
		names: []string{"live", "restart", "overrides"},
		cells: func(r api.Reload) []string {
			return []string{strings.Join(r.Live, "; "), strings.Join(r.Restart, "; "), strings.Join(r.Overrides, "; ")}
		},
	}
	return show(a, r, cols, func(w io.Writer) error {
		var b strings.Builder
		if len(r.Live)+len(r.Restart) == 0 {
			b.WriteString("read again: nothing has changed\n")
		}
		for _, part := range []struct {
			label string
			lines []string
		}{{"in force now", r.Live}, {"after a restart", r.Restart}, {"overridden", r.Overrides}} {
			for _, line := range part.lines {
				fmt.Fprintf(&b, "%s: %s\n", part.label, printable(line))
			}
		}
		_, err := io.WriteString(w, b.String())
		return err
	})
}
