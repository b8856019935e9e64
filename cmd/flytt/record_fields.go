package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/advice"
	"flytt/internal/jsonscan"
	"flytt/internal/text"
	"flytt/mappings"
	"flytt/mappings/identity"
	"flytt/pipeline"
)

// maxRecord is how long the JSON of one record may be.
const maxRecord = 1 << 20

// record is what is to be sent: fields of a resource with their values. All that
// is wrong with it is gathered, so that it can be told at once.
type record struct {
	resource *mappings.Resource
	values   map[string]jsontext.Value // by the field's name; null is a value
	faults   []fieldFault
	id       string   // that an object read from a file has
	notes    []string // read-only fields that were left out
}

// fieldFault is one thing wrong with one field. It shows no value.
type fieldFault struct {
	field string
	code  pipeline.Code
	fix   string // in place of the code's own, or ""
}

func newRecord(r *mappings.Resource) *record {
	return &record{resource: r, values: map[string]jsontext.Value{}}
}

func (r *record) fault(field string, code pipeline.Code, fix string) {
	r.faults = append(r.faults, fieldFault{field, code, fix})
}

// read takes the fields of a JSON object. What only the API writes is left out,
// so that the answer of get can be changed and sent back.
func (r *record) read(place string, in io.Reader) error {
	data, err := io.ReadAll(io.LimitReader(in, maxRecord+1))
	switch {
	case err != nil:
		return usage(fmt.Errorf("%s: %w", place, advice.Cause(err)), "-f names a file with one JSON object; - is standard input")
	case len(data) > maxRecord:
		return usagef("one record is wanted; flytt import takes files of many", "%s: longer than %d KiB", place, maxRecord>>10)
	}
	object, err := oneObject(data)
	if err != nil {
		return usage(fmt.Errorf("%s: %w", place, err), `one JSON object is wanted, as in {"name":"…","title":"…"}`)
	}
	for raw, value := range jsonscan.Members(object) {
		r.member(string(jsonscan.Unquote(raw)), value)
	}
	return nil
}

// oneObject returns the JSON object that data is.
func oneObject(data []byte) (jsontext.Value, error) {
	data = bytes.TrimPrefix(data, []byte("\uFEFF"))
	d := jsontext.NewDecoder(bytes.NewReader(data))
	v, err := d.ReadValue()
	if err == nil {
		v = v.Clone()
		if _, err = d.ReadToken(); err == io.EOF {
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
		return nil, fmt.Errorf("not JSON, or a name stands twice: line %d, column %d", line+1, column)
	case err != nil:
		return nil, errors.New("not JSON: it ends too early")
	case v.Kind() != '{':
		return nil, errors.New("no JSON object")
	}
	return v, nil
}

// member takes one member of an object.
func (r *record) member(name string, value jsontext.Value) {
	f := r.resource.Field(name)
	switch {
	case f == nil:
		r.unknown(name)
	case f.Name == "id":
		r.id = string(jsonscan.Text(value))
	case f.ReadOnly:
		r.notes = append(r.notes, f.Name)
	default:
		r.set(f, value)
	}
}

func (r *record) unknown(name string) {
	fix := ""
	if near := mappings.Nearest(name, r.writable()); near != "" {
		fix = "Did you mean " + near + "?"
	}
	r.fault(name, codeNoField, fix)
}

// writable returns the columns of the fields that can be written.
func (r *record) writable() (columns []string) {
	for i := range r.resource.Fields {
		if f := &r.resource.Fields[i]; !f.ReadOnly {
			columns = append(columns, f.Column())
		}
	}
	return columns
}

// recordCodes are the codes of what can be wrong with a record before its values
// are looked at.
var recordCodes = []pipeline.CodeInfo{
	{Code: codeNoField, Stage: pipeline.Validate, Meaning: "a name that is no field of the resource",
		Fix: "Correct the name; flytt schema lists the fields."},
	{Code: codeReadOnly, Stage: pipeline.Validate, Meaning: "a field that only the API writes",
		Fix: "Leave it out."},
	{Code: codeWrongType, Stage: pipeline.Validate, Meaning: "a JSON value of another type than the field's",
		Fix: "Give a value of the field's type; flytt schema names it."},
}

const (
	codeNoField   pipeline.Code = "no_such_field"
	codeReadOnly  pipeline.Code = "read_only"
	codeWrongType pipeline.Code = "wrong_type"
)

const setForm = "--set field=value, --set field= for null, or --set field:=json"

// assign takes one --set. It comes over what a file says.
func (r *record) assign(text string) error {
	name, value, ok := strings.Cut(text, "=")
	name, raw := strings.CutSuffix(name, ":")
	if name = strings.TrimSpace(name); !ok || name == "" {
		return usagef(setForm, "--set: there is no field and = in it")
	}
	f := r.resource.Field(name)
	switch {
	case f == nil:
		r.unknown(name)
		return nil
	case f.ReadOnly:
		r.fault(f.Name, codeReadOnly, "")
		return nil
	}
	if raw {
		v, err := jsonValue(value)
		if err != nil {
			return usagef("text goes with = alone; JSON text needs quotes", "--set %s: what follows := is not JSON", f.Column())
		}
		r.set(f, v)
		return nil
	}
	r.values[f.Name] = typed(f, value)
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
func (r *record) set(f *mappings.Field, v jsontext.Value) {
	delete(r.values, f.Name)
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
		r.fault(f.Column(), codeWrongType, "Give it "+wanted+", or null.")
		return
	}
	r.values[f.Name] = v
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
func (r *record) text(name string) (value []byte, present bool) {
	v, ok := r.values[r.resource.Field(name).Name]
	if !ok || v.Kind() == 'n' {
		return nil, ok
	}
	if k := v.Kind(); k == '[' || k == '{' || r.resource.Field(name).Type == "any" {
		return v, true
	}
	return append([]byte{}, jsonscan.Text(v)...), true
}

// validate holds the record against the rules of its resource: all of them, or
// those of a change.
func (r *record) validate(change bool) error {
	schema, err := r.resource.Schema(r.writable())
	if err != nil {
		return err
	}
	rules, err := mappings.NewValidator(r.resource, schema, mappings.ValidateOptions{Identity: identity.Rules{Today: time.Now()}, Partial: change})
	if err != nil {
		return err
	}
	rules.Record(r.text, func(field string, code pipeline.Code) {
		if !r.hasFault(field) {
			r.fault(field, code, "")
		}
	})
	return nil
}

// hasFault reports whether a fault of reading is known of the field, which has
// no value for that reason.
func (r *record) hasFault(field string) bool {
	return slices.ContainsFunc(r.faults, func(f fieldFault) bool { return f.field == field && f.code == codeWrongType })
}

// infoOf returns what is known of a code.
func infoOf(code pipeline.Code) pipeline.CodeInfo {
	for _, info := range codes() {
		if info.Code == code {
			return info
		}
	}
	return pipeline.CodeInfo{Code: code, Meaning: string(code)}
}

// json returns the record as the API takes it, in the order of the descriptor.
func (r *record) json() []byte {
	out := []byte{'{'}
	for i := range r.resource.Fields {
		f := &r.resource.Fields[i]
		v, ok := r.values[f.Name]
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

// mask takes out of a message what looks like a value, or is one that was sent.
func (r *record) mask(message string) string {
	for name := range r.values {
		text, _ := r.text(r.resource.Field(name).Column())
		if len(text) > 1 {
			message = strings.ReplaceAll(message, string(text), "…")
		}
	}
	return strings.Join(strings.Fields(text.Printable(valueLike.ReplaceAllString(message, "…"))), " ")
}

// openRecord returns the file that -f names.
func (v *recordVerb) openRecord(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(v.stdin), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, usage(fmt.Errorf("%s: %w", name, advice.Cause(err)), "-f names a file with one JSON object; - is standard input")
	}
	return f, nil
}

// tellFaults lists what is wrong with r.
func (v *recordVerb) tellFaults(r *record) error {
	n := "1 fault"
	if len(r.faults) > 1 {
		n = strconv.Itoa(len(r.faults)) + " faults"
	}
	v.say("flytt: the record breaks the rules; nothing was sent (%s)\n", n)
	fields, kinds := 0, 0
	for _, f := range r.faults {
		fields, kinds = max(fields, len(f.field)), max(kinds, len(f.code))
	}
	for _, f := range r.faults {
		info := infoOf(f.code)
		v.say("  %-*s  %-*s  %s\n  %*s  %s\n", fields, f.field, kinds, f.code, info.Meaning, fields, "", cmp.Or(f.fix, info.Fix))
	}
	v.sayCommand("", advice.Join([]string{"flytt", "schema", v.resource.Name}))
	return &shownError{errors.New("the record breaks the rules"), exitRejects}
}
