package bulk

import (
	"bytes"
	"errors"
	"strings"

	"flytt/internal/api"
)

// anchor is a key that the list has shown in this run. A lookup that asks for it
// too proves by showing it that it is not blind.
type anchor struct{ key string }

// askable reports whether a key that is Lookupable, with white space around it,
// can be asked for too.
func askable(padded []byte) bool {
	return api.Lookupable(bytes.Trim(padded, " \u00a0")) && len(padded) <= maxPadded
}

const maxPadded = 256

// madeKey reports whether this run made, or may have made, a record with the key of r.
func (e *engine) madeKey(r api.Record) bool {
	return e.claims.has(createClaim, []byte(strings.TrimSpace(r.Key)))
}

// showsAny makes the key of one of the records, which the list has shown, the anchor if
// there is none.
func (e *engine) showsAny(lists ...[]api.Record) {
	for _, records := range lists {
		for i := range records {
			if key := records[i].Key; api.Lookupable([]byte(key)) {
				e.shown(key)
				return
			}
		}
	}
}

// shown makes key the anchor if there is none.
func (e *engine) shown(key string) { e.anchor.CompareAndSwap(nil, &anchor{key}) }

// lookupError stops a run that cannot tell which of its rows are in the API.
type lookupError struct {
	path string
	err  error
}

var errUnseen = errors.New("the list does not show the first row written")

func (e *lookupError) Error() string {
	return "GET " + e.path + ": which rows are there cannot be told: " + e.err.Error()
}

func (e *lookupError) Unwrap() error { return e.err }

// Hint says what to do about it.
func (e *lookupError) Hint() string {
	return "no row was guessed to be absent; see whether the credentials show the records in question, then run the same import again"
}
