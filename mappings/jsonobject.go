package mappings

import (
	"bytes"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// object is a JSON object whose members keep their order. Values are object,
// []any, []string, string, bool, int, float64 or nil.
type object []member

type member struct {
	name  string
	value any
}

// with returns o with one more member.
func (o object) with(name string, value any) object {
	return append(o[:len(o):len(o)], member{name, value})
}

// indented returns o as indented JSON, with a line end after it.
func (o object) indented() ([]byte, error) {
	var out bytes.Buffer
	e := jsontext.NewEncoder(&out, jsontext.WithIndent("  "))
	if err := writeValue(e, o); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func writeValue(e *jsontext.Encoder, value any) error {
	switch v := value.(type) {
	case object:
		return writeObject(e, v)
	case []any:
		return writeArray(e, v)
	case []string:
		return writeArray(e, v)
	case string:
		return e.WriteToken(jsontext.String(v))
	case bool:
		return e.WriteToken(jsontext.Bool(v))
	case int:
		return e.WriteToken(jsontext.Int(int64(v)))
	case float64:
		return e.WriteToken(jsontext.Float(v))
	case nil:
		return e.WriteToken(jsontext.Null)
	}
	return fmt.Errorf("no JSON form for %T", value)
}

func writeObject(e *jsontext.Encoder, o object) error {
	if err := e.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	for _, m := range o {
		if err := e.WriteToken(jsontext.String(m.name)); err != nil {
			return err
		}
		if err := writeValue(e, m.value); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return e.WriteToken(jsontext.EndObject)
}

func writeArray[T any](e *jsontext.Encoder, items []T) error {
	if err := e.WriteToken(jsontext.BeginArray); err != nil {
		return err
	}
	for _, item := range items {
		if err := writeValue(e, item); err != nil {
			return err
		}
	}
	return e.WriteToken(jsontext.EndArray)
}
