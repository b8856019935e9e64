package bulk

import (
	"bytes"

	"flytt/internal/jsonobject"
	"flytt/pipeline"
)

// idField is the API's own identifier of a record.
const idField = "id"

// itemEncoder writes each pending row as the object that the API is sent, and
// before it, where the row is about a record that exists, the id of that in
// lower case. An id has no brace and an object starts with one, so that parting
// them costs nothing: see splitItem. An id that is no uuid rejects its row: it
// becomes part of a URL. A row with an id that was rejected for faults that may
// be downgraded to warnings is written all the same and pending again: see downgrade.go.
type itemEncoder struct {
	objects      *jsonobject.Encoder
	id           int    // index in the schema, or pipeline.None: no row is identified by it
	asStored     bool   // what a conversion could not read can be downgraded
	downgradable []bool // by row
}

// newItemEncoder returns an encoder of rows of schema. Without byID the id, if
// there is one in the schema, is left out.
func newItemEncoder(schema *pipeline.Schema, byID, asStored bool) pipeline.Encoder {
	at := schema.Index(idField)
	if at < 0 {
		return jsonobject.New(schema, jsonobject.Options{})
	}
	objects := jsonobject.New(schema, jsonobject.Options{Omit: idField})
	if !byID {
		return objects
	}
	return &itemEncoder{objects: objects, id: at, asStored: asStored}
}

// Encode appends the pending rows of b to e.
func (x *itemEncoder) Encode(b *pipeline.Batch, e *pipeline.Encoded) error {
	x.downgradable = onlyDowngradable(x.downgradable, b, x.asStored)
	for row, fate := range b.Fates {
		switch {
		case fate == pipeline.Pending:
			e.Data = x.append(e.Data, b, row)
		case len(x.downgradable) > 0 && x.downgradable[row]:
			e.Data = x.appendDowngradable(e.Data, b, row)
		}
		e.EndRow()
	}
	return nil
}

func (x *itemEncoder) append(dst []byte, b *pipeline.Batch, row int) []byte {
	start := len(dst)
	if id := b.Fields[x.id].Value(row); len(id) > 0 {
		if !isUUID(id) {
			b.Note(pipeline.Problem{Row: int32(row), Field: int16(x.id), Column: pipeline.None, Stage: pipeline.Write, Code: codeUUID})
			return dst
		}
		for _, c := range id {
			dst = append(dst, c|' ') // in lower case
		}
	}
	if out := x.objects.AppendRow(dst, b, row); len(out) > len(dst) {
		return out
	}
	return dst[:start]
}

// appendDowngradable appends row, which was rejected, if it has an id and can be
// written. Its faults stay those it was rejected for.
func (x *itemEncoder) appendDowngradable(dst []byte, b *pipeline.Batch, row int) []byte {
	if !isUUID(b.Fields[x.id].Value(row)) {
		return dst
	}
	known := len(b.Problems)
	b.Fates[row] = pipeline.Pending
	dst = x.append(dst, b, row)
	b.Problems = b.Problems[:known]
	return dst
}

// splitItem parts what itemEncoder wrote of a row into the id, which may be
// empty, and the object.
func splitItem(item []byte) (id, object []byte) {
	n := bytes.IndexByte(item, '{')
	return item[:n:n], item[n:]
}

// isUUID reports whether v has the form of a uuid: 32 hexadecimal digits in
// groups of 8, 4, 4, 4 and 12.
func isUUID(v []byte) bool {
	if len(v) != 36 {
		return false
	}
	for i, c := range v {
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c|' ' < 'a' || c|' ' > 'f') {
				return false
			}
		}
	}
	return true
}
