package sinks

import (
	"context"
	"errors"
	"fmt"

	"flytt/internal/api"
	"flytt/pipeline"
)

// Rows that are about records which exist keep to these terms, besides those of
// the bulk sink:
//
//   - A record is found by id, or by a key that only one record has. A row whose
//     record is not found, or not told apart, is Rejected; nothing is guessed.
//   - A row is compared with its record first. If the record holds all of it the
//     row is Unchanged; otherwise the fields that differ, and no others, are sent.
//   - What one read does not show is not taken for absent: an id that the list
//     leaves out is asked for by itself, and a key is absent only if the same
//     answer shows a record that is known to be there.
//   - A change without a clear answer is never sent again. It is read back: if
//     the record holds it the row is Updated, otherwise InDoubt.

// Mode says what a row does: make a record or change one.
type Mode uint8

const (
	ByID       Mode = iota // a row with an id changes the record that has it, one without makes a new one
	CreateOnly             // every row makes a new record
	UpdateOnly             // every row changes a record
	Upsert                 // a row changes the record it is about, or makes it if there is none
)

// ParseMode returns the Mode that settings call create, update or upsert;
// nothing is ByID.
func ParseMode(s string) (Mode, error) {
	switch s {
	case "":
		return ByID, nil
	case "create":
		return CreateOnly, nil
	case "update":
		return UpdateOnly, nil
	case "upsert":
		return Upsert, nil
	}
	return 0, errors.New("mode: not one of create, update, upsert")
}

// anchor is a key that the list has shown in this run. A lookup that asks for it
// too proves by showing it that it is not blind.
type anchor struct{ key string }

// checkMode reports why rows cannot be told by id or by key in the way the
// options ask for.
func (s *Bulk) checkMode() error {
	o := &s.options
	s.byID = o.Mode != CreateOnly && !o.ByKey && s.schema.Index(idField) >= 0
	s.changes = s.byID || o.Mode == UpdateOnly || o.Mode == Upsert
	s.byKey = (o.Mode == UpdateOnly || o.Mode == Upsert) && o.KeyLookup && o.Key != idField
	if s.changes && !s.byID && !s.byKey {
		return &UsageError{Place: "import", Cause: "rows are to change records, and neither an id nor a key that the list can be filtered by is mapped",
			Hint: "map the column that has the API's id to id, or name a key with --key"}
	}
	return nil
}

// Repeatable reports whether the same rows may be imported in the same way again
// without a record being made twice: nothing was sent to be created, or a row
// finds the record it has made.
func (s *Bulk) Repeatable() bool {
	return s.options.Mode == UpdateOnly || s.options.Mode == Upsert || !s.created.Load()
}

// change settles those of rows that are about records which exist. It returns
// the others, which are to be created.
func (w *write) change(ctx context.Context, rows []int32) ([]int32, error) {
	s := w.bulk
	if !s.changes {
		return rows, nil
	}
	var byID, byKey, create []int32
	for _, row := range rows {
		switch {
		case len(w.id(row)) > 0:
			byID = append(byID, row)
		case s.options.Mode == ByID:
			create = append(create, row)
		default:
			byKey = append(byKey, row)
		}
	}
	absent, err := w.changeByID(ctx, byID)
	if err != nil {
		return nil, err
	}
	if s.options.Mode != Upsert {
		w.noteAll(absent, s.field(idField), codeNotFound)
	} else {
		byKey = append(byKey, absent...)
	}
	absent, err = w.changeByKey(ctx, byKey)
	return append(create, absent...), err
}

// id returns the id of the record that row is about, or nothing.
func (w *write) id(row int32) []byte {
	if !w.bulk.byID {
		return nil
	}
	id, _ := splitItem(w.chunk.Item(int(row)))
	return id
}

// item returns what the API is sent of row when it is created.
func (w *write) item(row int32) []byte {
	item := w.chunk.Item(int(row))
	if w.bulk.byID {
		_, item = splitItem(item)
	}
	return item
}

func (w *write) noteAll(rows []int32, field int16, code pipeline.Code) {
	for _, row := range rows {
		w.note(row, field, code, "")
	}
}

// changeByID settles rows, which have ids, and returns those whose record is not
// there.
func (w *write) changeByID(ctx context.Context, rows []int32) (absent []int32, err error) {
	var asked []int32
	var ids []string
	for _, row := range rows {
		id := w.id(row)
		if !w.bulk.claims.take(idClaim, id) {
			w.note(row, w.bulk.field(idField), codeDuplicateInFile, "")
			continue
		}
		asked, ids = append(asked, row), append(ids, string(id))
	}
	found, err := w.bulk.findIDs(ctx, ids)
	if err != nil {
		return nil, err
	}
	for i, row := range asked {
		record := found[ids[i]]
		if record == nil {
			if record, err = w.bulk.get(ctx, ids[i]); err != nil {
				return nil, err
			}
		}
		if record == nil {
			absent = append(absent, row)
		} else if err := w.compare(ctx, row, ids[i], record); err != nil {
			return nil, err
		}
	}
	return absent, nil
}

// findIDs returns those of the records with ids that the list shows. That may be
// none: the list is asked because it tells of many at once, and what it does not
// show is asked for one by one.
func (s *Bulk) findIDs(ctx context.Context, ids []string) (map[string][]byte, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	found, err := s.client.FindByKeys(ctx, api.Lookup{Path: s.options.Path, Field: idField, Keys: ids})
	if stops(ctx, err) {
		return nil, err
	}
	if err != nil {
		s.warnOnce.Do(func() {
			s.options.Log.Warn("records cannot be listed by id; each is asked for by itself", "error", err)
		})
		return nil, nil
	}
	records := make(map[string][]byte, len(found))
	for id, list := range found {
		records[id] = list[0].Object
	}
	return records, nil
}

// stops reports whether err, of a read, is about the run as a whole: every
// other read would end in the same way.
func stops(ctx context.Context, err error) bool {
	var gaveUp *api.GaveUpError
	var status *api.StatusError
	return err != nil && (ctx.Err() != nil || errors.As(err, &gaveUp) || errors.As(err, &status) && api.Stops(status.Status))
}

// get reads the record with id; nil if there is none.
func (s *Bulk) get(ctx context.Context, id string) ([]byte, error) {
	o, err := s.client.Get(ctx, s.options.Records, id, nil)
	if errors.Is(err, api.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	record := recordOf(o.Body, id)
	if record == nil {
		return nil, fmt.Errorf("GET %s: %w", s.options.Records, errNoRecord)
	}
	return record, nil
}

var errNoRecord = errors.New("the answer is not the record that was asked for")

// changeByKey settles rows by the records that have their keys. It returns those
// to be created: in mode Upsert those whose key no record has.
func (w *write) changeByKey(ctx context.Context, rows []int32) ([]int32, error) {
	rows = w.keyed(rows)
	for len(rows) > 0 {
		anchor := w.bulk.anchor.Load()
		absent, err := w.findKeys(ctx, rows, anchor)
		switch {
		case err != nil:
			return nil, err
		case w.bulk.options.Mode == UpdateOnly:
			w.noteAll(absent, w.bulk.field(w.bulk.options.Key), codeNotFound)
			return nil, nil
		case anchor != nil:
			return absent, nil
		}
		if rows, err = w.firstOf(ctx, absent); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// firstOf sees to it that there is an anchor: if the list has shown no key yet,
// it creates the first of rows and finds that. It returns the rows still to be
// settled.
func (w *write) firstOf(ctx context.Context, rows []int32) ([]int32, error) {
	if w.bulk.anchor.Load() == nil {
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
		case !w.bulk.claims.take(keyClaim, key):
			w.note(row, field, codeDuplicateInFile, "")
		default:
			usable = append(usable, row)
		}
	}
	return usable
}

// findKeys looks rows up by their keys and settles those that are found. It
// returns the others.
func (w *write) findKeys(ctx context.Context, rows []int32, known *anchor) (absent []int32, err error) {
	o := &w.bulk.options
	l := api.Lookup{Path: o.Path, Field: o.Key}
	for _, row := range rows {
		l.Keys = append(l.Keys, string(w.key(row)))
	}
	if known != nil {
		l.Control = known.key
	}
	found, err := w.bulk.client.FindByKeys(ctx, l)
	if err != nil {
		if interrupted(ctx, err) || stops(ctx, err) {
			return nil, err
		}
		return nil, &lookupError{path: o.Path, err: err}
	}
	for i, row := range rows {
		records := found[l.Keys[i]]
		if len(records) == 0 {
			absent = append(absent, row)
			continue
		}
		w.bulk.shown(l.Keys[i])
		if err := w.settleByKey(ctx, row, records); err != nil {
			return nil, err
		}
	}
	return absent, nil
}

// shown makes key the anchor if there is none.
func (s *Bulk) shown(key string) { s.anchor.CompareAndSwap(nil, &anchor{key}) }

// settleByKey settles row by the records that have its key.
func (w *write) settleByKey(ctx context.Context, row int32, records []api.Record) error {
	id := []byte(records[0].ID)
	for i, c := range id {
		id[i] = lower(c)
	}
	field := w.bulk.field(w.bulk.options.Key)
	switch {
	case len(records) > 1:
		w.note(row, field, codeKeyNotUnique, "")
	case !isUUID(id):
		return fmt.Errorf("GET %s: a record without an id", w.bulk.options.Path)
	case !w.bulk.claims.take(idClaim, id):
		w.note(row, field, codeDuplicateInFile, "")
	default:
		return w.compare(ctx, row, string(id), records[0].Object)
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
