package sandbox

import (
	"bytes"
	"strings"
)

// reform brings the identity numbers of a record into the form in which they are
// stored.
func (t *table) reform(rec *record, form IDForm) {
	if form == AsSent {
		return
	}
	for i := range t.fields {
		v := &rec.values[i]
		text, ok := v.column.(string)
		if !ok || t.fields[i].Format != "personnummer" && t.fields[i].Format != "organisationsnummer" {
			continue
		}
		if text = dashed(text, form == WithDash); text != v.column {
			*v = textValue(text)
		}
	}
}

// dashed puts a dash before the last four digits, or removes it. A plus sign there
// stays, because it shows the century.
func dashed(text string, dash bool) string {
	cut := len(text) - 4
	switch {
	case cut < 1 || strings.ContainsRune(text, '+'):
	case !dash:
		return strings.ReplaceAll(text, "-", "")
	case !strings.Contains(text, "-"):
		return text[:cut] + "-" + text[cut:]
	}
	return text
}

// shaped returns a stored object as it is answered, with its references in the shape
// that Options ask for.
func (a answerForm) shaped(doc []byte) []byte {
	if a.x.box.options.Relations == IDObject {
		return doc
	}
	rec, err := a.x.table.stored(doc)
	if err != nil {
		return doc
	}
	a.shape(rec)
	a.x.table.render(rec)
	return rec.doc
}

// shape brings the references of a record into the shape Options ask for.
func (a answerForm) shape(rec *record) {
	if a.x.box.options.Relations == IDObject {
		return
	}
	for i := range rec.values {
		v := &rec.values[i]
		switch f := &a.x.table.fields[i]; {
		case v.null || v.json == nil:
		case f.Type == "reference":
			v.json = a.x.box.options.Relations.shape(v.json, f.To)
		case f.Type == "references":
			v.json = a.x.box.options.Relations.shapeAll(v.json, f.To)
		}
	}
}

// listed returns what a list found, an object or with _slim an id, as it is
// answered.
func (a answerForm) listed(q *query, row []byte) []byte {
	if q.slim {
		return row
	}
	return a.shaped(row)
}

// shapeAll gives each object of a list the shape.
func (r RelationShape) shapeAll(list []byte, to string) []byte {
	shaped := []byte{'['}
	inner := bytes.TrimSuffix(bytes.TrimPrefix(list, []byte("[")), []byte("]"))
	for object := range bytes.SplitSeq(inner, []byte(",")) {
		if len(object) > 0 {
			shaped = append(append(shaped, r.shape(object, to)...), ',')
		}
	}
	return append(bytes.TrimSuffix(shaped, []byte(",")), ']')
}

// shape gives {"id":"…"} the shape. What an expanded object has besides its id
// is made up, and the same whenever it is asked for.
func (r RelationShape) shape(object []byte, to string) []byte {
	id := object[len(plainReference)-1 : len(object)-1] // with its quotes
	switch r {
	case BareID:
		return id
	case ExpandedObject:
		expanded := append(bytes.Clone(object[:len(object)-1]), `,"name":`...)
		return append(appendString(expanded, strings.TrimSpace(to+" "+string(id[1:9]))), '}')
	case EmptyObject:
		return []byte("{}")
	}
	return object
}
