package mappings_test

import (
	"bytes"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"flytt/mappings"
	"flytt/pipeline"
)

func TestDescriptionsAreAsTheyWere(t *testing.T) {
	for name, r := range map[string]*mappings.Resource{"externalclientcontactperson.txt": lookup(t, contactPerson), "lease.txt": lease(t)} {
		var out bytes.Buffer
		if err := mappings.Describe(&out, r); err != nil {
			t.Fatal(err)
		}
		golden(t, name, out.Bytes())
	}
	var out bytes.Buffer
	if err := mappings.DescribeCodes(&out, slices.Concat(mappings.MapCodes, mappings.Codes)); err != nil {
		t.Fatal(err)
	}
	golden(t, "codes.txt", out.Bytes())
}

var errFull = errors.New("full")

// fullAfter writes n times.
type fullAfter struct {
	io.Writer
	n int
}

func (w *fullAfter) Write(p []byte) (int, error) {
	if w.n--; w.n < 0 {
		return 0, errFull
	}
	return w.Writer.Write(p)
}

func TestDescribeReportsAFailedWrite(t *testing.T) {
	r := lookup(t, contactPerson)
	for n := range 5 {
		if err := mappings.Describe(&fullAfter{io.Discard, n * 6}, r); !errors.Is(err, errFull) {
			t.Errorf("after %d writes: %v", n*6, err)
		}
	}
	if err := mappings.DescribeCodes(&fullAfter{io.Discard, 3}, mappings.Codes); !errors.Is(err, errFull) {
		t.Errorf("codes: %v", err)
	}
}

func TestCodesAreDocumentedOnceAndWell(t *testing.T) {
	seen := map[pipeline.Code]bool{}
	form := regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	for _, c := range slices.Concat(mappings.MapCodes, mappings.Codes) {
		switch {
		case seen[c.Code]:
			t.Errorf("%s appears twice", c.Code)
		case !form.MatchString(string(c.Code)):
			t.Errorf("%s is not snake_case", c.Code)
		}
		seen[c.Code] = true
	}
}

// Every code is a constant of type pipeline.Code; this reads them all from the
// source.
func TestEveryCodeNotedIsDocumented(t *testing.T) {
	documented := map[string]bool{}
	for _, c := range slices.Concat(mappings.MapCodes, mappings.Codes) {
		documented[string(c.Code)] = true
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			for _, code := range codesIn(n) {
				if found++; !documented[code] {
					t.Errorf("%s: code %s is not documented", file, code)
				}
			}
			return true
		})
	}
	if found < 20 {
		t.Errorf("found only %d codes in the source", found)
	}
}

// codesIn returns the values of a declaration of codes.
func codesIn(n ast.Node) (codes []string) {
	spec, ok := n.(*ast.ValueSpec)
	if !ok {
		return nil
	}
	kind, ok := spec.Type.(*ast.SelectorExpr)
	if !ok || kind.Sel.Name != "Code" {
		return nil
	}
	for _, v := range spec.Values {
		if lit, ok := v.(*ast.BasicLit); ok {
			code, _ := strconv.Unquote(lit.Value)
			codes = append(codes, code)
		}
	}
	return codes
}
