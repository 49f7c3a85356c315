package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"time"

	"github.com/fourways-id/fourways/internal/directory"
	"github.com/fourways-id/fourways/internal/lab/world"
)

// hostName is a host name as a URL shows it (RFC 1123, section 2.1).
var hostName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$`)

// reachedBy is the name by which others reach an exposed lab; "" for one that nobody else reaches. This machine has to
// know the name too: the gateway itself asks the identity provider by it.
func reachedBy(ctx context.Context, f upFlags) (string, error) {
	if !f.world.Exposed {
		return "", nil
	}
	host := f.host
	if host == "" {
		name, err := os.Hostname()
		if err != nil {
			return "", failure{exitFailed, "this machine has no name", err.Error(), "say how others reach it: --host NAME or --host ADDRESS"}
		}
		host = name
	}
	if net.ParseIP(host) != nil {
		return host, nil
	}
	if !hostName.MatchString(host) {
		return "", failure{exitUsage, "--host is no host name", fmt.Sprintf("%q can't stand in an address", printable(host)), "give a name or an address, without scheme and port"}
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, err := net.DefaultResolver.LookupHost(ctx, host); err != nil {
		return "", failure{exitFailed, "the lab can't be exposed as " + host, err.Error(), "say how others reach this machine, in a way that it understands itself: --host NAME or --host ADDRESS"}
	}
	return host, nil
}

// otherWorld makes the refusal of a folder's lab a conflict of the command line's own.
func otherWorld(err error) error {
	if !errors.Is(err, directory.ErrConflict) {
		return err
	}
	_, why, _ := strings.Cut(err.Error(), directory.ErrConflict.Error()+": ")
	return failure{exitConflict, "this lab is made of something else", why, "leave the flags out to go on with it, or start another: --dir FOLDER"}
}

// crowd tells of the crowd; nil when there is none.
func (w *workshop) crowd() *crowd {
	made := w.lab.World()
	if made.Crowd == 0 {
		return nil
	}
	return &crowd{
		Count: made.Crowd, Password: w.lab.Password(), First: world.CrowdName(1), Last: world.CrowdName(made.Crowd),
		Domains: world.Domains(), UniqueHashes: made.UniqueHashes,
	}
}

// say tells of something that takes long, before it does.
func (w *workshop) say(text string) { fmt.Fprintln(os.Stderr, "fourways: "+text) }

// browse opens an address in the person's browser. It is a favour: without a browser the lab runs all the same.
func (a *app) browse(ctx context.Context, address string) {
	name, args := "xdg-open", []string{address}
	switch runtime.GOOS {
	case "darwin":
		name = "open"
	case "windows":
		name, args = "rundll32", []string{"url.dll,FileProtocolHandler", address}
	}
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // G204: the address is the lab's own
	if err := cmd.Start(); err != nil {
		fmt.Fprintf(a.err, "fourways: no browser could be opened (%v): open %s yourself\n", err, address)
		return
	}
	go func() { _ = cmd.Wait() }() // what it says is the browser's business
}
