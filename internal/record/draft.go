// Package record creates, changes and deletes single records of the API. A Draft is a record
// that is to be sent: it collects every problem with the rules of its resource, so that all of
// them are reported together and nothing is sent. Create, Update and Delete send one request
// each, and look up what became of a write whose answer was lost.
package record

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/advice"
	"flytt/internal/jsonscan"
	"flytt/internal/osfile"
	"flytt/internal/text"
	"flytt/mappings"
	"flytt/mappings/identity"
	"flytt/pipeline"
)

// maxRecord is how long the JSON of one record may be.
const maxRecord = 1 << 20

// Draft is what is to be sent: fields of a resource with their values.
type Draft struct {
	resource *mappings.Resource
	values   map[string]jsontext.Value // by the field's name; null is a value
	faults   []Fault
	id       string   // that an object read from a file has
	left     []string // read-only fields that were left out
}

// Fault is one thing wrong with one field. It shows no value.
type Fault struct {
	Field string
	Code  pipeline.Code
	Fix   string // in place of the code's own; empty: there is none
}

// NewDraft returns a record of r without fields.
func NewDraft(r *mappings.Resource) *Draft {
	return &Draft{resource: r, values: map[string]jsontext.Value{}}
}

// Empty reports whether no field was given, right or wrong.
func (d *Draft) Empty() bool { return len(d.values) == 0 && len(d.faults) == 0 }

// Faults returns all that is wrong.
func (d *Draft) Faults() []Fault { return d.faults }

// ID returns the id that an object has that was read; empty if it has none.
func (d *Draft) ID() string { return d.id }

// LeftOut returns the fields of an object that were left out because only the API writes them.
func (d *Draft) LeftOut() []string { return d.left }

func (d *Draft) fault(field string, code pipeline.Code, fix string) {
	d.faults = append(d.faults, Fault{field, code, fix})
}

// Read takes the fields of a JSON object. What only the API writes is left out,
// so that the answer of get can be changed and sent back.
func (d *Draft) Read(place string, in io.Reader) error {
	data, err := io.ReadAll(io.LimitReader(in, maxRecord+1))
	switch {
	case err != nil:
		return advice.Usage(fmt.Errorf("%s: %w", place, osfile.Cause(err)), "-f names a file with one JSON object; - is standard input")
	case len(data) > maxRecord:
		return advice.Usagef("give one record; flytt import reads files of many", "%s: longer than %d KiB", place, maxRecord>>10)
	}
	object, err := oneObject(data)
	if err != nil {
		return advice.Usage(fmt.Errorf("%s: %w", place, err), `give one JSON object, such as {"name":"…","title":"…"}`)
	}
	for raw, value := range jsonscan.Members(object) {
		d.member(string(jsonscan.Unquote(raw)), value)
	}
	return nil
}

// oneObject returns the JSON object that data is.
func oneObject(data []byte) (jsontext.Value, error) {
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	in := jsontext.NewDecoder(bytes.NewReader(data))
	v, err := in.ReadValue()
	if err == nil {
		v = v.Clone()
		if _, err = in.ReadToken(); err == io.EOF {
			err = nil
		} else if err == nil {
			return nil, errors.New("something follows the first JSON value")
		}
	}
	var syntax *jsontext.SyntacticError
	switch {
	case errors.As(err, &syntax): // its text shows what stands there
		before := data[:min(int(syntax.ByteOffset), len(data))]
		line := bytes.Count(before, []byte("\n"))
		column := len(before) - bytes.LastIndexByte(before, '\n')
		return nil, fmt.Errorf("not JSON, or a name appears twice: line %d, column %d", line+1, column)
	case err != nil:
		return nil, errors.New("not JSON: it ends too early")
	case v.Kind() != '{':
		return nil, errors.New("not a JSON object")
	}
	return v, nil
}

// member takes one member of an object.
func (d *Draft) member(name string, value jsontext.Value) {
	f := d.resource.Field(name)
	switch {
	case f == nil:
		d.unknown(name)
	case f.Name == "id":
		d.id = string(jsonscan.Text(value))
	case f.ReadOnly:
		d.left = append(d.left, f.Name)
	default:
		d.set(f, value)
	}
}

func (d *Draft) unknown(name string) {
	fix := ""
	if near := text.Suggest(name, d.writable()); near != "" {
		fix = "Did you mean " + near + "?"
	}
	d.fault(name, codeNoField, fix)
}

// writable returns the columns of the fields that can be written.
func (d *Draft) writable() (columns []string) {
	for i := range d.resource.Fields {
		if f := &d.resource.Fields[i]; !f.ReadOnly {
			columns = append(columns, f.Column())
		}
	}
	return columns
}

// Codes are the codes of what can be wrong with a record before its values
// are looked at.
var Codes = pipeline.ErrorCodes(pipeline.Validate, codeNoField, codeReadOnly, codeWrongType)

const (
	codeNoField   pipeline.Code = "no_such_field"
	codeReadOnly  pipeline.Code = "read_only"
	codeWrongType pipeline.Code = "wrong_type"
)

// AssignForm says how fields are assigned.
const AssignForm = "--set field=value, --set field= for null, or --set field:=json"

// Assign takes one assignment: field=value, field= for null, or field:=json. It comes over what
// was read before.
func (d *Draft) Assign(text string) error {
	name, value, ok := strings.Cut(text, "=")
	name, raw := strings.CutSuffix(name, ":")
	if name = strings.TrimSpace(name); !ok || name == "" {
		return advice.Usagef(AssignForm, "--set: not FIELD=VALUE")
	}
	f := d.resource.Field(name)
	switch {
	case f == nil:
		d.unknown(name)
		return nil
	case f.ReadOnly:
		d.fault(f.Name, codeReadOnly, "")
		return nil
	}
	if raw {
		v, err := jsonValue(value)
		if err != nil {
			return advice.Usagef("text goes with = alone; JSON text needs quotes", "--set %s: what follows := is not JSON", f.Column())
		}
		d.set(f, v)
		return nil
	}
	d.values[f.Name] = typed(f, value)
	return nil
}

func jsonValue(text string) (jsontext.Value, error) {
	v := jsontext.Value(text)
	if !v.IsValid() {
		return nil, errors.New("not JSON")
	}
	err := v.Compact()
	return v, err
}

// typed returns the JSON of text, as the type of f has it. Text that is none of
// that type stays text, and validation refuses it.
func typed(f *mappings.Field, text string) jsontext.Value {
	if text == "" {
		return jsontext.Value("null")
	}
	switch f.Type {
	case "integer", "number", "boolean", "references", "any":
		if v, err := jsonValue(text); err == nil {
			return v
		}
	}
	return quoted(text)
}

func quoted(text string) jsontext.Value {
	v, _ := jsontext.AppendQuote(nil, text) // bytes that are no UTF-8 are replaced
	return v
}

// set gives f the value, in the form it is sent in, unless it is of no kind that
// the field can have.
func (d *Draft) set(f *mappings.Field, v jsontext.Value) {
	delete(d.values, f.Name)
	wanted := ""
	switch f.Type {
	case "reference":
		v, wanted = referenceOf(v)
	case "integer", "number":
		wanted = unless(v.Kind() == '0' || v.Kind() == '"', "a number")
	case "boolean":
		wanted = unless(v.Kind() == 't' || v.Kind() == 'f' || v.Kind() == '"', "true or false")
	case "references":
		wanted = unless(v.Kind() == '[', "an array of references")
	case "any":
	default:
		if v.Kind() == '0' {
			v = quoted(string(v)) // a number that is somebody's key
		}
		wanted = unless(v.Kind() == '"', "text")
	}
	if wanted != "" && v.Kind() != 'n' {
		d.fault(f.Column(), codeWrongType, "Give it "+wanted+", or null.")
		return
	}
	d.values[f.Name] = v
}

func unless(ok bool, wanted string) string {
	if ok {
		return ""
	}
	return wanted
}

// referenceOf returns the id in v, which is one or an object with one; other
// members of an expanded object are the API's own.
func referenceOf(v jsontext.Value) (jsontext.Value, string) {
	switch v.Kind() {
	case '"', 'n':
		return v, ""
	case '{':
		id := jsonscan.Member(v, "id")
		if id == nil {
			return jsontext.Value("null"), ""
		}
		return id, unless(id.Kind() == '"' || id.Kind() == 'n', `an id, or {"id": "…"}`)
	}
	return v, `an id, or {"id": "…"}`
}

// text returns the value of the column called name as validation takes it.
func (d *Draft) text(name string) (value []byte, present bool) {
	v, ok := d.values[d.resource.Field(name).Name]
	if !ok || v.Kind() == 'n' {
		return nil, ok
	}
	if k := v.Kind(); k == '[' || k == '{' || d.resource.Field(name).Type == "any" {
		return v, true
	}
	return append([]byte{}, jsonscan.Text(v)...), true
}

// Validate holds the record against the rules of its resource as of today: all of
// them, or those of a change.
func (d *Draft) Validate(change bool, today time.Time) error {
	schema, err := d.resource.Schema(d.writable())
	if err != nil {
		return err
	}
	rules, err := mappings.NewValidator(d.resource, schema, mappings.ValidateOptions{Identity: identity.Rules{Today: today}, Partial: change})
	if err != nil {
		return err
	}
	rules.Record(d.text, func(field string, code pipeline.Code) {
		if !d.hasFault(field) {
			d.fault(field, code, "")
		}
	})
	return nil
}

// hasFault reports whether a fault of reading is known of the field, which has
// no value for that reason.
func (d *Draft) hasFault(field string) bool {
	return slices.ContainsFunc(d.faults, func(f Fault) bool { return f.Field == field && f.Code == codeWrongType })
}

// JSON returns the record as the API takes it, in the order of the descriptor.
func (d *Draft) JSON() []byte {
	out := []byte{'{'}
	for i := range d.resource.Fields {
		f := &d.resource.Fields[i]
		v, ok := d.values[f.Name]
		if !ok {
			continue
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(out, quoted(f.Name)...), ':')
		if f.Type == "reference" && v.Kind() != 'n' {
			out = append(append(append(out, `{"id":`...), v...), '}')
		} else {
			out = append(out, v...)
		}
	}
	return append(out, '}')
}

// valueLike is what a message of the API may show of a value: an address, or
// many digits.
var valueLike = regexp.MustCompile(`\S+@\S+|\+?\d[\d -]{4,}\d`)

// Mask takes out of a message what looks like a value, or is one that was sent.
func (d *Draft) Mask(message string) string {
	for name := range d.values {
		text, _ := d.text(d.resource.Field(name).Column())
		if len(text) > 1 {
			message = strings.ReplaceAll(message, string(text), "…")
		}
	}
	return strings.Join(strings.Fields(text.Printable(valueLike.ReplaceAllString(message, "…"))), " ")
}
