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
// has told meanwhile what is to be known.
func (w *write) probe(ctx context.Context, row int32) error {
	f := &w.bulk.forms
	f.probing.Lock()
	defer f.probing.Unlock()
	if f.told(w.key(row)) || f.untold.Load() {
		return nil
	}
	if made, err := w.madeBefore(ctx, row); made || err != nil {
		return err
	}
	if err := w.send(ctx, []int32{row}); err != nil {
		return err
	}
	if err := w.readUnshown(ctx); err != nil {
		return err
	}
	if w.chunk.Fates[row] == pipeline.Written && !f.told(w.key(row)) {
		f.untold.Store(true) // the API does not show what it stores
	}
	return nil
}

// madeBefore reports whether the list shows a record that may be what an earlier run made
// of row, under its key in another form. Then the API does not keep keys. A key that
// differs only in case, white space or Unicode form, which the list tells apart, may as
// well be that of another record.
func (w *write) madeBefore(ctx context.Context, row int32) (bool, error) {
	if !w.bulk.options.KeyContains {
		return false, nil
	}
	key := w.key(row)
	parts := []string{longestWord(key), longestWord(w.bulk.forms.start(key))} // keys that are cut have the second
	for _, part := range slices.Compact(parts) {
		if part == "" {
			continue
		}
		if made, err := w.madeWith(ctx, row, part); made || err != nil {
			return made, err
		}
	}
	return false, nil
}

// madeWith is madeBefore for records whose keys have this part.
func (w *write) madeWith(ctx context.Context, row int32, part string) (bool, error) {
	o := &w.bulk.options
	records, err := w.bulk.client.Containing(ctx, o.Path, o.Key, part)
	if err != nil {
		if interrupted(ctx, err) || stops(ctx, err) {
			return false, err
		}
		o.Log.Warn("whether a record has a key in another form cannot be told", "error", err)
		return false, nil
	}
	folded := api.FoldKey(string(w.key(row)))
	for _, r := range records {
		if api.FoldKey(r.Key) != folded && w.looksLike(row, r.Object) && len(w.othersOf([]api.Record{r})) > 0 {
			w.bulk.forms.changed(w.key(row))
			return true, nil
		}
	}
	return false, nil
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
