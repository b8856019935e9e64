package sandbox

import (
	"math/rand/v2"
	"testing"
)

// TestPositionsAreBounded remembers more pages of more lists than are kept: what
// is found is always a position that was given, and the last one stays.
func TestPositionsAreBounded(t *testing.T) {
	p := newPositions()
	v := version{added: 1}
	const pages = 20_000
	for i := range int64(pages) {
		p.add(listKey{1}, v, offsetMark{offset: 10 * (i + 1), row: i})
		if got := p.before(listKey{1}, v, 10*(i+1)+5); got.row != i {
			t.Fatalf("page %d is known as %v", i, got)
		}
	}
	random := rand.New(rand.NewPCG(1, 1))
	for range 1000 {
		offset := random.Int64N(10 * pages)
		got := p.before(listKey{1}, v, offset)
		if got.offset > offset || got.offset != 0 && got.row != got.offset/10-1 {
			t.Fatalf("before %d is %v", offset, got)
		}
	}
	if n := len(p.lists[listKey{1}].known); n > maxMarks {
		t.Errorf("%d positions", n)
	}
	if got := p.before(listKey{1}, version{added: 2}, 100); got != (offsetMark{}) {
		t.Errorf("after a write: %v", got)
	}
	for i := range byte(200) {
		p.add(listKey{2, i}, v, offsetMark{1, 1})
		p.before(listKey{1}, v, 1) // used, so it stays
	}
	if len(p.lists) > maxLists || p.lists[listKey{1}] == nil {
		t.Errorf("%d lists", len(p.lists))
	}
}
