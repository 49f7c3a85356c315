package oidc

import (
	"errors"
	"fmt"
)

// longestParam bounds one callback parameter, in bytes.
const longestParam = 4096

// params are the parameters of a callback that mean something (RFC 6749, 4.1.2; RFC 9207, 2). Others are ignored.
type params struct {
	code, state, failure, iss string
	hasIss                    bool
}

// parseParams takes each parameter once only (RFC 6749, 3.1), and either a code or an error.
func parseParams(values map[string][]string) (params, error) {
	one := map[string]string{}
	for _, name := range []string{"code", "state", "error", "iss", "error_description", "error_uri", "id_token", "response"} {
		switch v, there := values[name]; {
		case !there:
		case len(v) != 1:
			return params{}, fmt.Errorf("%q came %d times", name, len(v))
		case len(v[0]) > longestParam:
			return params{}, fmt.Errorf("%q is longer than %d bytes", name, longestParam)
		default:
			one[name] = v[0]
		}
	}
	_, hasIss := one["iss"]
	p := params{code: one["code"], state: one["state"], failure: one["error"], iss: one["iss"], hasIss: hasIss}
	switch {
	case p.state == "":
		return params{}, errors.New("there is no state")
	case one["id_token"] != "" || one["response"] != "":
		return params{}, errors.New("a token came through the browser, but a code was asked for")
	case (p.code == "") == (p.failure == ""):
		return params{}, errors.New("there must be either a code or an error")
	}
	return p, nil
}
