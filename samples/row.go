package samples

import "bytes"

// Severities, in the words of the summary.
const (
	failure = "error"
	warning = "warning"
	repair  = "repair"
)

// field is a field of the resource that the sample's mapping fills from the
// register.
type field int

const (
	fieldKey field = iota
	fieldClient
	fieldName
	fieldFirst
	fieldLast
	fieldTitle
	fieldSSN
	fieldOrg
	fieldCompany
	fieldEmail
	fieldPhone
	fields
)

var fieldNames = [fields]string{
	"custom_id", "external_client.id", "name", "first_name", "last_name", "title", "ssn", "org_no",
	"corporate_name", "email", "phone_number",
}

// row is one record on its way out.
type row struct {
	cells  [columns][]byte
	count  int  // cells written
	raw    int  // the cell written without the quotes it needs, or -1
	closed bool // left out by the mapping's where
	broken bool // cannot be decoded, so that nothing else is found in it
	truth  Truth
}

func (r *row) reset() {
	for i := range r.cells {
		r.cells[i] = r.cells[i][:0]
	}
	for i := range r.truth.values {
		r.truth.values[i] = r.truth.values[i][:0]
	}
	r.count, r.raw, r.closed, r.broken = columns, -1, false, false
	r.truth.Fate, r.truth.Fault, r.truth.Problems = Valid, "", r.truth.Problems[:0]
}

// set makes text the value of a column.
func (r *row) set(column int, text string) { r.cells[column] = append(r.cells[column][:0], text...) }

// want says what field must be if the row passes.
func (r *row) want(f field, value []byte) {
	r.truth.values[f] = append(r.truth.values[f][:0], value...)
}

// note says that the row must be reported with a warning or a repair.
func (r *row) note(f field, code, severity string) {
	r.truth.Problems = append(r.truth.Problems, Problem{Field: fieldNames[f], Code: code, Severity: severity})
}

// fail says that the field must be reported with code, and with nothing else.
func (r *row) fail(f field, code string) {
	kept := r.truth.Problems[:0]
	for _, p := range r.truth.Problems {
		if p.Field != fieldNames[f] {
			kept = append(kept, p)
		}
	}
	r.truth.Problems = append(kept, Problem{Field: fieldNames[f], Code: code, Severity: failure})
}

// spoil says that the row cannot be decoded.
func (r *row) spoil(code string) {
	r.broken = true
	r.truth.Problems = append(r.truth.Problems[:0], Problem{Code: code, Severity: failure})
}

// settle gives the row its fate. A row that cannot be decoded is rejected
// whatever it says; one left out is not looked into any further.
func (r *row) settle() {
	if r.closed && !r.broken {
		r.truth.Fate, r.truth.Problems = Skipped, r.truth.Problems[:0]
		return
	}
	for _, p := range r.truth.Problems {
		if p.Severity == failure {
			r.truth.Fate = Rejected
		}
	}
}

// append appends the record: cells between semicolons, quoted where they have
// to be, CRLF at its end.
func (r *row) append(dst []byte) []byte {
	for i, cell := range r.cells[:r.count] {
		if i > 0 {
			dst = append(dst, ';')
		}
		if i == r.raw || !bytes.ContainsAny(cell, "\";\r\n") {
			dst = append(dst, cell...)
			continue
		}
		dst = append(dst, '"')
		for _, c := range cell {
			if c == '"' {
				dst = append(dst, '"')
			}
			dst = append(dst, c)
		}
		dst = append(dst, '"')
	}
	return append(dst, "\r\n"...)
}
