// Package jsonobject writes rows as JSON objects: JSON Lines files and the items of
// bulk requests.
package jsonobject

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"flytt/pipeline"
)

// CodeNotJSON is what is noted of a value that its type writes raw and that is no JSON.
const CodeNotJSON pipeline.Code = "not_json"

// ExtraField is the name of a last field of type JSON that holds an object of
// members for which the schema has no fields. JSON Lines have them in the row's
// own object, CSV has the field as a column.
const ExtraField = "_extra"

// Options says how rows become JSON objects.
type Options struct {
	Nulls bool   // write the fields that are null; otherwise they are left out
	Flat  bool   // a dot in a name is one as any other character
	Omit  string // name of a field to leave out; "": none
	Extra bool   // the last field is an object, whose members are the row's own
	End   string // follows each object: "\n" for JSON Lines
}

// Encoder writes each pending row as one JSON object on one line, its
// fields in the order of the schema. Fields with a common parent
// (external_client.id) become one nested object, which stands where the first
// of them does; if all of them are null, so is the parent. A value that its
// type writes raw (a number, say) and that is no JSON rejects its row.
//
// It keeps nothing between calls, so that one encoder serves all workers.
type Encoder struct {
	members []member
	extra   *extraMember // nil: none
	options Options
}

// member is one name of an object, with a value of its own or members again.
type member struct {
	prefix  []byte // `,"name":`, with the opening quote where the value is a string
	field   int16  // index in the schema
	kind    valueKind
	members []member // of a nested object: at least one
}

type valueKind uint8

const (
	stringValue valueKind = iota
	rawValue              // number, boolean or any JSON
	objectValue
)

// New returns an encoder for rows of schema, which Check
// must have found no fault with.
func New(schema *pipeline.Schema, o Options) *Encoder {
	var paths []path
	for i, f := range schema.Fields {
		names := []string{f.Name}
		if !o.Flat {
			names = strings.Split(f.Name, ".")
		}
		if f.Name != o.Omit || o.Omit == "" {
			paths = append(paths, path{names, int16(i), kindOf(f.Type)})
		}
	}
	e := &Encoder{options: o}
	if o.Extra {
		last := len(paths) - 1
		paths, e.extra = paths[:last], newExtraMember(paths[:last], last)
	}
	e.members = newMembers(paths)
	return e
}

// Check reports the first name in schema that would give an object the
// same name twice, as a and a.b do.
func Check(schema *pipeline.Schema) error {
	leaves, parents := map[string]bool{}, map[string]bool{}
	for _, f := range schema.Fields {
		if leaves[f.Name] || parents[f.Name] {
			return &pipeline.UsageError{Place: "field " + f.Name, Cause: "an object would have this name twice", Hint: "map it once"}
		}
		leaves[f.Name] = true
		for i := range f.Name {
			if f.Name[i] != '.' {
				continue
			}
			if leaves[f.Name[:i]] {
				return &pipeline.UsageError{Place: "field " + f.Name, Cause: f.Name[:i] + " is a field itself and cannot hold another", Hint: "map one of the two"}
			}
			parents[f.Name[:i]] = true
		}
	}
	return nil
}

// path is the names that lead to one field, from the outermost object in.
type path struct {
	names []string
	field int16
	kind  valueKind
}

func newMembers(paths []path) []member {
	var out []member
	seen := map[string]bool{}
	for i, p := range paths {
		name := p.names[0]
		if len(p.names) == 1 {
			out = append(out, member{prefix: memberPrefix(name, p.kind), field: p.field, kind: p.kind})
			continue
		}
		if seen[name] {
			continue
		}
		seen[name] = true
		out = append(out, member{
			prefix:  memberPrefix(name, objectValue),
			field:   pipeline.None,
			kind:    objectValue,
			members: newMembers(inside(name, paths[i:])),
		})
	}
	return out
}

// inside returns what of paths leads into the object called name, without it.
func inside(name string, paths []path) []path {
	var out []path
	for _, p := range paths {
		if len(p.names) > 1 && p.names[0] == name {
			out = append(out, path{p.names[1:], p.field, p.kind})
		}
	}
	return out
}

func memberPrefix(name string, kind valueKind) []byte {
	prefix := AppendText([]byte(`,"`), []byte(name))
	prefix = append(prefix, `":`...)
	if kind == stringValue {
		prefix = append(prefix, '"')
	}
	return prefix
}

func kindOf(t pipeline.Type) valueKind {
	switch t {
	case pipeline.Integer, pipeline.Number, pipeline.Boolean, pipeline.JSON:
		return rawValue
	}
	return stringValue
}

// Encode appends the pending rows of b to e, each as one object.
func (o *Encoder) Encode(b *pipeline.Batch, e *pipeline.Encoded) error {
	e.AppendPending(b, o.AppendRow)
	return nil
}

// AppendRow appends the object of a row of b. If a value is no JSON, it rejects the
// row and returns dst as it was.
func (o *Encoder) AppendRow(dst []byte, b *pipeline.Batch, row int) []byte {
	start := len(dst)
	out, bad := o.appendObject(dst, o.members, b, row)
	if bad == pipeline.None && o.extra != nil {
		out, bad = o.extra.appendTo(out, start, b.Fields[o.extra.field].Value(row))
	}
	if bad == pipeline.None {
		return append(out, o.options.End...)
	}
	b.Note(pipeline.Problem{
		Row: int32(row), Field: bad, Column: pipeline.None,
		Stage: pipeline.Write, Code: CodeNotJSON,
	})
	return out[:start]
}

// appendObject appends an object of members. Every member starts with a comma;
// the first one's becomes the brace. It returns the field whose value is no
// JSON, or None.
func (o *Encoder) appendObject(dst []byte, members []member, b *pipeline.Batch, row int) ([]byte, int16) {
	start := len(dst)
	for i := range members {
		m := &members[i]
		if m.kind == objectValue {
			var bad int16
			if dst, bad = o.appendNested(dst, m, b, row); bad != pipeline.None {
				return dst, bad
			}
			continue
		}
		field := &b.Fields[m.field]
		switch {
		case field.Null(row):
			if o.options.Nulls {
				dst = appendNull(dst, m)
			}
		case m.kind == stringValue:
			dst = append(dst, m.prefix...)
			dst = AppendText(dst, field.Value(row))
			dst = append(dst, '"')
		default:
			var ok bool
			dst = append(dst, m.prefix...)
			if dst, ok = appendRaw(dst, field.Value(row)); !ok {
				return dst, m.field
			}
		}
	}
	if len(dst) == start {
		return append(dst, '{', '}'), pipeline.None
	}
	dst[start] = '{'
	return append(dst, '}'), pipeline.None
}

func (o *Encoder) appendNested(dst []byte, m *member, b *pipeline.Batch, row int) ([]byte, int16) {
	if allNull(m.members, b, row) {
		if o.options.Nulls {
			dst = appendNull(dst, m)
		}
		return dst, pipeline.None
	}
	return o.appendObject(append(dst, m.prefix...), m.members, b, row)
}

func allNull(members []member, b *pipeline.Batch, row int) bool {
	for i := range members {
		m := &members[i]
		if m.kind == objectValue {
			if !allNull(m.members, b, row) {
				return false
			}
		} else if !b.Fields[m.field].Null(row) {
			return false
		}
	}
	return true
}

func appendNull(dst []byte, m *member) []byte {
	prefix := m.prefix
	if m.kind == stringValue {
		prefix = prefix[:len(prefix)-1]
	}
	dst = append(dst, prefix...)
	return append(dst, "null"...)
}

// appendRaw appends v, which is JSON, as it is, or on one line if it is not on
// one yet. It reports false if v is no JSON.
func appendRaw(dst, v []byte) ([]byte, bool) {
	if PlainInteger(v) {
		return append(dst, v...), true
	}
	if !utf8.Valid(v) || !json.Valid(v) {
		return dst, false
	}
	if bytes.ContainsAny(v, "\r\n") {
		buf := bytes.NewBuffer(dst)
		err := json.Compact(buf, v)
		return buf.Bytes(), err == nil
	}
	return append(dst, v...), true
}

// PlainInteger reports whether v is a JSON integer: the common case, and
// cheaper to see than to parse.
func PlainInteger(v []byte) bool {
	if len(v) > 0 && v[0] == '-' {
		v = v[1:]
	}
	if len(v) == 0 || v[0] == '0' && len(v) > 1 {
		return false
	}
	for _, c := range v {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// escapes says how a byte is written within a JSON string: 0 as it is, 'u' as
// \u00xx, multibyte as the start of a longer character, anything else after a
// backslash.
var escapes = func() (t [256]byte) {
	for c := range 0x20 {
		t[c] = 'u'
	}
	t['\b'], t['\f'], t['\n'], t['\r'], t['\t'] = 'b', 'f', 'n', 'r', 't'
	t['"'], t['\\'] = '"', '\\'
	for c := utf8.RuneSelf; c < 256; c++ {
		t[c] = multibyte
	}
	return t
}()

const multibyte = 0xFF

// AppendText appends v as it stands between the quotes of a JSON string, with
// no more escaped than RFC 8259 demands. Bytes that are no UTF-8 become U+FFFD.
func AppendText(dst, v []byte) []byte {
	n := plainPrefix(v)
	dst = append(dst, v[:n]...)
	if n == len(v) {
		return dst
	}
	return appendEscaped(dst, v[n:])
}

// plainPrefix returns the length of a prefix of v in which every byte stands
// for itself, looking at eight bytes at a time: a byte is not plain if its top
// bit is set, if it is below 0x20, or if it is a quote or a backslash. The
// subtractions borrow only out of a byte that is not plain, so that no such
// byte is missed.
func plainPrefix(v []byte) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(v); i += 8 {
		x := binary.LittleEndian.Uint64(v[i:])
		quote, backslash := x^'"'*ones, x^'\\'*ones
		if (x|(x-0x20*ones)|(quote-ones)|(backslash-ones))&tops != 0 {
			return i
		}
	}
	for i < len(v) && escapes[v[i]] == 0 {
		i++
	}
	return i
}

func appendEscaped(dst, v []byte) []byte {
	const hex = "0123456789abcdef"
	start := 0
	for i := 0; i < len(v); {
		c := v[i]
		e := escapes[c]
		if e == 0 {
			i++
			continue
		}
		if e == multibyte {
			r, size := utf8.DecodeRune(v[i:])
			if r != utf8.RuneError || size > 1 {
				i += size
				continue
			}
		}
		dst = append(dst, v[start:i]...)
		switch e {
		case multibyte:
			dst = append(dst, "\uFFFD"...)
		case 'u':
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			dst = append(dst, '\\', e)
		}
		i++
		start = i
	}
	return append(dst, v[start:]...)
}
