// Package client speaks to a gateway's console: the commands use it, and other programs may.
//
// In come a console's URL and a token; out come the answers of internal/console/api, or an error that says what happened
// and what to do. It never signs anybody in (client/browser does) and keeps nothing.
package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/console/api"
)

// ErrUnreachable says that no console answered.
var ErrUnreachable = errors.New("the gateway's console can't be reached")

// Console is a client of one console.
type Console struct {
	base  *url.URL
	token string
	http  *http.Client
}

// answerLimit bounds an answer, in bytes; patience bounds the wait for one (a first synchronisation takes a while).
const (
	answerLimit = 64 << 20
	patience    = time.Hour
)

// New makes a client of the console at server.
func New(server, token string) (*Console, error) {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q is no console URL: give one such as http://127.0.0.1:8401", server)
	}
	return &Console{base: u, token: token, http: &http.Client{Timeout: patience}}, nil
}

// SignIns lists the newest rows of the sign-in log, newest first.
func (c *Console) SignIns(ctx context.Context, last int) ([]api.SignIn, error) {
	page, err := call[api.Page[api.SignIn]](ctx, c, http.MethodGet, "signins?limit="+strconv.Itoa(last), nil)
	return page.Items, err
}

// Trace gives every record of an attempt.
func (c *Console) Trace(ctx context.Context, id authn.AttemptID) (api.Trace, error) {
	return call[api.Trace](ctx, c, http.MethodGet, "traces/"+url.PathEscape(string(id)), nil)
}

// Agents lists the on-premises agents.
func (c *Console) Agents(ctx context.Context) ([]api.Agent, error) {
	page, err := call[api.Page[api.Agent]](ctx, c, http.MethodGet, "agents", nil)
	return page.Items, err
}

// Invite makes a one-time enrolment token.
func (c *Console) Invite(ctx context.Context, i api.Invite) (api.Invitation, error) {
	return call[api.Invitation](ctx, c, http.MethodPost, "agents", i)
}

// Config gives the configuration in force, as text.
func (c *Console) Config(ctx context.Context) (string, error) {
	text, err := call[map[string]string](ctx, c, http.MethodGet, "config", nil)
	return text["text"], err
}

// Reload makes the gateway read its configuration file again.
func (c *Console) Reload(ctx context.Context) (api.Reload, error) {
	return call[api.Reload](ctx, c, http.MethodPost, "config", struct{}{})
}

// NewToken makes a console token.
func (c *Console) NewToken(ctx context.Context, t api.NewToken) (api.Token, error) {
	return call[api.Token](ctx, c, http.MethodPost, "tokens", t)
}

// OnpremUsers lists the people of the lab's directory.
func (c *Console) OnpremUsers(ctx context.Context) ([]api.OnpremUser, error) {
	page, err := call[api.Page[api.OnpremUser]](ctx, c, http.MethodGet, "onprem/users", nil)
	return page.Items, err
}

// OnpremChange does one thing to a person of the lab's directory.
func (c *Console) OnpremChange(ctx context.Context, upn string, do api.OnpremChange) error {
	_, err := call[struct{}](ctx, c, http.MethodPost, "onprem/users/"+url.PathEscape(upn), do)
	return err
}

func setIf(v url.Values, key, value string) {
	if value != "" {
		v.Set(key, value)
	}
}

func problem(res *http.Response, raw []byte) error {
	var p api.Problem
	if json.Unmarshal(raw, &p) != nil || p.Status == 0 {
		return fmt.Errorf("the console answered %s: is there a fourways console at this address?", res.Status)
	}
	return p
}

// unwrapURL leaves out the method and URL that net/http puts in front: the message says them already.
func unwrapURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
