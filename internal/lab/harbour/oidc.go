package harbour

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// oidcIssuer is the OpenID Connect provider of one domain: zitadel's, over a storage in memory.
type oidcIssuer struct {
	server   *Server
	domain   string
	provider *op.Provider
	storage  *storage
	earlier  earlier
}

func (s *Server) newOIDC(is Issuer) (*oidcIssuer, error) {
	keys, err := openKeys(s.options.KeyDir, "oidc."+is.Domain)
	if err != nil {
		return nil, err
	}
	i := &oidcIssuer{server: s, domain: is.Domain, storage: newStorage(is.OIDC, "/oidc/"+is.Domain+"/login?request=", keys, s.options.Clock)}
	config := &op.Config{
		CodeMethodS256: true, AuthMethodPost: true,
		SupportedScopes: []string{oidc.ScopeOpenID, oidc.ScopeProfile, oidc.ScopeEmail},
		SupportedClaims: []string{"sub", "aud", "exp", "iat", "iss", "auth_time", "nonce", "acr", "amr", "at_hash", "azp", "name", "preferred_username", "upn", "email", claimAnchor},
	}
	_, _ = rand.Read(config.CryptoKey[:]) // of codes and access tokens, which end with the process
	i.provider, err = op.NewProvider(config, i.storage, op.StaticIssuer(s.OIDCIssuer(is.Domain)), op.WithAllowInsecure())
	return i, err
}

// served are the endpoints that are let through, beside the one for tokens. Above all not zitadel's /authorize/callback: whoever knew a request's id
// could take the code of the person who signed in to it.
func served() []string {
	return []string{"/.well-known/openid-configuration", "/authorize", "/keys", "/userinfo"}
}

// serveOIDC answers what lies under /oidc/{domain}/.
func (s *Server) serveOIDC(w http.ResponseWriter, r *http.Request) {
	i := s.idps[r.PathValue("domain")]
	if i == nil {
		s.pages.message(w, http.StatusNotFound, "", "Harbour ID does not serve this domain.")
		return
	}
	path := strings.TrimPrefix(r.URL.Path, "/oidc/"+i.Domain)
	r.Body = http.MaxBytesReader(w, r.Body, mostBody)
	switch {
	case path == "/login" && r.Method == http.MethodGet:
		i.oidc.login(w, r)
	case path == "/oauth/token":
		i.oidc.token(w, r)
	case slices.Contains(served(), path):
		http.StripPrefix("/oidc/"+i.Domain, i.oidc.provider).ServeHTTP(w, r)
	default:
		s.pages.message(w, http.StatusNotFound, i.Domain, "There is nothing here.")
	}
}

// login takes over from /authorize, once for each request.
func (i *oidcIssuer) login(w http.ResponseWriter, r *http.Request) {
	req := i.storage.take(r.URL.Query().Get("request"))
	if req == nil {
		i.server.pages.message(w, http.StatusNotFound, i.domain, "This sign-in is over. Go back to where you came from and start again.")
		return
	}
	i.server.beginLogin(w, r, &login{
		domain: i.domain, protocol: "oidc", request: requestID(req.asked.State), hint: req.asked.LoginHint, target: origin(req.asked.RedirectURI),
		finish: func(w http.ResponseWriter, r *http.Request, a answer) { i.answer(w, r, req, a) },
	})
}

// answer lets zitadel make the code and the redirect, within the request that brought the password.
func (i *oidcIssuer) answer(w http.ResponseWriter, r *http.Request, req *authRequest, a answer) {
	i.storage.signedIn(req, a)
	callback := r.Clone(r.Context())
	callback.Method, callback.Body, callback.Form, callback.PostForm = http.MethodGet, http.NoBody, nil, nil
	callback.URL = &url.URL{Path: "/authorize/callback", RawQuery: url.Values{"id": {req.id}}.Encode()}
	callback.Header = http.Header{}
	i.provider.ServeHTTP(w, callback)
}
