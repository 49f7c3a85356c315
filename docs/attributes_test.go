package docs_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/internal/directory"
)

const attributesIntro = `# Attributes

Who masters which attribute of an account, and what is written back. A cloud account's are all the cloud's. Of a synchronised
one, what stands under **on-premises** is refused for change here with where to change it (409, exit 9), and arrives with the
next synchronisation. How to change accounts: [manage users](../how-to/manage-users.md).

- **Mastered** is whose word counts for a synchronised account.
- **In Active Directory** is the attribute there, **by** what changes it there, beside Active Directory Users and Computers.
- **Characters** is the longest value; – where it is not bounded here.
- **Write-back** is what Microsoft Entra Connect documents: from the cloud to the premises. Nothing is written to the premises
  by fourways: every line says "not done" or is empty.

`

func TestAttributesPage(t *testing.T) {
	var b strings.Builder
	b.WriteString(generated + attributesIntro)
	header(&b, "Attribute", "Mastered", "In Active Directory", "by", "Characters", "Write-back", "Note")
	seen := map[string]bool{}
	for _, a := range directory.Attributes() {
		if seen[a.Name] {
			t.Errorf("%s is listed twice", a.Name)
		}
		seen[a.Name] = true
		mastered, by, most := "on-premises", "", "–"
		if a.Cloud {
			mastered = "cloud"
		}
		if a.Cmdlet != "" {
			by = "`Set-ADUser -" + a.Cmdlet + "`"
		}
		if a.Most > 0 {
			most = strconv.Itoa(a.Most)
		}
		row(&b, a.Name, mastered, quoted(a.AD), by, most, a.Back, a.Note)
	}
	page(t, "attributes.md", b.String())
}

func quoted(s string) string {
	if s == "" {
		return ""
	}
	return "`" + strings.ReplaceAll(s, " or ", "` or `") + "`"
}
