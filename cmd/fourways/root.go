package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

const rootLong = `One front door, four ways in. fourways signs people in by the four paths that Microsoft documents for Microsoft 365,
behind one endpoint: a password in the cloud, password hash synchronisation, pass-through authentication, federation.

Two commands to begin with:

  fourways up               the whole lab on this machine
  fourways compare alice    one person by all four paths`

// newRoot builds the whole tree of commands.
func newRoot(a *app) *cobra.Command {
	root := &cobra.Command{
		Use: "fourways", Short: "One front door, four ways in", Long: rootLong,
		Example:      "  fourways up\n  fourways signin alice@pta.example.test --trace\n  fourways compare alice",
		SilenceUsage: true, SilenceErrors: true,
		Args: cobra.ArbitraryArgs, RunE: groupRun,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return a.checkOutput(cmd) },
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	p := root.PersistentFlags()
	p.StringVar(&a.flags.server, "server", "", "the gateway's console, as `URL` (else "+envServer+", else the lab's)")
	p.StringVar(&a.flags.token, "token", "", "a console token; "+envToken+" keeps it out of the list of processes")
	p.StringVar(&a.flags.dir, "dir", "", "the lab's data `folder` (else "+envDir+", else ./.fourways)")
	p.StringVarP(&a.flags.output, "output", "o", formatTable, "`format`: "+strings.Join(formats(), ", "))
	root.AddCommand(commands(a)...)
	root.AddCommand(topics()...)
	root.SetHelpCommand(newHelp())
	finishCompletion(root)
	return root
}

// finishCompletion makes cobra's completion command complain as ours do, and completes words that are known.
func finishCompletion(root *cobra.Command) {
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	root.InitDefaultCompletionCmd("completion")
	each(root, func(c *cobra.Command) {
		if c.Name() == "completion" {
			c.Args, c.RunE = cobra.ArbitraryArgs, groupRun
			c.Example = "  source <(fourways completion bash)"
		}
	})
	_ = root.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats(), cobra.ShellCompDirectiveNoFileComp)) // the flag is there
}

// newHelp is cobra's help command, except that a topic that there is not is an error.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND | TOPIC]", Short: "Help about any command or topic", Long: "Show the help of a command, or a topic: exit-codes, environment, output, reasons.",
		Example: "  fourways help mode set\n  fourways help reasons", Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			found, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return misuse(cmd, "there is no help about %q", strings.Join(args, " "))
			}
			found.InitDefaultHelpFlag()
			return found.Help()
		},
	}
}

// newGroup is a noun: it does nothing itself.
func newGroup(use, short, long, example string, verbs ...*cobra.Command) *cobra.Command {
	g := &cobra.Command{Use: use, Short: short, Long: long, Example: example, Args: cobra.ArbitraryArgs, RunE: groupRun}
	g.AddCommand(verbs...)
	return g
}

// groupRun helps when it was given nothing, and complains of a verb that there is not.
func groupRun(cmd *cobra.Command, args []string) error {
	if len(args) == 0 && !cmd.HasParent() {
		return cmd.Help()
	}
	var verbs []string
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			verbs = append(verbs, c.Name())
		}
	}
	if len(args) == 0 {
		return misuse(cmd, "%s needs one of: %s", cmd.CommandPath(), strings.Join(verbs, ", "))
	}
	hint := ""
	for cmd.SuggestionsMinimumDistance = 1; hint == "" && cmd.SuggestionsMinimumDistance <= 2; cmd.SuggestionsMinimumDistance++ {
		if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
			hint = "\n\nDid you mean this?\n\t" + near[0]
		}
	}
	return usage(cmd, fmt.Errorf("%s has no command %q: there are %s%s", cmd.CommandPath(), args[0], strings.Join(verbs, ", "), hint))
}

// exactly wants these arguments, and says which one is missing.
func exactly(names ...string) cobra.PositionalArgs { return between(len(names), names...) }

// between wants the first least of these arguments, and takes all.
func between(least int, names ...string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch {
		case len(args) < least:
			return fmt.Errorf("%s is missing", names[len(args)])
		case len(args) > len(names):
			return fmt.Errorf("there is something left over: %q", args[len(names):])
		case slices.Contains(args[:least], ""):
			return fmt.Errorf("%s is empty", names[slices.Index(args, "")])
		}
		return nil
	}
}
