package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

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

// readIDs returns the column id of a CSV file with a header, or its only column,
// with a header or without.
func readIDs(file string) ([]string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, osfile.Cause(err)
	}
	text := strings.TrimPrefix(string(data), "\ufeff")
	first, _, _ := strings.Cut(text, "\n")
	r := csv.NewReader(strings.NewReader(text))
	if strings.Contains(first, ";") {
		r.Comma = ';'
	}
	records, err := r.ReadAll()
	if err != nil {
		return nil, csvCause(err)
	}
	if len(records) == 0 {
		return nil, nil
	}
	header := records[0]
	column := slices.IndexFunc(header, func(name string) bool { return strings.EqualFold(strings.TrimSpace(name), "id") })
	switch {
	case column >= 0:
		records = records[1:]
	case len(header) > 1:
		return nil, errors.New("several columns and none called id")
	default:
		column = 0
		if uuid.Validate(strings.TrimSpace(header[0])) != nil {
			records = records[1:]
		}
	}
	ids := make([]string, len(records))
	for i, record := range records {
		ids[i] = strings.TrimSpace(record[column])
	}
	return ids, nil
}

// csvCause tells of a broken CSV file where it is broken, and nothing of what
// stands there.
func csvCause(err error) error {
	var broken *csv.ParseError
	if errors.As(err, &broken) {
		return fmt.Errorf("line %d: %w", broken.Line, broken.Err)
	}
	return err
}
