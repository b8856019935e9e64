package mappings

import (
	"bytes"

	"flytt/pipeline"
)

// Step returns a mapping step for one worker.
func (p *Plan) Step() pipeline.Step {
	s := &mapStep{Plan: p, cells: make([]pipeline.Column, len(p.names.names)), calls: make([]call, p.longest)}
	s.noter.severity = p.severity
	for i := range s.calls {
		s.calls[i].noter = &s.noter
	}
	s.env = newExprEnv(p.names)
	s.env.cells = s.cells
	return s
}

// mapStep is a Plan with the buffers of one worker. A field that is an unchanged column
// becomes a view of it; all others are computed row by row.
type mapStep struct {
	*Plan
	noter    noter
	cells    []pipeline.Column // views of the input columns that are read row by row
	env      *exprEnv
	calls    []call // for each place in a chain
	text     []byte // of the current row: the result of an expression, or of join
	unmapped []int  // rows that get no fields
}

// Apply implements pipeline.Step.
func (s *mapStep) Apply(b *pipeline.Batch) error {
	s.noter.batch = b
	for _, column := range s.rowwise {
		s.clean(&s.cells[column], &b.Input[column])
	}
	s.applyWhere(b)
	s.markUnmapped(b)
	columns := b.SizeFields(len(s.fields))
	for i := range s.fields {
		s.field(b, i, &columns[i])
	}
	b.Keys.Reset()
	if s.key >= 0 {
		b.Keys.View(&columns[s.key])
	}
	s.noter.batch = nil
	return nil
}

// clean makes dst a view of src without the white space around cells. Empty cells and
// those with a null word become null.
func (s *mapStep) clean(dst, src *pipeline.Column) {
	if s.trim {
		dst.Trim(src)
	} else {
		dst.View(src)
	}
	if len(s.nulls) == 0 {
		return
	}
	for i := range dst.Len() {
		v := dst.Value(i)
		for _, word := range s.nulls {
			if bytes.Equal(v, word) {
				dst.SetNull(i)
			}
		}
	}
}

// applyWhere skips the rows for which the expression where is false.
func (s *mapStep) applyWhere(b *pipeline.Batch) {
	if s.where == nil {
		return
	}
	for row, fate := range b.Fates {
		if fate == pipeline.Broken || fate == pipeline.Skipped {
			continue
		}
		result, err := s.env.run(s.where, row)
		keep, isBool := result.(bool)
		switch {
		case err == nil && isBool && !keep:
			b.Fates[row] = pipeline.Skipped
		case err != nil || !isBool:
			s.noter.moveTo(row, pipeline.None, s.where.single())
			s.noter.failExpr(err)
		}
	}
}

// markUnmapped collects the rows that get no fields: those that could not be decoded
// and those that are skipped.
func (s *mapStep) markUnmapped(b *pipeline.Batch) {
	s.unmapped = s.unmapped[:0]
	for row, fate := range b.Fates {
		if fate == pipeline.Broken || fate == pipeline.Skipped {
			s.unmapped = append(s.unmapped, row)
		}
	}
}

// field fills the column of field i.
func (s *mapStep) field(b *pipeline.Batch, i int, column *pipeline.Column) {
	f := &s.fields[i]
	switch {
	case f.exact:
		column.Mirror(&b.Input[f.from[0]])
	case f.direct():
		s.clean(column, &b.Input[f.from[0]])
	case f.constant != nil:
		column.Share(f.constant)
		for range b.Fates {
			column.AppendSpan(0, len(f.constant))
		}
	default:
		s.rows(b, i, column)
		return
	}
	for _, row := range s.unmapped {
		column.SetNull(row)
	}
}

// rows fills the column of field i row by row.
func (s *mapStep) rows(b *pipeline.Batch, i int, column *pipeline.Column) {
	f := &s.fields[i]
	column.Reset()
	for row := range b.Fates {
		if fate := b.Fates[row]; fate == pipeline.Broken || fate == pipeline.Skipped {
			column.AppendNull()
			continue
		}
		s.noter.moveTo(row, i, s.columns[i])
		if v := s.value(f, row); len(v) > 0 && !s.noter.failed {
			column.Append(v)
		} else {
			column.AppendNull()
		}
	}
}

// value returns the value of a row for a field; nothing for no value. It stays valid
// until the next call.
func (s *mapStep) value(f *fieldPlan, row int) []byte {
	v := s.initialValue(f, row)
	for i, convert := range f.chain {
		if len(v) == 0 || s.noter.failed {
			break
		}
		v = convert(&s.calls[i], v)
	}
	if f.lookup != nil && len(v) > 0 && !s.noter.failed {
		v = s.lookUp(f.lookup, v)
	}
	if len(v) == 0 {
		return f.fallback
	}
	return v
}

// initialValue returns the value of a field before conversions and lookup.
func (s *mapStep) initialValue(f *fieldPlan, row int) []byte {
	if f.expr != nil {
		return s.evaluate(f.expr, row)
	}
	if f.joined {
		return s.join(f, row)
	}
	for _, column := range f.from {
		if v := s.cells[column].Value(row); len(v) > 0 {
			s.noter.column = problemColumn(column)
			return v
		}
	}
	return nil
}

func (s *mapStep) evaluate(p *program, row int) []byte {
	result, err := s.env.run(p, row)
	if err == nil {
		s.text, err = appendResult(s.text[:0], result)
	}
	if err != nil {
		s.noter.failExpr(err)
		return nil
	}
	return s.text
}

func (s *mapStep) join(f *fieldPlan, row int) []byte {
	s.text = s.text[:0]
	for _, column := range f.from {
		v := s.cells[column].Value(row)
		if len(v) > 0 && len(s.text) > 0 {
			s.text = append(s.text, f.join...)
		}
		s.text = append(s.text, v...)
	}
	return s.text
}

func (s *mapStep) lookUp(t *lookupTable, v []byte) []byte {
	key := bytes.TrimSpace(v)
	found, ok := t.values[string(key)]
	if !ok {
		s.noter.failPrivate(codeLookup, shape(key), string(key))
	}
	return found
}

// noter notes the problems of one value.
type noter struct {
	batch    *pipeline.Batch
	severity map[pipeline.Code]pipeline.Severity // in place of a code's own
	row      int32
	field    int16
	column   int16
	failed   bool // an Error was noted
}

func (n *noter) moveTo(row, field int, column int16) {
	n.row, n.field, n.column, n.failed = int32(row), int16(field), column, false
}

// severityOf returns the severity of a code; own is what it is unless the mapping says
// otherwise.
func (n *noter) severityOf(code pipeline.Code, own pipeline.Severity) pipeline.Severity {
	if s, ok := n.severity[code]; ok {
		return s
	}
	return own
}

// fail notes a problem that is an Error unless the mapping says otherwise. If it is not
// an Error, the value stays as it is.
func (n *noter) fail(code pipeline.Code, shape string) { n.failPrivate(code, shape, "") }

func (n *noter) failPrivate(code pipeline.Code, shape, private string) {
	n.note(code, n.severityOf(code, pipeline.Error), shape)
	n.batch.Problems[len(n.batch.Problems)-1].Private = private
}

func (n *noter) failExpr(err error) {
	if err == nil {
		err = errResult
	}
	n.fail(codeExpr, exprShape(err))
}

func (n *noter) note(code pipeline.Code, severity pipeline.Severity, shape string) {
	n.failed = n.failed || severity == pipeline.Error
	n.batch.Note(pipeline.Problem{
		Row: n.row, Field: n.field, Column: n.column, Severity: severity, Stage: pipeline.Map, Code: code, Shape: shape,
	})
}
