package bulk

import (
	"context"
	"errors"

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
//   - A row with an id that breaks a rule is compared before it is turned away: see
//     update_flaws.go.

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

// checkMode works out by what rows are told to be about records that exist. It
// is a *pipeline.UsageError if there is nothing to tell them by.
func (s *Import) checkMode() error {
	o := &s.options
	s.byID = o.Mode != CreateOnly && s.schema.Index(idField) >= 0
	s.changes = s.byID || o.Mode == UpdateOnly || o.Mode == Upsert
	s.byKey = (o.Mode == UpdateOnly || o.Mode == Upsert || o.SkipExisting) && o.KeyLookup && o.Key != idField
	if s.changes && !s.byID && !s.byKey {
		return &pipeline.UsageError{Place: "import", Cause: "rows are to change records, and neither an id nor a key that the list can be filtered by is mapped",
			Hint: "map the column that has the API's id to id, or name a key with --key"}
	}
	return s.checkSkipExisting()
}

// Repeatable reports whether the same rows may be imported in the same way again
// without a record being made twice: nothing was sent to be created, or a row
// finds the record it has made.
func (s *Import) Repeatable() bool {
	o := &s.options
	return o.Mode == UpdateOnly || o.Mode == Upsert || o.SkipExisting || !s.created.Load()
}

// change settles those of rows that are about records which exist. It returns
// the others, which are to be created.
func (w *write) change(ctx context.Context, rows []int32) ([]int32, error) {
	s := w.bulk
	if !s.changes {
		return w.leaveOut(ctx, rows)
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
	absent = w.sound(absent)
	if s.options.Mode != Upsert {
		w.noteAll(absent, s.field(idField), codeNotFound)
	} else {
		byKey = append(byKey, absent...)
	}
	if absent, err = w.changeByKey(ctx, byKey); err != nil {
		return nil, err
	}
	create, err = w.leaveOut(ctx, create)
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
