package sources

import (
	"slices"
	"strconv"

	"flytt/pipeline"
)

// originDecoder numbers the rows of a rejects file as their column _row does,
// which the decoder within it has put last, and takes that column away. A row of
// which it names none has the number 0.
type originDecoder struct{ pipeline.Decoder }

// Decode implements pipeline.Decoder.
func (o originDecoder) Decode(block *pipeline.Block, b *pipeline.Batch) error {
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

// isAccount reports whether name is a column of a rejects file that the input it
// came from did not have.
func isAccount(name string) bool { return name == pipeline.RowColumn || name == pipeline.ErrorsColumn }

// rowColumnAt returns where in the header of a rejects file the column _row is.
func rowColumnAt(names []string) int { return slices.Index(names, pipeline.RowColumn) }
