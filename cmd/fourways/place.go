package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/fourways-id/fourways/internal/client"
	"github.com/fourways-id/fourways/internal/client/browser"
)

// place is the gateway that a command works with: its console, its front door, and the lab around it if it is one.
type place struct {
	console *client.Console // nil when no console is named
	door    string          // origin of the sign-in endpoint
	lab     state           // zero outside the lab
}

// labOf finds the state of the lab that the console at hand belongs to; false when it is none, or not on this machine.
// settings are the console's, nil when they could not be had.
func (a *app) labOf(settings map[string]string) (state, bool, error) {
	server := a.server()
	dirs := []string{a.dir()}
	if path := settings["store.path"]; path != "" {
		dirs = append(dirs, filepath.Dir(path)) // the lab keeps its store in its data folder
	}
	for _, dir := range dirs {
		s, err := readState(dir)
		switch {
		case errors.Is(err, os.ErrNotExist):
		case err != nil:
			return state{}, false, err
		case server == "" || server == s.ConsoleURL:
			return s, true, nil
		}
	}
	return state{}, false, nil
}

// lab is labOf for commands that mean lab.example.test when they are told no domain.
func (a *app) lab(ctx context.Context, c *client.Console) (state, bool, error) {
	s, ok, err := a.labOf(nil)
	if ok || err != nil {
		return s, ok, err
	}
	settings, err := settingsOf(ctx, c)
	if err != nil {
		return state{}, false, err
	}
	return a.labOf(settings)
}

// place finds console and front door. door is what --signin-url said.
func (a *app) place(ctx context.Context, door string) (place, error) {
	p := place{door: a.first(door, envSignIn, "")}
	console, err := a.console()
	if err != nil && p.door == "" {
		return place{}, err
	}
	p.console = console // without one, the door alone can be tried
	var found bool
	if p.lab, found, err = a.labOf(nil); err != nil {
		return place{}, err
	}
	if !found && console != nil {
		settings, err := settingsOf(ctx, console)
		if err != nil && p.door == "" {
			return place{}, fmt.Errorf("%w; it was asked for the sign-in address, which --signin-url names too", err)
		}
		if p.lab, _, err = a.labOf(settings); err != nil {
			return place{}, err
		}
		if p.door == "" {
			p.door = settings["server.public_url"]
		}
	}
	if p.door == "" {
		p.door = p.lab.SignInURL
	}
	p.door = strings.TrimSuffix(p.door, "/")
	return p, guarded(p.door)
}

// settingsOf reads the settings in force, as the console shows them: key, value as in TOML, origin.
func settingsOf(ctx context.Context, c *client.Console) (map[string]string, error) {
	text, err := c.Config(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		key, rest, _ := strings.Cut(lines.Text(), " ")
		quoted, err := strconv.QuotedPrefix(strings.TrimLeft(rest, " "))
		if err != nil {
			continue // a number, a list: nothing that is looked for here
		}
		all[key], _ = strconv.Unquote(quoted)
	}
	return all, nil
}

// guarded refuses an address to which a password would travel in clear text over a network.
func guarded(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return failure{exitUsage, "the sign-in address is wrong", fmt.Sprintf("%q is no http or https URL", address), "give --signin-url http://localhost:8400, or set " + envSignIn}
	case browser.InClear(u):
		return failure{exitGuard, "no password is sent there", u.Scheme + "://" + u.Host + " is plain http to another machine: everybody on the way could read the password", "use its https address"}
	}
	return nil
}

// inClear reports an address to which everything would travel readable over a network.
func inClear(u *url.URL) bool { return u.Scheme == "http" && !loopback(u.Hostname()) }

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
