package realtest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

const (
	sambaAdminPassword = "Passw0rd!Lab1"
	sambaTemplateIP    = "127.0.0.10" // never listened on: every copy gets an address of its own
	cacheVariable      = "FOURWAYS_REAL_CACHE"

	// bypassPasswordHash lets pwdLastSet be any time (DSDB_CONTROL_BYPASS_PASSWORD_HASH_OID); over LDAP it takes
	// only 0 and -1.
	bypassPasswordHash = "local_oid:1.3.6.1.4.1.7165.4.3.12:0"

	schemaMayChange = "--option=dsdb:schema update allowed=yes"
)

// replicate are the rights DS-Replication-Get-Changes and DS-Replication-Get-Changes-All. MS-ADTS 5.1.3.2.1.
func replicate(sid string) string {
	return "(OA;;CR;1131f6aa-9c07-11d1-f79f-00c04fc2dcd2;;" + sid + ")(OA;;CR;1131f6ad-9c07-11d1-f79f-00c04fc2dcd2;;" + sid + ")"
}

func smbConf(folder string) string { return filepath.Join(folder, "etc/smb.conf") }

// settle fills folder with the provisioned domain in from, which is to listen on ip.
func settle(from, folder, ip string, ca *Authority) error {
	if _, err := tool("/", "", "cp", "-a", from+"/.", folder); err != nil {
		return err
	}
	conf, err := os.ReadFile(smbConf(folder))
	if err != nil {
		return err
	}
	text := strings.NewReplacer(from, folder, sambaTemplateIP, ip).Replace(string(conf))
	private := filepath.Join(folder, "private/tls")
	return errors.Join(
		os.WriteFile(smbConf(folder), []byte(text), 0o600),
		os.MkdirAll(private, 0o700),
		ca.issue(private, ip, "dc1."+sambaDomain, "localhost"),
	)
}

// sambaTemplate provisions once for all packages of a `make test-real` run, which sets FOURWAYS_REAL_CACHE to a
// folder that lives as long as the run; without it, once for this stage.
func sambaTemplate(on *stage) (string, error) {
	cache := os.Getenv(cacheVariable)
	if cache == "" {
		folder, err := on.folder("template")
		if err != nil {
			return "", err
		}
		return folder, provision(folder)
	}
	return kept(cache, "samba", provision)
}

// kept is a folder in cache that build fills once; other test binaries wait meanwhile.
func kept(cache, name string, build func(folder string) error) (string, error) {
	unlock, err := lockFolder(cache)
	if err != nil {
		return "", err
	}
	defer unlock()
	folder := filepath.Join(cache, name)
	done := folder + ".done"
	if _, err := os.Stat(done); err == nil {
		return folder, nil
	}
	if err := errors.Join(os.RemoveAll(folder), os.MkdirAll(folder, 0o700), build(folder)); err != nil {
		return "", err
	}
	return folder, os.WriteFile(done, nil, 0o600)
}

// provision makes the domain and its people in folder. No server runs meanwhile.
func provision(folder string) error {
	for _, sub := range []string{"etc", "run", "log"} {
		if err := os.MkdirAll(filepath.Join(folder, sub), 0o700); err != nil {
			return err
		}
	}
	conf, err := render("samba/base.conf", map[string]string{"Folder": folder})
	if err != nil {
		return err
	}
	base := filepath.Join(folder, "etc/base.conf")
	if err := os.WriteFile(base, []byte(conf), 0o600); err != nil {
		return err
	}
	_, err = tool(folder, "", "samba-tool", "domain", "provision", "-s", base, "--targetdir="+folder,
		"--realm="+strings.ToUpper(sambaDomain), "--domain=CORP", "--server-role=dc", "--dns-backend=NONE",
		"--host-name=dc1", "--host-ip="+sambaTemplateIP, "--adminpass="+sambaAdminPassword,
		"--option=interfaces="+sambaTemplateIP+"/8", "--option=bind interfaces only=yes",
		"--option=server services=rpc, ldap, cldap, kdc, drepl",
		"--option=dns update command=/bin/true", "--option=samba kcc command=/bin/true")
	if err != nil {
		return err
	}
	return populate(folder)
}

func populate(folder string) error {
	world := map[string]any{"BaseDN": sambaBaseDN, "Units": []string{"Staff", "Groups", "Contacts"}, "People": sambaPeople(), "Synced": syncedPeople()}
	local := sambaDatabase(folder)
	for _, step := range []struct {
		tool, template string
		more           []string
	}{
		{"ldbadd", "samba/schema.ldif", []string{schemaMayChange}},
		{"ldbmodify", "samba/mailrecipient.ldif", []string{schemaMayChange}},
		{"ldbadd", "samba/people.ldif", nil},
		{"ldbadd", "samba/synced.ldif", nil},
		{"ldbmodify", "samba/states.ldif", nil},
		{"ldbmodify", "samba/pwdexpired.ldif", []string{"--controls=" + bypassPasswordHash}},
	} {
		ldif, err := render(step.template, world)
		if err != nil {
			return err
		}
		if _, err := tool(folder, ldif, step.tool, append(local, step.more...)...); err != nil {
			return fmt.Errorf("%s: %w", step.template, err)
		}
	}
	out, err := tool(folder, "", "ldbsearch", append(local, "(sAMAccountName=service)", "objectSid")...)
	if err != nil {
		return err
	}
	sid := regexp.MustCompile(`(?m)^objectSid: (S-[\d-]+)$`).FindStringSubmatch(out)
	if sid == nil {
		return fmt.Errorf("the service account has no SID:\n%s", out)
	}
	_, err = tool(folder, "", "samba-tool", "dsacl", "set", "--objectdn="+sambaBaseDN, "--sddl="+replicate(sid[1]),
		"-H", filepath.Join(folder, "private/sam.ldb"), "-s", smbConf(folder))
	return err
}
