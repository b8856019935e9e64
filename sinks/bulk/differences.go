package bulk

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/api"
	"flytt/internal/jsonscan"
)

// change is a record that is to be changed.
type change struct {
	row    int32
	id     string
	patch  []byte // what it is to hold
	record []byte // what it holds
}

// differences returns those members of want that record does not hold, as an
// object; nil if it holds them all. An input cannot tell no text from no value,
// and has no white space around a text: neither is a difference. A reference of
// which the record says nothing may be any: it is one. What same, unless nil,
// says of a member and what the record holds of it is none either.
func differences(want, record []byte, same func(name string, want, got jsontext.Value) bool) []byte {
	patch, _ := api.Changes(nil, want, record)
	var out []byte
	for name, value := range jsonscan.Members(want) {
		plain := string(jsonscan.Unquote(name))
		got := jsonscan.Member(record, plain)
		if !isHiddenReference(value, got) && (jsonscan.Member(patch, plain) == nil || sameToAnInput(value, got)) {
			continue
		}
		if same != nil && same(plain, value, got) {
			continue
		}
		out = appendMember(out, name, value)
	}
	return closed(out)
}

// isHiddenReference reports whether want is a reference and got is one of which the API
// does not tell where it leads.
func isHiddenReference(want, got jsontext.Value) bool {
	return want.Kind() == '{' && got.Kind() == '{' && empty(got) && !empty(want)
}

// empty reports whether v, a string, an object or an array, holds nothing.
func empty(v jsontext.Value) bool { return len(bytes.TrimSpace(v[1:len(v)-1])) == 0 }

// holds reports whether record shows nothing that speaks against changes.
func (e *engine) holds(changes, record []byte) bool {
	return contradicted(differences(changes, record, e.comparesAlike), record) == nil
}

// contradicted returns those members of patch, which record lacks, that it speaks
// against, as an object; nil if there are none. A reference of which it says nothing
// may be the one.
func contradicted(patch, record []byte) (out []byte) {
	for name, value := range jsonscan.Members(patch) {
		if isHiddenReference(value, jsonscan.Member(record, string(jsonscan.Unquote(name)))) {
			continue
		}
		out = appendMember(out, name, value)
	}
	return closed(out)
}

// appendMember appends a member to out, of which closed makes an object.
func appendMember(out, name, value []byte) []byte {
	out = append(out, ',', '"')
	out = append(out, name...)
	out = append(out, '"', ':')
	return append(out, value...)
}

// closed returns members as an object; nil if there are none.
func closed(members []byte) []byte {
	if members == nil {
		return nil
	}
	members[0] = '{'
	return append(members, '}')
}

// sameToAnInput reports whether want and got are the same to an input.
func sameToAnInput(want, got jsontext.Value) bool {
	switch want.Kind() {
	case 'n':
		return isNoValue(got)
	case '"':
		return got.Kind() == '"' && bytes.Equal(jsonscan.Text(want), bytes.TrimSpace(jsonscan.Text(got)))
	}
	return false
}

// isNoValue reports whether got, what a record holds of a field, is no value.
func isNoValue(got jsontext.Value) bool {
	switch got.Kind() {
	case '"', '{', '[':
		return empty(got)
	}
	return len(got) == 0 || got.Kind() == 'n'
}

// recordOf returns body if it is the record with id, as far as it tells, and nil
// otherwise.
func recordOf(body []byte, id string) []byte {
	record := jsontext.Value(bytes.TrimSpace(body))
	if len(record) == 0 || record[0] != '{' || !record.IsValid() {
		return nil
	}
	if !strings.EqualFold(string(jsonscan.Text(jsonscan.Member(record, idField))), id) {
		return nil
	}
	return record
}
