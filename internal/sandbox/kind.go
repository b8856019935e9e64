package sandbox

import (
	"bytes"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"flytt/internal/jsonscan"
)

// value is one field of a record. The zero value is a field that was not given.
type value struct {
	set    bool
	null   bool
	stored bool   // it was there before the request, which does not give it
	json   []byte // as it is answered
	text   []byte // as the rules see it: a bare id, an unquoted string
	column any    // as its column holds it: string, []byte, int64, float64, nil
}

// kind is how the values of one descriptor type travel.
type kind struct {
	sql string // type of the column

	// decode turns a JSON value other than null into a value; a message says why
	// it cannot.
	decode func(raw jsontext.Value) (v value, message string)

	// operand turns the text of a filter into what the column is compared with.
	operand func(text string) (any, bool)

	unordered bool // cannot be ordered by
}

// kinds lists the types of the descriptor language.
var kinds = map[string]kind{
	"string":     {sql: "TEXT", decode: decodeString, operand: textOperand},
	"uuid":       {sql: "BLOB", decode: decodeUUID, operand: uuidOperand},
	"date":       {sql: "TEXT", decode: decodeDate, operand: dateOperand},
	"date-time":  {sql: "INTEGER", decode: decodeDateTime, operand: timeOperand},
	"integer":    {sql: "INTEGER", decode: decodeInteger, operand: integerOperand},
	"number":     {sql: "REAL", decode: decodeNumber, operand: numberOperand},
	"boolean":    {sql: "INTEGER", decode: decodeBoolean, operand: booleanOperand},
	"reference":  {sql: "BLOB", decode: decodeReference, operand: uuidOperand},
	"references": {sql: "TEXT", decode: decodeReferences, operand: uuidTextOperand, unordered: true},
	"any":        {sql: "TEXT", decode: decodeAny, operand: textOperand, unordered: true},
}

const (
	notString    = "Not a valid string."
	notUUID      = "Must be a valid UUID."
	notReference = "Invalid data. Expected an object with an id, or an id."
	isRequired   = "This field is required."
	mayNotBeNull = "This field may not be null."
)

// unquote returns the text of a JSON string, pointing into it where nothing
// is escaped.
func unquote(raw jsontext.Value) ([]byte, bool) {
	if raw.Kind() != '"' {
		return nil, false
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return raw[1 : len(raw)-1], true
	}
	text, err := jsontext.AppendUnquote(nil, raw)
	return text, err == nil
}

func decodeString(raw jsontext.Value) (value, string) {
	text, ok := unquote(raw)
	if !ok {
		return value{}, notString
	}
	if bytes.IndexByte(text, 0) >= 0 {
		return value{}, "Null characters are not allowed."
	}
	return value{json: raw, text: text, column: string(text)}, ""
}

func decodeUUID(raw jsontext.Value) (value, string) {
	text, ok := unquote(raw)
	if !ok {
		return value{}, notUUID
	}
	return uuidValue(text, `"`, `"`)
}

// uuidValue makes the value of an id, answered between open and end.
func uuidValue(text []byte, open, end string) (value, string) {
	id, ok := parseUUID(text)
	if !ok {
		return value{}, notUUID
	}
	return idValue(id, open, end), ""
}

func idValue(id uuid.UUID, open, end string) value {
	json := make([]byte, 0, len(open)+36+len(end))
	json = append(json, open...)
	json = appendUUID(json, id)
	json = append(json, end...)
	return value{set: true, json: json, text: json[len(open) : len(json)-len(end)], column: id[:]}
}

// parseUUID takes the form of RFC 9562 only, 36 characters.
func parseUUID(text []byte) (uuid.UUID, bool) {
	if len(text) != 36 {
		return uuid.UUID{}, false
	}
	id, err := uuid.ParseBytes(text)
	return id, err == nil
}

// appendUUID renders id as RFC 9562 does, in lower case.
func appendUUID(dst []byte, id uuid.UUID) []byte {
	start := 0
	for _, end := range []int{4, 6, 8, 10, 16} {
		if start > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, id[start:end])
		start = end
	}
	return dst
}

func decodeDate(raw jsontext.Value) (value, string) {
	text, ok := unquote(raw)
	if _, err := time.Parse(time.DateOnly, string(text)); !ok || err != nil {
		return value{}, "Date has wrong format. Use YYYY-MM-DD."
	}
	return value{json: raw, text: text, column: string(text)}, ""
}

// timeLayout is how times are answered: microseconds, always six digits, UTC.
const timeLayout = "2006-01-02T15:04:05.000000Z"

func decodeDateTime(raw jsontext.Value) (value, string) {
	text, _ := unquote(raw)
	t, err := time.Parse(time.RFC3339, string(text))
	if err != nil {
		return value{}, "Datetime has wrong format. Use RFC 3339."
	}
	return timeValue(t.UnixMicro()), ""
}

func timeValue(micros int64) value {
	json := make([]byte, 0, len(timeLayout)+2)
	json = append(json, '"')
	json = time.UnixMicro(micros).UTC().AppendFormat(json, timeLayout)
	json = append(json, '"')
	return value{set: true, json: json, text: json[1 : len(json)-1], column: micros}
}

// numeral returns the text of a JSON number, or of a string that holds one.
func numeral(raw jsontext.Value) []byte {
	if text, ok := unquote(raw); ok {
		return bytes.TrimSpace(text)
	}
	return raw
}

func decodeInteger(raw jsontext.Value) (value, string) {
	text := numeral(raw)
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return value{}, "A valid integer is required."
	}
	json := strconv.AppendInt(nil, n, 10)
	return value{json: json, text: json, column: n}, ""
}

func decodeNumber(raw jsontext.Value) (value, string) {
	text := jsontext.Value(numeral(raw))
	n, err := strconv.ParseFloat(string(text), 64)
	if err != nil || !text.IsValid() || text.Kind() != '0' {
		return value{}, "A valid number is required."
	}
	return value{json: text, text: text, column: n}, ""
}

func decodeBoolean(raw jsontext.Value) (value, string) {
	if raw.Kind() != 't' && raw.Kind() != 'f' {
		return value{}, "Must be a valid boolean."
	}
	return value{json: raw, text: raw, column: truth(raw.Kind() == 't')}, ""
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// decodeReference takes {"id": "…"}, with other members besides, or a bare id.
// An object without an id, or with a null one, stands for null.
func decodeReference(raw jsontext.Value) (value, string) {
	text, message := referenceID(raw)
	switch {
	case message != "":
		return value{}, message
	case text == nil:
		return value{null: true}, ""
	}
	return uuidValue(text, plainReference, `"}`)
}

// plainReference is how a reference nearly always begins.
const plainReference = `{"id":"`

// referenceID returns the text of a reference's id, nil if there is none.
func referenceID(raw jsontext.Value) (text []byte, message string) {
	if len(raw) == len(plainReference)+36+len(`"}`) && bytes.HasPrefix(raw, []byte(plainReference)) {
		return raw[len(plainReference) : len(plainReference)+36], ""
	}
	switch raw.Kind() {
	case '"':
	case '{':
		if raw = jsonscan.Member(raw, "id"); raw == nil || raw.Kind() == 'n' {
			return nil, ""
		}
	default:
		return nil, notReference
	}
	text, ok := unquote(raw)
	if !ok {
		return nil, notUUID
	}
	return text, ""
}

func decodeReferences(raw jsontext.Value) (value, string) {
	if raw.Kind() != '[' {
		return value{}, "Expected a list of items."
	}
	d := jsontext.NewDecoder(bytes.NewBuffer(raw))
	_, _ = d.ReadToken()
	json, column := []byte{'['}, []byte{'['}
	for d.PeekKind() != ']' {
		item, err := d.ReadValue()
		if err != nil {
			return value{}, notReference
		}
		text, message := referenceID(item)
		if message != "" {
			return value{}, message
		}
		id, ok := parseUUID(text)
		if !ok {
			return value{}, notUUID
		}
		if len(json) > 1 {
			json, column = append(json, ','), append(column, ',')
		}
		json = append(appendUUID(append(json, plainReference...), id), `"}`...)
		column = append(appendUUID(append(column, '"'), id), '"')
	}
	column = append(column, ']')
	json = append(json, ']')
	return value{json: json, text: json, column: string(column)}, ""
}

func decodeAny(raw jsontext.Value) (value, string) {
	return value{json: raw, text: raw, column: string(raw)}, ""
}

func textOperand(text string) (any, bool) { return text, true }

func uuidOperand(text string) (any, bool) {
	id, ok := parseUUID([]byte(text))
	return id[:], ok
}

func uuidTextOperand(text string) (any, bool) {
	id, ok := parseUUID([]byte(text))
	return id.String(), ok
}

func dateOperand(text string) (any, bool) {
	_, err := time.Parse(time.DateOnly, text)
	return text, err == nil
}

// timeOperand takes RFC 3339, or less: a time without a zone is UTC, a date its
// first moment.
func timeOperand(text string) (any, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateTime, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UnixMicro(), true
		}
	}
	return nil, false
}

func integerOperand(text string) (any, bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

func numberOperand(text string) (any, bool) {
	n, err := strconv.ParseFloat(text, 64)
	return n, err == nil
}

func booleanOperand(text string) (any, bool) {
	b, err := strconv.ParseBool(text)
	return truth(b), err == nil
}
