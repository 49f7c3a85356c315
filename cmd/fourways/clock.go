package main

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/internal/console/api"
)

const clockLong = `The lab's policy clock. Lockouts and sessions end by it, retention and the directory's account rules and password ages go by
it. Protocol time stays real: SAML, OpenID Connect, TLS, the agent link and console tokens don't notice, so people still sign
in by every path. It is kept over a restart; ` + "`fourways reset`" + ` brings it back with everything else.`

func newClock(a *app) *cobra.Command {
	return newGroup("clock", "Move the lab's clock", clockLong, "  fourways clock advance 2m\n  fourways clock show",
		&cobra.Command{
			Use: "show", Short: "Show the lab's time", Long: "Show the lab's policy time and how far it is ahead of real time.", Example: "  fourways clock show -o json", Args: exactly(),
			RunE: func(cmd *cobra.Command, _ []string) error {
				c, err := a.console()
				if err != nil {
					return err
				}
				now, err := c.Clock(cmd.Context())
				return a.showClock(now, err)
			},
		},
		&cobra.Command{
			Use: "advance DURATION", Short: "Move the lab's clock ahead",
			Long:    "Move the lab's policy time ahead by DURATION, a Go duration such as 90s, 2m or 72h. What is over by then is ended at once.",
			Example: "  fourways clock advance 2m\n  fourways clock advance 1000h", Args: exactly("DURATION"),
			RunE: func(cmd *cobra.Command, args []string) error {
				if d, err := time.ParseDuration(args[0]); err != nil || d <= 0 {
					return misuse(cmd, "%q is no time to advance by: give a Go duration above 0, as in 90s, 2m or 72h", args[0])
				}
				c, err := a.console()
				if err != nil {
					return err
				}
				now, err := c.AdvanceClock(cmd.Context(), api.ClockChange{Advance: args[0]})
				return a.showClock(now, err)
			},
		},
		&cobra.Command{
			Use: "reset", Short: "Give the lab real time back",
			Long:    "Give the lab's clock real time back. What happened while it was ahead keeps its times: a lock that ends in what is the\nfuture now lasts until then. `fourways reset` brings the whole world back.",
			Example: "  fourways clock reset", Args: exactly(),
			RunE: func(cmd *cobra.Command, _ []string) error {
				c, err := a.console()
				if err != nil {
					return err
				}
				now, err := c.ResetClock(cmd.Context())
				return a.showClock(now, err)
			},
		})
}

func (a *app) showClock(now api.Clock, err error) error {
	if err != nil {
		return err
	}
	cols := columns[api.Clock]{
		names: []string{"lab time", "real time", "ahead"},
		cells: func(c api.Clock) []string { return []string{when(c.Now), when(c.Real), c.Offset} },
	}
	return show(a, now, cols, func(w io.Writer) error {
		if now.Offset == "0s" {
			_, err := fmt.Fprintf(w, "%s: the lab goes by real time\n", when(now.Now))
			return err
		}
		_, err := fmt.Fprintf(w, "%s: the lab is %s ahead of real time (%s)\n", when(now.Now), now.Offset, when(now.Real))
		return err
	})
}
