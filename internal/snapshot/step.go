package snapshot

import (
	"flytt/internal/dedup"
	"flytt/pipeline"
)

// Step returns a step, for one worker, that notes of rows which texts they have in common with
// records: a warning with code, whose private value is the id of the first such record.
// Columns has the column of the input of each field.
func (s *Snapshot) Step(r dedup.Reader, columns []int16, code pipeline.Code) pipeline.Step {
	return &marker{snapshot: s, reader: r, columns: columns, code: code}
}

type marker struct {
	snapshot *Snapshot
	reader   dedup.Reader
	columns  []int16
	code     pipeline.Code
}

// Apply notes the rows of b that are like records.
func (m *marker) Apply(b *pipeline.Batch) (err error) {
	for i, fate := range b.Fates {
		if fate != pipeline.Pending {
			continue
		}
		m.reader.Read(b, i, func(kind uint8, text []byte) {
			if err == nil {
				err = m.note(b, i, kind, text)
			}
		})
	}
	return err
}

// note notes the first record that has text, which row i of b has.
func (m *marker) note(b *pipeline.Batch, i int, kind uint8, text []byte) error {
	id := ""
	err := m.snapshot.find(kind, text, func(record []byte) error {
		if id == "" {
			id = memberText(record, "id")
		}
		return nil
	})
	if err != nil || id == "" {
		return err
	}
	p := pipeline.Problem{Row: int32(i), Field: pipeline.None, Column: pipeline.None, Severity: pipeline.Warning,
		Stage: pipeline.Validate, Code: m.code, Private: id}
	if field := m.reader.Field(b, i, kind); field >= 0 {
		p.Field, p.Column = int16(field), m.columns[field]
	}
	b.Note(p)
	return nil
}
