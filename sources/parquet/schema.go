package parquet

import (
	"errors"
	"fmt"

	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"
)

// maxDepth bounds how deep groups nest.
const maxDepth = 48

// schema turns the fields of a file into columns.
type schema struct {
	elements []format.SchemaElement
	next     int // the next element
	leaves   []*leaf
	columns  []*Column
}

// leaf is a field with values of its own.
type leaf struct {
	index    int // among all leaves
	physical format.Type
	width    int // bytes of a value; 0: each has its own length
	maxDef   byte
	maxRep   byte
	textForm
}

// node is an element of the schema.
type node struct {
	name     string
	element  *format.SchemaElement
	repeats  format.FieldRepetitionType
	def, rep byte // levels of a value that is present
	children []*node
	leaf     *leaf
}

// newSchema makes columns of the elements of a footer.
func newSchema(elements []format.SchemaElement) (*schema, error) {
	s := &schema{elements: elements}
	if len(elements) == 0 {
		return nil, corrupt("the footer has no schema")
	}
	root, err := s.tree(nil, 0)
	if err != nil {
		return nil, corrupt("the schema: %w", err)
	}
	if s.next != len(elements) {
		return nil, corrupt("the schema: %d elements belong to no group", len(elements)-s.next)
	}
	for _, n := range root.children {
		s.column(n, "")
	}
	return s, nil
}

// tree reads the next element with all its descendants.
func (s *schema) tree(parent *node, depth int) (*node, error) {
	if s.next >= len(s.elements) {
		return nil, errors.New("it ends too early")
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("groups nest deeper than %d", maxDepth)
	}
	e := &s.elements[s.next]
	s.next++
	n := &node{name: e.Name, element: e}
	if parent != nil {
		n.level(parent)
	}
	if e.Type.Valid {
		return n, s.leaf(n)
	}
	if e.NumChildren.V < 0 || int(e.NumChildren.V) > len(s.elements)-s.next {
		return nil, fmt.Errorf("a group of %d", e.NumChildren.V)
	}
	for range e.NumChildren.V {
		child, err := s.tree(n, depth+1)
		if err != nil {
			return nil, err
		}
		n.children = append(n.children, child)
	}
	return n, nil
}

// level sets the levels of n below parent.
func (n *node) level(parent *node) {
	n.def, n.rep = parent.def, parent.rep
	if n.element.RepetitionType.Valid {
		n.repeats = n.element.RepetitionType.V
	}
	switch n.repeats {
	case format.Optional:
		n.def++
	case format.Repeated:
		n.def++
		n.rep++
	}
}

func (s *schema) leaf(n *node) error {
	width := 0
	switch n.element.Type.V {
	case format.Boolean:
		width = 1
	case format.Int32, format.Float:
		width = 4
	case format.Int64, format.Double:
		width = 8
	case format.Int96:
		width = 12
	case format.FixedLenByteArray:
		if width = int(n.element.TypeLength.V); width <= 0 || width > maxFixed {
			return fmt.Errorf("values of a fixed length of %d bytes", width)
		}
	case format.ByteArray:
	default:
		return fmt.Errorf("a field of type %d, which the format has not", n.element.Type.V)
	}
	n.leaf = &leaf{
		index: len(s.leaves), physical: n.element.Type.V, width: width, maxDef: n.def, maxRep: n.rep,
		textForm: textOf(n.element),
	}
	s.leaves = append(s.leaves, n.leaf)
	return nil
}

// maxFixed bounds the length of values of a fixed length.
const maxFixed = 1 << 20

// column makes the columns of n: one for a field or a list, one for each field of a
// group.
func (s *schema) column(n *node, prefix string) {
	path := prefix + n.name
	switch {
	case isVariant(n.element):
		s.columns = append(s.columns, &Column{Name: path, Unreadable: "VARIANT"})
	case n.repeats == format.Repeated || n.isList() || n.isMap():
		s.nested(n, path)
	case n.leaf != nil:
		s.columns = append(s.columns, &Column{Name: path, Unreadable: n.leaf.unreadable, leaves: []*leaf{n.leaf}})
	default:
		for _, child := range n.children {
			s.column(child, path+".")
		}
	}
}

// nested makes the one column of a list or a map, unless it is empty.
func (s *schema) nested(n *node, path string) {
	b := shaper{}
	shape := b.shape(n)
	if len(b.leaves) == 0 {
		return
	}
	c := &Column{Name: path, leaves: b.leaves, shape: shape, Unreadable: b.unreadable}
	s.columns = append(s.columns, c)
}

func isVariant(e *format.SchemaElement) bool {
	_, ok := e.LogicalType.Value.(*format.VariantType)
	return ok
}

// isList reports whether n is a group that stands for a list.
func (n *node) isList() bool {
	_, ok := n.element.LogicalType.Value.(*format.ListType)
	return n.wraps() && (ok || n.converted(deprecated.List))
}

// isMap reports whether n is a group that stands for a map, with a key and a
// value.
func (n *node) isMap() bool {
	_, ok := n.element.LogicalType.Value.(*format.MapType)
	ok = ok || n.converted(deprecated.Map) || n.converted(deprecated.MapKeyValue)
	return n.wraps() && ok && len(n.children[0].children) == 2 && n.children[0].children[0].leaf != nil &&
		n.children[0].children[0].repeats != format.Repeated
}

// wraps reports whether n has nothing but one repeated field.
func (n *node) wraps() bool {
	return n.leaf == nil && n.repeats != format.Repeated && len(n.children) == 1 && n.children[0].repeats == format.Repeated
}

func (n *node) converted(t deprecated.ConvertedType) bool {
	return n.element.ConvertedType.Valid && n.element.ConvertedType.V == t
}
