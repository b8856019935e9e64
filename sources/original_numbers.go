package sources

import (
	"slices"
	"strconv"

	"flytt/pipeline"
)

// originalNumberDecoder gives the rows of a rejects file the numbers in their column
// _row, which the wrapped decoder has put last, and removes that column. A row without a
// number gets 0.
type originalNumberDecoder struct{ pipeline.Decoder }

// Decode implements pipeline.Decoder.
func (o originalNumberDecoder) Decode(block *pipeline.Block, b *pipeline.Batch) error {
	if err := o.Decoder.Decode(block, b); err != nil {
		return err
	}
	last := len(b.Input) - 1
	for i := range b.Rows {
		b.Rows[i] = rowNumber(b.Input[last].Value(i))
	}
	b.Input = b.Input[:last]
	return nil
}

// rowNumber reads the number of a row; 0 if it is none.
func rowNumber(v []byte) int64 {
	n, err := strconv.ParseInt(string(v), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// isRejectsColumn reports whether name is a column that a rejects file has in addition
// to those of its input.
func isRejectsColumn(name string) bool {
	return name == pipeline.RowColumn || name == pipeline.ErrorsColumn
}

// rowColumnAt returns where in the header of a rejects file the column _row is.
func rowColumnAt(names []string) int { return slices.Index(names, pipeline.RowColumn) }
