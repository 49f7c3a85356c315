package main

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// build is what the binary says of itself.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Time     string `json:"time,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// String is the build on one line. A version that Go made of the commit names it already.
func (b build) String() string {
	words := []string{"fourways", b.Version}
	if short := b.Revision[:min(12, len(b.Revision))]; short != "" && !strings.Contains(b.Version, short) {
		words = append(words, short)
	}
	return strings.Join(append(words, b.Go, b.Platform), " ")
}

// thisBuild reads what the Go linker wrote into the binary.
func thisBuild() build {
	b := build{Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.time":
			b.Time = s.Value
		}
	}
	return b
}

func newVersion(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Say which build this is", Long: "Say the version, the commit it was built from, and the Go release.", Example: "  fourways version -o json", Args: exactly(),
		RunE: func(*cobra.Command, []string) error {
			cols := columns[build]{
				names: []string{"version", "revision", "time", "go", "platform"},
				cells: func(b build) []string { return []string{b.Version, b.Revision, b.Time, b.Go, b.Platform} },
			}
			return show(a, thisBuild(), cols, func(w io.Writer) error {
				_, err := fmt.Fprintln(w, thisBuild())
				return err
			})
		},
	}
}

// version is the version alone.
func version() string { return thisBuild().Version }
