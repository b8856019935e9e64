package jsonscan

import (
	"bytes"
	"iter"

	"github.com/go-json-experiment/json/jsontext"
)

// Members yields the names and values of an object, or the values of an array
// with empty names, and nothing for any other value. A name is as it stands
// between its quotes: see [NameIs] and [Unquote].
func Members(v []byte) iter.Seq2[[]byte, jsontext.Value] {
	return func(yield func([]byte, jsontext.Value) bool) {
		if len(v) == 0 || v[0] != '{' && v[0] != '[' {
			return
		}
		named := v[0] == '{'
		for i := Skip(v, 1); v[i] != '}' && v[i] != ']'; i = Skip(v, i) {
			var name []byte
			if named {
				end := stringEnd(v, i)
				name = v[i+1 : end-1]
				i = Skip(v, end)
			}
			end := ValueEnd(v, i)
			if !yield(name, v[i:end:end]) {
				return
			}
			i = end
		}
	}
}

// Member returns the value of the member of object called name, or nil if
// there is none or object is no object.
func Member(object []byte, name string) jsontext.Value {
	if len(object) == 0 || object[0] != '{' {
		return nil
	}
	for n, v := range Members(object) {
		if NameIs(n, name) {
			return v
		}
	}
	return nil
}

// Skip returns the first place from i on that is neither white space nor a
// comma or colon. There is one: inside of an object or array its end.
func Skip(v []byte, i int) int {
	for v[i] <= ' ' || v[i] == ',' || v[i] == ':' {
		i++
	}
	return i
}

// ValueEnd returns where the value that starts at v[i] ends.
func ValueEnd(v []byte, i int) int {
	switch v[i] {
	case '"':
		return stringEnd(v, i)
	case '{', '[':
		return compositeEnd(v, i)
	}
	for i < len(v) && v[i] > ' ' && v[i] != ',' && v[i] != '}' && v[i] != ']' {
		i++
	}
	return i
}

// stringEnd returns where the string that starts at v[i] ends: after the first
// quote that an even number of backslashes stands before.
func stringEnd(v []byte, i int) int {
	for i++; ; i++ {
		i += bytes.IndexByte(v[i:], '"')
		escapes := 0
		for v[i-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return i + 1
		}
	}
}

func compositeEnd(v []byte, i int) int {
	for depth := 0; ; i++ {
		switch v[i] {
		case '"':
			i = stringEnd(v, i) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
}

// Text returns the characters of a string, the digits of a number, true or
// false, and nil for anything else.
func Text(v []byte) []byte {
	switch jsontext.Value(v).Kind() {
	case '"':
		return Unquote(v[1 : len(v)-1])
	case '0', 't', 'f':
		return v
	}
	return nil
}

// Unquote returns the characters that stand between the quotes of a string as
// inner: inner itself unless there are escapes.
func Unquote(inner []byte) []byte {
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner
	}
	quoted := make([]byte, 0, len(inner)+2)
	quoted = append(append(append(quoted, '"'), inner...), '"')
	out, err := jsontext.AppendUnquote(nil, quoted)
	if err != nil {
		return inner
	}
	return out
}

// NameIs reports whether the raw name n, as Members yields it, is name.
func NameIs(n []byte, name string) bool {
	return string(n) == name || bytes.IndexByte(n, '\\') >= 0 && string(Unquote(n)) == name
}
