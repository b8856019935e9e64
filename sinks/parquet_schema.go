package sinks

import (
	"reflect"

	"github.com/parquet-go/parquet-go"

	"flytt/pipeline"
)

// parquetColumn is a column of a Parquet file.
type parquetColumn struct {
	name string
	kind parquetKind
}

// parquetKind is how a column's values are stored.
type parquetKind uint8

const (
	parquetText parquetKind = iota
	parquetJSON
	parquetDate
	parquetDateTime
	parquetInteger
	parquetNumber
	parquetBoolean
)

// parquetKinds says how values of a type are stored. An id is text: as 16 bytes
// it would lose the form it was written in.
var parquetKinds = map[pipeline.Type]parquetKind{
	pipeline.Text:     parquetText,
	pipeline.UUID:     parquetText,
	pipeline.JSON:     parquetJSON,
	pipeline.Date:     parquetDate,
	pipeline.DateTime: parquetDateTime,
	pipeline.Integer:  parquetInteger,
	pipeline.Number:   parquetNumber,
	pipeline.Boolean:  parquetBoolean,
}

// parquetLeaves is how a file describes columns of a kind.
var parquetLeaves = map[parquetKind]parquet.Node{
	parquetText:     parquet.String(),
	parquetJSON:     parquet.JSON(),
	parquetDate:     parquet.Date(),
	parquetDateTime: parquet.Timestamp(parquet.Microsecond),
	parquetInteger:  parquet.Int(64),
	parquetNumber:   parquet.Leaf(parquet.DoubleType),
	parquetBoolean:  parquet.Leaf(parquet.BooleanType),
}

// newParquetColumns returns the columns for the fields of schema.
func newParquetColumns(schema *pipeline.Schema) ([]parquetColumn, error) {
	seen := map[string]bool{}
	columns := make([]parquetColumn, len(schema.Fields))
	for i, f := range schema.Fields {
		if seen[f.Name] {
			return nil, &pipeline.UsageError{Place: "field " + f.Name, Cause: "a file would have this column twice", Hint: "map it once"}
		}
		seen[f.Name] = true
		columns[i] = parquetColumn{f.Name, parquetKinds[f.Type]}
	}
	return columns, nil
}

// parquetSchema returns the schema of a row group: columns for which dictionary
// is true have one.
func parquetSchema(columns []parquetColumn, dictionary []bool) *parquet.Schema {
	root := parquetRoot{Group: parquet.Group{}}
	for i, c := range columns {
		leaf := parquetLeaves[c.kind]
		if dictionary[i] {
			leaf = parquet.Encoded(leaf, &parquet.RLEDictionary)
		} else {
			leaf = parquet.Encoded(leaf, &parquet.Plain)
		}
		leaf = parquet.Optional(leaf)
		root.Group[c.name] = leaf
		root.fields = append(root.fields, parquetField{leaf, c.name})
	}
	return parquet.NewSchema("flytt", root)
}

// parquetRoot is a group that keeps the order of its fields; those of a
// parquet.Group stand in the order of their names.
type parquetRoot struct {
	parquet.Group
	fields []parquet.Field
}

// Fields returns the columns in their order.
func (r parquetRoot) Fields() []parquet.Field { return r.fields }

// GoType returns a map: a struct could not have a field whose name has a dot.
func (r parquetRoot) GoType() reflect.Type { return reflect.TypeFor[map[string]any]() }

// parquetField is a column of a parquetRoot.
type parquetField struct {
	parquet.Node
	name string
}

// Name returns the name of the column.
func (f parquetField) Name() string { return f.name }

// Value returns the column's value in a map of a row.
func (f parquetField) Value(row reflect.Value) reflect.Value {
	return row.MapIndex(reflect.ValueOf(f.name))
}
