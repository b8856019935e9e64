package sinks

import (
	"strconv"
	"strings"
)

// xlsxPart is one file of the zip file that a workbook is.
type xlsxPart struct{ name, content string }

// xlsxFirstParts come before the sheets and are the same in all workbooks. By
// the first three names of the zip file others know it for a workbook.
var xlsxFirstParts = []xlsxPart{
	{"_rels/.rels", xmlDeclaration + `<Relationships xmlns="` + relationshipNamespace + `">` +
		`<Relationship Id="rId1" Type="` + officeRelationship + `officeDocument" Target="xl/workbook.xml"/>` +
		`<Relationship Id="rId2" Type="` + coreRelationship + `" Target="docProps/core.xml"/>` +
		`<Relationship Id="rId3" Type="` + officeRelationship + `extended-properties" Target="docProps/app.xml"/>` +
		`</Relationships>`},
	{"docProps/app.xml", xmlDeclaration +
		`<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties">` +
		`<Application>flytt</Application></Properties>`},
	{"docProps/core.xml", xmlDeclaration + `<cp:coreProperties ` +
		`xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" ` +
		`xmlns:dc="http://purl.org/dc/elements/1.1/">` +
		`<dc:description>Times are in UTC.</dc:description></cp:coreProperties>`},
	{"xl/styles.xml", xlsxStyles},
}

const (
	xmlDeclaration = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	mainNamespace  = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"

	relationshipNamespace = "http://schemas.openxmlformats.org/package/2006/relationships"
	officeRelationship    = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
	coreRelationship      = "http://schemas.openxmlformats.org/package/2006/relationships/metadata/core-properties"
	contentTypeNamespace  = "http://schemas.openxmlformats.org/package/2006/content-types"
	spreadsheetType       = "application/vnd.openxmlformats-officedocument.spreadsheetml."
	packageType           = "application/vnd.openxmlformats-package."
	propertiesType        = "application/vnd.openxmlformats-officedocument.extended-properties+xml"
)

// xlsxStyles has the styles of cells, by their place among cellXfs:
//
//	0  of what holds nothing
//	1  text
//	2  whole number, in full
//	3  date
//	4  date and time
//	5  number
//	6  boolean; Excel shows one in its own language, whatever the format
//	7  header
//	8  text of several lines, all of which are to be seen
const xlsxStyles = xmlDeclaration + `<styleSheet xmlns="` + mainNamespace + `">` +
	`<numFmts count="3"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd"/>` +
	`<numFmt numFmtId="165" formatCode="yyyy\-mm\-dd\ hh:mm:ss"/>` +
	`<numFmt numFmtId="166" formatCode="&quot;TRUE&quot;;&quot;TRUE&quot;;&quot;FALSE&quot;"/></numFmts>` +
	`<fonts count="2"><font><sz val="11"/><name val="Calibri"/><family val="2"/></font>` +
	`<font><b/><sz val="11"/><name val="Calibri"/><family val="2"/></font></fonts>` +
	`<fills count="3"><fill><patternFill patternType="none"/></fill>` +
	`<fill><patternFill patternType="gray125"/></fill>` +
	`<fill><patternFill patternType="solid"><fgColor rgb="FFE7EDF3"/><bgColor indexed="64"/></patternFill></fill></fills>` +
	`<borders count="2"><border><left/><right/><top/><bottom/><diagonal/></border>` +
	`<border><left/><right/><top/><bottom style="thin"><color rgb="FF8497B0"/></bottom><diagonal/></border></borders>` +
	`<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>` +
	`<cellXfs count="9"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>` +
	`<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyAlignment="1"><alignment vertical="top"/></xf>` +
	`<xf numFmtId="1" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyAlignment="1"><alignment vertical="top"/></xf>` +
	`<xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyAlignment="1"><alignment vertical="top"/></xf>` +
	`<xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyAlignment="1"><alignment vertical="top"/></xf>` +
	`<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyAlignment="1"><alignment vertical="top"/></xf>` +
	`<xf numFmtId="166" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyAlignment="1"><alignment horizontal="center" vertical="top"/></xf>` +
	`<xf numFmtId="49" fontId="1" fillId="2" borderId="1" xfId="0" applyNumberFormat="1" applyFont="1" applyFill="1" applyBorder="1"/>` +
	`<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyAlignment="1"><alignment vertical="top" wrapText="1"/></xf></cellXfs>` +
	`<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`

// xlsxSheetPart returns the name of the part that is the nth sheet.
func xlsxSheetPart(n int) string { return "xl/worksheets/sheet" + strconv.Itoa(n) + ".xml" }

// xlsxSheetName returns the name of the nth sheet for people.
func xlsxSheetName(n int) string {
	if n == 1 {
		return "Data"
	}
	return "Data " + strconv.Itoa(n)
}

// xlsxLastParts returns the parts that come after the sheets: those that list
// them.
func xlsxLastParts(sheets []xlsxExtent) []xlsxPart {
	return []xlsxPart{
		{"xl/workbook.xml", xlsxWorkbook(sheets)},
		{"xl/_rels/workbook.xml.rels", xlsxRelationships(len(sheets))},
		{"[Content_Types].xml", xlsxContentTypes(len(sheets))},
	}
}

// xlsxWorkbook returns the part that names the sheets, what each one's filter
// is over, and the row that each page of it repeats when printed.
func xlsxWorkbook(sheets []xlsxExtent) string {
	var b strings.Builder
	b.WriteString(xmlDeclaration + `<workbook xmlns="` + mainNamespace + `" xmlns:r="` + strings.TrimSuffix(officeRelationship, "/") + `">` +
		`<workbookPr/><bookViews><workbookView/></bookViews><sheets>`)
	for i := range sheets {
		n := strconv.Itoa(i + 1)
		b.WriteString(`<sheet name="` + xlsxSheetName(i+1) + `" sheetId="` + n + `" r:id="rId` + n + `"/>`)
	}
	b.WriteString(`</sheets><definedNames>`)
	for i, e := range sheets {
		name := "'" + xlsxSheetName(i+1) + "'!"
		b.WriteString(`<definedName name="_xlnm._FilterDatabase" localSheetId="` + strconv.Itoa(i) + `" hidden="1">` +
			name + "$A$1:$" + columnName(e.columns) + "$" + strconv.Itoa(e.rows) + `</definedName>`)
	}
	for i := range sheets {
		name := "'" + xlsxSheetName(i+1) + "'!"
		b.WriteString(`<definedName name="_xlnm.Print_Titles" localSheetId="` + strconv.Itoa(i) + `">` + name + `$1:$1</definedName>`)
	}
	b.WriteString(`</definedNames></workbook>`)
	return b.String()
}

func xlsxRelationships(sheets int) string {
	var b strings.Builder
	b.WriteString(xmlDeclaration + `<Relationships xmlns="` + relationshipNamespace + `">`)
	for i := 1; i <= sheets; i++ {
		n := strconv.Itoa(i)
		b.WriteString(`<Relationship Id="rId` + n + `" Type="` + officeRelationship + `worksheet" Target="worksheets/sheet` + n + `.xml"/>`)
	}
	b.WriteString(`<Relationship Id="rId` + strconv.Itoa(sheets+1) + `" Type="` + officeRelationship + `styles" Target="styles.xml"/></Relationships>`)
	return b.String()
}

func xlsxContentTypes(sheets int) string {
	var b strings.Builder
	b.WriteString(xmlDeclaration + `<Types xmlns="` + contentTypeNamespace + `">` +
		`<Default Extension="rels" ContentType="` + packageType + `relationships+xml"/>` +
		`<Default Extension="xml" ContentType="application/xml"/>`)
	override := func(part, kind string) {
		b.WriteString(`<Override PartName="/` + part + `" ContentType="` + kind + `"/>`)
	}
	override("xl/workbook.xml", spreadsheetType+"sheet.main+xml")
	for i := 1; i <= sheets; i++ {
		override(xlsxSheetPart(i), spreadsheetType+"worksheet+xml")
	}
	override("xl/styles.xml", spreadsheetType+"styles+xml")
	override("docProps/app.xml", propertiesType)
	override("docProps/core.xml", packageType+"core-properties+xml")
	b.WriteString(`</Types>`)
	return b.String()
}
