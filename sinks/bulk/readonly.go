package bulk

import (
	"bytes"
	"math"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/jsonscan"
	"flytt/pipeline"
)

// noteReadOnly warns if row has cells under the names of fields that only the API
// sets and they are not what record holds: somebody edited them, to no avail. An
// empty cell says nothing.
func (w *write) noteReadOnly(row int32, record []byte) {
	for _, c := range w.bulk.options.ReadOnly {
		if c.Column >= len(w.chunk.Input) {
			continue
		}
		cell := bytes.TrimSpace(w.chunk.Input[c.Column].Value(int(row)))
		if len(cell) == 0 || shows(jsonscan.Member(record, c.Field), cell) {
			continue
		}
		w.chunk.Note(pipeline.Problem{
			Row: row, Field: pipeline.None, Column: int16(min(c.Column, math.MaxInt16)),
			Severity: pipeline.Warning, Stage: pipeline.Write, Code: codeReadOnlyCell,
		})
		return // once for each row
	}
}

// shows reports whether cell is how an export writes v: a text or a moment as it
// is, all else as JSON.
func shows(v jsontext.Value, cell []byte) bool {
	if len(v) == 0 || bytes.Equal(v, cell) {
		return true
	}
	if v.Kind() == '"' {
		text := bytes.TrimSpace(jsonscan.Text(v))
		if bytes.Equal(text, cell) || sameMoment(text, cell) {
			return true
		}
	}
	a, b := slices.Clone(v), jsontext.Value(bytes.Clone(cell))
	return a.Canonicalize() == nil && b.Canonicalize() == nil && bytes.Equal(a, b)
}

func sameMoment(a, b []byte) bool {
	x, err := time.Parse(time.RFC3339Nano, string(a))
	if err != nil {
		return false
	}
	y, err := time.Parse(time.RFC3339Nano, string(b))
	return err == nil && x.Equal(y)
}
