// Package pipelinetest makes schemas and batches for tests.
package sinks

import (
	"testing"

	"flytt/pipeline"
)

func schemaOf(names ...string) *pipeline.Schema {
	s := &pipeline.Schema{}
	for _, name := range names {
		s.Fields = append(s.Fields, pipeline.Field{Name: name})
	}
	return s
}

// null stands for a value that is not there.
const null = "\x00null"

// fieldBatch makes a batch of pending rows with the given field values.
func fieldBatch(rows ...[]string) *pipeline.Batch {
	b := &pipeline.Batch{}
	b.Reset(0)
	fields := b.SizeFields(len(rows[0]))
	for i, row := range rows {
		b.AddRow(int64(i + 2))
		for j, v := range row {
			if v == null {
				fields[j].AppendNull()
			} else {
				fields[j].Append([]byte(v))
			}
		}
	}
	return b
}

func encode(t testing.TB, e pipeline.Encoder, b *pipeline.Batch) *pipeline.Encoded {
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
