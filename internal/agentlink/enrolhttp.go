package agentlink

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/fourways-id/fourways/authn"
)

// EnrolOverHTTP makes fresh keys and enrols them at the gateway's public address with a one-time token. The token is wiped.
// client may be nil. Off loopback the address must be https: the answer is what the agent trusts from then on.
func EnrolOverHTTP(ctx context.Context, client *http.Client, gateway, name, version string, token authn.Secret) (*Identity, error) {
	defer token.Wipe()
	endpoint, err := enrolURL(gateway)
	if err != nil {
		return nil, err
	}
	keys, err := NewKeys()
	if err != nil {
		return nil, err
	}
	body, err := enrolBody(keys, name, version, token)
	if err != nil {
		return nil, err
	}
	answer, err := post(ctx, client, endpoint, body)
	if err != nil {
		return nil, err
	}
	var r EnrolResponse
	if err := decodeStrict(answer, &r); err != nil {
		return nil, fmt.Errorf("the gateway's enrolment answer: %w", err)
	}
	return NewIdentity(keys, r)
}

func enrolBody(keys *Keys, name, version string, token authn.Secret) ([]byte, error) {
	public, err := keys.Public()
	if err != nil {
		return nil, err
	}
	r := EnrolRequest{Token: string(token.Reveal()), Name: name, Version: version, PublicKeys: public}
	r.Proof = ed25519.Sign(keys.sign, r.proven())
	b, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode the enrolment request: %w", err)
	}
	return b, nil
}

func enrolURL(gateway string) (string, error) {
	u, err := url.Parse(gateway)
	if err != nil || u.Host == "" {
		return "", fmt.Errorf("gateway address %q is no URL like https://signin.example.test", gateway)
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return "", fmt.Errorf("gateway address %q must be https: what it answers is what this agent will trust", gateway)
	}
	return u.JoinPath("/agent/enrol").String(), nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func post(ctx context.Context, client *http.Client, endpoint string, body []byte) ([]byte, error) {
	if client == nil {
		client = http.DefaultClient
	}
	strict := *client
	strict.CheckRedirect = func(*http.Request, []*http.Request) error { // the token goes where the operator said, nowhere else
		return http.ErrUseLastResponse
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make the enrolment request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := strict.Do(req)
	if err != nil {
		return nil, fmt.Errorf("reach the gateway: %w", err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(res.Body, MaxEnrol+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the gateway's answer: %w", err)
	case res.StatusCode == http.StatusUnauthorized, res.StatusCode == http.StatusForbidden:
		return nil, ErrToken
	case res.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("the gateway answered %s", res.Status)
	case len(b) > MaxEnrol:
		return nil, errors.New("the gateway's answer is longer than any enrolment")
	}
	return b, nil
}
