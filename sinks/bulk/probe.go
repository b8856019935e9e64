package bulk

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"flytt/internal/api"
	"flytt/pipeline"
)

// With upsert and with SkipExisting, a row counts as new if a lookup does not find its key.
// That is a proof only for keys of a form that the API keeps unchanged. While this is not
// known for a form, one row of that form is sent alone, and its answer shows it; but only if
// no record looks like one that an earlier run created for this row. Once the API was seen
// to change a key, rows whose keys it may change, too, create no records: the next run would
// not find such a record and would create another.

// prober decides whether a row whose key a look-up does not find is new.
type prober struct {
	engine  *engine
	actions actions
	rows    *chunkRows
	matcher *matcher
}

// provable returns those of rows, which are to be created, whose keys are of a form that
// the API keeps. Others it sends alone, or rejects.
func (pr *prober) provable(ctx context.Context, rows []int32) ([]int32, error) {
	s := pr.engine
	if !s.byKey {
		return rows, nil
	}
	var suspects []int32
	for {
		unknown := pr.sortByForm(rows, suspects)
		if rows = pr.rows.withFate(rows, pipeline.Pending); unknown < 0 {
			return rows, nil
		}
		if slices.Contains(suspects, unknown) { // and so it seems of every other row
			s.forms.changed(pr.rows.key(unknown))
			continue
		}
		made, err := pr.probe(ctx, unknown)
		switch {
		case err != nil:
			return rows, err
		case made && len(suspects) == maxSuspects:
			s.forms.changed(pr.rows.key(unknown))
		case made:
			suspects = append(suspects, unknown)
		}
	}
}

// maxSuspects is how many rows of a chunk are looked for at most that an earlier run may
// have made, before that is believed. Of rows that are alike but for their keys, the record
// of number 1101 may seem to be that of row 101; a row that has no such record tells whether
// the API changes keys.
const maxSuspects = 5

// sortByForm rejects those of rows whose keys the API may change, and returns a row of
// which it is not known whether the API does; -1 if there is none. Of rows whose keys are
// new by their length alone it is the longest: if that is kept, the others are. Suspects,
// which an earlier run seems to have made, come last.
func (pr *prober) sortByForm(rows, suspects []int32) (unknown int32) {
	f := &pr.engine.forms
	unknown = -1
	longest, suspect := int32(-1), int32(-1)
	for _, row := range rows {
		switch key := pr.rows.key(row); {
		case pr.rows.chunk.Fates[row] != pipeline.Pending, len(key) == 0, f.keeps(key):
		case f.isKnown(key):
			pr.rows.note(row, pr.engine.field(pr.engine.options.Key), codeKeyNotKept, "")
		case f.answersHideKeys.Load():
		case slices.Contains(suspects, row):
			suspect = first(suspect, row)
		case !f.expects(key):
			unknown = first(unknown, row)
		case longest < 0 || len(key) > len(pr.rows.key(longest)):
			longest = row
		}
	}
	return first(first(unknown, longest), suspect)
}

// first returns a, or b if a is no row.
func first(a, b int32) int32 {
	if a >= 0 {
		return a
	}
	return b
}

// probe has the key of row tried alone, one row at a time in the whole run, unless the answer to another
// has shown that meanwhile, or an earlier run seems to have made row. If there
// is no canary yet, row is tried as it.
func (pr *prober) probe(ctx context.Context, row int32) (made bool, err error) {
	f := &pr.engine.forms
	f.probing.Lock()
	defer f.probing.Unlock()
	release, err := pr.engine.canary.takeTurn(ctx)
	if err != nil {
		return false, err
	}
	if release != nil {
		defer release()
	}
	if f.isKnown(pr.rows.key(row)) || f.answersHideKeys.Load() {
		return false, nil
	}
	if made, err := pr.madeBefore(ctx, row); made || err != nil {
		return made, err
	}
	return false, pr.actions.tryKey(ctx, row, release != nil)
}

// madeBefore reports whether there is a record that looks like what an earlier run made of
// row, under its key in another form. Then the API does not keep keys; that is not certain if the
// two may as well be keys of other numbers.
func (pr *prober) madeBefore(ctx context.Context, row int32) (made bool, err error) {
	o := &pr.engine.options
	if !o.KeyContains {
		return false, nil
	}
	key := pr.rows.key(row)
	parts := []string{longestWord(key), longestWord(pr.engine.forms.start(key))} // keys that are cut have the second
	parts = slices.DeleteFunc(slices.Compact(parts), func(part string) bool { return part == "" })
	records, err := pr.engine.reader.FindSimilar(ctx, api.Lookup{Path: o.Path, Field: o.Key, Keys: []string{string(key)}}, parts)
	if err != nil {
		if stops(ctx, err) {
			return false, err
		}
		o.Log.Warn("it cannot be found out whether a record has a key in another form", "error", err)
		return false, nil
	}
	for _, r := range records { // but for those that this run made, or that rows of it are about
		if r.Key == string(key) || pr.engine.madeKey(r) || pr.engine.claims.Has(idClaim, []byte(strings.ToLower(r.ID))) || !pr.matcher.looksLike(row, r.Object) {
			continue
		}
		made = true
		if !otherNumber(string(key), r.Key) {
			pr.engine.forms.changed(key)
			break
		}
	}
	return made, nil
}

// otherNumber reports whether two keys that differ by what stands at one end may be those of
// other numbers: 101 and 1101, not 101 and K-101. Only long keys are expected to be cut.
func otherNumber(sent, stored string) bool {
	long, short := stored, sent
	if len(long) < len(short) {
		long, short = short, long
	}
	if len(stored) < len(sent) && utf8.RuneCountInString(sent) > maxShort || short == "" {
		return false
	}
	cut := len(long) - len(short)
	switch {
	case cut > 0 && strings.HasSuffix(long, short):
		return isDigit(long[cut-1]) && isDigit(long[cut])
	case cut > 0 && strings.HasPrefix(long, short):
		return isDigit(long[len(short)-1]) && isDigit(long[len(short)])
	}
	return false
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

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
