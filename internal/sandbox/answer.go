package sandbox

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// failure is an answer other than success: a detail, the faults of one object, or those
// of the items of a bulk write.
type failure struct {
	status int
	text   string
	faults []fault
	items  []itemFaults
	key    string // the field the items are known by
	first  int    // the index of the first item
	allow  string // for 405
}

// itemFaults are what is wrong with one item of a bulk write, if anything.
type itemFaults struct {
	key    []byte // JSON; nil: it has none
	faults []fault
}

// Error returns the status; the body is for the client.
func (f *failure) Error() string { return http.StatusText(f.status) }

// failf makes a failure with a detail text.
func failf(status int, format string, args ...any) *failure {
	return &failure{status: status, text: fmt.Sprintf(format, args...)}
}

var notFound = failf(http.StatusNotFound, "Not found.")

// invalid makes a failure of one object's faults, or of a list's parameters.
func invalid(faults []fault) *failure {
	return &failure{status: http.StatusBadRequest, text: "Invalid data.", faults: faults}
}

// invalidItems makes a failure of the faults of bulk items.
func (a answerForm) invalidItems(items []*record) *failure {
	f := &failure{status: http.StatusBadRequest, text: "Invalid data.", key: a.x.table.resource.Key, first: int(a.x.answers.Index)}
	key, keyed := a.x.table.index[f.key]
	for _, rec := range items {
		item := itemFaults{faults: rec.faults}
		if keyed && rec.values[key].json != nil {
			item.key = rec.values[key].json
		}
		f.items = append(f.items, item)
	}
	return f
}

// fault is one thing wrong with one field or parameter, in the server's words. It never
// holds a value.
type fault struct{ field, message string }

// nonField is the member for faults that belong to no single field.
const nonField = "non_field_errors"

// appendFaults renders faults as {"field":["message",…],…}.
func appendFaults(dst []byte, faults []fault) []byte {
	dst = append(dst, '{')
	first := true
	for i, f := range faults {
		if named(faults[:i], f.field) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(appendString(dst, f.field), ':', '[')
		dst = appendString(dst, f.message)
		for _, g := range faults[i+1:] {
			if g.field == f.field {
				dst = appendString(append(dst, ','), g.message)
			}
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

// named reports whether one of faults is field's.
func named(faults []fault, field string) bool {
	return slices.ContainsFunc(faults, func(f fault) bool { return f.field == field })
}

// appendString renders s as a JSON string.
func appendString(dst []byte, s string) []byte {
	out, _ := jsontext.AppendQuote(dst, s) // the error tells of bytes that are no UTF-8, which it replaces
	return out
}

const jsonType = "application/json"

// answer sends a complete body.
func (x *exchange) answer(status int, body []byte) error {
	x.unlock()
	if status != http.StatusNoContent {
		x.w.Header().Set("Content-Type", jsonType)
	}
	x.w.WriteHeader(status)
	_, _ = x.w.Write(body) // the client is gone: nobody to tell
	return nil
}

// fail sends the answer for err. An error of the storage is a 500; an error in the
// middle of an answer cuts the connection, so that the client cannot take the answer
// for complete.
func (x *exchange) fail(err error) {
	x.unlock()
	if x.w.status != 0 {
		panic(http.ErrAbortHandler)
	}
	var f *failure
	if !errors.As(err, &f) {
		f = failf(http.StatusInternalServerError, "Storage: %v.", err)
	}
	if f.allow != "" {
		x.w.Header().Set("Allow", f.allow)
	}
	contentType, body := f.render(x.box.options.Errors)
	x.w.Header().Set("Content-Type", contentType)
	x.w.WriteHeader(f.status)
	_, _ = x.w.Write(body) // the client is gone: nobody to tell
}
