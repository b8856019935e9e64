// Package sinks is where rows go: files. The API is in package bulk, and the account
// that a run keeps of each row in package recorder.
//
// A file format is one file here and one line in the table of formats. It is an
// Encoder, which turns rows into bytes on every core, and a create function
// that puts the encoder and an output together; the output sees to it that the
// file appears whole or not at all. The contract test demands a golden file of
// every format in the table.
//
// Compression is a layer of the output, not a format: .gz or .zst behind an
// extension asks for it.
package sinks

import (
	"cmp"
	"errors"
	"io"
	"slices"
	"strings"

	"flytt/internal/guardedcsv"
	"flytt/internal/jsonobject"
	"flytt/pipeline"
)

// FileOptions says how a file is written. A nil *FileOptions is the zero value.
type FileOptions struct {
	Format    string    // name of the format, with .gz or .zst behind it for compression; empty: the one of the path's extension, jsonl for a stream
	Overwrite bool      // replace a file that exists
	Inputs    []string  // paths of the files being read (- is standard input), none of which may be the output
	Stdout    io.Writer // where the path "-" leads; nil: os.Stdout
	Nulls     bool      // jsonl: write fields that are null, too
	Flat      bool      // jsonl: dots in names lead to no object within the object
	Excel     bool      // csv: for a spreadsheet, text kept as text
	Sum       bool      // have the sink's Sum know the SHA-256

	// Creator is the program that writes and its version, "flytt version 1.2", and
	// Metadata what else a file is to say of itself, by key. Only parquet has room
	// for them.
	Creator  string
	Metadata map[string]string

	// Check is called once all rows are written and before the file gets its name:
	// if it fails, Commit returns its error as it is, the new file is removed and
	// an old one stays. Where there is no name to be given (stdout, a pipe), it is
	// too late to take anything back; Commit fails all the same. Nil: no check.
	Check func() error
}

// hasExtra reports whether the last field of schema is ExtraField.
func hasExtra(schema *pipeline.Schema) bool {
	n := len(schema.Fields)
	return n > 0 && schema.Fields[n-1] == pipeline.Field{Name: jsonobject.ExtraField, Type: pipeline.JSON}
}

// format is a way to write rows to a file.
type format struct {
	name       string
	extensions []string

	// create returns a sink that writes rows of schema to out. The caller aborts
	// out if it fails.
	create func(out *output, schema *pipeline.Schema, o *FileOptions) (pipeline.Sink, error)
}

// formats lists what can be written. The first extension is the usual one.
var formats = []format{
	{"csv", []string{".csv"}, createCSV},
	{"jsonl", []string{".jsonl", ".ndjson"}, createJSONL},
	{"parquet", []string{".parquet"}, createParquet},
	{"xlsx", []string{".xlsx"}, createXLSX},
}

// streamFormat is what goes to stdout and to pipes unless another is asked for.
const streamFormat = "jsonl"

// Create returns a sink that writes the fields of schema to the file at path, in
// the format of its extension, which is the one before .gz or .zst: those are for
// compression, a path that ends in one is compressed in whatever format is not
// compressed within. The file appears when the sink commits, or not at all. The
// sink is Summed. The path "-" is o.Stdout; what is no regular file (a pipe,
// /dev/null) is written to as the rows come. What cannot work is a *pipeline.UsageError: an unknown
// format, a file that exists (without o.Overwrite), one that is being read, a
// symbolic link, a directory.
func Create(path string, schema *pipeline.Schema, o *FileOptions) (pipeline.Sink, error) {
	if o == nil {
		o = &FileOptions{}
	}
	to, f, c, err := resolve(path, o)
	if err != nil {
		return nil, err
	}
	if o.Excel && f.name != "csv" {
		return nil, &pipeline.UsageError{Place: to.name, Cause: "only csv is written for Excel, and this is " + f.name}
	}
	out, err := to.open()
	if err != nil {
		return nil, err
	}
	sink, err := f.sink(out, schema, o, c)
	if err != nil {
		_, abortErr := out.abort()
		return nil, errors.Join(err, abortErr)
	}
	return sink, nil
}

// resolve finds out what path and o ask for.
func resolve(path string, o *FileOptions) (to *target, f *format, c *compression, err error) {
	if to, err = examine(path, o); err != nil {
		return nil, nil, nil, err
	}
	extension, c := extensionOf(to.path)
	name, asked := cutCompression(o.Format)
	if c != nil && asked != nil && c != asked {
		return nil, nil, nil, &pipeline.UsageError{
			Place: to.name, Cause: "its name ends in " + c.extension + ", but " + asked.extension + " is asked for",
			Hint: "leave one of the two out",
		}
	}
	f, err = formatFor(to, name, extension)
	return to, f, cmp.Or(asked, c), err
}

// FormatOf returns the name of the format in which Create would write, without
// creating anything. It fails as Create would.
func FormatOf(path string, o *FileOptions) (string, error) {
	_, f, _, err := resolve(path, o)
	if err != nil {
		return "", err
	}
	return f.name, nil
}

// sink sets out up and returns a sink that writes to it.
func (f *format) sink(out *output, schema *pipeline.Schema, o *FileOptions, c *compression) (pipeline.Sink, error) {
	if err := out.prepare(o, c); err != nil {
		return nil, err
	}
	return f.create(out, schema, o)
}

// Formats returns the names of the file formats, in alphabetical order.
func Formats() []string {
	var names []string
	for _, f := range formats {
		names = append(names, f.name)
	}
	return slices.Sorted(slices.Values(names))
}

// formatFor returns the format called name or, without a name, the one of an
// extension.
func formatFor(to *target, name, extension string) (*format, error) {
	for i := range formats {
		f := &formats[i]
		if name == f.name || name == "" && slices.Contains(f.extensions, extension) {
			return f, nil
		}
	}
	if name != "" {
		return nil, &pipeline.UsageError{Place: to.name, Cause: "format " + name + " is not known", Hint: "formats: " + strings.Join(Formats(), ", ")}
	}
	if to.kind != regularFile {
		return formatFor(to, streamFormat, "")
	}
	return nil, &pipeline.UsageError{Place: to.name, Cause: "no format has this extension", Hint: "extensions: " + strings.Join(extensions(), ", ")}
}

func extensions() []string {
	var out []string
	for _, f := range formats {
		out = append(out, f.extensions...)
	}
	return append(out, "and the text formats with "+compressionExtensions())
}

// Codes documents the codes that file sinks note.
var Codes = append([]pipeline.CodeInfo{
	{
		Code: jsonobject.CodeNotJSON, Stage: pipeline.Write, Severity: pipeline.Error,
	},
	{
		Code: guardedcsv.CodeLongCell, Stage: pipeline.Write, Severity: pipeline.Warning,
	},
}, slices.Concat(parquetCodes, xlsxCodes)...)
