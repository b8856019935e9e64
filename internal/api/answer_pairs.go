package api

import (
	"bytes"
	"cmp"
	"slices"

	"flytt/internal/jsonscan"

	"github.com/go-json-experiment/json/jsontext"
)

// pairing matches rows with items by the values they share. How much a value counts
// depends on how many rows and items have it, matched or not.
type pairing struct {
	*matching
	rows, items []int32
	how         MatchMethod
	// acceptBest accepts the most similar pair, because there is a record for each row.
	// accounted accepts a pair that shares a value which nothing else has, because no
	// item can belong to a row other than these. Without either, a pair must be
	// convincing on its own.
	acceptBest, accounted bool

	excludedRows, excludedItems map[int32]bool // rows and items that fit several others equally well
}

// candidate is a row and an item that may belong together.
type candidate struct {
	row, item int32
	weight    int64
	singles   int // number of exact values that only this row and this item have
}

// maxCandidates bounds how many pairs are compared, and maxShared for how many
// pairs a value that they have in common is a reason to do so: without a bound, an
// API that stores every value in another form would make it quadratic.
const (
	maxCandidates = 100_000
	maxShared     = 2_500
)

// run matches undecided rows with usable items, as long as there are pairs that are
// each other's best.
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

// candidates returns the pairs that share a value which not too many rows and items
// have.
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

// takeBest accepts pairs of equal weight; no pair with a larger weight is left.
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

// breakTies accepts the pairs whose item has the position of its row, and then the
// others in order. If the best is not to be accepted, it excludes them all from matches
// by less.
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

// decide accepts q if it is convincing.
func (p *pairing) decide(q *candidate, how MatchMethod) {
	if p.isConvincing(q) {
		p.assign(q.row, q.item, how)
		return
	}
	p.exclude(q)
}

// isConvincing reports whether a pair that is each other's best belongs together. An
// item without an id may not be a record, and must have everything that was sent.
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

// nearKeys reports whether the keys of q are equal except for their form, and whether
// one may at least have been made from the other by cutting or adding.
func (p *pairing) nearKeys(q *candidate) (near, equal bool) {
	a := appendFolded(nil, p.key.normal(p.sent.key(int(q.row))))
	b := appendFolded(nil, p.entries[q.item].key)
	if len(a) == 0 || len(b) == 0 {
		return false, false
	}
	equal = bytes.Equal(a, b)
	return equal || bytes.HasPrefix(a, b) || bytes.HasSuffix(a, b) || bytes.HasPrefix(b, a) || bytes.HasSuffix(b, a), equal
}

// agreement returns how many fields of sent have a value, without the key, and in how
// many of these got agrees, in any form.
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
