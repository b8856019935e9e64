package bulk

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"flytt/internal/api"
	"flytt/internal/jsonscan"
)

// A row in doubt whose key the API may store in another form cannot be looked up by its
// key. It is looked for among the records that are known to be nobody else's: those of
// its own request, by the ids that the answer showed, and the strays, which were made
// since the run began and which no row of the run is known to have made. The terms:
//
//   - A record fits a row if it holds each value of the row as it was sent or in another
//     form of it, the key too. Two forms of a value have the same letters and digits, but
//     for what the API was seen to add to a value of this field, or to cut off.
//   - A row and a record are matched if they fit each other and nothing else.
//   - A record is ruled out for a row if it holds another value, not only another form,
//     in a field that the API always kept as it was sent.
//   - A row is known not to have been written if every record is ruled out or matched
//     with another row. Otherwise it stays in doubt.

// stray is a record of which it is not known which row made it.
type stray struct {
	id     string
	object []byte
	taken  bool
}

// strays are read once in a pass: all rows that are looked for were sent before it began.
type strays struct {
	mu   sync.Mutex
	read bool
	err  error
	list []stray
	held held
}

// loadStrays reads the strays, if that was not done before. Nothing is sent meanwhile: every
// record that it sees has been made by a row of which the journal knows, or by one in
// doubt.
func (s *Import) loadStrays(ctx context.Context) error {
	if s.strays.read {
		return s.strays.err
	}
	s.sending.Lock()
	defer s.sending.Unlock()
	objects, err := s.options.Strays(ctx)
	if interrupted(ctx, err) || stops(ctx, err) {
		return err
	}
	s.strays.read, s.strays.err, s.strays.list = true, err, nil
	for _, object := range objects {
		s.strays.list = append(s.strays.list, stray{id: string(jsonscan.Text(jsonscan.Member(object, idField))), object: object})
	}
	s.strays.held.list(s.strays.list)
	return err
}

// matchStrays settles those of rows, which are in doubt and not found by their keys, of
// which the strays tell what became.
func (w *write) matchStrays(ctx context.Context, rows []int32) error {
	s := w.bulk
	if s.options.Strays == nil {
		return nil
	}
	s.strays.mu.Lock()
	defer s.strays.mu.Unlock()
	err := s.loadStrays(ctx)
	if interrupted(ctx, err) || stops(ctx, err) {
		return err
	}
	w.bulk.dropHeld(s.strays.list)
	if s.options.Sought {
		rows = w.match(rows, s.strays.list)
	}
	if err != nil && len(rows) > 0 {
		s.options.Log.Warn("rows stay in doubt", "cause", "which records were made since the run began cannot be told", "chunk", w.chunk.Seq, "rows", len(rows), "error", err)
		return nil
	}
	kept := 0
	for _, row := range rows {
		if w.ruledOut(row, s.strays.list) && len(w.loose) == 0 {
			w.sendAnew([]int32{row})
		} else {
			kept++
		}
	}
	if kept > 0 {
		s.options.Log.Warn("rows stay in doubt", "cause", "records made since the run began may be theirs, and which is whose cannot be told", "chunk", w.chunk.Seq, "rows", kept)
	}
	return nil
}

// matchLoose reads the records that requests for rows, which are in doubt, are known to
// have made, and matches them. It returns the rows that are left.
func (w *write) matchLoose(ctx context.Context, rows []int32) ([]int32, error) {
	if len(w.loose) == 0 || len(rows) == 0 {
		return rows, nil
	}
	found, err := w.bulk.findIDs(ctx, w.loose)
	if err != nil {
		return nil, err
	}
	var list []stray
	for _, id := range w.loose {
		object := found[id]
		if object == nil {
			if object, err = w.bulk.get(ctx, id); stops(ctx, err) {
				return nil, err
			}
		}
		if object != nil && w.bulk.ageOf(object) != olderThanRun { // the answer may show records of others
			list = append(list, stray{id: id, object: object})
		}
	}
	w.bulk.dropHeld(list)
	rows = w.match(rows, list)
	w.loose = slices.DeleteFunc(w.loose, func(id string) bool {
		return slices.ContainsFunc(list, func(s stray) bool { return s.taken && s.id == id })
	})
	return rows, nil
}

// dropHeld marks those of list taken that rows were found to have made meanwhile.
func (s *Import) dropHeld(list []stray) {
	for i := range list {
		list[i].taken = list[i].taken || s.strays.held.has(list[i].id)
	}
}

// match settles rows that fit one record of list that fits no other row. It returns the
// others.
func (w *write) match(rows []int32, list []stray) (left []int32) {
	left = slices.Clone(rows)
	for again := true; again; {
		again = false
		fits := make(map[int32]int, len(left)) // the only record that fits the row
		times := make([]int, len(list))        // how many rows a record fits
		for _, row := range left {
			n := 0
			for i := range list {
				if !list[i].taken && w.fits(row, list[i].object) {
					n++
					fits[row] = i
					times[i]++
				}
			}
			if n != 1 {
				delete(fits, row)
			}
		}
		left = slices.DeleteFunc(left, func(row int32) bool {
			i, only := fits[row]
			if !only || times[i] != 1 {
				return false
			}
			list[i].taken, again = true, true
			w.bulk.strays.held.add(list[i].id)
			w.written(row, []byte(list[i].id))
			w.takeCreated(row, list[i].object)
			return true
		})
	}
	return left
}

// fits reports whether record may be the one that row made: it holds each of its values
// in some form.
func (w *write) fits(row int32, record []byte) bool {
	for raw, want := range jsonscan.Members(w.item(row)) {
		name := string(jsonscan.Unquote(raw))
		if !w.inSomeForm(row, name, want, jsonscan.Member(record, name)) {
			return false
		}
	}
	return true
}

// inSomeForm reports whether got, what a record shows of the member name, may be what the
// API made of want.
func (w *write) inSomeForm(row int32, name string, want, got jsontext.Value) bool {
	return w.sameValue(row, name, want, got) || sameLetters(want, got) || w.bulk.fields.adds(w.edge(name, want, got))
}

// sameValue reports whether got, what a record shows of the member name, is want, or
// says nothing of it.
func (w *write) sameValue(row int32, name string, want, got jsontext.Value) bool {
	if got == nil {
		return want.Kind() == 'n'
	}
	return api.SameValue(want, got) || alike(want, got) || unsaid(want, got) || w.sameForm(row, name, want, got)
}

// ruledOut reports whether none of the records of list that are left can be the one that
// row made.
func (w *write) ruledOut(row int32, list []stray) bool {
	for i := range list {
		if !list[i].taken && !w.rulesOut(row, list[i].object) {
			return false
		}
	}
	return true
}

// rulesOut reports whether record holds another value than row, and not another form of
// it, in a field that the API keeps as it is sent.
func (w *write) rulesOut(row int32, record []byte) bool {
	for raw, want := range jsonscan.Members(w.item(row)) {
		name := string(jsonscan.Unquote(raw))
		got := jsonscan.Member(record, name)
		if got == nil || name == w.bulk.options.Key || !w.bulk.fields.keeps(name, want) {
			continue
		}
		if !w.sameValue(row, name, want, got) && !sharesLetters(want, got) {
			return true
		}
	}
	return false
}

// sameLetters reports whether two texts have the same letters and digits.
func sameLetters(a, b jsontext.Value) bool { return lettersOf(a) == lettersOf(b) && isText(a, b) }

// affixed reports whether stored may be sent with something added, or cut, at one end.
func affixed(sent, stored jsontext.Value) bool { return edgeOf(sent, stored) != nil }

// edge returns a keyed sum of what was added to want, sent in the member name, or cut off,
// to make got; 0 if that is not how they differ.
func (w *write) edge(name string, want, got jsontext.Value) uint64 {
	edge := edgeOf(want, got)
	if edge == nil || w.bulk.options.Journal == nil {
		return 0
	}
	return w.bulk.options.Journal.Sum(append(appendSized([]byte(nil), name), edge...))
}

// edgeOf tells what was added to sent, or cut off, to make stored: by letters and digits.
// What is cut to a length is told by that. It is nil if that is not how they differ.
func edgeOf(sent, stored jsontext.Value) []byte {
	if !isText(sent, stored) {
		return nil
	}
	a, b := lettersOf(sent), lettersOf(stored)
	if a == "" || b == "" || a == b {
		return nil
	}
	if front, ok := strings.CutSuffix(b, a); ok {
		return []byte("in front " + front)
	}
	if behind, ok := strings.CutPrefix(b, a); ok {
		return []byte("behind " + behind)
	}
	if front, ok := strings.CutSuffix(a, b); ok {
		return []byte("not in front " + front)
	}
	if strings.HasPrefix(a, b) {
		return fmt.Appendf(nil, "cut to %d", utf8.RuneCount(jsonscan.Text(stored)))
	}
	return nil
}

// sharesLetters reports whether the letters and digits of one text are part of the
// other's.
func sharesLetters(a, b jsontext.Value) bool {
	x, y := lettersOf(a), lettersOf(b)
	return isText(a, b) && (strings.Contains(x, y) || strings.Contains(y, x))
}

func isText(a, b jsontext.Value) bool { return a.Kind() == '"' && b.Kind() == '"' }

// lettersOf returns what two forms of one text have in common.
func lettersOf(v jsontext.Value) string { return api.FoldText(jsonscan.Text(v)) }
