package sources

import (
	"bytes"
)

// kinds are files that people use by mistake in place of a text file, recognised by how
// they start.
var kinds = []struct{ magic, kind string }{
	{"PK\x05\x06", "an empty ZIP archive"},
	{"%PDF-", "a PDF document"},
	{"SQLite format 3\x00", "a SQLite database"},
	{"\x1F\x8B", "gzip within another compression"},
	{"BZh", "bzip2"},
	{"\x28\xB5\x2F\xFD", "Zstandard within another compression"},
	{"\xFD7zXZ\x00", "xz"},
	{"7z\xBC\xAF\x27\x1C", "a 7-Zip archive"},
	{"\xFF\xFE\x00\x00", "text in UTF-32"},
	{"\x00\x00\xFE\xFF", "text in UTF-32"},
}

// markup is how text starts that is not a table.
var markup = []struct{ start, kind string }{
	{"<!doctype html", "a web page (HTML)"},
	{"<html", "a web page (HTML)"},
	{"<?xml", "XML"},
	{"{\\rtf", "a rich text document (RTF)"},
}

// unsupportedKind says what kind of file an input is that no format reads ("it is a PDF
// document"); empty if it may be readable.
func unsupportedKind(head []byte) string {
	for _, k := range kinds {
		if bytes.HasPrefix(head, []byte(k.magic)) {
			return "it is " + k.kind
		}
	}
	text := bytes.TrimPrefix(head, []byte(bomUTF8))
	start := bytes.ToLower(bytes.TrimLeft(text[:min(len(text), 256)], " \t\r\n"))
	for _, m := range markup {
		if bytes.HasPrefix(start, []byte(m.start)) {
			return "it is " + m.kind
		}
	}
	if looksBinary(head) {
		return "it is binary data, not text"
	}
	return ""
}

// looksBinary reports whether more than one byte in twenty is a control character that
// no text has. A few such bytes only reject their rows. NUL counts only if it is not
// half of a UTF-16 character.
func looksBinary(head []byte) bool {
	n := 0
	for _, c := range head {
		if c < ' ' && c != 0 && (c < '\t' || c > '\r') && c != 0x1A && c != 0x1B {
			n++
		}
	}
	if utf16Order(head) == "" && !hasUTF16BOM(head) {
		n += bytes.Count(head, []byte{0})
	}
	return n >= 32 && n*20 > len(head)
}
