package sandbox

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gocarina/gocsv"
	"github.com/google/uuid"
)

// relatedRow is a row of a file of ids.
type relatedRow struct {
	ID string `csv:"id"`
}

// ReadIDs returns the ids of a CSV file for AddRelated: its column id, or its only
// column, with a header or without. No error shows what stands in the file.
func ReadIDs(in io.Reader) ([]string, error) {
	var ids []string
	err := gocsv.UnmarshalDecoderToCallback(newIDReader(in), func(r relatedRow) {
		ids = append(ids, strings.TrimSpace(r.ID))
	})
	var broken *csv.ParseError
	switch {
	case err == io.EOF: // not even a header
		return nil, nil
	case errors.As(err, &broken):
		return nil, fmt.Errorf("line %d: %w", broken.Line, broken.Err)
	}
	return ids, err
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
