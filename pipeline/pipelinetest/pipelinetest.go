// Package pipelinetest makes schemas and batches for tests.
package pipelinetest

import (
	"testing"

	"flytt/pipeline"
)

// Schema is one of text fields with the given names.
func Schema(names ...string) *pipeline.Schema {
	s := &pipeline.Schema{}
	for _, name := range names {
		s.Fields = append(s.Fields, pipeline.Field{Name: name})
	}
	return s
}

// Null stands for a value that is not there.
const Null = "\x00null"

// Batch makes a batch of pending rows with the given field values.
func Batch(rows ...[]string) *pipeline.Batch {
	b := &pipeline.Batch{}
	b.Reset(0)
	fields := b.SizeFields(len(rows[0]))
	for i, row := range rows {
		b.AddRow(int64(i + 2))
		for j, v := range row {
			if v == Null {
				fields[j].AppendNull()
			} else {
				fields[j].Append([]byte(v))
			}
		}
	}
	return b
}

// Encode returns what e makes of b.
func Encode(t testing.TB, e pipeline.Encoder, b *pipeline.Batch) *pipeline.Encoded {
	t.Helper()
	var out pipeline.Encoded
	if err := e.Encode(b, &out); err != nil {
		t.Fatal(err)
	}
	if len(out.Ends) != b.Len() {
		t.Fatalf("%d rows encoded as %d", b.Len(), len(out.Ends))
	}
	return &out
}

// Documented demands that each of codes is listed once.
func Documented(t testing.TB, codes []pipeline.CodeInfo) {
	t.Helper()
	seen := map[pipeline.Code]bool{}
	for _, c := range codes {
		if seen[c.Code] || c.Code == "" {
			t.Errorf("%+v", c)
		}
		seen[c.Code] = true
	}
	if len(seen) == 0 {
		t.Error("no codes")
	}
}
