package main

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/gocarina/gocsv"
	"github.com/google/uuid"

	"flytt/internal/osfile"
)

// related are ids of rows of a resource that references may name.
type related struct {
	resource string
	file     string
	ids      []string
}

// readRelated reads the files of --related.
func readRelated(flags []string) ([]related, error) {
	const hint = "--related RESOURCE=FILE names a resource and a CSV file of ids"
	var all []related
	for _, flag := range flags {
		resource, file, ok := strings.Cut(flag, "=")
		if !ok || resource == "" || file == "" {
			return nil, usage(errors.New("--related: not of the form RESOURCE=FILE"), hint)
		}
		ids, err := readIDs(file)
		if err != nil {
			return nil, usage(fmt.Errorf("--related %s: %w", file, err), hint)
		}
		all = append(all, related{resource, file, ids})
	}
	return all, nil
}

// relatedRow is a row of a file of ids.
type relatedRow struct {
	ID string `csv:"id"`
}

// readIDs returns the column id of a CSV file with a header, or its only column,
// with a header or without.
func readIDs(file string) ([]string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, osfile.Cause(err)
	}
	defer f.Close()
	var ids []string
	err = gocsv.UnmarshalDecoderToCallback(newIDReader(f), func(r relatedRow) {
		ids = append(ids, strings.TrimSpace(r.ID))
	})
	if err != nil && err != io.EOF { // which a file without a line ends in
		return nil, csvCause(osfile.Cause(err))
	}
	return ids, nil
}

// idReader gives gocsv the records of a file of ids. The first is a header with the
// column id, whether the file has one or not.
type idReader struct {
	csv       *csv.Reader
	hasHeader bool     // it was returned
	first     []string // the first record of a file without a header; nil: none, or returned
}

// newIDReader reads r, with or without a byte order mark, with commas or semicolons.
func newIDReader(r io.Reader) *idReader {
	in := bufio.NewReader(r)
	const mark = "\ufeff"
	if head, _ := in.Peek(len(mark)); string(head) == mark {
		_, _ = in.Discard(len(mark))
	}
	d := &idReader{csv: csv.NewReader(in)}
	head, _ := in.Peek(in.Size())
	if line, _, _ := strings.Cut(string(head), "\n"); strings.Contains(line, ";") {
		d.csv.Comma = ';'
	}
	return d
}

// GetCSVRow implements gocsv.SimpleDecoder.
func (d *idReader) GetCSVRow() ([]string, error) {
	if row := d.first; row != nil {
		d.first = nil
		return row, nil
	}
	row, err := d.csv.Read()
	if err != nil || d.hasHeader {
		return row, err
	}
	d.hasHeader = true
	return d.header(row)
}

// header returns the header, where first is the first record.
func (d *idReader) header(first []string) ([]string, error) {
	column := slices.IndexFunc(first, func(name string) bool { return strings.EqualFold(strings.TrimSpace(name), "id") })
	switch {
	case column >= 0:
	case len(first) > 1:
		return nil, errors.New("several columns and none called id")
	default:
		column = 0
		if uuid.Validate(strings.TrimSpace(first[0])) == nil {
			d.first = first
		}
	}
	names := make([]string, len(first))
	names[column] = "id"
	return names, nil
}

// GetCSVRows implements gocsv.SimpleDecoder. Rows are read one by one.
func (d *idReader) GetCSVRows() ([][]string, error) { return nil, errors.ErrUnsupported }

// csvCause tells of a broken CSV file where it is broken, and nothing of what
// stands there.
func csvCause(err error) error {
	var broken *csv.ParseError
	if errors.As(err, &broken) {
		return fmt.Errorf("line %d: %w", broken.Line, broken.Err)
	}
	return err
}
