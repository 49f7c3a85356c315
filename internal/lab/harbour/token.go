package harbour

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// token answers the token endpoint: zitadel's answer, as it is or tampered with.
func (i *oidcIssuer) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, "The request could not be read.", http.StatusBadRequest)
		return
	}
	req := i.storage.waiting(r.PostForm.Get("code"))
	held := &heldAnswer{header: w.Header(), status: http.StatusOK}
	http.StripPrefix("/oidc/"+i.domain, i.provider).ServeHTTP(held, r)
	if req != nil && held.status == http.StatusOK {
		out, err := i.seal(req, held.body.String())
		if err != nil {
			i.server.options.ErrorLog.Error("an ID token could not be made", "domain", i.domain, "cause", err)
			http.Error(w, "The answer could not be made.", http.StatusInternalServerError)
			return
		}
		i.server.issued(i.domain, "oidc", requestID(req.asked.State), req.answer, out)
		held.body.Reset()
		held.body.WriteString(out.text)
	}
	w.WriteHeader(held.status)
	_, _ = held.body.WriteTo(w)
}

// heldAnswer keeps back what is written to it; only the header goes through.
type heldAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (h *heldAnswer) Header() http.Header         { return h.header }
func (h *heldAnswer) WriteHeader(status int)      { h.status = status }
func (h *heldAnswer) Write(p []byte) (int, error) { return h.body.Write(p) }

// seal is the answer that leaves: zitadel's, one with another ID token, or one that was sent before.
func (i *oidcIssuer) seal(r *authRequest, text string) (sent, error) {
	a := r.answer
	if before, ok := i.earlier.of(a); ok {
		return before, nil
	}
	out := sent{id: r.tokenID, names: a.names.UPN, text: text}
	if a.OtherKey || a.NextKey || a.Behind != 0 || a.Audience != "" {
		var err error
		if out.text, err = i.remake(a, text); err != nil {
			return sent{}, err
		}
	}
	i.server.remember(&i.earlier, a, out)
	return out, nil
}

// remake puts another ID token into an answer of the token endpoint.
func (i *oidcIssuer) remake(a answer, text string) (string, error) {
	var body map[string]any
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		return "", fmt.Errorf("read the answer of the token endpoint: %w", err)
	}
	raw, _ := body["id_token"].(string)
	signed, err := jose.ParseSignedCompact(raw, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return "", fmt.Errorf("read the ID token: %w", err)
	}
	claims, err := a.claims(signed.UnsafePayloadWithoutVerification()) // it was made a moment ago, here
	if err != nil {
		return "", err
	}
	if body["id_token"], err = i.sign(a, claims); err != nil {
		return "", err
	}
	again, err := json.Marshal(body)
	return string(again), err
}

// claims are those of an ID token, tampered with.
func (a answer) claims(payload []byte) ([]byte, error) {
	var claims map[string]json.RawMessage
	if err := json.Unmarshal(payload, &claims); err != nil {
		return nil, fmt.Errorf("read the claims: %w", err)
	}
	back := int64(a.behind(tokenGood) / time.Second)
	for _, name := range []string{"iat", "exp", "auth_time"} {
		var at int64
		if err := json.Unmarshal(claims[name], &at); err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		claims[name], _ = json.Marshal(at - back)
	}
	if a.Audience != "" {
		claims["aud"], _ = json.Marshal([]string{a.Audience})
	}
	return json.Marshal(claims)
}

// sign makes the token. A key that nobody was told of goes by the name of the one in use, as a forger's would.
func (i *oidcIssuer) sign(a answer, claims []byte) (string, error) {
	key, err := i.storage.keys.pick(a.Tampering)
	if err != nil {
		return "", err
	}
	name := key.id()
	if a.OtherKey {
		name = i.storage.keys.now.id()
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key.key, KeyID: name}}, nil)
	if err != nil {
		return "", err
	}
	token, err := signer.Sign(claims)
	if err != nil {
		return "", err
	}
	return token.CompactSerialize()
}
