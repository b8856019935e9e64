// Package xlsxtest builds workbooks for tests, part by part, well formed or not.
package xlsxtest

import (
	"archive/zip"
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Sheet is a sheet of a Book.
type Sheet struct {
	Name  string // empty: Sheet1 and so on
	State string // hidden, veryHidden, or nothing
	Kind  string // of the relationship; empty: worksheet
	Rows  string // what stands in sheetData
	XML   string // the whole part, in place of Rows
}

// Book is a workbook. The zero Book has no sheet.
type Book struct {
	Sheets     []Sheet
	Properties string            // attributes of workbookPr: date1904="1"
	Strings    string            // what stands in the table of shared strings; empty: there is none
	Styles     string            // what stands in the style sheet; empty: there is none
	Strict     bool              // with the namespaces of strict workbooks
	Parts      map[string]string // added, or in place of those made of the above; empty: left out
	Twice      string            // the name of a part that appears twice
}

// The namespaces that differ between transitional and strict workbooks.
const (
	transitional = "http://schemas.openxmlformats.org/"
	strict       = "http://purl.oclc.org/ooxml/"
)

const declaration = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"

// One is a workbook with one sheet of these rows.
func One(rows string) *Book { return &Book{Sheets: []Sheet{{Rows: rows}}} }

// Zip returns the workbook as a file.
func (b *Book) Zip() []byte {
	parts := b.parts()
	maps.Copy(parts, b.Parts)
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, name := range slices.Sorted(maps.Keys(parts)) {
		n := 1
		if name == b.Twice {
			n = 2
		}
		for range n {
			if parts[name] != "" {
				add(z, name, parts[name])
			}
		}
	}
	if err := z.Close(); err != nil {
		panic(err) // a buffer takes all
	}
	return out.Bytes()
}

func add(z *zip.Writer, name, content string) {
	w, err := z.Create(name)
	if err == nil {
		_, err = w.Write([]byte(content))
	}
	if err != nil {
		panic(err)
	}
}

func (b *Book) parts() map[string]string {
	parts := map[string]string{
		"[Content_Types].xml": declaration + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>`,
		"_rels/.rels":         b.relationships([][2]string{{"officeDocument", "xl/workbook.xml"}}),
	}
	var sheets strings.Builder
	var rels [][2]string
	for i, s := range b.Sheets {
		name := s.Name
		if name == "" {
			name = fmt.Sprintf("Sheet%d", i+1)
		}
		kind := s.Kind
		if kind == "" {
			kind = "worksheet"
		}
		target := fmt.Sprintf("%ss/sheet%d.xml", kind, i+1)
		rels = append(rels, [2]string{kind, target})
		fmt.Fprintf(&sheets, `<sheet name="%s" sheetId="%d" state="%s" r:id="rId%d"/>`, name, i+1, s.State, i+1)
		parts["xl/"+target] = s.xml(b)
	}
	if b.Strings != "" {
		rels = append(rels, [2]string{"sharedStrings", "sharedStrings.xml"})
		parts["xl/sharedStrings.xml"] = declaration + `<sst xmlns="` + b.main() + `">` + b.Strings + `</sst>`
	}
	if b.Styles != "" {
		rels = append(rels, [2]string{"styles", "/xl/styles.xml"})
		parts["xl/styles.xml"] = declaration + `<styleSheet xmlns="` + b.main() + `">` + b.Styles + `</styleSheet>`
	}
	parts["xl/workbook.xml"] = declaration + `<workbook xmlns="` + b.main() + `" xmlns:r="` + b.space() + `officeDocument/relationships"><workbookPr ` +
		b.Properties + `/><sheets>` + sheets.String() + `</sheets></workbook>`
	parts["xl/_rels/workbook.xml.rels"] = b.relationships(rels)
	return parts
}

func (b *Book) space() string {
	if b.Strict {
		return strict
	}
	return transitional + "2006/"
}

func (b *Book) main() string {
	if b.Strict {
		return strict + "spreadsheetml/main"
	}
	return transitional + "spreadsheetml/2006/main"
}

func (s *Sheet) xml(b *Book) string {
	if s.XML != "" {
		return s.XML
	}
	return declaration + `<worksheet xmlns="` + b.main() + `"><dimension ref="A1"/><sheetData>` + s.Rows + `</sheetData></worksheet>`
}

// relationships lists targets as rId1 and so on.
func (b *Book) relationships(list [][2]string) string {
	out := declaration + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`
	for i, r := range list {
		out += fmt.Sprintf(`<Relationship Id="rId%d" Type="%sofficeDocument/relationships/%s" Target="%s"/>`, i+1, b.space(), r[0], r[1])
	}
	return out + `</Relationships>`
}
