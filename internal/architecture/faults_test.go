package architecture

import (
	"go/ast"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// breakers are the files between the board of faults and what it breaks.
func breakers() []string {
	return []string{
		"internal/lab/fault/*.go", "internal/lab/faults.go", "internal/lab/hops.go", "internal/lab/breaks_*.go", "internal/lab/badges.go",
		"internal/lab/premises/*.go", "internal/lab/dc/intercept.go", "internal/lab/harbour/tamper.go",
		"internal/gateway/hops.go",
	}
}

// A fault breaks something; why a sign-in then ends is for the code to find that would find it in production.
func TestWhatBreaksAHopNamesNoReason(t *testing.T) {
	verdicts := append(reasons(t), "Reason", "Allow", "Deny", "Fail")
	for text, complains := range map[string]bool{
		"package p\nvar O = authn.Deny(0, \"\", nil)":      true,
		"package p\nfunc F() any { return authn.NoAgent }": true,
		"package p\nvar S = authn.P2":                      false,
	} {
		s, err := parse("internal/lab", "sample.go", text)
		if err != nil {
			t.Fatal(err)
		}
		if got := taken(s, "authn", verdicts); (len(got) > 0) != complains {
			t.Errorf("complaints about %q: %v, want some: %v", text, got, complains)
		}
	}
	for _, pattern := range breakers() {
		files, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil || len(files) == 0 {
			t.Errorf("there is no %s: %v", pattern, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			s, err := parse(filepath.Dir(file), file, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range taken(s, "authn", verdicts) {
				t.Errorf("%s names authn.%s", file, name)
			}
		}
	}
}

// taken are those names that a file takes from a package.
func taken(s source, from string, names []string) []string {
	var all []string
	ast.Inspect(s.tree, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && slices.Contains(names, sel.Sel.Name) {
			if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == from {
				all = append(all, sel.Sel.Name)
			}
		}
		return true
	})
	return all
}

// reasons are the names of the closed list.
func reasons(t *testing.T) []string {
	t.Helper()
	s, err := parse("authn", filepath.Join(root, "authn/reason.go"), nil)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, d := range s.tree.Decls {
		list, ok := d.(*ast.GenDecl)
		if !ok || list.Tok != token.CONST || len(list.Specs) == 0 {
			continue
		}
		first, ok := list.Specs[0].(*ast.ValueSpec)
		if of, is := first.Type.(*ast.Ident); !ok || !is || of.Name != "Reason" {
			continue
		}
		for _, spec := range list.Specs {
			if v, ok := spec.(*ast.ValueSpec); ok {
				all = append(all, v.Names[0].Name)
			}
		}
	}
	if !slices.Contains(all, "NoAgent") || !slices.Contains(all, "Internal") {
		t.Fatalf("the reasons were not found: %v", all)
	}
	return all
}
