package oidc_test

import (
	"strings"
	"testing"
	"time"

	"github.com/fourways-id/fourways/providers/oidc"
)

func TestConfigComplainsOfEverythingAtOnce(t *testing.T) {
	_, err := oidc.New(oidc.Config{Issuer: "http://idp.example.test", Algorithms: []string{"none", "HS256"}, Skew: time.Hour, Client: oidc.Client{AuthMethod: "x"}}, &clock{})
	if err == nil {
		t.Fatal("taken")
	}
	for _, part := range []string{"no id", "no client id", "auth method", "skew", "https://", "redirect URL", `"none"`, `"HS256"`} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the complaint does not mention %s: %v", part, err)
		}
	}
}

func TestConfigAddresses(t *testing.T) {
	for issuer, ok := range map[string]bool{
		"https://idp.example.test": true, "https://idp.example.test/tenant": true, "http://127.0.0.1:8404/oidc/x": true, "http://[::1]:1": true, "http://localhost:1": true,
		"http://idp.example.test": false, "https://idp.example.test?x=1": false, "https://idp.example.test#x": false, "https://u@idp.example.test": false,
		"idp.example.test": false, "": false, "ftp://idp.example.test": false, "http://127.0.0.1.example.test": false,
	} {
		_, err := oidc.New(oidc.Config{ID: "x", Issuer: issuer, RedirectURL: "https://gw.example.test/cb", Client: oidc.Client{ID: "c"}}, &clock{})
		if (err == nil) != ok {
			t.Errorf("issuer %q: %v", issuer, err)
		}
	}
}
