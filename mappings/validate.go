package mappings

import (
	"errors"
	"fmt"
	"sync"

	"flytt/internal/text"
	"flytt/mappings/identity"
	"flytt/pipeline"
)

// ValidateOptions say how strictly a Validator checks, and which rows. The zero value
// applies all rules of the descriptor.
type ValidateOptions struct {
	Identity identity.Rules                      // the clock, and what is allowed in identity numbers
	Severity map[pipeline.Code]pipeline.Severity // replaces the severity of a code
	Partial  bool                                // rows change records: a field without a value stays as it is, so no value is missing
	ByID     bool                                // rows with an id change records, as with Partial; the others create records
	Clear    bool                                // rows that change records clear the fields without a value, which is an error for required fields
	New      bool                                // rows create records, and an id is an error
	Columns  []int16                             // for each field of the schema the input column that it comes from, for Problem.Column; nil: not known
}

// Validator checks rows by the rules of a resource's descriptor. It is safe for
// concurrent use.
//
// A value is checked for its type, then its format, enum, pattern, length and bounds.
// Only the first of these that fails is reported: a personnummer of nine digits is not
// also too short. An identity number that has the right shape gets all its faults
// reported. A field without a value is only checked for required. The rules between
// fields come after that; for them, a field whose value an earlier step rejected has a
// value. A row that changes a record may lack what the record has, so of the rules
// about missing values only required applies to it, and only if the field is cleared.
type Validator struct {
	resource *Resource
	schema   *pipeline.Schema
	fields   []fieldChecks
	rules    []rowCheck
	severity map[pipeline.Code]pipeline.Severity
	columns  []int16
	partial  bool
	id       int       // index in the schema of the id by which a row changes a record, or pipeline.None
	missing  []string  // required columns that the schema leaves out, which only rows without an id lack
	records  sync.Pool // of *recordCheck
}

// fieldChecks are the checks of one column of the batch.
type fieldChecks struct {
	field    int  // index in the schema
	required bool // in rows that create records
	kept     bool // in rows that change records: it must not be cleared
	checks   []valueCheck
}

// NewValidator returns a validator of batches with the schema s. It is an error if s
// has a field that r does not know, or lacks one without which no row could be valid.
func NewValidator(r *Resource, s *pipeline.Schema, o ValidateOptions) (*Validator, error) {
	if o.Columns != nil && len(o.Columns) != len(s.Fields) {
		return nil, fmt.Errorf("%d input columns given for %d fields", len(o.Columns), len(s.Fields))
	}
	v := &Validator{resource: r, schema: s, severity: o.Severity, columns: o.Columns, partial: o.Partial, id: pipeline.None}
	if o.ByID && !o.Partial {
		v.id = s.Index(idField)
	}
	for i := range s.Fields {
		f := r.Field(s.Fields[i].Name)
		if f == nil {
			return nil, withHint("resource "+r.Name+" has no field "+s.Fields[i].Name, text.Known(s.Fields[i].Name, r.Columns()))
		}
		checks, err := valueChecks(f, &o)
		if err != nil {
			return nil, fmt.Errorf("resource %s field %s: %w", r.Name, f.Name, err)
		}
		required := f.Required && !o.Partial
		kept := o.Clear && f.Required && !f.Nullable
		if required || kept || len(checks) > 0 {
			v.fields = append(v.fields, fieldChecks{i, required, kept, checks})
		}
	}
	if err := v.checkMapped(); err != nil {
		return nil, err
	}
	var err error
	v.rules, err = rowChecks(r, s, v)
	if err != nil {
		return nil, err
	}
	if at := s.Index(idField); o.New && at >= 0 {
		v.rules = append(v.rules, rowCheck{at: at, broken: hasValue, code: codeHasID})
	}
	v.records.New = func() any { return v.newRecordCheck() }
	return v, nil
}

// checkMapped returns an error for required fields that the schema lacks, unless there
// can be rows that do not need them.
func (v *Validator) checkMapped() error {
	var faults []error
	for i := range v.resource.Fields {
		f := &v.resource.Fields[i]
		switch {
		case !f.Required || v.partial || v.schema.Index(f.Column()) >= 0:
		case v.id >= 0:
			v.missing = append(v.missing, f.Column())
		default:
			faults = append(faults, fmt.Errorf("required field %s is not mapped", f.Column()))
		}
	}
	return errors.Join(faults...)
}

// Step returns a step that validates, for the use of one worker.
func (v *Validator) Step() pipeline.Step { return &validation{Validator: v} }

// validation is the step of a Validator, with the buffers of one worker.
type validation struct {
	*Validator
	batch  *pipeline.Batch
	failed []uint64 // a bit for each row and field: an earlier step has noted an Error
}

// Apply implements pipeline.Step.
func (s *validation) Apply(b *pipeline.Batch) error {
	s.batch = b
	s.markFailed()
	for i := range s.fields {
		s.column(&s.fields[i])
	}
	for i := range s.rules {
		s.rules[i].run(s)
	}
	s.incomplete()
	s.batch = nil
	return nil
}

// changes reports whether row changes a record, which may have values where the row has
// none.
func (s *validation) changes(row int) bool {
	return s.partial || s.id >= 0 && s.given(row, s.id)
}

// incomplete notes the required fields that the schema lacks, for the rows that need
// them.
func (s *validation) incomplete() {
	for _, column := range s.missing {
		for row := range s.batch.Len() {
			if !s.changes(row) {
				s.note(row, pipeline.None, codeRequired, column)
			}
		}
	}
}

// markFailed records which fields have an Error already.
func (s *validation) markFailed() {
	words := (s.batch.Len()*len(s.schema.Fields) + 63) / 64
	if words > cap(s.failed) {
		s.failed = make([]uint64, words)
	}
	s.failed = s.failed[:words]
	clear(s.failed)
	for i := range s.batch.Problems {
		p := &s.batch.Problems[i]
		if p.Severity == pipeline.Error && p.Row >= 0 && p.Field >= 0 {
			bit := s.bit(int(p.Row), int(p.Field))
			s.failed[bit/64] |= 1 << (bit % 64)
		}
	}
}

func (s *validation) bit(row, field int) int { return row*len(s.schema.Fields) + field }

func (s *validation) hasFailed(row, field int) bool {
	bit := s.bit(row, field)
	return s.failed[bit/64]&(1<<(bit%64)) != 0
}

// column runs the checks of one field on its column.
func (s *validation) column(f *fieldChecks) {
	c := &s.batch.Fields[f.field]
	for row := range c.Len() {
		v := c.Value(row)
		if len(v) == 0 {
			needed := f.required
			if (needed || f.kept) && s.changes(row) {
				needed = f.kept
			}
			if needed {
				s.note(row, f.field, codeRequired, "")
			}
			if needed || c.Null(row) {
				continue
			}
		}
		for i := range f.checks {
			if !f.checks[i].ok(v) {
				s.explain(row, f, &f.checks[i], v)
				break
			}
		}
	}
}

// explain notes the problem that check has found in v.
func (s *validation) explain(row int, f *fieldChecks, check *valueCheck, v []byte) {
	if check.faults == nil {
		s.note(row, f.field, check.code, check.shape(v))
		return
	}
	for _, code := range check.faults(v).Codes() {
		s.note(row, f.field, code, check.shape(v))
	}
}

// note records a problem of a field, or of the row if field is None, unless the row is
// not checked or the field has an Error already.
func (s *validation) note(row, field int, code pipeline.Code, shape string) {
	if fate := s.batch.Fates[row]; fate != pipeline.Pending && fate != pipeline.Rejected || field >= 0 && s.hasFailed(row, field) {
		return
	}
	column := int16(pipeline.None)
	if s.columns != nil && field >= 0 {
		column = s.columns[field]
	}
	s.batch.Note(pipeline.Problem{
		Row: int32(row), Field: int16(field), Column: column,
		Severity: s.severityOf(code), Stage: pipeline.Validate, Code: code, Shape: shape,
	})
}

func (v *Validator) severityOf(code pipeline.Code) pipeline.Severity {
	if severity, ok := v.severity[code]; ok {
		return severity
	}
	return ownSeverity(code)
}
