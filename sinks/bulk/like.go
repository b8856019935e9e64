package bulk

import (
	"flytt/internal/journal"
)

// An earlier run has on record how the API stored what it was sent. With that a later run
// of the same rows does not send what the API would store the same way again: see
// Options.Like.

// StoredPairs returns what e, of a run that is over, has of values that the API stored
// otherwise than they were sent: a keyed sum for each, of the field, the value that was
// sent, and the one that was stored. The sums of all journals of one key can be compared.
func StoredPairs(e *journal.Entry) ([]uint64, error) {
	n, err := readNotes(e.Notes, e.Rows)
	if err != nil {
		return nil, err
	}
	var pairs []uint64
	for _, row := range n.stored {
		for _, d := range row {
			pairs = append(pairs, d.pair)
		}
	}
	return pairs, nil
}
