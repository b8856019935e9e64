package sinks

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"flytt/internal/api"
	"flytt/internal/jsonscan"
	"flytt/pipeline"
)

// Where rows are told to be new by a look-up that does not find their keys (with upsert
// and with SkipExisting), that is a proof only for keys of a form that the API keeps. As
// long as that is not known of a form, one row of it is sent alone: its answer tells, if
// no record is there that looks like one that an earlier run made of the row. Once the API
// was seen to change a key, no row is made whose key it may change, too: the next run would
// not find it and make another.

// provable returns those of rows, which are to be created, whose keys are of a form that
// the API keeps. Others it sends alone, or rejects.
func (w *write) provable(ctx context.Context, rows []int32) ([]int32, error) {
	s := w.bulk
	if !s.byKey {
		return rows, nil
	}
	for {
		unknown := w.sortByForm(rows)
		if rows = w.stillPending(rows); unknown < 0 {
			return rows, nil
		}
		if err := w.probe(ctx, unknown); err != nil {
			return rows, err
		}
	}
}

// sortByForm rejects those of rows whose keys the API may change, and returns a row of
// which it is not known whether the API does; -1 if there is none. Of rows whose keys are
// new by their length alone it is the longest: if that is kept, the others are.
func (w *write) sortByForm(rows []int32) (unknown int32) {
	f := &w.bulk.forms
	unknown = -1
	longest := int32(-1)
	for _, row := range rows {
		switch key := w.key(row); {
		case w.chunk.Fates[row] != pipeline.Pending, len(key) == 0, f.keeps(key):
		case f.told(key):
			w.note(row, w.bulk.field(w.bulk.options.Key), codeKeyNotKept, "")
		case f.untold.Load():
		case !f.expects(key):
			unknown = first(unknown, row)
		case longest < 0 || len(key) > len(w.key(longest)):
			longest = row
		}
	}
	return first(unknown, longest)
}

// first returns a, or b if a is no row.
func first(a, b int32) int32 {
	if a >= 0 {
		return a
	}
	return b
}

// probe sends row alone, one row at a time in the whole run, unless the answer to another
// has told meanwhile what is to be known. If there is no control yet, row is tried as it.
func (w *write) probe(ctx context.Context, row int32) error {
	f := &w.bulk.forms
	f.probing.Lock()
	defer f.probing.Unlock()
	release, err := w.bulk.control.takeTurn(ctx)
	if err != nil {
		return err
	}
	if release != nil {
		defer release()
	}
	if f.told(w.key(row)) || f.untold.Load() {
		return nil
	}
	if made, err := w.madeBefore(ctx, row); made || err != nil {
		return err
	}
	if w.bulk.plans {
		f.kept(w.key(row)) // an answer would tell
		return nil
	}
	if err := w.send(ctx, []int32{row}); err != nil {
		return err
	}
	if release != nil {
		if err := w.bulk.tried(ctx, w, row); err != nil {
			return err
		}
	}
	if err := w.readUnshown(ctx); err != nil {
		return err
	}
	if w.chunk.Fates[row] == pipeline.Written && !f.told(w.key(row)) {
		f.untold.Store(true) // the API does not show what it stores
	}
	return nil
}

// madeBefore reports whether there is a record that looks like what an earlier run made of
// row, under its key in another form. Then the API does not keep keys.
func (w *write) madeBefore(ctx context.Context, row int32) (bool, error) {
	o := &w.bulk.options
	if !o.KeyContains {
		return false, nil
	}
	key := w.key(row)
	parts := []string{longestWord(key), longestWord(w.bulk.forms.start(key))} // keys that are cut have the second
	parts = slices.DeleteFunc(slices.Compact(parts), func(part string) bool { return part == "" })
	records, err := w.bulk.finder.Alike(ctx, api.Lookup{Path: o.Path, Field: o.Key, Keys: []string{string(key)}}, parts)
	if err != nil {
		if interrupted(ctx, err) || stops(ctx, err) {
			return false, err
		}
		o.Log.Warn("whether a record has a key in another form cannot be told", "error", err)
		return false, nil
	}
	for _, r := range records {
		if r.Key != string(key) && !w.bulk.ownsRecord(r) && w.looksLike(row, r.Object) {
			w.bulk.forms.changed(key)
			return true, nil
		}
	}
	return false, nil
}

// ownsRecord reports whether r is what this run made of a row, or a row of it is about.
func (s *Bulk) ownsRecord(r api.Record) bool {
	return s.claims.has(createClaim, []byte(strings.TrimSpace(r.Key))) || s.claims.has(idClaim, []byte(strings.ToLower(r.ID)))
}

// looksLike reports whether record has all values of row in some form, its key cut or with
// something in front of it, too.
func (w *write) looksLike(row int32, record []byte) bool {
	key := w.bulk.options.Key
	for raw, want := range jsonscan.Members(w.item(row)) {
		name := string(jsonscan.Unquote(raw))
		got := jsonscan.Member(record, name)
		if !w.inSomeForm(row, name, want, got) && !(name == key && affixed(want, got)) {
			return false
		}
	}
	return true
}

// longestWord returns the longest stretch of letters and digits of ASCII in key, without
// zeros in front: what most forms of a key have in common.
func longestWord(key []byte) (longest string) {
	composed := norm.NFC.String(string(key)) // a letter with an accent is none of ASCII
	words := strings.FieldsFunc(composed, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
	for _, word := range words {
		if word = strings.TrimLeft(word, "0"); len(word) > len(longest) {
			longest = word
		}
	}
	return longest
}
