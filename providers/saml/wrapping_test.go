package saml

import (
	"testing"

	"github.com/beevik/etree"

	"github.com/fourways-id/fourways/authn"
)

// evil is a copy of the signed assertion for another person.
func evil(t testing.TB, a *etree.Element, id string, keepSignature bool) *etree.Element {
	t.Helper()
	e := a.Copy()
	find(t, e, "Subject/NameID").SetText(otherOf)
	e.CreateAttr("ID", id)
	if !keepSignature {
		e.RemoveChild(find(t, e, "Signature"))
	}
	return e
}

func own(t testing.TB, a *etree.Element) string { t.Helper(); return a.SelectAttrValue("ID", "") }

// TestSignatureWrapping plays the permutations of "On Breaking SAML: Be Whoever You Want to Be" (Somorovsky and others, 2012):
// the signed element stays whole somewhere in the document, and another one stands where it would be read.
func TestSignatureWrapping(t *testing.T) {
	inResponse := func(f func(t testing.TB, r, a *etree.Element)) edit {
		return func(t testing.TB, r *etree.Element) { f(t, r, find(t, r, "Assertion")) }
	}
	// The first two wrap a signed Response; the document's root is then the evil one.
	wrapped := func(place func(t testing.TB, root, original *etree.Element)) forgery {
		return forgery{after: func(t testing.TB, r *etree.Element) {
			original := r.Copy()
			signing{}.sign(original, idpKey())
			sig := find(t, original, "Signature")
			r.CreateAttr("ID", "_evil")
			find(t, r, "Assertion/Subject/NameID").SetText(otherOf)
			original.RemoveChild(sig)
			r.InsertChildAt(1, sig)
			place(t, r, original)
		}}
	}
	hold(t, nil, []row{
		{"1: the signed response inside the signature", wrapped(func(t testing.TB, r, original *etree.Element) { find(t, r, "Signature").AddChild(original) }), authn.SAMLInvalid, authn.F4Structure},
		{"2: the signed response beside the signature", wrapped(func(_ testing.TB, r, original *etree.Element) { r.AddChild(original) }), authn.SAMLInvalid, authn.F4Structure},
		{"3: the evil assertion before the signed one", forgery{after: inResponse(func(t testing.TB, r, a *etree.Element) {
			r.InsertChildAt(a.Index(), evil(t, a, "_evil", false))
		})}, authn.SAMLInvalid, authn.F4Structure},
		{"3b: the evil assertion after the signed one", forgery{after: inResponse(func(t testing.TB, r, a *etree.Element) {
			r.AddChild(evil(t, a, "_evil", false))
		})}, authn.SAMLInvalid, authn.F4Structure},
		{"3c: with the same id", forgery{after: inResponse(func(t testing.TB, r, a *etree.Element) {
			r.InsertChildAt(a.Index(), evil(t, a, own(t, a), false))
		})}, authn.SAMLInvalid, authn.F4Structure},
		{"4: the signed assertion inside the evil one", forgery{after: inResponse(func(t testing.TB, r, a *etree.Element) {
			e := evil(t, a, "_evil", false)
			r.RemoveChild(a)
			e.AddChild(a)
			r.AddChild(e)
		})}, authn.SAMLInvalid, authn.F4Structure},
		{"5: the signature moved into the evil one", forgery{after: inResponse(func(t testing.TB, r, a *etree.Element) {
			e := evil(t, a, "_evil", true)
			a.RemoveChild(find(t, a, "Signature"))
			r.InsertChildAt(a.Index(), e)
		})}, authn.SAMLInvalid, authn.F4Structure},
		{"6: the signed one inside the moved signature", forgery{after: inResponse(func(t testing.TB, r, a *etree.Element) {
			e := evil(t, a, "_evil", true)
			r.RemoveChild(a)
			a.RemoveChild(find(t, a, "Signature"))
			find(t, e, "Signature").AddChild(a)
			r.AddChild(e)
		})}, authn.SAMLInvalid, authn.F4Structure},
		{"7: the evil one in Extensions", forgery{after: inResponse(func(t testing.TB, r, a *etree.Element) {
			x := fragment(`<samlp:Extensions xmlns:samlp="` + nsProtocol + `"/>`)
			x.AddChild(evil(t, a, own(t, a), false))
			r.InsertChildAt(a.Index(), x)
		})}, authn.SAMLInvalid, authn.F4Structure},
		{"8: the signed one in an Object", forgery{after: inResponse(func(t testing.TB, r, a *etree.Element) {
			e := evil(t, a, own(t, a), true)
			r.RemoveChild(a)
			a.RemoveChild(find(t, a, "Signature"))
			object := fragment(`<ds:Object xmlns:ds="` + nsDsig + `"/>`)
			object.AddChild(a)
			find(t, e, "Signature").AddChild(object)
			r.AddChild(e)
		})}, authn.SAMLInvalid, authn.F4Structure},
		{"9: the evil one alone under the signature of the other", forgery{after: inResponse(func(t testing.TB, r, a *etree.Element) {
			r.AddChild(evil(t, a, "_evil", true))
			r.RemoveChild(a)
		})}, authn.SignatureInvalid, authn.F4Signature},
		{"10: under the other's id", forgery{after: inResponse(func(t testing.TB, r, a *etree.Element) {
			r.AddChild(evil(t, a, own(t, a), true))
			r.RemoveChild(a)
		})}, authn.SignatureInvalid, authn.F4Signature},
		{"11: the signed one in an attribute of the evil one", forgery{after: inResponse(func(t testing.TB, r, a *etree.Element) {
			e := evil(t, a, "_evil", false)
			r.RemoveChild(a)
			find(t, e, "AttributeStatement/Attribute/AttributeValue").AddChild(a)
			r.AddChild(e)
		})}, authn.SAMLInvalid, authn.F4Structure},
		{"12: the evil one in a namespace that looks like it", forgery{after: inResponse(func(t testing.TB, r, a *etree.Element) {
			e := evil(t, a, "_evil", false)
			e.CreateAttr("xmlns:saml", nsAssertion+"x")
			r.InsertChildAt(a.Index(), e)
		})}, authn.SAMLInvalid, authn.F4Structure},
	})
}
