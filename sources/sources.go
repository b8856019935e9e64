// Package sources reads the formats flytt takes rows from. Open looks at the
// input, chooses one line of the table of formats, and returns a
// pipeline.Source that only cuts; its decoders do the work.
//
// The list endpoint of the API is a source as well, but no format: NewList makes
// one of whatever reads its pages.
//
// To add a format: write its opener, add its line to the table, and add a
// fixture to testdata/contract, which the contract tests then demand.
package sources

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"flytt/pipeline"
)

// Options says how to read an input. The zero Options, or nil, detect everything.
type Options struct {
	Encoding        string    // the text's encoding, one of Encodings; empty: detected
	Delimiter       string    // one character, "tab", or "none" for a single column; empty: detected
	HeaderRow       int       // the physical line the header is on; 0: detected
	Sheet           string    // of a workbook: its name, or its number from 1, from the end if negative; empty: the first that is not hidden
	SkipHidden      bool      // of a workbook: leave hidden rows out
	OriginalNumbers bool      // of a rejects file: give rows the numbers they had in their original input; 0 where the file does not say
	BlockSize       int       // bytes of text in a block, at most 1 MiB; 0: 256 KiB
	Stdin           io.Reader // what "-" reads; nil: os.Stdin. It is not closed

	// A file must not change until its end is reported; otherwise reading it ends with
	// ErrChanged. A file that is opened again must be as it was the first time.
	Previous    fs.FileInfo // Info.File of the first time; nil: this is the first
	SameContent func() bool // whether a file that has its old length but was written to, or replaced, still has its old content; nil: it does not
}

func (o *Options) blockSize() int {
	if o.BlockSize <= 0 {
		return defaultBlockSize
	}
	return o.BlockSize
}

// Info is what was found out about an input when it was opened. It holds no value of a
// row.
type Info struct {
	Format        string                             // its name in the table of formats: csv
	Compression   string                             // gzip, zstd, or empty
	Encoding      string                             // one of Encodings, or ascii as long as the text was all ASCII
	Evidence      string                             // why that encoding, as a phrase: "line 17 is not UTF-8"
	Delimiter     string                             // between cells; empty: there is one column
	LineEnd       string                             // LF, CRLF or CR
	HeaderRow     int64                              // the physical line the header starts on
	Size          int64                              // bytes of the input as it is stored, which Block.End counts; -1: not known
	File          fs.FileInfo                        // the state of the file when it was opened; nil: it is not a file, or standard input
	Rows          int64                              // how many rows the file itself claims to have; 0: it does not say
	IsRejectsFile bool                               // a rejects file of flytt, which is read in its own dialect whatever Options say
	Sheet         string                             // of a workbook: the one that is read
	Sheets        []SheetInfo                        // of a workbook: all of them, in its order
	CellName      func(row int64, column int) string // returns the name of a cell (Kontakter!F17), or, with column -1, of a row; nil: rows are lines
	Warnings      []string                           // what a person should know before relying on the rest, as sentences without a full stop
}

// SheetInfo is a sheet of a workbook.
type SheetInfo struct {
	Name   string
	Hidden bool
	Rows   int64 // as the sheet claims, which may be wrong; -1: it does not say
}

// Error is an input that cannot be opened or read. Its text is the position and what is
// wrong there, without any value of a row.
type Error struct {
	File  string // as the user named it
	Line  int64  // physical line; 0: the file as a whole, or Place
	Place string // where it is no line: Kontakter!F17
	Err   error  // what is wrong
	Hint  string // what to do about it
	Usage bool   // what the user asked for is impossible (no such file, no such encoding); otherwise the input cannot be read
}

// Error returns "contacts.csv line 2: what is wrong".
func (e *Error) Error() string {
	if e.Place != "" {
		return fmt.Sprintf("%s %s: %v", e.File, e.Place, e.Err)
	}
	if e.Line > 0 {
		return fmt.Sprintf("%s line %d: %v", e.File, e.Line, e.Err)
	}
	return fmt.Sprintf("%s: %v", e.File, e.Err)
}

// Unwrap returns what is wrong.
func (e *Error) Unwrap() error { return e.Err }

// format is one kind of input.
type format struct {
	name             string
	extensions       []string                 // in lower case, without .gz or .zst
	magic            func(head []byte) string // what kind of file the content shows it to be ("an Excel workbook"), or empty; nil: text
	acceptsExtension func(head []byte) bool   // whether a file with the extension is of this format although magic does not say so; nil: no, unless magic is nil
	open             func(in *input, o *Options) (pipeline.Source, *Info, error)
}

// formats are all formats. The content decides before the extension does; text that no
// content test recognises is of the first format without such a test.
var formats = []format{
	{name: "csv", extensions: []string{".csv", ".tsv", ".tab", ".txt"}, open: openCSV},
	{name: "jsonl", extensions: []string{".jsonl", ".ndjson", ".json"}, magic: startsJSON, acceptsExtension: holdsJSON, open: openJSON},
	{name: "xlsx", extensions: []string{".xlsx", ".xlsm", ".xltx", ".xltm", ".xls", ".xlsb"}, magic: xlsxMagic, open: openXLSX},
	{name: "parquet", extensions: []string{".parquet"}, magic: startsParquet, open: openParquet},
}

// Open opens the input called path, "-" being standard input, and finds out
// what it is. The caller closes the source. Every error is an *Error.
func Open(path string, o *Options) (pipeline.Source, *Info, error) {
	if o == nil {
		o = &Options{}
	}
	in, err := openInput(path, o)
	if err != nil {
		return nil, nil, err
	}
	f, err := choose(in)
	if err != nil {
		in.Close()
		return nil, nil, err
	}
	s, info, err := f.open(in, o)
	if err != nil {
		in.Close()
		return nil, nil, err
	}
	info.Format, info.Compression, info.Size = f.name, in.compression, in.size
	info.Warnings = append(info.Warnings, in.extensionMismatch(f.name)...)
	if in.watched != nil {
		info.File = in.watched.openInfo
	}
	return in.detectChanges(s), info, nil
}

// choose picks the format of in by its content, then by its name.
func choose(in *input) (*format, error) {
	head := in.peek(sniffSize)
	if len(head) == 0 {
		return nil, in.empty()
	}
	for i := range formats {
		if f := &formats[i]; f.magic != nil && f.magic(head) != "" {
			return f, nil
		}
	}
	if kind := unsupportedKind(head); kind != "" {
		return nil, in.contentError(0, fmt.Errorf("%s; this version reads %s", kind, names()),
			"save or export it as CSV and try again")
	}
	for i := range formats {
		if f := &formats[i]; slices.Contains(f.extensions, in.extension()) && f.matchesExtension(head) {
			return f, nil
		}
	}
	return &formats[slices.IndexFunc(formats, func(f format) bool { return f.magic == nil })], nil
}

// matchesExtension reports whether a text whose name has an extension of f is of
// format f.
func (f *format) matchesExtension(head []byte) bool {
	return f.magic == nil || f.acceptsExtension != nil && f.acceptsExtension(head)
}

// extensionMismatch returns a warning if the extension of in belongs to another format
// than the one called name; otherwise nothing.
func (in *input) extensionMismatch(name string) []string {
	for i := range formats {
		if f := &formats[i]; f.name != name && slices.Contains(f.extensions, in.extension()) {
			return []string{fmt.Sprintf("it is called %s, but is %s and read as that", in.extension(), strings.ToUpper(name))}
		}
	}
	return nil
}

// names lists the formats for people.
func names() string {
	var n []string
	for _, f := range formats {
		n = append(n, strings.ToUpper(f.name))
	}
	return strings.Join(n, ", ")
}

// openPath opens what path names, and returns its state if it is a regular file.
func openPath(path string, o *Options) (io.Reader, fs.FileInfo, error) {
	if path == "-" {
		return standardInput(o)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, openError(path, err)
	}
	st, err := regular(f)
	if err != nil {
		f.Close()
		return nil, nil, openError(path, err)
	}
	return f, st, nil
}

func standardInput(o *Options) (io.Reader, fs.FileInfo, error) {
	r := o.Stdin
	if r == nil {
		r = os.Stdin
	}
	f, ok := r.(*os.File)
	if !ok {
		return r, nil, nil
	}
	st, err := regular(f)
	if err != nil {
		return nil, nil, openError(stdinName, err)
	}
	return f, st, nil
}

// regular returns the state of a regular file, nil for a pipe and the like, and an
// error for a directory.
func regular(f *os.File) (fs.FileInfo, error) {
	st, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case st.IsDir():
		return nil, errDirectory
	case !st.Mode().IsRegular():
		return nil, nil
	}
	return st, nil
}

// extension returns the extension of path in lower case, before a .gz or .zst if
// it has one.
func extension(path string) string {
	path = strings.ToLower(path)
	return filepath.Ext(strings.TrimSuffix(strings.TrimSuffix(path, ".gz"), ".zst"))
}
