package oidc_test

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/fourways-id/fourways/authn"
)

// lie is one way in which an ID token can be wrong.
type lie struct {
	name   string
	want   authn.Want
	tell   func(*issuer)
	reason authn.Reason
	check  authn.StepID
}

func claim(name string, value any) func(*issuer) {
	return func(i *issuer) { i.claims = func(c map[string]any) { c[name] = value } }
}

func without(name string) func(*issuer) {
	return func(i *issuer) { i.claims = func(c map[string]any) { delete(c, name) } }
}

// forged gives the token another header or payload, signed by the issuer's own key all the same.
func forged(header string, change func(string) string) func(*issuer) {
	return func(i *issuer) {
		key, t := i.key, i.t
		i.sign = func(payload []byte) string { return signRaw(t, key, header, change(string(payload))) }
	}
}

func asIs(s string) string { return s }

const goodHeader = `{"alg":"RS256","kid":"one"}`

// addMember puts one more member before the others, so that decoders for which the last one wins see the old one.
func addMember(member string) func(string) string {
	return func(s string) string { return "{" + member + "," + s[1:] }
}

func mustLieFail(t *testing.T, lies []lie) {
	t.Helper()
	for _, l := range lies {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			i := newIssuer(t)
			p := open(t, i.config(), &clock{})
			mustAllow(t, signIn(t, p, i, l.want))
			i.set(l.tell)
			mustRefuse(t, signIn(t, p, i, l.want), l.reason, l.check)
		})
	}
}

func TestWhoeverMadeTheTokenWasNotTheIssuer(t *testing.T) {
	stranger := newKey(t)
	mustLieFail(t, []lie{
		{"signed by nobody (alg none)", authn.Want{}, func(i *issuer) {
			i.sign = func(p []byte) string {
				return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(p) + "."
			}
		}, authn.JWTInvalid, authn.F4Structure},
		{"alg none in other letters, with a signature", authn.Want{}, forged(`{"alg":"NoNe","kid":"one"}`, asIs), authn.JWTInvalid, authn.F4Structure},
		{"HMAC with the issuer's public key", authn.Want{}, func(i *issuer) {
			i.sign = func(p []byte) string { return signHS256(&i.key.PublicKey, p) }
		}, authn.JWTInvalid, authn.F4Structure},
		{"signed by a stranger under the issuer's kid", authn.Want{}, func(i *issuer) {
			i.sign = func(p []byte) string { return signRS256(i.t, stranger, "one", nil, p) }
		}, authn.SignatureInvalid, authn.F4Signature},
		{"signed by a stranger without kid", authn.Want{}, func(i *issuer) {
			i.sign = func(p []byte) string { return signRS256(i.t, stranger, "", nil, p) }
		}, authn.SignatureInvalid, authn.F4Signature},
		{"signed by a stranger under a kid that looks like a path", authn.Want{}, func(i *issuer) {
			i.sign = func(p []byte) string { return signRS256(i.t, stranger, "../../../dev/null", nil, p) }
		}, authn.SignatureInvalid, authn.F4Signature},
		{"signed by the key in its own header (jwk)", authn.Want{}, func(i *issuer) {
			header := map[jose.HeaderKey]any{"jwk": jose.JSONWebKey{Key: &stranger.PublicKey}}
			i.sign = func(p []byte) string { return signRS256(i.t, stranger, "one", header, p) }
		}, authn.SignatureInvalid, authn.F4Signature},
		{"signed by the key at its own address (jku)", authn.Want{}, func(i *issuer) {
			header := map[jose.HeaderKey]any{"jku": i.URL + "/other-keys", "x5u": i.URL + "/other-keys"}
			i.sign = func(p []byte) string { return signRS256(i.t, stranger, "one", header, p) }
		}, authn.SignatureInvalid, authn.F4Signature},
		{"a changed payload under the old signature", authn.Want{}, func(i *issuer) {
			i.sign = func(p []byte) string {
				parts := strings.Split(signRS256(i.t, i.key, "one", nil, p), ".")
				other := strings.Replace(string(p), "subject-of-alice", "subject-of-mallory", 1)
				return parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(other)) + "." + parts[2]
			}
		}, authn.SignatureInvalid, authn.F4Signature},
		{"an access token that it was not signed for (at_hash)", authn.Want{}, func(i *issuer) {
			i.answer = func(a map[string]any) { a["access_token"] = "another one" }
		}, authn.SignatureInvalid, authn.F4Signature},
		{"an at_hash that is empty", authn.Want{}, claim("at_hash", ""), authn.SignatureInvalid, authn.F4Signature},
	})
}

func TestATokenThatIsNotWellFormed(t *testing.T) {
	mustLieFail(t, []lie{
		{"there is none", authn.Want{}, func(i *issuer) { i.answer = func(a map[string]any) { delete(a, "id_token") } }, authn.JWTInvalid, authn.F4Structure},
		{"it is no string", authn.Want{}, func(i *issuer) { i.answer = func(a map[string]any) { a["id_token"] = 7 } }, authn.JWTInvalid, authn.F4Structure},
		{"four parts", authn.Want{}, func(i *issuer) {
			i.answer = func(a map[string]any) { a["id_token"] = a["id_token"].(string) + ".x" }
		}, authn.JWTInvalid, authn.F4Structure},
		{"padded base64", authn.Want{}, func(i *issuer) {
			i.answer = func(a map[string]any) { a["id_token"] = a["id_token"].(string) + "==" }
		}, authn.JWTInvalid, authn.F4Structure},
		{"base64 with a line break", authn.Want{}, func(i *issuer) {
			i.answer = func(a map[string]any) { a["id_token"] = a["id_token"].(string) + "\n" }
		}, authn.JWTInvalid, authn.F4Structure},
		{"too long", authn.Want{}, claim("filler", strings.Repeat("x", 40<<10)), authn.JWTInvalid, authn.F4Structure},
		{"an access token (typ)", authn.Want{}, forged(`{"alg":"RS256","kid":"one","typ":"at+jwt"}`, asIs), authn.JWTInvalid, authn.F4Structure},
		{"a logout token (typ)", authn.Want{}, forged(`{"alg":"RS256","kid":"one","typ":"logout+jwt"}`, asIs), authn.JWTInvalid, authn.F4Structure},
		{"extensions (crit)", authn.Want{}, forged(`{"alg":"RS256","kid":"one","crit":["exp"],"exp":1}`, asIs), authn.JWTInvalid, authn.F4Structure},
		{"the algorithm twice", authn.Want{}, forged(`{"alg":"none","alg":"RS256","kid":"one"}`, asIs), authn.JWTInvalid, authn.F4Structure},
		{"a claim twice", authn.Want{}, forged(goodHeader, addMember(`"sub":"mallory"`)), authn.JWTInvalid, authn.F4Structure},
		{"a claim twice, in other letters", authn.Want{}, forged(goodHeader, addMember(`"SUB":"mallory"`)), authn.JWTInvalid, authn.F4Structure},
		{"the anchor twice, in other letters", authn.Want{}, forged(goodHeader, addMember(`"Immutable_ID":"x"`)), authn.JWTInvalid, authn.F4Structure},
		{"a claim in other letters only", authn.Want{}, forged(goodHeader, func(s string) string {
			return strings.Replace(s, `"nonce"`, `"Nonce"`, 1)
		}), authn.JWTInvalid, authn.F4Structure},
		{"a claim spelled with a long s", authn.Want{}, forged(goodHeader, addMember(`"`+"\u017f"+`ub":"mallory"`)), authn.JWTInvalid, authn.F4Structure},
		{"a name twice, deep inside", authn.Want{}, forged(goodHeader, addMember(`"x":{"y":[{"a":1,"A":2}]}`)), authn.JWTInvalid, authn.F4Structure},
		{"nested deep", authn.Want{}, forged(goodHeader, addMember(`"x":`+strings.Repeat("[", 40)+strings.Repeat("]", 40))), authn.JWTInvalid, authn.F4Structure},
		{"two objects", authn.Want{}, forged(goodHeader, func(s string) string { return s + s }), authn.JWTInvalid, authn.F4Structure},
		{"claims that are a list", authn.Want{}, forged(goodHeader, func(string) string { return `["iss"]` }), authn.JWTInvalid, authn.F4Structure},
		{"not UTF-8", authn.Want{}, forged(goodHeader, addMember("\"x\":\"\xff\"")), authn.JWTInvalid, authn.F4Structure},
	})
}

func TestATokenThatIsForSomebodyElse(t *testing.T) {
	mustLieFail(t, []lie{
		{"another issuer", authn.Want{}, claim("iss", "http://other.example.test"), authn.IssuerMismatch, authn.F4Issuer},
		{"the issuer with a slash", authn.Want{}, func(i *issuer) { claim("iss", i.URL+"/")(i) }, authn.IssuerMismatch, authn.F4Issuer},
		{"no issuer", authn.Want{}, without("iss"), authn.IssuerMismatch, authn.F4Issuer},
		{"another audience", authn.Want{}, claim("aud", "other"), authn.AudienceMismatch, authn.F4Audience},
		{"an audience beside us", authn.Want{}, claim("aud", []string{clientID, "other"}), authn.AudienceMismatch, authn.F4Audience},
		{"no audience", authn.Want{}, without("aud"), authn.AudienceMismatch, authn.F4Audience},
		{"an empty list of audiences", authn.Want{}, claim("aud", []string{}), authn.AudienceMismatch, authn.F4Audience},
		{"another party", authn.Want{}, claim("azp", "other"), authn.AudienceMismatch, authn.F4Audience},
		{"a party that is no string", authn.Want{}, claim("azp", 1), authn.AudienceMismatch, authn.F4Audience},
		{"another nonce", authn.Want{}, claim("nonce", "other"), authn.StateMismatch, authn.F4InResponse},
		{"no nonce", authn.Want{}, without("nonce"), authn.StateMismatch, authn.F4InResponse},
		{"an empty nonce", authn.Want{}, claim("nonce", ""), authn.StateMismatch, authn.F4InResponse},
		{"no sub", authn.Want{}, without("sub"), authn.SubjectUnknown, authn.F4Subject},
		{"an empty sub", authn.Want{}, claim("sub", ""), authn.SubjectUnknown, authn.F4Subject},
		{"an over-long sub", authn.Want{}, claim("sub", strings.Repeat("s", 256)), authn.SubjectUnknown, authn.F4Subject},
		{"no name to match by", authn.Want{}, func(i *issuer) {
			i.claims = func(c map[string]any) { delete(c, "immutable_id"); delete(c, "preferred_username") }
		}, authn.SubjectUnknown, authn.F4Subject},
	})
}

func TestATokenOfAnotherTime(t *testing.T) {
	in := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	mustLieFail(t, []lie{
		{"over", authn.Want{}, claim("exp", in(-2*time.Minute)), authn.AssertionTime, authn.F4Time},
		{"without end", authn.Want{}, without("exp"), authn.AssertionTime, authn.F4Time},
		{"an end that is null", authn.Want{}, claim("exp", nil), authn.JWTInvalid, authn.F4Signature},
		{"an end before all time", authn.Want{}, claim("exp", -1), authn.AssertionTime, authn.F4Time},
		{"an end after all time", authn.Want{}, claim("exp", 1e18), authn.AssertionTime, authn.F4Time},
		{"made in the future", authn.Want{}, claim("iat", in(3*time.Minute)), authn.AssertionTime, authn.F4Time},
		{"made before it was asked for", authn.Want{}, claim("iat", in(-3*time.Minute)), authn.AssertionTime, authn.F4Time},
		{"not saying when it was made", authn.Want{}, without("iat"), authn.AssertionTime, authn.F4Time},
		{"not good yet", authn.Want{}, claim("nbf", in(3*time.Minute)), authn.AssertionTime, authn.F4Time},
		{"a sign-in of the future", authn.Want{}, claim("auth_time", in(3*time.Minute)), authn.AssertionTime, authn.F4Time},
		{"an old sign-in although a fresh one was asked for", authn.Want{Fresh: true}, claim("auth_time", in(-time.Hour)), authn.AssertionTime, authn.F4Time},
		{"no auth_time although a fresh sign-in was asked for", authn.Want{Fresh: true}, without("auth_time"), authn.AssertionTime, authn.F4Time},
		{"a sign-in older than max_age", authn.Want{MaxAge: 10 * time.Minute}, claim("auth_time", in(-time.Hour)), authn.AssertionTime, authn.F4Time},
		{"no auth_time although max_age was asked for", authn.Want{MaxAge: 10 * time.Minute}, without("auth_time"), authn.AssertionTime, authn.F4Time},
	})
}

func TestWhatIsAllowedBesideTheRefused(t *testing.T) {
	for _, ok := range []struct {
		name string
		want authn.Want
		tell func(*issuer)
	}{
		{"an old sign-in when nobody asked for its age", authn.Want{}, claim("auth_time", time.Now().Add(-time.Hour).Unix())},
		{"a sign-in younger than max_age", authn.Want{MaxAge: 2 * time.Hour}, claim("auth_time", time.Now().Add(-time.Hour).Unix())},
		{"times with fractions", authn.Want{}, claim("exp", float64(time.Now().UnixMilli())/1000+300)},
		{"a clock that is off a little", authn.Want{}, claim("iat", time.Now().Add(30*time.Second).Unix())},
		{"us as a list", authn.Want{}, claim("aud", []string{clientID})},
		{"no azp and no at_hash", authn.Want{}, func(i *issuer) {
			i.claims = func(c map[string]any) { delete(c, "azp"); delete(c, "at_hash") }
		}},
		{"no typ, no kid", authn.Want{}, forged(`{"alg":"RS256"}`, asIs)},
		{"names of its own that differ by case from none of ours", authn.Want{}, claim("Department", "Finance")},
	} {
		t.Run(ok.name, func(t *testing.T) {
			t.Parallel()
			i := newIssuer(t)
			i.set(ok.tell)
			mustAllow(t, signIn(t, open(t, i.config(), &clock{}), i, ok.want))
		})
	}
}

func TestRSAKeyIsHeldToTheAlgorithmsTaken(t *testing.T) {
	i := newIssuer(t)
	c := i.config()
	mustAllow(t, signIn(t, open(t, c, &clock{}), i, authn.Want{}))
	c.Algorithms = []string{"ES256"}
	mustRefuse(t, signIn(t, open(t, c, &clock{}), i, authn.Want{}), authn.JWTInvalid, authn.F4Structure)
}

func signHS256(public *rsa.PublicKey, payload []byte) string {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return ""
	}
	head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","kid":"one"}`)) + "." + base64.RawURLEncoding.EncodeToString(payload)
	mac := hmac.New(crypto.SHA256.New, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	mac.Write([]byte(head))
	return head + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func TestSymmetricKeyInTheKeySetIsNotTaken(t *testing.T) {
	i := newIssuer(t)
	p := open(t, i.config(), &clock{})
	mustAllow(t, signIn(t, p, i, authn.Want{}))
	secret := make([]byte, 32)
	_, _ = rand.Read(secret)
	i.set(func(i *issuer) {
		i.keys = func() []any { return []any{jose.JSONWebKey{Key: secret, KeyID: "sym"}} }
		i.sign = func(payload []byte) string {
			head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","kid":"sym"}`)) + "." + base64.RawURLEncoding.EncodeToString(payload)
			mac := hmac.New(sha256.New, secret)
			mac.Write([]byte(head))
			return head + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
		}
	})
	mustRefuse(t, signIn(t, p, i, authn.Want{}), authn.JWTInvalid, authn.F4Structure)
}

func TestSubjectAndProofAreWhatTheTokenSays(t *testing.T) {
	i := newIssuer(t)
	out := signIn(t, open(t, i.config(), &clock{}), i, authn.Want{})
	mustAllow(t, out)
	if want := (authn.Subject{Issuer: i.URL, Anchor: anchor, UPN: upn}); out.Subject != want {
		t.Errorf("subject %+v, want %+v", out.Subject, want)
	}
	if p := out.Proof; len(p.Methods) != 1 || p.Methods[0] != "pwd" || p.Context != "urn:example:password" || p.IdPSession != "session-1" || p.At.IsZero() {
		t.Errorf("proof %+v", p)
	}
}

func TestEmailCountsOnlyWhenItIsVerified(t *testing.T) {
	for _, c := range []struct {
		verified any
		want     string
	}{{true, upn}, {false, ""}, {"true", ""}, {nil, ""}} {
		i := newIssuer(t)
		conf := i.config()
		conf.Claims.UPN = "email"
		i.set(claim("email_verified", c.verified))
		out := signIn(t, open(t, conf, &clock{}), i, authn.Want{})
		mustAllow(t, out) // by its anchor
		if out.Subject.UPN != c.want {
			got, _ := json.Marshal(c.verified)
			t.Errorf("email_verified %s: UPN %q, want %q", got, out.Subject.UPN, c.want)
		}
	}
}
