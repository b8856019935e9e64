package sinks

import (
	"flytt/internal/jsonobject"
	"flytt/pipeline"
)

// createJSONL writes JSON Lines: one object on each line, in UTF-8, each line
// ended by a line feed. The members of ExtraField, if the schema ends in it,
// stand at the end of the object.
func createJSONL(out *output, schema *pipeline.Schema, o *FileOptions) (pipeline.Sink, error) {
	options := jsonobject.Options{Nulls: o.Nulls, Flat: o.Flat, Extra: hasExtra(schema), End: "\n"}
	if !o.Flat {
		if err := jsonobject.Check(schema); err != nil {
			return nil, err
		}
	}
	return &fileSink{out: out, encoder: jsonobject.New(schema, options)}, nil
}
