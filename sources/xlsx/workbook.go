package xlsx

import (
	"errors"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
)

// Options says how to read a workbook. The zero Options, or none, are right for
// all.
type Options struct {
	Memory int // bytes of shared strings that are kept in memory, the rest in a temporary file; 0: 32 MiB
}

const defaultMemory = 32 << 20

// Info is what a workbook says of one of its sheets.
type Info struct {
	Name   string
	Hidden bool
	Kind   string // worksheet, chartsheet, dialogsheet, macrosheet
	part   string
}

// HasCells reports whether the sheet has cells.
func (i *Info) HasCells() bool { return i.Kind == "worksheet" }

// Workbook is an open workbook. Sheets and scanners of it may be used side by
// side, each by one goroutine.
type Workbook struct {
	Sheets   []Info // in the order of their tabs
	archive  *archive
	date1904 bool
	formats  []format // by the number of the cell style
	strings  *sharedStrings
}

// What relationships are for, as the last element of their type, which is the
// same in transitional and strict workbooks.
const (
	relWorkbook = "officeDocument"
	relStyles   = "styles"
	relStrings  = "sharedStrings"
)

// Open reads what r, of size bytes, holds besides its sheets; of the shared
// strings it reads nothing yet. Every error is an *Error.
func Open(r io.ReaderAt, size int64, o *Options) (*Workbook, error) {
	if o == nil {
		o = &Options{}
	}
	if err := legacyWorkbook(r); err != nil {
		return nil, err
	}
	a, err := openArchive(r, size)
	if err != nil {
		return nil, err
	}
	main, err := a.workbook()
	if err != nil {
		return nil, err
	}
	w := &Workbook{archive: a}
	rels, err := a.relationships(main)
	if err != nil {
		return nil, err
	}
	if err := w.readSheets(main, rels); err != nil {
		return nil, err
	}
	for _, rel := range rels {
		switch {
		case rel.kind == relStyles && w.formats == nil && a.has(rel.part):
			if w.formats, err = a.readStyles(rel.part); err != nil {
				return nil, err
			}
		case rel.kind == relStrings && w.strings == nil && a.has(rel.part):
			w.strings = newSharedStrings(a, rel.part, o.Memory)
		}
	}
	return w, nil
}

// Close releases what the workbook holds; the reader it was opened with stays
// open.
func (w *Workbook) Close() error {
	if w.strings == nil {
		return nil
	}
	return w.strings.Close()
}

// CheckRest reads what is left of the parts that sheets share, so that a damaged
// one shows.
func (w *Workbook) CheckRest() error {
	if w.strings == nil {
		return nil
	}
	return w.strings.checkRest()
}

// relationship is one part that another refers to.
type relationship struct{ id, kind, part string }

// relationships returns those of the part called name, empty for the archive
// itself. There need not be any.
func (a *archive) relationships(name string) ([]relationship, error) {
	dir, base := path.Split(name)
	at := dir + "_rels/" + base + ".rels"
	if !a.has(at) {
		return nil, nil
	}
	p, err := a.open(at)
	if err != nil {
		return nil, err
	}
	var rels []relationship
	s := newStream(p)
	err = s.walk(func(elements []string) {
		if elements[len(elements)-1] != "Relationship" || len(rels) > maxParts || s.attr("TargetMode") == "External" {
			return
		}
		target := strings.ReplaceAll(s.attr("Target"), `\`, "/")
		if !strings.HasPrefix(target, "/") {
			target = "/" + dir + target
		}
		rels = append(rels, relationship{
			id: s.attr("Id"), kind: path.Base(s.attr("Type")), part: strings.TrimPrefix(path.Clean(target), "/"),
		})
	})
	return rels, err
}

// workbook returns the name of the part that lists the sheets, or says what the
// archive is if it is no workbook.
func (a *archive) workbook() (string, error) {
	rels, err := a.relationships("")
	if err != nil {
		return "", err
	}
	main := "xl/workbook.xml"
	for _, r := range rels {
		if r.kind == relWorkbook {
			main = r.part
			break
		}
	}
	if kind := a.kind(main); kind != "" {
		return "", &Error{Err: errors.New("it is " + kind), Hint: hintSaveAs}
	}
	if !a.has(main) {
		return "", damaged(main, ErrMissing)
	}
	return main, nil
}

// readSheets reads the part that lists the sheets.
func (w *Workbook) readSheets(main string, rels []relationship) error {
	p, err := w.archive.open(main)
	if err != nil {
		return err
	}
	root := ""
	s := newStream(p)
	err = s.walk(func(elements []string) {
		switch here := strings.Join(elements, "/"); {
		case len(elements) == 1:
			root = here
		case here == "workbook/workbookPr":
			w.date1904 = truth(s.attr("date1904"))
		case here == "workbook/sheets/sheet":
			w.Sheets = append(w.Sheets, sheetInfo(s, rels))
		}
	})
	switch {
	case err != nil:
		return err
	case root != "workbook":
		return &Error{Part: main, Err: fmt.Errorf("it is not a workbook but a <%.40s>", root), Hint: hintSaveAs}
	case len(w.Sheets) == 0:
		return damaged(main, errors.New("it has no sheet"))
	}
	return nil
}

// sheetInfo makes an Info of the start tag of a sheet.
func sheetInfo(s *stream, rels []relationship) Info {
	i := Info{Name: s.attr("name"), Hidden: s.attr("state") == "hidden" || s.attr("state") == "veryHidden"}
	id := ""
	for rest := s.attrs; ; {
		var name, value []byte
		name, value, rest = attribute(rest)
		if len(name) == 0 {
			break
		}
		if string(localName(name)) == "id" && string(name) != "id" {
			id = string(value)
		}
	}
	for _, r := range rels {
		if r.id == id {
			i.Kind, i.part = kindOfSheet(r.kind), r.part
		}
	}
	return i
}

// kindOfSheet returns the kind for the type of a relationship; xlMacrosheet is
// Microsoft's.
func kindOfSheet(rel string) string {
	return strings.ToLower(strings.TrimPrefix(rel, "xl"))
}

// truth reads a truth value of an attribute.
func truth(s string) bool { return s == "1" || s == "true" || s == "on" }

// DeclaredRows returns how many rows sheet i says it has, or -1. Sheets lie.
func (w *Workbook) DeclaredRows(i int) int64 {
	s, err := w.OpenSheet(i)
	if err != nil {
		return -1
	}
	return s.dimension
}

// dimensionRows returns the number of rows of a range like A1:K100001.
func dimensionRows(ref string) int64 {
	from, to, ok := strings.Cut(ref, ":")
	if !ok {
		to = from
	}
	first, last := rowOf(from), rowOf(to)
	if first < 1 || last < first || last > MaxRows {
		return -1
	}
	return last - first + 1
}

// rowOf returns the row of a reference like $A$1, or -1.
func rowOf(ref string) int64 {
	digits := strings.TrimLeft(ref, "$ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return -1
	}
	return n
}
