package mappings

import (
	"fmt"

	"flytt/pipeline"
)

// WithKey returns the mapping with the resource's own key as the key of its rows,
// empty where the data has none: see Plan.GenerateKeys. The error says that the rows have
// another key.
func (m *Mapping) WithKey(r *Resource) (*Mapping, error) {
	key := r.Field(r.Key)
	if key == nil {
		return nil, fmt.Errorf("resource %s has no key", r.Name)
	}
	if m.Key != "" && r.Field(m.Key) != key {
		return nil, fmt.Errorf("the mapping says that %s identifies a row", m.Key)
	}
	keyed := *m
	keyed.Key = key.Column()
	for i := range m.Fields {
		if r.Field(m.Fields[i].Field) == key {
			return &keyed, nil
		}
	}
	none := ""
	keyed.Fields = append(append([]Rule(nil), m.Fields...), Rule{Field: key.Column(), Const: &none})
	return &keyed, nil
}

// GenerateKeys returns the step that gives each row without a key the one that appendKey
// makes of its number. byID says that a row with an id changes that record: such rows
// need no key. The step comes right after the step of the mapping.
func (p *Plan) GenerateKeys(byID bool, appendKey func(out []byte, row int64) []byte) pipeline.Step {
	id := pipeline.None
	if byID {
		id = p.schema.Index(idField)
	}
	return &generateKeysStep{key: p.key, id: id, appendKey: appendKey}
}

type generateKeysStep struct {
	key, id   int
	appendKey func(out []byte, row int64) []byte

	keys pipeline.Column // buffer
	text []byte          // buffer
}

// Apply implements pipeline.Step.
func (s *generateKeysStep) Apply(b *pipeline.Batch) error {
	s.keys.Reset()
	column := &b.Fields[s.key]
	for i := range b.Fates {
		v := column.Value(i)
		switch {
		case len(v) > 0:
			s.keys.Append(v)
		case b.Fates[i] == pipeline.Skipped, b.Fates[i] == pipeline.Broken, s.id >= 0 && len(b.Fields[s.id].Value(i)) > 0:
			s.keys.AppendNull()
		default:
			s.text = s.appendKey(s.text[:0], b.Rows[i])
			s.keys.Append(s.text)
		}
	}
	column.Reset() // it may point into the input, and into what was made of it
	for i := range s.keys.Len() {
		column.Append(s.keys.Value(i))
	}
	b.Keys.Reset()
	b.Keys.View(&b.Fields[s.key])
	return nil
}
