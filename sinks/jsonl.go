package sinks

import "flytt/pipeline"

// createJSONL writes JSON Lines: one object on each line, in UTF-8, each line
// ended by a line feed.
func createJSONL(out *output, schema *pipeline.Schema, o *FileOptions) (pipeline.Sink, error) {
	if err := checkObject(schema); err != nil {
		return nil, err
	}
	return &fileSink{out: out, encoder: newObjectEncoder(schema, objectOptions{nulls: o.Nulls, end: "\n"})}, nil
}
