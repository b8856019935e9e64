package mappings

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"flytt/pipeline"
)

// lookupTable is the table of a lookup. All workers share it, and it never changes.
type lookupTable struct {
	name   string // for messages and file names: clients
	values map[string][]byte
}

// unknownHeader is the error for a key or value column that the table does not have.
type unknownHeader struct {
	part    string // key or value
	name    string
	columns []string
}

func (e *unknownHeader) Error() string { return fmt.Sprintf("no column %q", e.name) }

// loadTable reads the table of l, whose file is relative to dir.
func loadTable(l *TableLookup, dir string) (*lookupTable, error) {
	path := l.File
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		var at *os.PathError
		if errors.As(err, &at) {
			err = at.Err // the name as the mapping has it says enough
		}
		return nil, fmt.Errorf("%s: %w", l.File, err)
	}
	values, err := readTable(l, data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.File, err)
	}
	base := filepath.Base(l.File)
	return &lookupTable{name: strings.TrimSuffix(base, filepath.Ext(base)), values: values}, nil
}

// readTable reads a CSV table with a header, in UTF-8 with or without a byte order
// mark. With a byte order mark and semicolons it is CSV for Excel, and the guards of
// its cells are removed.
func readTable(l *TableLookup, data []byte) (map[string][]byte, error) {
	data, marked := bytes.CutPrefix(data, []byte("\uFEFF"))
	if !utf8.Valid(data) {
		return nil, fmt.Errorf("line %d: not UTF-8: save the table as CSV UTF-8", 1+bytes.Count(data[:firstInvalid(data)], []byte("\n")))
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.Comma = tableDelimiter(data)
	r.ReuseRecord = true
	header, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the table is empty")
	}
	if err != nil {
		return nil, tableFault(err)
	}
	columns := newHeaders(header)
	key, ok := columns.find(l.Key)
	if !ok {
		return nil, &unknownHeader{"key", l.Key, columns.names}
	}
	value, ok := columns.find(l.Value)
	if !ok {
		return nil, &unknownHeader{"value", l.Value, columns.names}
	}
	cell := trimCell
	if marked && r.Comma == ';' {
		cell = func(s string) string { return trimCell(string(pipeline.UnguardCell([]byte(s)))) }
	}
	return readRows(r, key, value, cell)
}

// readRows reads the rows of a table; cell converts each cell. A key without a value
// counts as absent; a key with two different values is an error.
func readRows(r *csv.Reader, key, value int, cell func(string) string) (map[string][]byte, error) {
	values, lines := map[string][]byte{}, map[string]int{}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return values, nil
		}
		if err != nil {
			return nil, tableFault(err)
		}
		k, v := cell(row[key]), cell(row[value])
		if k == "" || v == "" {
			continue
		}
		line, _ := r.FieldPos(0)
		if before, twice := values[k]; twice && string(before) != v {
			return nil, fmt.Errorf("lines %d and %d give one key two values", lines[k], line)
		} else if !twice {
			values[strings.Clone(k)], lines[strings.Clone(k)] = []byte(v), line
		}
	}
}

// trimCell removes the same white space as the map step.
func trimCell(s string) string { return strings.Trim(s, " \t\r\n\v\f\u00A0") }

// tableFault returns err without any part of the row.
func tableFault(err error) error {
	var at *csv.ParseError
	if !errors.As(err, &at) {
		return err
	}
	return fmt.Errorf("line %d: %w", at.Line, at.Err)
}

// tableDelimiter returns the delimiter that is most frequent in the header.
func tableDelimiter(data []byte) rune {
	header, _, _ := bytes.Cut(data, []byte("\n"))
	best, most := ',', 0
	for _, d := range []rune{',', ';', '\t'} {
		if n := bytes.Count(header, []byte(string(d))); n > most {
			best, most = d, n
		}
	}
	return best
}
