package architecture

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const (
	fileLines     = 450
	functionLines = 70
)

// source is one file of a program as the rules see it.
type source struct {
	pkg  string // below the module
	file string
	set  *token.FileSet
	tree *ast.File
}

func parse(pkg, file string, text any) (source, error) {
	set := token.NewFileSet()
	tree, err := parser.ParseFile(set, file, text, parser.ParseComments|parser.SkipObjectResolution)
	return source{pkg, file, set, tree}, err
}

// sourceRules look at files without tests. Each has a text that breaks it.
func sourceRules() []struct {
	name      string
	check     func(source) []string
	bad, good string
} {
	long := "package p\n" + strings.Repeat("\n", fileLines) + "var X int\n"
	return []struct {
		name      string
		check     func(source) []string
		bad, good string
	}{
		{
			"HTTP responses are written by web, console, metrics and the lab", responses,
			"package p\nimport h \"net/http\"\nfunc F(w h.ResponseWriter) {}", "package p\nimport \"net/http\"\nvar C http.Client",
		},
		{
			"nothing happens before main", inits,
			"package p\nfunc init() {}", "package p\ntype T int\nfunc (T) init() {}",
		},
		{
			fmt.Sprintf("a file has at most %d lines", fileLines), fileLength,
			long, "package p\n",
		},
		{
			fmt.Sprintf("a function has at most %d lines", functionLines), functionLength,
			"package p\nfunc F() {" + strings.Repeat("\n", functionLines) + "}", "package p\nfunc F() {\n}",
		},
	}
}

func TestSourceKeepsToItsBudgetAndItsRoom(t *testing.T) {
	var all []source
	for _, p := range load(t) {
		for _, file := range p.GoFiles {
			s, err := parse(name(p.ImportPath), filepath.Join(p.Dir, file), nil)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, s)
		}
	}
	for _, r := range sourceRules() {
		t.Run(r.name, func(t *testing.T) {
			for text, complains := range map[string]bool{r.bad: true, r.good: false} {
				s, err := parse("internal/elsewhere", "sample.go", text)
				if err != nil {
					t.Fatal(err)
				}
				if got := r.check(s); (len(got) > 0) != complains {
					t.Errorf("complaints about %.60q: %v, want some: %v", text, got, complains)
				}
			}
			for _, s := range all {
				for _, complaint := range r.check(s) {
					t.Errorf("%s/%s %s", s.pkg, filepath.Base(s.file), complaint)
				}
			}
		})
	}
}

func responses(s source) []string {
	if below(s.pkg, "internal/web", "internal/console", "internal/metrics", "internal/lab") {
		return nil
	}
	http := ""
	for _, spec := range s.tree.Imports {
		if path, err := strconv.Unquote(spec.Path.Value); err == nil && path == "net/http" {
			http = "http"
			if spec.Name != nil {
				http = spec.Name.Name
			}
		}
	}
	var complaints []string
	ast.Inspect(s.tree, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && http != "" && sel.Sel.Name == "ResponseWriter" {
			if from, ok := sel.X.(*ast.Ident); ok && from.Name == http {
				complaints = append(complaints, "uses http.ResponseWriter")
			}
		}
		return true
	})
	return complaints
}

func inits(s source) []string {
	var complaints []string
	for _, d := range s.tree.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
			complaints = append(complaints, "has func init: wire by hand instead")
		}
	}
	return complaints
}

func fileLength(s source) []string {
	if n := s.set.File(s.tree.FileStart).LineCount(); n > fileLines {
		return []string{fmt.Sprintf("has %d lines, at most %d: split it by what it does", n, fileLines)}
	}
	return nil
}

func functionLength(s source) []string {
	var complaints []string
	for _, d := range s.tree.Decls {
		if f, ok := d.(*ast.FuncDecl); ok {
			if n := s.set.Position(f.End()).Line - s.set.Position(f.Pos()).Line + 1; n > functionLines {
				complaints = append(complaints, fmt.Sprintf("func %s has %d lines, at most %d", f.Name.Name, n, functionLines))
			}
		}
	}
	return complaints
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range load(t) {
		// What only has tests has no package to document.
		if at := name(p.ImportPath); p.Doc == "" && len(p.GoFiles) > 0 {
			t.Errorf("%s has no package comment: say what comes in, what goes out, and what it never does", at)
		}
	}
}

func TestNoPackageIsADrawerForOddThings(t *testing.T) {
	for _, p := range load(t) {
		for _, part := range strings.Split(name(p.ImportPath), "/") {
			switch part {
			case "pkg", "util", "utils", "common", "types", "helper", "helpers", "manager":
				t.Errorf("%s: %q says nothing about what is inside", name(p.ImportPath), part)
			}
		}
	}
}
