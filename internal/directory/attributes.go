package directory

import "fmt"

// Attribute is a property of a directory object, and where it is mastered when the object is synchronised.
type Attribute struct {
	Name   string // as Microsoft Graph has it
	AD     string // the attribute of Active Directory that it comes from; "" of one that only the cloud has
	Cmdlet string // the parameter of Set-ADUser that changes it; "" for none
	Cloud  bool   // mastered in the cloud, also of a synchronised object
	Most   int    // characters; 0: not bounded here
	Back   string // write-back to the premises as Microsoft documents it: "" for none, else "done" or "not done"
	Note   string
}

// Attributes lists the attributes of an account (Microsoft: "Microsoft Entra Connect Sync: Attributes synchronized to
// Microsoft Entra ID"; limits: "Prepare for directory synchronization to Microsoft 365").
func Attributes() []Attribute {
	return []Attribute{
		{Name: "userPrincipalName", AD: "userPrincipalName", Cmdlet: "UserPrincipalName", Most: 113, Note: "at most 64 characters before the @ and 48 after it"},
		{Name: "displayName", AD: "displayName", Cmdlet: "DisplayName", Most: 256},
		{Name: "givenName", AD: "givenName", Cmdlet: "GivenName", Most: 64},
		{Name: "surname", AD: "sn", Cmdlet: "Surname", Most: 64},
		{Name: "mail", AD: "mail", Cmdlet: "EmailAddress", Most: 256},
		{Name: "department", AD: "department", Cmdlet: "Department", Most: 64, Note: "not read by the agent yet"},
		{Name: "jobTitle", AD: "title", Cmdlet: "Title", Most: 128, Note: "not read by the agent yet"},
		{Name: "accountEnabled", AD: "userAccountControl", Note: "Disable-ADAccount and Enable-ADAccount change it; arrives with the directory cycle"},
		{Name: "immutableId", AD: "ms-DS-ConsistencyGuid or objectGUID", Most: 60, Note: "base64 of the raw octets; given by hand to an account that another identity provider signs in and no directory masters"},
		{Name: "onPremisesUserPrincipalName", AD: "userPrincipalName", Note: "the name that its directory binds, where it is another"},
		{Name: "onPremisesSamAccountName", AD: "sAMAccountName", Most: 20},
		{Name: "onPremisesDistinguishedName", AD: "distinguishedName"},
		{Name: "password", AD: "unicodePwd", Note: "as the hash of its hash, where password hash synchronisation is on; the password itself never leaves the premises"},
		{Name: "usageLocation", AD: "msExchUsageLocation", Cloud: true, Note: "the premises' value until one is set in the cloud; clearing it there brings the premises' back"},
		{Name: "signInBlocked", Cloud: true, Note: "keeps a person out whatever the premises say"},
		{Name: "admin", Cloud: true},
		{Name: "forceChangePasswordNextSignIn", Cloud: true, Note: "of the cloud password"},
		{Name: "assignedLicenses", Cloud: true},
		{Name: "appRoleAssignments", Cloud: true},
		{Name: "membership of cloud groups", Cloud: true},
		{Name: "cloud object id", AD: "msDS-ExternalDirectoryObjectID", Cloud: true, Back: "not done", Note: "Exchange hybrid write-back"},
		{Name: "source anchor", AD: "ms-DS-ConsistencyGuid", Back: "not done", Note: "written from objectGUID where it is empty"},
		{Name: "archive status", AD: "msExchArchiveStatus", Cloud: true, Back: "not done", Note: "Exchange hybrid write-back"},
		{Name: "blocked senders", AD: "msExchBlockedSendersHash", Cloud: true, Back: "not done", Note: "Exchange hybrid write-back"},
		{Name: "safe recipients", AD: "msExchSafeRecipientsHash", Cloud: true, Back: "not done", Note: "Exchange hybrid write-back"},
		{Name: "safe senders", AD: "msExchSafeSendersHash", Cloud: true, Back: "not done", Note: "Exchange hybrid write-back"},
		{Name: "voice mail settings", AD: "msExchUCVoiceMailSettings", Cloud: true, Back: "not done", Note: "Exchange hybrid write-back"},
		{Name: "litigation hold", AD: "msExchUserHoldPolicies", Cloud: true, Back: "not done", Note: "Exchange hybrid write-back"},
		{Name: "x500 proxy addresses", AD: "proxyAddresses", Cloud: true, Back: "not done", Note: "users, contacts and groups"},
		{Name: "delegates", AD: "publicDelegates", Cloud: true, Back: "not done", Note: "Exchange hybrid write-back"},
		{Name: "password chosen in the cloud", AD: "unicodePwd", Cloud: true, Back: "not done", Note: "self-service password reset with write-back"},
		{Name: "device", AD: "msDS-Device", Cloud: true, Back: "not done", Note: "device write-back"},
		{Name: "group", AD: "group", Cloud: true, Back: "not done", Note: "group write-back"},
	}
}

// attribute finds one by name.
func attribute(name string) Attribute {
	for _, a := range Attributes() {
		if a.Name == name {
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
		how = "to keep the person out at once, block the sign-in here; else " + how + ", or Disable-ADAccount and Enable-ADAccount)"
	case a.Cmdlet != "":
		how += ", or Set-ADUser -" + a.Cmdlet + ")"
	default:
		how += ")"
	}
	return Mastered{a.Name, upn, how}
}
