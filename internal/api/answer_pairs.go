package api

import (
	"bytes"
	"cmp"
	"slices"

	"flytt/internal/jsonscan"

	"github.com/go-json-experiment/json/jsontext"
)

// pairing matches rows with items by what they have in common. How much a value
// tells depends on how many of rows and items have it, whether or not they are
// matched already.
type pairing struct {
	*matching
	rows, items []int32
	how         MatchMethod
	// acceptBest takes whatever is most alike: there is a record for each row. accounted
	// takes what one value tells apart from all others: no item can be of another
	// row than these. Without them a pair must convince on its own.
	acceptBest, accounted bool

	excludedRows, excludedItems map[int32]bool // several are as good as each other
}

// candidate is a row and an item that may belong together.
type candidate struct {
	row, item int32
	weight    int64
	singles   int // how many exact values tell them apart from all others
}

// maxCandidates bounds how many pairs are compared, and maxShared for how many
// pairs a value that they have in common is a reason to do so: without a bound, an
// API that stores every value in another form would make it quadratic.
const (
	maxCandidates = 100_000
	maxShared     = 2_500
)

// run takes the pairs of open rows and usable items that are each other's best,
// until there are none.
func (p *pairing) run() {
	p.excludedRows, p.excludedItems = map[int32]bool{}, map[int32]bool{}
	list := p.candidates()
	slices.SortFunc(list, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.row, b.row), cmp.Compare(a.item, b.item))
	})
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n].weight == list[0].weight {
			n++
		}
		p.takeBest(list[:n])
		list = list[n:]
	}
}

// candidates returns the pairs that have something in common which is not common
// to many.
func (p *pairing) candidates() []candidate {
	c := newSharedTokens(p.matching, p.rows, p.items)
	var numbers []uint64
	for _, s := range c.rate() {
		if s.pairs() > maxShared || len(numbers) > maxCandidates {
			break
		}
		for _, row := range s.rows {
			for _, item := range s.items {
				if i, j := p.rows[row.owner], p.items[item.number()]; p.undecided(i) && p.mayShow(j) {
					numbers = append(numbers, uint64(row.owner)<<32|uint64(item.number()))
				}
			}
		}
	}
	slices.Sort(numbers)
	numbers = slices.Compact(numbers)
	list := make([]candidate, 0, len(numbers))
	for _, n := range numbers {
		row, item := int(n>>32), int(uint32(n))
		q := candidate{row: p.rows[row], item: p.items[item]}
		q.weight, q.singles = c.score(row, item)
		list = append(list, q)
	}
	return list
}

// takeBest takes pairs of the same weight, of which none is left with a larger
// one.
func (p *pairing) takeBest(equal []candidate) {
	equal = slices.DeleteFunc(equal, func(q candidate) bool { return !p.possible(&q) })
	if len(equal) == 1 {
		p.decide(&equal[0], p.how)
		return
	}
	rows, items := map[int32]int{}, map[int32]int{}
	for _, q := range equal {
		rows[q.row]++
		items[q.item]++
	}
	var tied []candidate
	for _, q := range equal {
		if rows[q.row] == 1 && items[q.item] == 1 {
			p.decide(&q, p.how)
		} else {
			tied = append(tied, q)
		}
	}
	p.breakTies(tied)
}

func (p *pairing) possible(q *candidate) bool {
	return p.undecided(q.row) && p.mayShow(q.item) && !p.excludedRows[q.row] && !p.excludedItems[q.item]
}

func (p *pairing) mayShow(item int32) bool {
	if p.how == ByKey {
		return p.usable(item)
	}
	return p.mayShowAny(item)
}

// breakTies takes those pairs of which the item stands at the place of the row,
// and then one after another, or bars them all from what tells less.
func (p *pairing) breakTies(tied []candidate) {
	if !p.acceptBest {
		for _, q := range tied {
			p.exclude(&q)
		}
		return
	}
	how := p.how
	if how == ByFields {
		how = ByPosition
	}
	for _, inPlace := range []bool{true, false} {
		for _, q := range tied {
			if p.possible(&q) && (!inPlace || p.entries[q.item].place == q.row) {
				p.decide(&q, how)
			}
		}
	}
}

func (p *pairing) exclude(q *candidate) { p.excludedRows[q.row], p.excludedItems[q.item] = true, true }

// decide takes q if it convinces.
func (p *pairing) decide(q *candidate, how MatchMethod) {
	if p.isConvincing(q) {
		p.assign(q.row, q.item, how)
		return
	}
	p.exclude(q)
}

// isConvincing reports whether a pair that is each other's best belongs together. An
// item without an id may be no record, and must have all that was sent.
func (p *pairing) isConvincing(q *candidate) bool {
	sent, got := p.sent.Items[q.row], p.entries[q.item].object
	switch {
	case p.how == ByKey:
		return true
	case p.entries[q.item].first < 0:
		return Same(sent, got)
	case p.acceptBest, p.accounted && q.weight >= weightFolded*weightUnit:
		return true
	}
	near, equal := p.nearKeys(q)
	agree, fields := p.agreement(sent, got)
	if fields == 0 {
		return equal
	}
	return 2*agree >= fields && (agree == fields || near || q.singles > 1)
}

// nearKeys reports whether the keys of q are equal but for their form, or whether
// one may at least have been made of the other by cutting or adding.
func (p *pairing) nearKeys(q *candidate) (near, equal bool) {
	a := appendFolded(nil, p.key.normal(p.sent.key(int(q.row))))
	b := appendFolded(nil, p.entries[q.item].key)
	if len(a) == 0 || len(b) == 0 {
		return false, false
	}
	equal = bytes.Equal(a, b)
	return equal || bytes.HasPrefix(a, b) || bytes.HasSuffix(a, b) || bytes.HasPrefix(b, a) || bytes.HasSuffix(b, a), equal
}

// agreement returns how many fields of sent have a value, but for the key, and in
// how many of these got agrees, in whatever form.
func (m *matching) agreement(sent, got []byte) (agree, fields int) {
	var have pairs
	for name, v := range jsonscan.Members(got) {
		have.list = append(have.list, pair{name, v})
	}
	for name, want := range jsonscan.Members(sent) {
		if blank(want) && want.Kind() != 'f' || len(m.key.path) == 1 && m.key.at(name) {
			continue
		}
		fields++
		if v := have.find(name); v != nil && (SameValue(want, v) || sameFolded(want, v)) {
			agree++
		}
	}
	return agree, fields
}

func sameFolded(want, got jsontext.Value) bool {
	if want.Kind() != '"' || got.Kind() != '"' {
		return false
	}
	a, b := appendFolded(nil, jsonscan.Text(want)), appendFolded(nil, jsonscan.Text(got))
	return len(a) > 0 && bytes.Equal(a, b)
}
