package sandbox

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"unicode/utf8"
)

// Storage says in which form the server stores text fields, where that is not the form
// in which they were sent. What was sent is validated first; what is stored is used in
// answers, lists and filters and for uniqueness. Values that an update does not give
// stay as they are stored.
type Storage struct {
	Rewrites []Rewrite // applied in this order, also to what an update gives
	Fill     []string  // text fields that get a made-up text if a new row leaves them empty
}

// checkFields makes sure that each name is one of a text field that a request
// can give.
func (o *Options) checkFields(names []string) error {
	var known []string
	for _, r := range o.Resources {
		for i := range r.Fields {
			f := &r.Fields[i]
			if f.Type == "string" && !f.ReadOnly && !slices.Contains(known, f.Name) {
				known = append(known, f.Name)
			}
		}
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return unknown("text field", name, known)
		}
	}
	return nil
}

// fields returns the names of the fields that s concerns.
func (s *Storage) fields() []string {
	names := slices.Clone(s.Fill)
	for _, r := range s.Rewrites {
		names = append(names, r.field)
	}
	return names
}

// allToStoredForm brings the good items into the form in which they are stored.
func (s saver) allToStoredForm(items []*record) error {
	for _, rec := range items {
		if rec.bad() {
			continue
		}
		if err := s.x.box.toStoredForm(s.x.table, rec, &s.x.storage); err != nil {
			return err
		}
	}
	return nil
}

// toStoredForm fills empty fields of a new record, rewrites the values that
// were sent, and brings identity numbers into the form they are kept in.
func (s *Sandbox) toStoredForm(t *table, rec *record, how *Storage) error {
	if !rec.update && len(how.Fill) > 0 {
		if err := s.fillEmpty(t, rec, how.Fill); err != nil {
			return err
		}
	}
	for _, r := range how.Rewrites {
		if i, ok := t.index[r.field]; ok {
			rec.values[i].rewrite(r.apply)
		}
	}
	t.reform(rec, s.options.StoredIDs)
	return nil
}

// rewrite changes a text that was sent. A text that is empty, or that was there
// before the request, stays.
func (v *value) rewrite(apply func(string) string) {
	text, ok := v.column.(string)
	if !ok || text == "" || v.stored {
		return
	}
	if after := apply(text); after != text {
		*v = textValue(after)
	}
}

// textValue makes the value of a text field.
func textValue(text string) value {
	return value{set: true, json: appendString(nil, text), text: []byte(text), column: text}
}

// fillEmpty gives the text fields that a new record leaves empty a realistic text. It
// depends on the values that were sent, so that the same row is always filled in the
// same way.
func (s *Sandbox) fillEmpty(t *table, rec *record, names []string) error {
	var g *seeder
	for _, name := range names {
		i, ok := t.index[name]
		if !ok || len(rec.values[i].text) > 0 {
			continue
		}
		if g == nil {
			g = newFiller(s, t, rec)
		}
		g.fill(rec, i, g.personOf(rec))
	}
	if rec.bad() {
		return fmt.Errorf("fill %s: %s", rec.faults[0].field, rec.faults[0].message)
	}
	return nil
}

// newFiller returns a seeder whose draws follow from the values of a record.
func newFiller(s *Sandbox, t *table, rec *record) *seeder {
	var all strings.Builder
	for i := range rec.values {
		fmt.Fprintf(&all, "%q", rec.values[i].text)
	}
	g := newSeeder(s, t, hash(all.String()))
	g.rng = rand.New(rand.NewPCG(g.seed, 0))
	return g
}

// personOf returns a made-up person who has the name of the record, if it has
// one.
func (g *seeder) personOf(rec *record) *persona {
	p := g.persona()
	i, ok := g.table.index["name"]
	if !ok || !utf8.Valid(rec.values[i].text) {
		return p
	}
	if words := strings.Fields(string(rec.values[i].text)); len(words) > 0 {
		p.first, p.last, p.company = words[0], words[len(words)-1], strings.Join(words, " ")
	}
	return p
}
