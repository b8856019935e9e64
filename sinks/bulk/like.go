package bulk

import (
	"github.com/go-json-experiment/json/jsontext"

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

// lacks returns those members of want, which is what row wants, that record does not hold,
// as an object; nil if it holds them all. It holds a value also in another form of it, and
// in the form that the API made of it before.
func (w *write) lacks(row int32, want, record []byte) (patch []byte, err error) {
	patch = differences(want, record, func(name string, want, got jsontext.Value) bool {
		if err != nil || w.sameForm(row, name, want, got) {
			return true
		}
		var known bool
		known, err = w.storedBefore(row, name, want, got)
		return known
	})
	return patch, err
}

// storedBefore reports whether the API stored got for want, of the member name, in the run
// that this one is like. The journal of this run keeps that as if the API had done so now,
// so that verify and undo need no other journal.
func (w *write) storedBefore(row int32, name string, want, got jsontext.Value) (bool, error) {
	like := w.bulk.options.Like
	if like == nil || got == nil {
		return false, nil
	}
	known, err := like.Has(w.pair(name, want, got))
	if known {
		w.keepDeviation(row, name, want, got)
	}
	return known, err
}
