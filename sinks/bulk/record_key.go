package bulk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"flytt/internal/api"
)

// anchor is a key that the list has shown in this run. A lookup that asks for it
// too proves by showing it that it is not blind.
type anchor struct{ key string }

// changeByKey settles rows by the records that have their keys. It returns those
// to be created: in mode Upsert those whose key no record has.
func (w *write) changeByKey(ctx context.Context, rows []int32) ([]int32, error) {
	rows = w.keyed(rows)
	for len(rows) > 0 {
		known := w.bulk.anchor.Load()
		absent, err := w.findKeys(ctx, rows, known)
		switch {
		case err != nil:
			return nil, err
		case w.bulk.options.Mode == UpdateOnly:
			w.noteAll(absent, w.bulk.field(w.bulk.options.Key), codeNotFound)
			return nil, nil
		case known != nil, len(absent) == 0:
			return absent, nil
		}
		if rows, err = w.withAnchor(ctx, absent); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// withAnchor sees to it that there is an anchor: a key that the list shows, or, if it is
// empty, that of the first of rows, which is created. It returns the rows still to be
// settled.
func (w *write) withAnchor(ctx context.Context, rows []int32) ([]int32, error) {
	known, err := w.bulk.anchored(ctx)
	if known != nil || err != nil {
		return rows, err
	}
	return w.firstOf(ctx, rows)
}

// firstOf sees to it that there is an anchor: if the list has shown no key yet,
// it creates the first of rows and finds that. It returns the rows still to be
// settled.
func (w *write) firstOf(ctx context.Context, rows []int32) ([]int32, error) {
	if w.bulk.anchor.Load() == nil {
		if slices.ContainsFunc(rows, w.looksFirst) { // records had the keys of these rows
			return nil, &lookupError{path: w.bulk.options.Path, err: errShowsNoRecord}
		}
		var err error
		if rows, err = w.bulk.learn(ctx, w, rows); err != nil {
			return nil, err
		}
	}
	if len(rows) > 0 && w.bulk.anchor.Load() == nil {
		return nil, &lookupError{path: w.bulk.options.Path, err: errUnseen}
	}
	return rows, nil
}

// keyed returns those of rows that can be looked up by their key, and rejects
// the others.
func (w *write) keyed(rows []int32) (usable []int32) {
	field := w.bulk.field(w.bulk.options.Key)
	for _, row := range rows {
		key := w.key(row)
		switch {
		case (!w.bulk.byKey || len(key) == 0) && len(w.id(row)) > 0:
			w.note(row, w.bulk.field(idField), codeNotFound, "")
		case !w.bulk.byKey || len(key) == 0:
			w.note(row, field, codeNoKey, "")
		case !api.Lookupable(key):
			w.note(row, field, codeKeyUnusable, "")
		case !w.bulk.claims.Take(keyClaim, key):
			w.note(row, field, codeDuplicateInFile, "")
		default:
			usable = append(usable, row)
		}
	}
	return usable
}

// padded returns the key of row with the white space that its cell has around it;
// nil if there is none, or the key is not what stands in the cell. A record may
// have been stored with it.
func (w *write) padded(row int32) []byte {
	cell, key := w.cell(row, w.bulk.schema.Index(w.bulk.options.Key)), w.key(row)
	if len(cell) == len(key) || !bytes.Equal(bytes.TrimSpace(cell), key) {
		return nil
	}
	return cell
}

// askable reports whether a key that is Lookupable, with white space around it,
// can be asked for too.
func askable(padded []byte) bool {
	return api.Lookupable(bytes.Trim(padded, " \u00a0")) && len(padded) <= maxPadded
}

const maxPadded = 256

// findKeys looks rows up by their keys, as they are and as they stand in their
// cells, and settles those that are found. It returns the others.
func (w *write) findKeys(ctx context.Context, rows []int32, known *anchor) (absent []int32, err error) {
	o := &w.bulk.options
	l := api.Lookup{Path: o.Path, Field: o.Key}
	for _, row := range rows {
		l.Keys = append(l.Keys, string(w.key(row)))
		if padded := w.padded(row); padded != nil && askable(padded) {
			l.Keys = append(l.Keys, string(padded))
		}
	}
	if known != nil {
		l.Canary = known.key
	}
	found, err := w.bulk.finder.FindByKeys(ctx, l)
	if err != nil {
		if interrupted(ctx, err) || stops(ctx, err) {
			return nil, err
		}
		return nil, &lookupError{path: o.Path, err: err}
	}
	for _, row := range rows {
		padded := w.padded(row)
		of, asStands := found[string(w.key(row))], found[string(padded)]
		records, near := slices.Concat(of.Records, asStands.Records), w.othersOf(slices.Concat(of.OtherForms, asStands.OtherForms))
		w.bulk.showsAny(records, near)
		switch {
		case len(records) > 0:
			if key := w.key(row); records[0].Key == string(key) {
				w.bulk.forms.met(key)
			}
			if err := w.settleByKey(row, records); err != nil {
				return nil, err
			}
		case len(near) > 0:
			w.note(row, w.bulk.field(o.Key), codeKeyForm, "")
		case padded != nil && !askable(padded):
			w.note(row, w.bulk.field(o.Key), codeKeyUnusable, "")
		default:
			absent = append(absent, row)
		}
	}
	return absent, w.makeChanges(ctx)
}

// claimCreated notes that a record with the key of row is, or may be, one that this run
// makes.
func (w *write) claimCreated(row int32) {
	if key := w.key(row); w.bulk.byKey && len(key) > 0 {
		w.bulk.claims.Take(createClaim, key)
	}
}

// madeKey reports whether this run made, or may have made, a record with the key of r.
func (s *Import) madeKey(r api.Record) bool {
	return s.claims.Has(createClaim, []byte(strings.TrimSpace(r.Key)))
}

// othersOf returns those of near, records that have the key of a row in another form,
// that this run did not make: what becomes of two rows of a file whose keys are near
// must not depend on which of them is sent first.
func (w *write) othersOf(near []api.Record) []api.Record {
	return slices.DeleteFunc(near, func(r api.Record) bool {
		return w.bulk.madeKey(r)
	})
}

// showsAny makes the key of one of the records, which the list has shown, the anchor if
// there is none.
func (s *Import) showsAny(lists ...[]api.Record) {
	for _, records := range lists {
		for i := range records {
			if key := records[i].Key; api.Lookupable([]byte(key)) {
				s.shown(key)
				return
			}
		}
	}
}

// shown makes key the anchor if there is none.
func (s *Import) shown(key string) { s.anchor.CompareAndSwap(nil, &anchor{key}) }

// settleByKey settles row by the records that have its key.
func (w *write) settleByKey(row int32, records []api.Record) error {
	if w.bulk.options.SkipExisting {
		return w.exists(row, records)
	}
	id := []byte(records[0].ID)
	for i, c := range id {
		id[i] = lower(c)
	}
	field := w.bulk.field(w.bulk.options.Key)
	switch {
	case len(records) > 1:
		w.note(row, field, CodeKeyNotUnique, "")
	case !isUUID(id):
		return fmt.Errorf("GET %s: a record without an id", w.bulk.options.Path)
	case !w.bulk.claims.Take(idClaim, id):
		w.note(row, field, codeDuplicateInFile, "")
	default:
		return w.compare(row, string(id), records[0].Object)
	}
	return nil
}

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
