package bulk

import (
	"bytes"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/jsonscan"
	"flytt/pipeline"
)

// A record may break the rules that rows are held against: it is older than they
// are, or came another way. An export has it as it is, and to import that again
// untouched must not turn it away. So a row with an id whose every fault is one
// of a value is sent on by the encoder with its faults, and compared with its
// record first: where the record holds just that, there is nothing to send, and
// the faults are warnings. Otherwise the row is rejected for them.

// pardonable reports whether p may be pardoned if the record of its row is the
// same. With asStored that goes for what a conversion could not read, too.
func pardonable(p *pipeline.Problem, asStored bool) bool {
	return p.Field >= 0 && (p.Stage == pipeline.Validate || asStored && p.Stage == pipeline.Map)
}

// flawed returns for each row of b whether it was rejected for nothing but faults
// that may be pardoned; dst is used for that. It is empty if there is none.
func flawed(dst []bool, b *pipeline.Batch, asStored bool) []bool {
	dst = dst[:0]
	if !slices.Contains(b.Fates, pipeline.Rejected) {
		return dst
	}
	for _, fate := range b.Fates {
		dst = append(dst, fate == pipeline.Rejected)
	}
	for i := range b.Problems {
		p := &b.Problems[i]
		if p.Row >= 0 && p.Severity == pipeline.Error && !pardonable(p, asStored) {
			dst[p.Row] = false
		}
	}
	return dst
}

// faults returns the indices of the errors of row among the problems.
func (w *write) faults(row int32) (at []int) {
	for i := range w.chunk.Problems {
		if p := &w.chunk.Problems[i]; p.Row == row && p.Severity == pipeline.Error {
			at = append(at, i)
		}
	}
	return at
}

// sound returns those of rows, which have no record, that have no faults; the
// others are rejected for theirs.
func (w *write) sound(rows []int32) []int32 {
	return slices.DeleteFunc(rows, func(row int32) bool {
		bad := len(w.faults(row)) > 0
		if bad {
			w.chunk.Fates[row] = pipeline.Rejected
		}
		return bad
	})
}

// excuse reports whether row, whose record would have to be changed by patch, may
// be taken for what it is in spite of its faults, which are then warnings. A
// value that lacks is excused where the record has none either: an API that does
// not show it. All else is excused only in a row that changes nothing.
func (w *write) excuse(row int32, patch, record []byte) bool {
	faults := w.faults(row)
	for _, at := range faults {
		p := &w.chunk.Problems[at]
		name := memberOf(w.bulk.schema.Fields[p.Field].Name)
		got := jsonscan.Member(record, name)
		held := jsonscan.Member(w.item(row), name) != nil || w.asStored(row, name, got)
		if lacking := p.Code == codeRequired && nothing(got); !lacking && (patch != nil || !held) {
			return false
		}
	}
	if len(faults) > 0 {
		w.pardon(row)
	}
	return true
}

// asStored reports whether the cell of row for the field called name is the text
// that its record holds, got, which the mapping may have given another form.
func (w *write) asStored(row int32, name string, got jsontext.Value) bool {
	at := w.bulk.schema.Index(name)
	if !w.bulk.options.AsStored || at < 0 || got.Kind() != '"' {
		return false
	}
	cell := w.cell(row, at)
	return cell != nil && bytes.Equal(bytes.TrimSpace(cell), bytes.TrimSpace(jsonscan.Text(got)))
}

// cell returns what stands in the input where row has its value for the field
// with the index at; nil if that is no single column.
func (w *write) cell(row int32, at int) []byte {
	columns := w.bulk.options.Columns
	if at < 0 || at >= len(columns) || columns[at] < 0 || int(columns[at]) >= len(w.chunk.Input) {
		return nil
	}
	return w.chunk.Input[columns[at]].Value(int(row))
}

// memberOf returns the member of an object that has the field called name:
// external_client of external_client.id.
func memberOf(name string) string {
	name, _, _ = strings.Cut(name, ".")
	return name
}
