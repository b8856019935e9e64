package mappings

import (
	"bytes"
	"cmp"

	"flytt/pipeline"
)

// MatchField is a kind of value that identifies a record or a person: two rows with the
// same value in it are duplicates.
type MatchField uint8

// The match fields, in the order in which messages name them. MatchKey is the id of the
// record that a row changes, or the key of a row that creates one.
const (
	MatchKey MatchField = iota
	MatchSSN
	MatchOrgNo
	MatchEmail

	MatchFieldCount = iota // how many there are
)

var matchFieldNames = [MatchFieldCount]string{"key", "ssn", "org_no", "email"}

// String returns the name of the match field.
func (t MatchField) String() string { return matchFieldNames[t] }

// MatchFieldNames returns the names of the match fields, in order.
func MatchFieldNames() []string { return matchFieldNames[:] }

// matchFieldOf returns the match field that f is by its format, if it is one.
func matchFieldOf(f *Field) (t MatchField, ok bool) {
	switch f.Format {
	case "personnummer":
		return MatchSSN, true
	case "organisationsnummer":
		return MatchOrgNo, true
	case "email":
		return MatchEmail, true
	}
	return 0, false
}

// MatchFieldsOnly returns the mapping reduced to its match fields, for a pass over the
// rows that only looks for duplicates; nil if it has none. Compile it with
// CompileOptions.Partial.
func (m *Mapping) MatchFieldsOnly(r *Resource) *Mapping {
	key := cmp.Or(m.Key, r.Key)
	only := *m
	only.Fields = nil
	for _, rule := range m.Fields {
		f := r.Field(rule.Field)
		if f == nil {
			continue
		}
		if _, ok := matchFieldOf(f); ok || f.Name == idField || f == r.Field(key) {
			only.Fields = append(only.Fields, rule)
		}
	}
	if len(only.Fields) == 0 {
		return nil
	}
	return &only
}

// FieldForMatch returns the field of r that holds the match field t, where key is the
// name of the field that identifies a record; nil if there is none.
func (r *Resource) FieldForMatch(t MatchField, key string) *Field {
	if t == MatchKey {
		return r.Field(key)
	}
	for i := range r.Fields {
		if of, ok := matchFieldOf(&r.Fields[i]); ok && of == t {
			return &r.Fields[i]
		}
	}
	return nil
}

// AppendComparable appends v in the form in which values of the match field are
// compared; nothing if v has no such form.
func (t MatchField) AppendComparable(out, v []byte) []byte {
	return append(out, appendComparable(nil, t, bytes.TrimSpace(v))...)
}

// MatchReader reads the match fields of rows. It belongs to one goroutine.
type MatchReader struct {
	fields [MatchFieldCount]int // indices in the schema; pipeline.None: there is none
	id     int
	text   []byte // buffer
}

// MatchReader returns a reader of the batches that p makes. byID says that a row with
// an id changes that record: then the id alone identifies the row.
func (p *Plan) MatchReader(r *Resource, byID bool) *MatchReader {
	t := &MatchReader{id: pipeline.None}
	for i := range t.fields {
		t.fields[i] = pipeline.None
	}
	for i, column := range p.schema.Fields {
		f := r.Field(column.Name)
		if f == nil {
			continue
		}
		if trait, ok := matchFieldOf(f); ok && t.fields[trait] == pipeline.None {
			t.fields[trait] = i
		}
		if f.Name == idField && byID {
			t.id = i
		}
	}
	t.fields[MatchKey] = p.key
	return t
}

// Field returns the index of the field that the match field of row i of b is read from;
// pipeline.None if there is none.
func (t *MatchReader) Field(b *pipeline.Batch, i int, trait uint8) int {
	if MatchField(trait) == MatchKey && t.hasID(b, i) {
		return t.id
	}
	return t.fields[trait]
}

// hasID reports whether row i of b changes the record that its id names.
func (t *MatchReader) hasID(b *pipeline.Batch, i int) bool {
	return t.id >= 0 && len(b.Fields[t.id].Value(i)) > 0
}

// Read calls yield with each match field that row i of b has, as text that is equal for
// duplicates: the digits of a number, an e-mail address in lower case. The text is valid
// until yield returns. Match fields are numbers here because package dedup does not
// know their names.
func (t *MatchReader) Read(b *pipeline.Batch, i int, yield func(trait uint8, text []byte)) {
	if t.hasID(b, i) {
		t.text = append(append(t.text[:0], "id "...), bytes.ToLower(b.Fields[t.id].Value(i))...)
		yield(uint8(MatchKey), t.text)
		return
	}
	for trait, field := range t.fields {
		if field < 0 {
			continue
		}
		if v := bytes.TrimSpace(b.Fields[field].Value(i)); len(v) > 0 {
			if t.text = appendComparable(t.text[:0], MatchField(trait), v); len(t.text) > 0 {
				yield(uint8(trait), t.text)
			}
		}
	}
}

// appendComparable appends v in the form in which it is compared: a personnummer as its
// twelve digits, an organisationsnummer as its last ten, without a leading 16 or the
// century of a sole trader. Numbers of any other length have no such form.
func appendComparable(out []byte, t MatchField, v []byte) []byte {
	switch t {
	case MatchKey:
		return append(out, v...)
	case MatchEmail:
		return append(out, bytes.ToLower(v)...)
	}
	for _, c := range v {
		if c >= '0' && c <= '9' {
			out = append(out, c)
		}
	}
	switch {
	case t == MatchOrgNo && len(out) == 12:
		return out[2:]
	case t == MatchOrgNo && len(out) == 10, t == MatchSSN && len(out) == 12:
		return out
	}
	return out[:0] // no number that could be compared
}
