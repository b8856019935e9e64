package mappings

import (
	"bytes"

	"flytt/pipeline"
)

// Trait is something by which rows are told to be about the same record, or the
// same person.
type Trait uint8

// The traits, in the order in which they are named. Key is the id of the record
// that a row changes, and of a row that makes one its key.
const (
	Key Trait = iota
	SSN
	OrgNo
	Email

	Traits = iota // how many there are
)

var traitNames = [Traits]string{"key", "ssn", "org_no", "email"}

// String returns the name of the trait.
func (t Trait) String() string { return traitNames[t] }

// TraitNames returns the names of the traits, in order.
func TraitNames() []string { return traitNames[:] }

// traitOf returns the trait that values of f are, as far as its format tells.
func traitOf(f *Field) (t Trait, ok bool) {
	switch f.Format {
	case "personnummer":
		return SSN, true
	case "organisationsnummer":
		return OrgNo, true
	case "email":
		return Email, true
	}
	return 0, false
}

// Identity returns the mapping of those fields alone by which rows are told
// apart, to look at all rows for nothing else; nil if there are none. Compile it
// with CompileOptions.Partial.
func (m *Mapping) Identity(r *Resource) *Mapping {
	key := m.Key
	if key == "" {
		key = r.Key
	}
	only := *m
	only.Fields = nil
	for _, rule := range m.Fields {
		f := r.Field(rule.Field)
		if f == nil {
			continue
		}
		if _, ok := traitOf(f); ok || f.Name == idField || f == r.Field(key) {
			only.Fields = append(only.Fields, rule)
		}
	}
	if len(only.Fields) == 0 {
		return nil
	}
	return &only
}

// TraitField returns the field of r that its records have the trait in, where key
// is the name of that which identifies them; nil if there is none.
func (r *Resource) TraitField(t Trait, key string) *Field {
	if t == Key {
		return r.Field(key)
	}
	for i := range r.Fields {
		if of, ok := traitOf(&r.Fields[i]); ok && of == t {
			return &r.Fields[i]
		}
	}
	return nil
}

// Append appends v in the form in which values of the trait are compared; nothing
// if it cannot be.
func (t Trait) Append(out, v []byte) []byte {
	return append(out, appendTrait(nil, t, bytes.TrimSpace(v))...)
}

// TraitReader reads the traits of rows. It is for one goroutine.
type TraitReader struct {
	fields [Traits]int // indices in the schema; pipeline.None: there is none
	id     int
	text   []byte // buffer
}

// TraitReader returns a reader of the batches that p makes. Rows that have an id
// are told apart by that alone, if byID says that they change the record it names.
func (p *Plan) TraitReader(r *Resource, byID bool) *TraitReader {
	t := &TraitReader{id: pipeline.None}
	for i := range t.fields {
		t.fields[i] = pipeline.None
	}
	for i, column := range p.schema.Fields {
		f := r.Field(column.Name)
		if f == nil {
			continue
		}
		if trait, ok := traitOf(f); ok && t.fields[trait] == pipeline.None {
			t.fields[trait] = i
		}
		if f.Name == idField && byID {
			t.id = i
		}
	}
	t.fields[Key] = p.key
	return t
}

// Field returns the index of the field that the trait of row i of b is read from,
// pipeline.None if there is none.
func (t *TraitReader) Field(b *pipeline.Batch, i int, trait uint8) int {
	if Trait(trait) == Key && t.hasID(b, i) {
		return t.id
	}
	return t.fields[trait]
}

// hasID reports whether row i of b changes the record that its id names.
func (t *TraitReader) hasID(b *pipeline.Batch, i int) bool {
	return t.id >= 0 && len(b.Fields[t.id].Value(i)) > 0
}

// Read calls yield with each trait that row i of b has, as text that is the same
// for rows that are alike: the digits of a number, an address in lower case. The
// text is valid until yield returns. Traits are numbers here, as the reader of
// package dedup has it.
func (t *TraitReader) Read(b *pipeline.Batch, i int, yield func(trait uint8, text []byte)) {
	if t.hasID(b, i) {
		t.text = append(append(t.text[:0], "id "...), bytes.ToLower(b.Fields[t.id].Value(i))...)
		yield(uint8(Key), t.text)
		return
	}
	for trait, field := range t.fields {
		if field < 0 {
			continue
		}
		if v := bytes.TrimSpace(b.Fields[field].Value(i)); len(v) > 0 {
			if t.text = appendTrait(t.text[:0], Trait(trait), v); len(t.text) > 0 {
				yield(uint8(trait), t.text)
			}
		}
	}
}

// appendTrait appends v in the form in which it is compared: of a personnummer the
// twelve digits, of an organisationsnummer the ten that follow the 16, or the
// century of a sole trader, if there is one. What has not as many is no number.
func appendTrait(out []byte, t Trait, v []byte) []byte {
	switch t {
	case Key:
		return append(out, v...)
	case Email:
		return append(out, bytes.ToLower(v)...)
	}
	for _, c := range v {
		if c >= '0' && c <= '9' {
			out = append(out, c)
		}
	}
	switch {
	case t == OrgNo && len(out) == 12:
		return out[2:]
	case t == OrgNo && len(out) == 10, t == SSN && len(out) == 12:
		return out
	}
	return out[:0] // no number that could be compared
}
