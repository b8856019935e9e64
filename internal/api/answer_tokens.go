package api

import (
	"cmp"
	"slices"

	"flytt/internal/jsonscan"
)

// token is a feature of a row or an item: a value of a field, or of the key, in a form
// whose hash is equal for both if the API has kept it.
type token struct {
	hash   uint64
	weight int64 // of sharing it
	exact  bool  // it is a whole value, or a whole key in folded form
	single bool  // no other row and no other item has it
}

// Weights of what a row and an item have in common. A value counts as folded, and
// on top of that as exact. What several rows or items have counts for little: see
// tokens.rate.
const (
	weightExact     = 6
	weightFolded    = 6
	weightKeyFolded = 24
	weightKeyPart   = 5 // one key begins or ends with the other
	weightUnit      = 1 << 12
)

// The kinds of tokens begin their hashes.
const (
	kindExact = iota + 1
	kindFolded
	kindKey
	kindCutStart // the longer key is the row's: the API has cut it, at its end,
	kindCutEnd   // or at its start
	kindAddedEnd // the longer key is the item's: the API has added to its end,
	kindAddedStart
)

func hashKind(kind uint64) uint64 { return (hashStart ^ kind) * hashPrime }

// tokens are the tokens of one side: of the rows, or of the items.
type tokens struct {
	list  []token
	ends  []int // end of the tokens of each owner
	keys  [][]byte
	room  []byte
	split []int // lengths of the other side's keys
}

func (t *tokens) of(owner int) []token {
	start := 0
	if owner > 0 {
		start = t.ends[owner-1]
	}
	return t.list[start:t.ends[owner]]
}

func (t *tokens) add(hash uint64, weight int64, exact bool) {
	t.list = append(t.list, token{hash: hash, weight: weight, exact: exact})
}

// addFields adds the tokens of the fields of object, without its key.
func (t *tokens) addFields(key *keyField, object []byte) {
	for raw, v := range jsonscan.Members(object) {
		name := jsonscan.Unquote(raw)
		if len(key.path) == 1 && string(name) == key.path[0] {
			continue
		}
		h, tells := hashValue(hashBytes(hashKind(kindExact), name), v, 0)
		if !tells {
			continue
		}
		if v.Kind() != '"' {
			t.add(h, weightExact+weightFolded, true)
			continue
		}
		t.add(h, weightExact, true)
		if t.room = appendFolded(t.room[:0], jsonscan.Text(v)); len(t.room) > 0 {
			t.add(hashBytes(hashBytes(hashKind(kindFolded), name), t.room), weightFolded, false)
		}
	}
}

// addKey adds the tokens of a folded key. whole are the kinds of tokens of the shorter
// of two keys, and part those of the longer.
func (t *tokens) addKey(key []byte, whole, part [2]uint64) {
	if len(key) == 0 {
		return
	}
	t.add(hashBytes(hashKind(kindKey), key), weightKeyFolded, true)
	for _, kind := range whole {
		t.add(hashBytes(hashKind(kind), key), weightKeyPart, false)
	}
	for _, n := range t.split {
		if n < len(key) {
			t.add(hashBytes(hashKind(part[0]), key[:n]), weightKeyPart, false)
			t.add(hashBytes(hashKind(part[1]), key[len(key)-n:]), weightKeyPart, false)
		}
	}
}

// finish completes the tokens of one owner.
func (t *tokens) finish() {
	own := t.list[t.start():]
	slices.SortFunc(own, func(a, b token) int { return cmp.Compare(a.hash, b.hash) })
	t.ends = append(t.ends, len(t.list))
}

func (t *tokens) start() int {
	if len(t.ends) == 0 {
		return 0
	}
	return t.ends[len(t.ends)-1]
}

// maxLengths bounds how many lengths of keys are searched in longer keys.
const maxLengths = 16

// lengthsOf returns the lengths of keys, the most frequent first, at most
// maxLengths of them.
func lengthsOf(keys [][]byte) []int {
	count := map[int]int{}
	for _, k := range keys {
		if len(k) > 0 {
			count[len(k)]++
		}
	}
	lengths := make([]int, 0, len(count))
	for n := range count {
		lengths = append(lengths, n)
	}
	slices.SortFunc(lengths, func(a, b int) int { return cmp.Or(count[b]-count[a], a-b) })
	return lengths[:min(len(lengths), maxLengths)]
}

func foldedKeys(n int, key func(int) []byte) [][]byte {
	keys := make([][]byte, n)
	for i := range keys {
		keys[i] = appendFolded(nil, key(i))
	}
	return keys
}

// sharedTokens are the tokens of rows and items.
type sharedTokens struct {
	rows, items tokens
}

// newSharedTokens collects the tokens of rows and items and weighs them.
func newSharedTokens(m *matching, rows, items []int32) *sharedTokens {
	c := &sharedTokens{}
	c.rows.keys = foldedKeys(len(rows), func(n int) []byte { return m.key.normal(m.sent.key(int(rows[n]))) })
	c.items.keys = foldedKeys(len(items), func(n int) []byte { return m.entries[items[n]].key })
	c.rows.split, c.items.split = lengthsOf(c.items.keys), lengthsOf(c.rows.keys)
	added, cut := [2]uint64{kindAddedEnd, kindAddedStart}, [2]uint64{kindCutStart, kindCutEnd}
	for n, i := range rows {
		c.rows.addFields(m.key, m.sent.Items[i])
		c.rows.addKey(c.rows.keys[n], added, cut)
		c.rows.finish()
	}
	for n, j := range items {
		c.items.addFields(m.key, m.entries[j].object)
		c.items.addKey(c.items.keys[n], cut, added)
		c.items.finish()
	}
	return c
}

// tokenPlace is the position of a token.
type tokenPlace struct {
	hash  uint64
	owner int32 // index of a row; for an item, -1 - its index
	at    int32 // in the list of its side
}

// number returns the index of the item.
func (p tokenPlace) number() int32 { return -1 - p.owner }

// places returns the positions of all tokens, with equal tokens side by side, and rows
// after items.
func (c *sharedTokens) places() []tokenPlace {
	all := make([]tokenPlace, 0, len(c.rows.list)+len(c.items.list))
	for side, t := range []*tokens{&c.rows, &c.items} {
		at := 0
		for owner, end := range t.ends {
			for ; at < end; at++ {
				p := tokenPlace{hash: t.list[at].hash, owner: int32(owner), at: int32(at)}
				if side == 1 {
					p.owner = -1 - p.owner
				}
				all = append(all, p)
			}
		}
	}
	slices.SortFunc(all, func(a, b tokenPlace) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.owner, b.owner), cmp.Compare(a.at, b.at))
	})
	return all
}

// sharedToken is the positions of one token that both rows and items have.
type sharedToken struct{ items, rows []tokenPlace }

// rate weighs every token by how many rows and items have it, and returns those that
// rows and items share, the rarest first.
func (c *sharedTokens) rate() []sharedToken {
	var list []sharedToken
	all := c.places()
	for len(all) > 0 {
		n := slices.IndexFunc(all, func(p tokenPlace) bool { return p.hash != all[0].hash })
		if n < 0 {
			n = len(all)
		}
		rows := slices.IndexFunc(all[:n], func(p tokenPlace) bool { return p.owner >= 0 })
		if rows > 0 {
			s := sharedToken{items: all[:rows], rows: all[rows:n]}
			c.weigh(&s)
			list = append(list, s)
		}
		all = all[n:]
	}
	slices.SortStableFunc(list, func(a, b sharedToken) int { return a.pairs() - b.pairs() })
	return list
}

func (s *sharedToken) pairs() int { return len(s.items) * len(s.rows) }

// weigh makes a token that only one row and one item have count more than several that
// others have too.
func (c *sharedTokens) weigh(s *sharedToken) {
	single := len(s.rows) == 1 && len(s.items) == 1
	scale := int64(weightUnit)
	if !single {
		scale /= int64(4 * max(len(s.rows), len(s.items)))
	}
	for _, p := range s.rows {
		t := &c.rows.list[p.at]
		t.weight, t.single = max(t.weight*scale, 1), single
	}
	for _, p := range s.items {
		c.items.list[p.at].single = single
	}
}

// score returns the weight of the tokens that row and item share, and how many of these
// only they have.
func (c *sharedTokens) score(row, item int) (weight int64, singles int) {
	a, b := c.rows.of(row), c.items.of(item)
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].hash < b[0].hash:
			a = a[1:]
		case a[0].hash > b[0].hash:
			b = b[1:]
		default:
			weight += a[0].weight
			if a[0].single && a[0].exact {
				singles++
			}
			a, b = a[1:], b[1:]
		}
	}
	return weight, singles
}
