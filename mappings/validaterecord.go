package mappings

import "flytt/pipeline"

// recordCheck is a step with a batch of one row.
type recordCheck struct {
	step  pipeline.Step
	batch pipeline.Batch
}

func (v *Validator) newRecordCheck() *recordCheck { return &recordCheck{step: v.Step()} }

// Record validates one record by the same rules as Step. It calls get for the value of
// each field of the schema, by the name of its column: nil for a null, not present for
// a field that was not given. A null in a field that does not allow it is reported as
// required. It calls note with the same names and the codes, errors only, in the order
// in which they are found.
func (v *Validator) Record(get func(field string) (value []byte, present bool), note func(field string, code pipeline.Code)) {
	r := v.records.Get().(*recordCheck)
	defer v.records.Put(r)
	r.batch.Reset(0)
	r.batch.AddRow(1)
	fields := r.batch.SizeFields(len(v.schema.Fields))
	for i := range fields {
		name := v.schema.Fields[i].Name
		value, present := get(name)
		if !present {
			value = nil
		}
		fields[i].Reset()
		fields[i].Append(value)
		if present && value == nil && v.refusesNull(name) {
			note(name, codeRequired)
		}
	}
	_ = r.step.Apply(&r.batch) // validation has no error of the run
	for _, p := range r.batch.Problems {
		if p.Severity == pipeline.Error {
			note(v.schema.Fields[p.Field].Name, p.Code)
		}
	}
}

// refusesNull reports whether a null in the field is a fault. The step does not see it,
// because for the step a null is a field that was not given.
func (v *Validator) refusesNull(name string) bool {
	f := v.resource.Field(name)
	seen := f.Required && !v.partial
	return !f.Nullable && !seen
}
