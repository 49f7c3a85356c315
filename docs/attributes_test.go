package docs_test

import (
	"cmp"
	"strconv"
	"strings"
	"testing"

	"github.com/fourways-id/fourways/internal/directory"
)

const attributesIntro = `# Attributes

Who masters which attribute, which way it goes, and what is written back. A cloud account's are all the cloud's. Of a synchronised
object, what stands under **on-premises** is refused for change here with where to change it (exit code 5; over the API 409 with
the type ` + "`urn:fourways:mastered`" + `), and arrives with the next synchronisation. How to change accounts:
[manage users](../how-to/manage-users.md).

- **Mastered** is whose word counts for a synchronised object.
- **In Active Directory** is the attribute there, **by** what changes it there, beside Active Directory Users and Computers.
- **Way** is the direction: to the cloud, or none where the other side does not have it.
- **Characters** is the longest value; – where it is not bounded here.
- **Source** is the document of Microsoft that says so; empty where it is fourways' own.

`

const backIntro = `
## Written back

What Microsoft Entra Connect documents as written from the cloud to the premises, and whether fourways does it.

`

func TestAttributesPage(t *testing.T) {
	var here, back strings.Builder
	here.WriteString(generated + attributesIntro)
	header(&here, "Of", "Attribute", "Mastered", "In Active Directory", "by", "Way", "Characters", "Note", "Source")
	header(&back, "Attribute", "In Active Directory", "Write-back", "Note", "Source")
	seen := map[string]bool{}
	for _, a := range directory.Attributes() {
		if seen[a.Of+a.Name] {
			t.Errorf("%s %s is listed twice", a.Of, a.Name)
		}
		seen[a.Of+a.Name] = true
		if a.Back != "" {
			row(&back, a.Name, quoted(a.AD), a.Back, a.Note, a.Source)
			continue
		}
		mastered, most := "on-premises", "–"
		if a.Cloud {
			mastered = "cloud"
		}
		if a.Most > 0 {
			most = strconv.Itoa(a.Most)
		}
		row(&here, cmp.Or(a.Of, "account"), a.Name, mastered, quoted(a.AD), quoted(a.Tool), a.Direction(), most, a.Note, a.Source)
	}
	page(t, "attributes.md", here.String()+backIntro+back.String())
}

func quoted(s string) string {
	if s == "" {
		return ""
	}
	return "`" + strings.NewReplacer(" or ", "` or `", " and ", "` and `").Replace(s) + "`"
}
