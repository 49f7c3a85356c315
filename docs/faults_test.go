package docs_test

import (
	"strings"
	"testing"

	"github.com/fourways-id/fourways/internal/lab/fault"
)

const faultsIntro = `# Faults

What a lab can break on purpose, by the hop that breaks: ` + "`fourways fault set NAME [PARAM]`" + `. Each breaks a socket, a key, a clock
or a message; what a sign-in then says is what the real programs make of it. How to use them:
[break it on purpose](../how-to/break-it-on-purpose.md).

- **Parameter** is what PARAM means, with its default: a duration (` + "`500ms`, `2s`" + `) or a count.
- **Scope** is what ` + "`--scope`" + ` may name: ` + "`user=NAME@DOMAIN`, `domain=DOMAIN`, `agent=NAME`, `path=cloud|phs|pta|federated`" + `.
- Every fault ends by itself after 10 minutes (` + "`--for`" + `, at most 30). ` + "`--rate`" + ` and ` + "`--next`" + ` hit a share or a number of the
  messages, where the fault is about messages.
- ` + "`fourways_fault_active{fault}`" + ` is 1 while it is on, and a sign-in that was hit names it in its trace and its row of the
  sign-in log.

`

func TestFaultsPage(t *testing.T) {
	var b strings.Builder
	b.WriteString(generated + faultsIntro)
	header(&b, "Fault", "Hop", "What is broken", "Parameter", "Scope", "What a sign-in then says")
	for _, k := range fault.Kinds() {
		parameter, aims := "none", "none"
		if k.Unit != "" {
			parameter = k.Unit + ", `" + k.Default + "`"
		}
		if len(k.Aims) > 0 {
			aims = strings.Join(k.Aims, ", ")
		}
		row(&b, "<a id=\""+k.Name+"\"></a>`"+k.Name+"`", k.Hop, k.Summary, parameter, aims, k.Shows)
	}
	page(t, "faults.md", b.String())
}
