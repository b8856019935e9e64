// Package layering_test holds the shape of the module: which package may import
// which, where goroutines start, where the environment is read, that contexts carry
// nothing, and what lies at the top level.
package layering_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module = "flytt"
	root   = "../.."
)

// layers says for every package, by the longest prefix of its path, which others
// of the module it may import, by prefix. A package imports its own layer freely. A
// prefix that the layer itself lies under is that package alone: internal/api/list
// may import internal/api, and not internal/api/probe.
//
//	cmd → internal/run → internal/runs, internal/record, internal/inspect, internal/doctor → sinks/bulk, sinks/recorder → sources, sinks, mappings, internal/sandbox, internal/report → internal/api/list, internal/api/probe → internal/api, internal/journal, internal/jsonobject, internal/guardedcsv → pipeline
//
// internal/drain and internal/jsonscan import nothing of the module, and internal/api nothing
// but these: it knows of no rows.
//
// Sources, sinks and mappings know nothing of each other: what they share is in
// pipeline, and cmd brings them together.
var layers = map[string][]string{
	"cmd":                 {"internal/csvtable", "internal/osfile", "internal/runs", "internal/run", "internal/doctor", "internal/inspect", "internal/record", "internal/snapshot", "internal/advice", "internal/jsonscan", "internal/drain", "sources", "sinks", "mappings", "internal/sandbox", "internal/report", "internal/dedup", "internal/text", "internal/api", "internal/journal", "pipeline"},
	"samples":             {"internal/text", "internal/jsonscan", "sources", "sinks", "mappings", "internal/sandbox", "internal/report", "internal/api", "internal/journal", "pipeline"},
	"sources":             {"internal/packed", "internal/text", "internal/jsonscan", "internal/api", "internal/journal", "pipeline", "internal/osfile"},
	"sinks":               {"internal/isotime", "internal/jsonobject", "internal/guardedcsv", "internal/osfile", "internal/jsonscan", "pipeline"},
	"sinks/bulk":          {"internal/packed", "internal/jsonobject", "internal/jsonscan", "internal/drain", "internal/dedup", "internal/text", "internal/api", "internal/journal", "pipeline"},
	"sinks/recorder":      {"internal/packed", "internal/guardedcsv", "internal/osfile", "internal/text", "pipeline"},
	"mappings":            {"internal/isotime", "internal/text", "mappings/identity", "mappings/format", "pipeline"},
	"internal/runs":       {"internal/advice", "internal/csvtable", "internal/journal", "internal/osfile", "internal/report", "internal/snapshot", "internal/text", "mappings", "pipeline", "sinks/bulk", "sources"},
	"internal/run":        {"internal/runs", "internal/csvtable", "internal/snapshot", "internal/advice", "internal/jsonscan", "internal/drain", "sources", "sinks", "mappings", "internal/sandbox", "internal/report", "internal/dedup", "internal/text", "internal/api", "internal/journal", "pipeline", "internal/osfile", "internal/record"},
	"internal/advice":     {},
	"internal/doctor":     {"internal/osfile", "internal/advice", "internal/api", "internal/text", "mappings"},
	"internal/inspect":    {"internal/text", "sources", "mappings", "pipeline"},
	"internal/record":     {"internal/osfile", "internal/advice", "internal/api", "internal/jsonscan", "internal/text", "mappings", "pipeline"},
	"internal/snapshot":   {"internal/api", "internal/dedup", "internal/jsonscan", "mappings", "pipeline"},
	"internal/sandbox":    {"internal/text", "internal/jsonscan", "mappings", "internal/api", "internal/journal", "pipeline", "internal/osfile"},
	"internal/report":     {"internal/text", "internal/api", "internal/journal", "pipeline", "internal/osfile"},
	"internal/api":        {"internal/isotime", "internal/jsonscan", "internal/drain"},
	"internal/drain":      {},
	"internal/jsonscan":   {},
	"internal/osfile":     {"internal/text"},
	"internal/isotime":    {},
	"internal/packed":     {},
	"internal/jsonobject": {"internal/jsonscan", "pipeline"},
	"internal/guardedcsv": {"pipeline"},
	"internal/csvtable":   {"sources", "pipeline"},
	"internal/journal":    {"internal/osfile", "pipeline", "internal/packed"},
	"internal/dedup":      {"internal/osfile", "internal/text", "pipeline"},
	"internal/text":       {},
	"mappings/identity":   {"pipeline"},
	"mappings/format":     {"internal/isotime", "pipeline"},
	"pipeline":            {},
	"internal/layering":   {},

	// What is built on the client, which knows nothing of it.
	"internal/api/list":  {"internal/api", "internal/jsonscan"},
	"internal/api/probe": {"internal/api", "internal/jsonscan"},
}

// testLayers is what the tests of a layer may import besides.
var testLayers = map[string][]string{
	"cmd":        {"samples"},
	"sinks/bulk": {"sinks/recorder"},
}

// starters are the files, and folders, in which goroutines start. Each has an
// owner that waits for it, or says why nobody can.
var starters = []string{
	"pipeline/",
	"internal/api/list/workers.go",
	"internal/journal/open.go",
	"sinks/parquet_groups.go",
	"sources/stream.go",
	"internal/sandbox/sandbox.go",
	"cmd/flytt/signals.go",
	"internal/drain/drain.go",
}

// topLevel is what the repository holds, dot-files aside.
var topLevel = []string{
	"CHANGELOG.md", "LICENSE", "Makefile", "README.md", "go.mod", "go.sum",
	"cmd", "docs", "internal", "mappings", "pipeline", "samples", "sinks", "sources",
}

func TestImportsGoOneWay(t *testing.T) {
	for _, f := range sourceFiles(t) {
		from := layerOf(path.Dir(f.name))
		if from == "" {
			t.Errorf("%s: its package belongs to no layer; add it to the table", f.name)
			continue
		}
		for _, imported := range f.moduleImports() {
			if !mayImport(from, imported, f.test) {
				t.Errorf("%s imports %s: %s may import only %v", f.name, imported, from, layers[from])
			}
		}
	}
}

func TestOnlyListedFilesStartGoroutines(t *testing.T) {
	started := map[string]bool{}
	for _, f := range sourceFiles(t) {
		if f.test {
			continue
		}
		allowed := slices.IndexFunc(starters, func(s string) bool { return underOrIs(f.name, s) })
		for _, p := range f.goroutines() {
			if allowed < 0 {
				t.Errorf("%s: a goroutine starts here; only pipeline and the listed files start them", f.at(p))
				continue
			}
			started[starters[allowed]] = true
		}
	}
	for _, s := range starters {
		if !started[s] {
			t.Errorf("%s starts no goroutine: strike it from the list", s)
		}
	}
}

func TestOnlyCmdReadsTheEnvironment(t *testing.T) {
	for _, f := range sourceFiles(t) {
		if f.test || strings.HasPrefix(f.name, "cmd/") {
			continue
		}
		for _, name := range []string{"Getenv", "LookupEnv", "Environ", "ExpandEnv"} {
			for _, p := range f.uses("os", name) {
				t.Errorf("%s: os.%s outside cmd", f.at(p), name)
			}
		}
	}
}

// TestContextsCarryNothing keeps what changes the behaviour of a callee out of contexts,
// where no signature shows it.
func TestContextsCarryNothing(t *testing.T) {
	const connections = "internal/sandbox/http2.go" // net/http has no other way to tell a handler of its connection
	for _, f := range sourceFiles(t) {
		if f.test || f.name == connections {
			continue
		}
		for _, p := range f.uses("context", "WithValue") {
			t.Errorf("%s: context.WithValue; pass the value as a parameter or an option", f.at(p))
		}
	}
}

func TestTopLevelHoldsOnlyWhatIsListed(t *testing.T) {
	// What git tracks, and what it would if added; not what it ignores.
	list := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		t.Skipf("not a git work tree: %v", err)
	}
	seen := map[string]bool{}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		first, _, _ := strings.Cut(name, "/")
		if seen[first] || strings.HasPrefix(first, ".") || slices.Contains(topLevel, first) {
			continue
		}
		seen[first] = true
		t.Errorf("%s at the top level: only %v and dot-files belong there", first, topLevel)
	}
}

func TestLayersHoldWhatTheyAreToldTo(t *testing.T) {
	tests := []struct {
		from, imported string
		test, want     bool
	}{
		{from: "cmd/flytt", imported: "sources", want: true},
		{from: "cmd/flytt", imported: "samples", want: false},
		{from: "cmd/flytt", imported: "samples", test: true, want: true},
		{from: "sources", imported: "sources/xlsx", want: true},
		{from: "sources/xlsx", imported: "sources", want: true},
		{from: "sources", imported: "sinks", want: false},
		{from: "sinks", imported: "mappings", want: false},
		{from: "sinks", imported: "sinks/bulk", want: false},
		{from: "sinks", imported: "internal/api", want: false},
		{from: "sinks/bulk", imported: "sinks/recorder", want: false},
		{from: "sinks/recorder", imported: "sinks/bulk", want: false},
		{from: "cmd/flytt", imported: "sinks/bulk", want: true},
		{from: "sinks", imported: "mappings/format", want: false},
		{from: "mappings", imported: "sources", want: false},
		{from: "mappings/identity", imported: "mappings/format", want: false},
		{from: "mappings/identity", imported: "mappings", want: false},
		{from: "internal/sandbox", imported: "mappings/identity", want: true},
		{from: "internal/api", imported: "sinks", want: false},
		{from: "internal/api", imported: "pipeline", want: false},
		{from: "internal/api", imported: "internal/drain", want: true},
		{from: "internal/drain", imported: "pipeline", want: false},
		{from: "internal/api", imported: "internal/api/probe", want: false},
		{from: "internal/api", imported: "internal/api/list", want: false},
		{from: "internal/api/list", imported: "internal/api", want: true},
		{from: "internal/api/list", imported: "internal/api/probe", want: false},
		{from: "internal/api/list", imported: "pipeline", want: false},
		{from: "internal/api/probe", imported: "internal/api", want: true},
		{from: "internal/api/probe", imported: "internal/api/list", want: false},
		{from: "cmd/flytt", imported: "internal/api/probe", want: true},
		{from: "internal/run", imported: "internal/runs", want: true},
		{from: "internal/runs", imported: "internal/run", want: false},
		{from: "internal/runs", imported: "internal/api", want: false},
		{from: "pipeline", imported: "internal/api", want: false},
		{from: "pipeline", imported: "mappings/identity", test: true, want: false},
		{from: "samples/generate", imported: "samples", want: true},
		{from: "samples", imported: "cmd/flytt", want: false},
		{from: "cmd/flytt", imported: "sourceslike", want: false},
	}
	for _, test := range tests {
		if got := mayImport(layerOf(test.from), test.imported, test.test); got != test.want {
			t.Errorf("%s imports %s (test: %v): allowed %v, want %v", test.from, test.imported, test.test, got, test.want)
		}
	}
}

func TestGoroutinesAndEnvironmentAreFound(t *testing.T) {
	const text = `package p
import ("context"; system "os")
func f(ctx context.Context, wg group, g group) {
	go f(ctx, wg, g)
	wg.Go(func() {})
	g.TryGo(func() error { return nil })
	system.Getenv("X")
	wg.Go()
	wg.Wait()
}`
	f := parsed(t, "p.go", text)
	if got := len(f.goroutines()); got != 3 {
		t.Errorf("%d starts of goroutines found, want 3", got)
	}
	if got := len(f.uses("os", "Getenv")); got != 1 {
		t.Errorf("%d uses of os.Getenv found, want 1", got)
	}
}

// mayImport tells whether a package of the layer from may import a package of
// the module, given by its path in the module.
func mayImport(from, imported string, test bool) bool {
	to := layerOf(imported)
	if to == "" {
		return false
	}
	under := func(prefix string) bool {
		return imported == prefix || underOrIs(imported, prefix) && !underOrIs(from, prefix)
	}
	return to == from || slices.ContainsFunc(layers[from], under) ||
		test && slices.ContainsFunc(testLayers[from], under)
}

// layerOf returns the longest key of layers that name is or lies under, or "".
func layerOf(name string) string {
	longest := ""
	for layer := range layers {
		if underOrIs(name, layer) && len(layer) > len(longest) {
			longest = layer
		}
	}
	return longest
}

// underOrIs tells whether name is at, or lies below, the path at.
func underOrIs(name, at string) bool {
	at = strings.TrimSuffix(at, "/")
	return name == at || strings.HasPrefix(name, at+"/")
}

// sourceFile is a Go file of the module, of whatever platform.
type sourceFile struct {
	name string // slashed, from the top of the module
	test bool
	fset *token.FileSet
	file *ast.File
}

// parsed returns the file called name, with text.
func parsed(t *testing.T, name, text string) *sourceFile {
	t.Helper()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, text, 0)
	if err != nil {
		t.Fatal(err)
	}
	return &sourceFile{name: name, fset: fset, file: file}
}

// at returns name:line.
func (f *sourceFile) at(p token.Pos) string {
	return f.name + ":" + strconv.Itoa(f.fset.Position(p).Line)
}

// sourceFiles parses every Go file of the module. It reads the files rather
// than asking go list so that those of other platforms are seen too.
func sourceFiles(t *testing.T) []*sourceFile {
	t.Helper()
	var files []*sourceFile
	fset := token.NewFileSet()
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skipFolder(name, d.Name())
		}
		if filepath.Ext(name) != ".go" {
			return nil
		}
		parsed, err := parser.ParseFile(fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		files = append(files, &sourceFile{
			name: filepath.ToSlash(rel), test: strings.HasSuffix(name, "_test.go"), fset: fset, file: parsed,
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no Go files found")
	}
	return files
}

// skipFolder leaves out what the go command does.
func skipFolder(name, base string) error {
	if name != root && (base == "testdata" || base == "vendor" || base[0] == '.' || base[0] == '_') {
		return filepath.SkipDir
	}
	return nil
}

// moduleImports returns the packages of the module that f imports, by their
// paths in the module.
func (f *sourceFile) moduleImports() []string {
	var imports []string
	for _, spec := range f.file.Imports {
		if inner, ok := strings.CutPrefix(importPath(spec), module+"/"); ok {
			imports = append(imports, inner)
		}
	}
	return imports
}

func importPath(spec *ast.ImportSpec) string {
	unquoted, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		panic(err) // the parser took it
	}
	return unquoted
}

// goroutines returns where f starts goroutines: go statements, and the Go and
// TryGo methods of groups. Callbacks of timers and contexts do not count.
func (f *sourceFile) goroutines() []token.Pos {
	var starts []token.Pos
	ast.Inspect(f.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			starts = append(starts, n.Pos())
		case *ast.CallExpr:
			method, ok := n.Fun.(*ast.SelectorExpr)
			if ok && len(n.Args) == 1 && (method.Sel.Name == "Go" || method.Sel.Name == "TryGo") {
				starts = append(starts, n.Pos())
			}
		}
		return true
	})
	return starts
}

// uses returns where f names a thing of a package, called or not.
func (f *sourceFile) uses(pkg, name string) []token.Pos {
	local := f.localName(pkg)
	if local == "" {
		return nil
	}
	var found []token.Pos
	ast.Inspect(f.file, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok || selector.Sel.Name != name {
			return true
		}
		if x, ok := selector.X.(*ast.Ident); ok && x.Name == local {
			found = append(found, selector.Pos())
		}
		return true
	})
	return found
}

// localName is what f calls an imported package, "" if it does not import it.
func (f *sourceFile) localName(pkg string) string {
	for _, spec := range f.file.Imports {
		if importPath(spec) != pkg {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(pkg)
	}
	return ""
}
