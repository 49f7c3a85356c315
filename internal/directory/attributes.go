package directory

import (
	"fmt"
	"slices"
)

// Attribute is a property of a directory object, and where it is mastered when the object is synchronised.
type Attribute struct {
	Of     string // what has it: "" for an account, else group or contact
	Name   string // as Microsoft Graph has it
	AD     string // the attribute of Active Directory that it comes from; "" of one that only the cloud has
	Tool   string // the command that changes it there; "" for none
	Cloud  bool   // mastered in the cloud, also of a synchronised object
	Most   int    // characters; 0: not bounded here
	Back   string // write-back to the premises as Microsoft documents it: "" for none, else "done" or "not done"
	Note   string
	Source string // the document of Microsoft that says so
}

// Direction is the way that the attribute of a synchronised object takes.
func (a Attribute) Direction() string {
	switch {
	case a.Back != "":
		return "write-back"
	case a.AD != "":
		return "to the cloud"
	}
	return "none"
}

// The documents that say where attributes are mastered, how long they are and which way they go.
const (
	docSynced    = "Microsoft Entra Connect Sync: Attributes synchronized to Microsoft Entra ID"
	docLimits    = "Prepare for directory synchronization to Microsoft 365"
	docNames     = "Password policies and account restrictions in Microsoft Entra ID"
	docUser      = "Microsoft Graph: user resource type"
	docGroup     = "Microsoft Graph: group resource type"
	docDesign    = "Microsoft Entra Connect: Design concepts"
	docHashes    = "Implement password hash synchronization with Microsoft Entra Connect Sync"
	docPasswords = "How does self-service password reset writeback work in Microsoft Entra ID?"
	docCustom    = "Custom installation of Microsoft Entra Connect"
)

// Attributes lists the attributes of accounts, of groups and contacts, and what Microsoft Entra Connect documents as written
// back to the premises.
func Attributes() []Attribute {
	return slices.Concat(accountAttributes(), otherAttributes(), writtenBack())
}

func accountAttributes() []Attribute {
	return []Attribute{
		{Name: "userPrincipalName", AD: "userPrincipalName", Tool: "Set-ADUser -UserPrincipalName", Most: 113, Note: "at most 64 characters before the @ and 48 after it", Source: docNames},
		{Name: "displayName", AD: "displayName", Tool: "Set-ADUser -DisplayName", Most: 256, Source: docLimits},
		{Name: "givenName", AD: "givenName", Tool: "Set-ADUser -GivenName", Most: 64, Source: docLimits},
		{Name: "surname", AD: "sn", Tool: "Set-ADUser -Surname", Most: 64, Source: docUser},
		{Name: "mail", AD: "mail", Tool: "Set-ADUser -EmailAddress", Most: 256, Source: docSynced},
		{Name: "department", AD: "department", Tool: "Set-ADUser -Department", Most: 64, Source: docUser},
		{Name: "jobTitle", AD: "title", Tool: "Set-ADUser -Title", Most: 128, Source: docUser},
		{Name: "accountEnabled", AD: "userAccountControl", Tool: "Disable-ADAccount and Enable-ADAccount", Note: "arrives with the directory cycle", Source: docSynced},
		{Name: "immutableId", AD: "ms-DS-ConsistencyGuid or objectGUID", Most: 60, Note: "base64 of the raw octets; given by hand to an account that another identity provider signs in and no directory masters", Source: docDesign},
		{Name: "onPremisesUserPrincipalName", AD: "userPrincipalName", Note: "the name that its directory binds, where it is another", Source: docSynced},
		{Name: "onPremisesSamAccountName", AD: "sAMAccountName", Most: 20, Source: docLimits},
		{Name: "onPremisesDistinguishedName", AD: "distinguishedName", Source: docSynced},
		{Name: "password", AD: "unicodePwd", Note: "as the hash of its hash, where password hash synchronisation is on; the password itself never leaves the premises", Source: docHashes},
		{Name: "usageLocation", AD: "msExchUsageLocation or c", Cloud: true, Note: "the premises' value until one is set in the cloud; clearing it there brings the premises' back", Source: docSynced},
		{Name: "signInBlocked", Cloud: true, Note: "keeps a person out whatever the premises say"},
		{Name: "admin", Cloud: true},
		{Name: "forceChangePasswordNextSignIn", Cloud: true, Note: "of the cloud password"},
		{Name: "assignedLicenses", Cloud: true, Source: docUser},
		{Name: "appRoleAssignments", Cloud: true, Source: docUser},
		{Name: "membership of cloud groups", Cloud: true},
	}
}

// otherAttributes are those of groups and contacts.
func otherAttributes() []Attribute {
	return []Attribute{
		{Of: "group", Name: "displayName", AD: "displayName", Tool: "Set-ADGroup", Most: LongestName, Source: docGroup},
		{Of: "group", Name: "description", AD: "description", Tool: "Set-ADGroup", Most: LongestDescription, Source: docGroup},
		{Of: "group", Name: "members", AD: "member", Tool: "Add-ADGroupMember and Remove-ADGroupMember", Note: "of a group that is mastered here, the cloud's, whoever is in it", Source: docSynced},
		{Of: "contact", Name: "displayName", AD: "displayName", Tool: "Set-ADObject", Most: LongestName, Source: docSynced},
		{Of: "contact", Name: "mail", AD: "mail", Tool: "Set-ADObject", Most: 256, Source: docSynced},
	}
}

// writtenBack is the documented set.
func writtenBack() []Attribute {
	return []Attribute{
		{Name: "cloud object id", AD: "msDS-ExternalDirectoryObjectID", Cloud: true, Back: "off by default", Note: "where the agent's sync.write_back names it; of users, groups and contacts", Source: docSynced},
		{Name: "source anchor", AD: "ms-DS-ConsistencyGuid", Back: "off by default", Note: "where the agent's sync.write_back names it: objectGUID is written where nothing stands", Source: docDesign},
		{Name: "archive status", AD: "msExchArchiveStatus", Cloud: true, Back: "not done", Note: "Exchange hybrid", Source: docSynced},
		{Name: "blocked senders", AD: "msExchBlockedSendersHash", Cloud: true, Back: "not done", Note: "Exchange hybrid", Source: docSynced},
		{Name: "safe recipients", AD: "msExchSafeRecipientsHash", Cloud: true, Back: "not done", Note: "Exchange hybrid", Source: docSynced},
		{Name: "safe senders", AD: "msExchSafeSendersHash", Cloud: true, Back: "not done", Note: "Exchange hybrid", Source: docSynced},
		{Name: "voice mail settings", AD: "msExchUCVoiceMailSettings", Cloud: true, Back: "not done", Note: "Exchange hybrid", Source: docSynced},
		{Name: "litigation hold", AD: "msExchUserHoldPolicies", Cloud: true, Back: "not done", Note: "Exchange hybrid", Source: docSynced},
		{Name: "x500 proxy addresses", AD: "proxyAddresses", Cloud: true, Back: "not done", Note: "Exchange hybrid; of users, contacts and groups", Source: docSynced},
		{Name: "delegates", AD: "publicDelegates", Cloud: true, Back: "not done", Note: "Exchange hybrid", Source: docSynced},
		{Name: "password chosen in the cloud", AD: "unicodePwd", Cloud: true, Back: "not done", Note: "self-service password reset with write-back", Source: docPasswords},
		{Name: "device", AD: "msDS-Device", Cloud: true, Back: "not done", Note: "device write-back", Source: docCustom},
		{Name: "group", AD: "group", Cloud: true, Back: "not done", Note: "group write-back", Source: docCustom},
	}
}

// attribute finds one by name.
func attribute(name string) Attribute {
	for _, a := range Attributes() {
		if a.Of == "" && a.Name == name {
			return a
		}
	}
	return Attribute{Name: name}
}

// Mastered says that an attribute of an object is mastered on-premises, and where to change it. It is an ErrMastered.
type Mastered struct{ Attribute, Object, How string }

func (m Mastered) Error() string {
	return fmt.Sprintf("%s of %s is mastered on-premises: %s, and it arrives here with the next synchronisation", m.Attribute, m.Object, m.How)
}

// Unwrap makes it an ErrMastered.
func (Mastered) Unwrap() error { return ErrMastered }

// mastered is the refusal for a user's attribute.
func (a Attribute) mastered(upn string) error {
	how := "change it in Active Directory (Active Directory Users and Computers"
	switch {
	case a.Name == "accountEnabled":
		how = "to keep the person out at once, block the sign-in here; else " + how + ", or " + a.Tool + ")"
	case a.Tool != "":
		how += ", or " + a.Tool + ")"
	default:
		how += ")"
	}
	return Mastered{a.Name, upn, how}
}
