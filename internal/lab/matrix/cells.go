package matrix

import (
	"slices"

	"github.com/fourways-id/fourways/authn"
	"github.com/fourways-id/fourways/internal/lab/world"
)

// Ours is the source of a cell about which Microsoft documents nothing: the code is our choice.
const Ours = "ours"

// Pages of Microsoft's documentation, by the section that says what a cell expects.
const (
	hybrid  = "https://learn.microsoft.com/en-us/entra/identity/hybrid/connect/"
	choose  = hybrid + "choose-ad-authn"
	hashes  = hybrid + "how-to-connect-password-hash-synchronization"
	through = hybrid + "how-to-connect-pta-how-it-works#how-does-microsoft-entra-pass-through-authentication-work"

	docModels   = "https://learn.microsoft.com/en-us/microsoft-365/enterprise/deploy-identity-solution-identity-model"
	docCodes    = "https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes#aadsts-error-codes"
	docPTACodes = hybrid + "tshoot-connect-pass-through-authentication#sign-in-failure-reasons-on-the-microsoft-entra-admin-center-needs-premium-license"
	docSAML     = hybrid + "how-to-connect-fed-saml-idp"

	docStates    = choose + "#comparing-methods" // "What user account states are supported?"
	docNotSynced = choose + "#cloud-authentication-password-hash-synchronization"
	docFederated = choose + "#federated-authentication"
	docOutage    = choose + "#recommendations"

	docHash      = hashes + "#detailed-description-of-how-password-hash-synchronization-works"
	docEvery2Min = hashes + "#how-password-hash-synchronization-works"
	docExpiry    = hashes + "#password-expiration-policy"
	docAccount   = hashes + "#account-expiration"
	docTemporary = hashes + "#synchronizing-temporary-passwords-and-force-password-change-on-next-logon"
)

// The passwords of the demo world that a cell types. All are public.
const (
	usual     = world.Password
	wrong     = "Wrong-2025!"
	heidiNew  = "Summer-2025!"  // on-premises, not synchronised
	temporary = "Welcome-2025!" // grace's, on-premises, good only for being changed
)

// Outage is the state in which the domain controller is cut off.
const Outage = "on-premises / IdP down"

// Cell is one account state on one path: what is tried, and what must come of it.
type Cell struct {
	State  string
	Path   authn.Path
	UPN    string
	Tries  []Try  // none: this state can't be on this path
	Amber  bool   // the cloud says yes although the premises say no
	Source string // URL of Microsoft's page, or Ours
	Data   string // Active Directory's sub-code of the refused bind, as the domain controller must have logged it; "" for none
}

// Live reports that the cell can be run.
func (c Cell) Live() bool { return len(c.Tries) > 0 }

// Try is one sign-in with one password.
type Try struct {
	Password string
	Want     Want
}

// row is a state across the paths, before it is known who federates. A path without a want is not applicable.
type row struct {
	state, who, password, data       string
	cloud, phs, pta, federated       Want
	cloudDoc, phsDoc, ptaDoc, fedDoc string
	amber                            bool
}

// rows is the table of docs/how-to/run-the-matrix.md, cell by cell.
func rows() []row {
	return []row{
		{
			state: "healthy", who: "alice", password: usual,
			cloud: success, cloudDoc: docModels, phs: success, phsDoc: docHash, pta: success, ptaDoc: through, federated: success, fedDoc: docSAML,
		},
		{
			state: "wrong password", who: "alice", password: wrong, data: "52e",
			cloud: denied(authn.BadPassword), cloudDoc: docCodes, phs: denied(authn.BadPassword), phsDoc: docCodes,
			pta: denied(authn.BadPassword), ptaDoc: docCodes, federated: failsThere, fedDoc: docFederated,
		},
		{
			state: "disabled on-premises", who: "bob", password: usual, data: "533", phs: success, phsDoc: docStates, amber: true,
			pta: denied(authn.AccountDisabled), ptaDoc: docStates, federated: failsThere, fedDoc: docStates,
		},
		{
			state: "locked out in AD", who: "carol", password: usual, data: "775", phs: success, phsDoc: docNotSynced, amber: true,
			pta: denied(authn.OnpremLocked), ptaDoc: Ours, federated: failsThere, fedDoc: docStates,
		},
		{
			state: "AD account expired", who: "erin", password: usual, data: "701", phs: success, phsDoc: docAccount, amber: true,
			pta: denied(authn.AccountExpired), ptaDoc: Ours, federated: failsThere, fedDoc: docStates,
		},
		{
			state: "AD password expired", who: "dave", password: usual, data: "532", phs: success, phsDoc: docExpiry, amber: true,
			pta: denied(authn.OnpremPasswordExpired), ptaDoc: docPTACodes, federated: failsThere, fedDoc: docStates,
		},
		{
			state: "outside logon hours", who: "frank", password: usual, data: "530", phs: success, phsDoc: docStates, amber: true,
			pta: denied(authn.LogonHours), ptaDoc: docCodes, federated: failsThere, fedDoc: docStates,
		},
		{
			state: "must change at next logon", who: "grace", password: temporary, data: "773", phs: denied(authn.BadPassword), phsDoc: docTemporary,
			pta: denied(authn.OnpremMustChange), ptaDoc: Ours, federated: failsThere, fedDoc: Ours,
		},
		{
			state: "changed, not synchronised: OLD password", who: "heidi", password: usual, data: "52e", phs: success, phsDoc: docEvery2Min, amber: true,
			pta: denied(authn.BadPassword), ptaDoc: through, federated: failsThere, fedDoc: docFederated,
		},
		{
			state: "changed, not synchronised: NEW password", who: "heidi", password: heidiNew,
			phs: denied(authn.BadPassword), phsDoc: docEvery2Min, pta: success, ptaDoc: through, federated: success, fedDoc: docFederated,
		},
		{
			state: Outage, who: "alice", password: usual, cloud: success, cloudDoc: docOutage, phs: success, phsDoc: docOutage,
			pta: unavailable(authn.ADUnreachable), ptaDoc: docPTACodes, federated: interrupted, fedDoc: docOutage,
		},
	}
}

// Paths are the columns.
func Paths() []authn.Path {
	return []authn.Path{authn.PathCloud, authn.PathPHS, authn.PathPTA, authn.PathFederated}
}

// Cells lists all of them, row by row; idp is saml or oidc and says who federates.
func Cells(idp string) []Cell {
	federated := world.SAMLDomain
	if idp == "oidc" {
		federated = world.OIDCDomain
	}
	var all []Cell
	for _, r := range rows() {
		all = append(all,
			r.cell(authn.PathCloud, world.CloudDomain, r.cloud, r.cloudDoc), r.cell(authn.PathPHS, world.PHSDomain, r.phs, r.phsDoc),
			r.cell(authn.PathPTA, world.PTADomain, r.pta, r.ptaDoc), r.cell(authn.PathFederated, federated, r.federated, r.fedDoc))
	}
	return all
}

func (r row) cell(path authn.Path, domain string, want Want, source string) Cell {
	c := Cell{State: r.state, Path: path}
	if want == (Want{}) {
		return c
	}
	c.UPN, c.Source, c.Tries = r.who+"@"+domain, source, []Try{{r.password, want}}
	if r.password == temporary && path == authn.PathPHS {
		// Nothing was synchronised since the password was made a temporary one, so the one before it still works.
		c.Tries = slices.Insert(c.Tries, 0, Try{usual, success})
	}
	switch path {
	case authn.PathPHS:
		c.Amber = r.amber
	case authn.PathPTA, authn.PathFederated:
		c.Data = r.data
	case authn.PathCloud, authn.PathNone:
	}
	return c
}
