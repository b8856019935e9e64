package bulk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"flytt/internal/api"
	"flytt/pipeline"
)

// findByKeys returns the records that have keys, by these. The list has to show one with
// the key canary, unless that is empty.
func (e *engine) findByKeys(ctx context.Context, keys []string, canary string) (map[string]api.Found, error) {
	return e.reader.FindByKeys(ctx, api.Lookup{Path: e.options.Path, Field: e.options.Key, Keys: keys, Canary: canary})
}

// findIDs returns those of the records with ids that the list shows. That may be
// none: the list is asked because it tells of many at once, and what it does not
// show is asked for one by one.
func (e *engine) findIDs(ctx context.Context, ids []string) (map[string][]byte, error) {
	records := map[string][]byte{}
	if len(ids) == 0 {
		return records, nil
	}
	found, err := e.reader.FindByKeys(ctx, api.Lookup{Path: e.options.Path, Field: idField, Keys: ids, Unique: true})
	if stops(ctx, err) {
		return nil, err
	}
	if err != nil {
		e.warnOnce.Do(func() {
			e.options.Log.Warn("records cannot be listed by id; each is asked for by itself", "error", err)
		})
		return records, nil
	}
	for id, of := range found {
		if len(of.Records) > 0 {
			records[id] = of.Records[0].Object
		}
	}
	return records, nil
}

// stops reports whether err, of a read, is about the run as a whole: every
// other read would end in the same way.
func stops(ctx context.Context, err error) bool {
	var gaveUp *api.GaveUpError
	var status *api.StatusError
	return err != nil && (ctx.Err() != nil || errors.Is(err, pipeline.ErrInterrupted) || errors.As(err, &gaveUp) || errors.As(err, &status) && api.IsFatalStatus(status.Status))
}

// recordWith returns the record with id: from found, which a list has shown, or else read by
// itself; nil if there is none.
func (e *engine) recordWith(ctx context.Context, id string, found map[string][]byte) ([]byte, error) {
	if record := found[id]; record != nil {
		return record, nil
	}
	return e.get(ctx, id)
}

// get reads the record with id; nil if there is none.
func (e *engine) get(ctx context.Context, id string) ([]byte, error) {
	o, err := e.reader.Get(ctx, e.options.Records, id, nil)
	if errors.Is(err, api.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	record := recordOf(o.Body, id)
	if record == nil {
		return nil, fmt.Errorf("GET %s: %w", e.options.Records, errNoRecord)
	}
	return record, nil
}

var errNoRecord = errors.New("the answer is not the record that was asked for")

// askable reports whether a key that is Lookupable, with white space around it,
// can be asked for too.
func askable(padded []byte) bool {
	return api.Lookupable(bytes.Trim(padded, " \u00a0")) && len(padded) <= maxPadded
}

const maxPadded = 256

// madeKey reports whether this run made, or may have made, a record with the key of r.
func (e *engine) madeKey(r api.Record) bool {
	return e.claims.Has(createClaim, []byte(strings.TrimSpace(r.Key)))
}

var errUnseen = errors.New("the list does not show the first row written")

var errShowsNoRecord = errors.New("the list shows no record at all, and records had the keys of some rows before")

// lookupFailed returns the error that stops the run because of err, of a look-up.
func (e *engine) lookupFailed(ctx context.Context, err error) error {
	if stops(ctx, err) {
		return err
	}
	return e.cannotFind(err)
}

// cannotFind returns the error that stops a run that, because of err, cannot tell which of
// its rows are in the API.
func (e *engine) cannotFind(err error) error {
	return &stopError{
		reason: errCannotFind,
		what:   "GET " + e.options.Path + ": existing records cannot be found: " + err.Error(),
		hint:   "no row was guessed to be absent; see whether the credentials show the records in question, then run the same import again",
		cause:  err,
	}
}
