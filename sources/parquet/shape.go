package parquet

import "github.com/parquet-go/parquet-go/format"

// shapeKind is what a shape becomes in JSON.
type shapeKind uint8

const (
	scalarShape shapeKind = iota
	objectShape
	listShape
	mapShape
)

// shape says how the leaves of a nested column become JSON.
type shape struct {
	kind     shapeKind
	name     string // as a member of an object
	optional bool   // null below level def, in a list; a column is always optional
	def      byte
	first    int      // the first of its leaves, among those of the column
	leaves   int      // number of its leaves
	members  []*shape // of an object; key and value of a map; the element of a list

	// of a list or map: the levels of its elements
	elementDef, elementRep byte
}

// shaper makes the shape of a column and collects its leaves.
type shaper struct {
	leaves     []*leaf
	unreadable string // the first type in it that cannot be read
}

// shape makes the shape of n. If n is repeated without being in a list, it is a list.
func (b *shaper) shape(n *node) *shape {
	if n.repeats != format.Repeated {
		return b.one(n)
	}
	s := &shape{kind: listShape, name: n.name, def: n.def - 1, elementDef: n.def, elementRep: n.rep}
	return b.fill(s, func() { s.members = []*shape{b.one(n)} })
}

// one makes the shape of a single value of n.
func (b *shaper) one(n *node) *shape {
	s := &shape{name: n.name, optional: n.repeats == format.Optional, def: n.def}
	switch {
	case n.leaf != nil:
		return b.fill(s, func() {
			b.refuse(n.leaf.unreadable)
			b.leaves = append(b.leaves, n.leaf)
		})
	case n.isMap():
		entry := n.children[0]
		s.kind, s.elementDef, s.elementRep = mapShape, entry.def, entry.rep
		return b.fill(s, func() { s.members = []*shape{b.one(entry.children[0]), b.shape(entry.children[1])} })
	case n.isList():
		entry := n.children[0]
		s.kind, s.elementDef, s.elementRep = listShape, entry.def, entry.rep
		return b.fill(s, func() { s.members = []*shape{b.element(n, entry)} })
	}
	if isVariant(n.element) {
		b.refuse("VARIANT")
	}
	s.kind = objectShape
	return b.fill(s, func() {
		for _, child := range n.children {
			s.members = append(s.members, b.shape(child))
		}
	})
}

// element makes the shape of the elements of list. Old writers leave out the
// group around them: the rules are those of the format's LogicalTypes.md,
// "Backward-compatibility rules" of lists.
func (b *shaper) element(list, entry *node) *shape {
	if entry.leaf == nil && len(entry.children) == 1 && entry.name != "array" && entry.name != list.name+"_tuple" {
		return b.shape(entry.children[0])
	}
	return b.one(entry)
}

// fill calls f, which adds members, and counts their leaves.
func (b *shaper) fill(s *shape, f func()) *shape {
	s.first = len(b.leaves)
	f()
	s.leaves = len(b.leaves) - s.first
	return s
}

func (b *shaper) refuse(unreadable string) {
	if b.unreadable == "" {
		b.unreadable = unreadable
	}
}
