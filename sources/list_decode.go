package sources

import (
	"fmt"

	"flytt/pipeline"
	"flytt/sources/json"
)

// unknownField is the code of members that no column of a list is for.
const unknownField pipeline.Code = "unknown_field"

// listCodes documents the codes that only lists note.
var listCodes = []pipeline.CodeInfo{
	{Code: unknownField, Stage: pipeline.Read, Severity: pipeline.Warning},
}

// listDecoder turns blocks of JSON objects into batches whose columns point into the
// block. The objects were checked to be valid JSON when they came in, so they are not
// checked again.
type listDecoder struct{ objects json.ObjectDecoder }

// Decode implements pipeline.Decoder.
func (d *listDecoder) Decode(block *pipeline.Block, b *pipeline.Batch) error {
	text := block.Data
	d.objects.Open(b, text)
	for i := space(text, 0); i < len(text); i = space(text, i) {
		if text[i] != '{' {
			return fmt.Errorf("row %d of the list: not an object", block.Row+int64(b.Len()))
		}
		i = d.objects.Object(text, i)
		b.AddRow(block.Row + int64(b.Len()))
		d.objects.Flush(b)
	}
	if int64(b.Len()) != block.Tag {
		return fmt.Errorf("row %d of the list: %d objects came as a page of %d", block.Row, b.Len(), block.Tag)
	}
	return nil
}

// space returns the first place from i on that is not white space, which may be
// the end of text.
func space(text []byte, i int) int {
	for i < len(text) && text[i] <= ' ' {
		i++
	}
	return i
}
