package layering_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"testing"
)

// A package, type or function that outgrows these limits holds more than one idea. What
// stands over one is in shapeExceptions, with the reason; what shrank below it again has
// to leave that list.
const (
	maxFields     = 20   // of a struct
	maxMethods    = 40   // of a type, with those of the structs of its package that it embeds
	maxFiles      = 35   // of a package, tests aside
	maxLines      = 60   // of a function
	maxInterface  = 4    // methods of an interface
	maxCmdLines   = 7000 // of cmd/flytt, tests aside
	maxReadmeLine = 200  // of README.md
)

// shapeExceptions are the names that shapes gives to what is over a limit, and why that
// is right.
var shapeExceptions = map[string]string{
	"internal/inspect.Report":  "a record of data: the keys of the JSON that inspect prints",
	"internal/report.Manifest": "a record of data: the keys of summary.json",
	"internal/sandbox.Options": "a record of data: what an API may do, one field each",
	"internal/sandbox":         "an API of its own: one file for each thing that it can do otherwise",
	"mappings.Field":           "a record of data: the keys of a field in a descriptor file",
	"mappings":                 "one file for each part of a mapping file, and of a descriptor file",
}

func TestShapesStayWithinTheLimits(t *testing.T) {
	over := shapes(sourceFiles(t))
	over = append(over, linesOver(t, "cmd/flytt/", "cmd/flytt/*.go", maxCmdLines)...)
	over = append(over, linesOver(t, "README.md", "README.md", maxReadmeLine)...)
	seen := map[string]bool{}
	for _, s := range over {
		seen[s.name] = true
		if shapeExceptions[s.name] == "" {
			t.Errorf("%s has %d %s, the limit is %d: split it, or give the reason in shapeExceptions", s.name, s.count, s.what, s.limit)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(shapeExceptions)) {
		if !seen[name] {
			t.Errorf("%s is within the limits: strike it from shapeExceptions", name)
		}
	}
}

// shape is something that is over a limit.
type shape struct {
	name  string // of a package, its path; of a type or function, pkg.Name or pkg.Type.Method
	what  string // is counted
	count int
	limit int
}

// shapes returns what in files, tests aside, is over a limit.
func shapes(files []*sourceFile) (over []shape) {
	packages := map[string]*packageShape{}
	for _, f := range files {
		if f.test {
			continue
		}
		dir := path.Dir(f.name)
		if packages[dir] == nil {
			packages[dir] = &packageShape{path: dir, methods: map[string]int{}, embeds: map[string][]string{}}
		}
		packages[dir].add(f)
	}
	for _, dir := range slices.Sorted(maps.Keys(packages)) {
		over = append(over, packages[dir].over()...)
	}
	return over
}

// packageShape is what is counted in one package.
type packageShape struct {
	path    string
	files   int
	methods map[string]int      // by type
	embeds  map[string][]string // by type: the types of the package that it embeds
	found   []shape
}

func (p *packageShape) check(name, what string, count, limit int) {
	if name != p.path {
		name = p.path + "." + name
	}
	if count > limit {
		p.found = append(p.found, shape{name, what, count, limit})
	}
}

func (p *packageShape) add(f *sourceFile) {
	p.files++
	for _, d := range f.file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			p.addFunction(f, d)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				if s, is := spec.(*ast.TypeSpec); is {
					p.addType(s)
				}
			}
		}
	}
}

func (p *packageShape) addFunction(f *sourceFile, d *ast.FuncDecl) {
	name := d.Name.Name
	if d.Recv != nil {
		of := typeName(d.Recv.List[0].Type)
		p.methods[of]++
		name = of + "." + name
	}
	p.check(name, "lines", f.fset.Position(d.End()).Line-f.fset.Position(d.Pos()).Line+1, maxLines)
}

func (p *packageShape) addType(s *ast.TypeSpec) {
	name := s.Name.Name
	switch kind := s.Type.(type) {
	case *ast.StructType:
		fields := 0
		for _, field := range kind.Fields.List {
			fields += max(1, len(field.Names))
			if of := typeName(field.Type); len(field.Names) == 0 && of != "" {
				p.embeds[name] = append(p.embeds[name], of)
			}
		}
		p.check(name, "fields", fields, maxFields)
	case *ast.InterfaceType:
		p.check(name, "methods", kind.Methods.NumFields(), maxInterface)
	}
}

// over returns what is over a limit, once all files are added.
func (p *packageShape) over() []shape {
	for _, name := range slices.Sorted(maps.Keys(p.methods)) {
		p.check(name, "methods", p.allMethods(name), maxMethods)
	}
	p.check(p.path, "files", p.files, maxFiles)
	return p.found
}

// allMethods counts the methods of a type and those of the structs that it embeds.
func (p *packageShape) allMethods(name string) int {
	n := p.methods[name]
	for _, of := range p.embeds[name] {
		n += p.allMethods(of)
	}
	return n
}

// typeName returns the name of a type of the package that e says, or of what it points
// to; "" if it is none.
func typeName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return typeName(e.X)
	case *ast.IndexExpr:
		return typeName(e.X)
	case *ast.IndexListExpr:
		return typeName(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// linesOver counts the lines of the files that match pattern, tests aside.
func linesOver(t *testing.T, name, pattern string, limit int) []shape {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, pattern))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files, %v", pattern, len(files), err)
	}
	lines := 0
	for _, file := range files {
		if ok, _ := filepath.Match("*_test.go", filepath.Base(file)); ok {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lines += bytes.Count(text, []byte("\n"))
	}
	if lines <= limit {
		return nil
	}
	return []shape{{name, "lines", lines, limit}}
}

func TestShapesAreCounted(t *testing.T) {
	text := "package p\ntype inner struct{}\ntype outer[T any] struct{ *inner; a, b, c int }\n"
	for i := range maxMethods {
		text += fmt.Sprintf("func (inner) m%d() {}\n", i)
	}
	text += "func (o *outer[T]) own() {}\n"
	text += "type wide interface{ A(); B(); C(); D(); E() }\n"
	text += "type long struct {"
	for i := range maxFields + 1 {
		text += fmt.Sprintf("f%d int;", i)
	}
	text += "}\nfunc f() {\n"
	for range maxLines {
		text += "\n"
	}
	text += "}\n"
	f := parsed(t, "q/p.go", text)
	var got []string
	for _, s := range shapes([]*sourceFile{f}) {
		got = append(got, fmt.Sprintf("%s %d %s", s.name, s.count, s.what))
	}
	want := []string{"q.wide 5 methods", "q.long 21 fields", "q.f 62 lines", "q.outer 41 methods"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
