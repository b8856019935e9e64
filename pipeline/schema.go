package pipeline

// Type is the type of a field's values. Values travel as text; the type says
// how an encoder writes them (a Boolean as a JSON literal, say).
type Type uint8

// The types a field can have. The zero Type is Text.
const (
	Text     Type = iota // any string
	UUID                 // RFC 9562 text form
	Date                 // ISO 8601 calendar date
	DateTime             // RFC 3339
	Integer              // decimal, optional minus sign
	Number               // JSON number
	Boolean              // true or false
	JSON                 // any JSON value, as its text
)

var typeNames = [...]string{"string", "uuid", "date", "date-time", "integer", "number", "boolean", "any"}

// String returns the name a resource descriptor uses for t.
func (t Type) String() string { return typeNames[t] }

// Field is one field of a resource as it is held in a batch. A dotted Name is
// a nested one: external_client.id is the id within external_client.
type Field struct {
	Name string
	Type Type
}

// Schema is the fields of a batch, in order.
type Schema struct {
	Fields []Field
}

// Index returns the position of the field called name, or -1.
func (s *Schema) Index(name string) int {
	for i, f := range s.Fields {
		if f.Name == name {
			return i
		}
	}
	return -1
}
