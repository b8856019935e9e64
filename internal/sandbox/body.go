package sandbox

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"

	"github.com/go-json-experiment/json/jsontext"
)

// record is one object of a request: a value for each field of its table, and its
// faults.
type record struct {
	values []value
	faults []fault
	doc    []byte  // as it is answered, once it is rendered
	index  int     // among the items of a bulk write
	update bool    // it changes the row that its id names
	gone   bool    // that row does not exist
	before *record // the row before the update
}

func (r *record) fault(field, message string) {
	r.faults = append(r.faults, fault{field, message})
}

// body reads the whole body of a JSON request.
func (x *exchange) body() ([]byte, error) {
	media, _, err := mime.ParseMediaType(x.r.Header.Get("Content-Type"))
	if err != nil || media != jsonType {
		return nil, failf(http.StatusUnsupportedMediaType, "Unsupported media type. Use application/json.")
	}
	if x.r.Header.Get("Content-Encoding") != "" {
		return nil, failf(http.StatusUnsupportedMediaType, "Unsupported content encoding. Send the body as it is.")
	}
	if x.r.ContentLength > x.maxBody {
		return nil, x.tooLarge()
	}
	var buf bytes.Buffer
	buf.Grow(int(max(x.r.ContentLength, 0)) + bytes.MinRead)
	_, err = buf.ReadFrom(http.MaxBytesReader(x.w, x.r.Body, x.maxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, x.tooLarge()
	case err != nil:
		return nil, failf(http.StatusBadRequest, "The request's body ended early.")
	}
	return buf.Bytes(), nil
}

func (x *exchange) tooLarge() error {
	return failf(http.StatusRequestEntityTooLarge, "The request's body is larger than %d bytes.", x.maxBody)
}

// reader reads records from a body. They point into the body.
type reader struct {
	table *table
	body  []byte
	d     *jsontext.Decoder
	named bool // an id is a value and not ignored
	whole bool // so are the fields that only the server sets
}

func newReader(t *table, body []byte) *reader {
	return &reader{table: t, body: body, d: jsontext.NewDecoder(bytes.NewBuffer(body))}
}

// malformed says where a body stops being JSON, and nothing of what is there.
func (r *reader) malformed(err error) error {
	at := r.d.InputOffset()
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		at = syntax.ByteOffset
	}
	at = min(at, int64(len(r.body)))
	before := r.body[:at]
	line := bytes.Count(before, []byte{'\n'}) + 1
	column := len(before) - bytes.LastIndexByte(before, '\n')
	what := "JSON parse error"
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		what = "JSON parse error, a name appears twice in one object"
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		what = "JSON parse error, the body ends early"
	}
	return failf(http.StatusBadRequest, "%s: line %d column %d (byte %d).", what, line, column, at)
}

// end makes sure that nothing follows.
func (r *reader) end() error {
	if r.d.PeekKind() != 0 {
		return r.malformed(errors.New("more than one value"))
	}
	if _, err := r.d.ReadToken(); !errors.Is(err, io.EOF) {
		return r.malformed(err)
	}
	return nil
}

// object reads a body that is one object.
func (r *reader) object() (*record, error) {
	rec, err := r.record()
	if err != nil {
		return nil, err
	}
	return rec, r.end()
}

// list reads a body that is an array of objects, at most limit of them (0: any
// number).
func (r *reader) list(limit int) ([]*record, error) {
	if k := r.d.PeekKind(); k != '[' {
		if err := r.d.SkipValue(); err != nil {
			return nil, r.malformed(err)
		}
		return nil, invalid([]fault{{nonField, "Expected a list of items."}})
	}
	if _, err := r.d.ReadToken(); err != nil {
		return nil, r.malformed(err)
	}
	var items []*record
	for k := r.d.PeekKind(); k != ']' && k != 0; k = r.d.PeekKind() {
		if limit > 0 && len(items) == limit {
			return nil, failf(http.StatusRequestEntityTooLarge, "More than %d items.", limit)
		}
		item, err := r.record()
		if err != nil {
			return nil, err
		}
		item.index = len(items)
		items = append(items, item)
	}
	if _, err := r.d.ReadToken(); err != nil {
		return nil, r.malformed(err)
	}
	return items, r.end()
}

// record reads one object. An error is one of the JSON; what is wrong with the
// object is in the record's faults.
func (r *reader) record() (*record, error) {
	rec := &record{values: make([]value, len(r.table.fields))}
	if k := r.d.PeekKind(); k != '{' {
		if err := r.d.SkipValue(); err != nil {
			return nil, r.malformed(err)
		}
		rec.fault(nonField, "Invalid data. Expected an object.")
		return rec, nil
	}
	if _, err := r.d.ReadToken(); err != nil {
		return nil, r.malformed(err)
	}
	for r.d.PeekKind() == '"' {
		name, err := r.value()
		if err != nil {
			return nil, r.malformed(err)
		}
		raw, err := r.value()
		if err != nil {
			return nil, r.malformed(err)
		}
		r.field(rec, name, raw)
	}
	if _, err := r.d.ReadToken(); err != nil {
		return nil, r.malformed(err)
	}
	return rec, nil
}

// value reads the next value, as it stands in the body.
func (r *reader) value() (jsontext.Value, error) {
	v, err := r.d.ReadValue()
	end := int(r.d.InputOffset())
	if err != nil {
		return nil, err
	}
	return r.body[end-len(v) : end : end], nil
}

// field puts a member of an object where it belongs.
func (r *reader) field(rec *record, name, raw jsontext.Value) {
	text, _ := unquote(name)
	i, known := r.table.index[string(text)]
	switch {
	case !known:
		rec.fault(string(text), "Unknown field.")
		return
	case r.whole, r.named && i == r.table.id:
	case r.table.made(i):
		return
	}
	f := &r.table.fields[i]
	v, message := value{null: true}, ""
	if raw.Kind() != 'n' {
		v, message = f.decode(raw)
	}
	switch {
	case message != "":
		rec.fault(f.Name, message)
		rec.values[i].text = raw // to the rules between fields it is there
	case v.null && !f.Nullable && !r.whole:
		rec.fault(f.Name, nullMessage(raw))
	default:
		v.set = true
		rec.values[i] = v
	}
}

// nullMessage returns the message for a null, or for an object that names nothing.
func nullMessage(raw jsontext.Value) string {
	if raw.Kind() == 'n' {
		return mayNotBeNull
	}
	return isRequired
}

// render makes the answer of a record.
func (t *table) render(rec *record) {
	size := 2
	for i := range rec.values {
		size += len(t.fields[i].label) + max(len(rec.values[i].json), len("null")) + 1
	}
	doc := append(make([]byte, 0, size), '{')
	for i := range rec.values {
		if i > 0 {
			doc = append(doc, ',')
		}
		doc = append(doc, t.fields[i].label...)
		if v := &rec.values[i]; v.json != nil {
			doc = append(doc, v.json...)
		} else {
			doc = append(doc, "null"...)
		}
	}
	rec.doc = append(doc, '}')
}

// stored reads a stored object back.
func (t *table) stored(doc []byte) (*record, error) {
	r := newReader(t, doc)
	r.whole = true
	rec, err := r.object()
	if err == nil && rec.faults != nil {
		err = errors.New("a stored row does not fit its descriptor")
	}
	return rec, err
}
