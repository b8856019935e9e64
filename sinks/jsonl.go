package sinks

import "flytt/pipeline"

// createJSONL writes JSON Lines: one object on each line, in UTF-8, each line
// ended by a line feed. The members of ExtraField, if the schema ends in it,
// stand at the end of the object.
func createJSONL(out *output, schema *pipeline.Schema, o *FileOptions) (pipeline.Sink, error) {
	options := objectOptions{nulls: o.Nulls, flat: o.Flat, extra: hasExtra(schema), end: "\n"}
	if !o.Flat {
		if err := checkObject(schema); err != nil {
			return nil, err
		}
	}
	return &fileSink{out: out, encoder: newObjectEncoder(schema, options)}, nil
}
