package xlsx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"unicode/utf16"
)

// OLE is how old Excel workbooks, and new ones with a password, start.
const OLE = "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"

// legacyWorkbook returns an error if r is a workbook in the old OLE container, which is
// not supported: an XLS file, or one that is protected with a password.
func legacyWorkbook(r io.ReaderAt) error {
	head := make([]byte, 512)
	if n, _ := r.ReadAt(head, 0); n < len(OLE) || string(head[:len(OLE)]) != OLE {
		return nil
	}
	if encrypted(r, head) {
		return &Error{
			Err:  errors.New("it is protected with a password"),
			Hint: "open it in Excel, take the password off (File, Info, Protect Workbook, Encrypt with Password, leave empty) and save it",
		}
	}
	return &Error{Err: errors.New("it is an old Excel workbook (XLS) or another document of that time"), Hint: hintSaveAs}
}

// encrypted reports whether the first sector of the directory of an OLE file
// lists the streams of an encrypted package.
func encrypted(r io.ReaderAt, head []byte) bool {
	shift := binary.LittleEndian.Uint16(head[30:])
	if shift != 9 && shift != 12 {
		return false
	}
	directory := make([]byte, 1<<12)
	n, _ := r.ReadAt(directory, int64(binary.LittleEndian.Uint32(head[48:])+1)<<shift)
	return bytes.Contains(directory[:n], wide("EncryptedPackage")) || bytes.Contains(directory[:n], wide("EncryptionInfo"))
}

// wide returns s in UTF-16, as OLE writes names.
func wide(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// kind says what the archive is if it is not a workbook with the main part main;
// otherwise nothing.
func (a *archive) kind(main string) string {
	switch main = strings.ToLower(main); {
	case strings.HasSuffix(main, ".bin") || !a.has(main) && a.has("xl/workbook.bin"):
		return "a binary Excel workbook (XLSB)"
	case strings.HasPrefix(main, "word/") || a.has("word/document.xml"):
		return "a Word document"
	case strings.HasPrefix(main, "ppt/") || a.has("ppt/presentation.xml"):
		return "a PowerPoint presentation"
	case a.has(main):
		return ""
	case a.has("content.xml") && (a.has("mimetype") || a.has("META-INF/manifest.xml")):
		return a.openDocument()
	case a.has("Index/Document.iwa") || a.has("Index.zip"):
		return "a document of Apple Numbers, Pages or Keynote"
	case !a.has("[Content_Types].xml"):
		return "a ZIP archive that holds no workbook"
	}
	return ""
}

// openDocument tells a spreadsheet from the other OpenDocument formats.
func (a *archive) openDocument() string {
	p, err := a.open("mimetype")
	if err != nil {
		return "an OpenDocument file"
	}
	kind := make([]byte, 100)
	n, _ := io.ReadFull(p, kind)
	if strings.Contains(string(kind[:n]), "spreadsheet") {
		return "an OpenDocument spreadsheet (ODS)"
	}
	return "an OpenDocument file that is not a spreadsheet"
}
