package sandbox

import (
	"strings"
	"testing"

	"flytt/mappings"
)

// TestPagesAreEnteredByAnIndex looks at SQLite's plan for a page behind a known
// row: it goes straight there, and reads on in the order asked for.
func TestPagesAreEnteredByAnIndex(t *testing.T) {
	s, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	r, err := mappings.Lookup("externalclientcontactperson")
	if err != nil {
		t.Fatal(err)
	}
	table := s.tables[r.Path]
	span := "created_at__gte=2020-01-01&created_at__lte=2030-01-01&"
	for query, want := range map[string]string{
		"":                                  "USING INTEGER PRIMARY KEY (rowid>?)",
		"name__icontains=a&email__isnull=1": "USING INTEGER PRIMARY KEY (rowid>?)",
		"_order_by=id":                      "(id>?)",
		"_order_by=-id,name":                "(id<?)",
		"_order_by=created_at,id":           "created ((created_at,id)>(?,?))",
		"_order_by=-created_at,-id":         "created ((created_at,id)<(?,?))",
		span + "_order_by=created_at,id":    "created ((created_at,id)>(?,?) AND created_at<?)",
		span + "_order_by=-created_at,-id":  "created (created_at>? AND (created_at,id)<(?,?))",
		"created_at=2020-01-01&_order_by=created_at,id": "created ((created_at,id)>(?,?) AND created_at<?)",
	} {
		if got := explain(t, s, table, query); !strings.Contains(strings.ReplaceAll(got, "COVERING ", ""), want) || strings.Contains(got, "TEMP B-TREE") {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}

// explain returns SQLite's plan for a page of a list behind a row.
func explain(t *testing.T, s *Sandbox, table *table, query string) string {
	q, err := table.query(query, &s.options)
	if err != nil {
		t.Fatal(err)
	}
	seek := q.seek()
	if seek == nil {
		return "no index"
	}
	text, args := q.part(1, seek, []any{1, 2}[:len(seek.columns)], 0, 500)
	rows, err := s.store.readers.Query("EXPLAIN QUERY PLAN "+text, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var steps []string
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(steps, "; ")
}
