package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/fourways-id/fourways/internal/console/api"
)

// everyPage reads a list to its end. next reads the page after a cursor; one that is to be read by a program line by line is
// written page by page, so that the longest list needs no more room than a page.
func everyPage[T any](a *app, c columns[T], next func(after string) (api.Page[T], error)) error {
	var all []T
	for after := ""; ; {
		page, err := next(after)
		if err != nil {
			return err
		}
		last := page.Next == "" || page.Next == after
		if a.flags.output == formatJSONL {
			if err := list(a, page.Items, c); err != nil {
				return err
			}
		} else {
			all = append(all, page.Items...)
		}
		if after = page.Next; !last {
			continue
		}
		if a.flags.output == formatJSONL {
			return nil
		}
		return list(a, all, c)
	}
}

// pageOf1000 is how much of a list is asked for at once.
const pageOf1000 = 1000

// writePairs writes one thing a line a cell: a row that is too wide for a terminal.
func writePairs[T any](w io.Writer, item T, c columns[T]) error {
	for i, cell := range readable(c.cells(item)) {
		if _, err := fmt.Fprintf(w, "%-16s %s\n", c.names[i], cell); err != nil {
			return err
		}
	}
	return nil
}

// masteredIn says where an object is changed.
func masteredIn(synced bool) string {
	if synced {
		return "on-premises"
	}
	return "cloud"
}

// atLeast wants these arguments, and takes more.
func atLeast(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		return exactly(names...)(cmd, args[:min(len(names), len(args))])
	}
}
