package format

import (
	"encoding/binary"
	"regexp/syntax"
	"slices"
	"unicode"
)

// What a table may grow to, and cost: a step is one look at one instruction. A
// pattern beyond that runs in package regexp. What building it has cost until
// then is some milliseconds.
const (
	maxStates  = 512
	maxClasses = 64
	maxSteps   = 1 << 18
)

// builder turns the instructions of a compiled pattern into a table by the
// subset construction: a state is the set of instructions that the matcher may
// be at.
type builder struct {
	prog   *syntax.Prog
	table  *table
	chars  []rune            // by class: one character of it
	states map[string]uint16 // by key of the set: the row
	sets   [][]uint32        // by row
	seen   []int             // by instruction: the set, counted from 1, that it was last looked at for
	made   int               // how many sets were made
	steps  int               // what it has cost so far
}

// newTable returns the table of expr, which is known to compile, or nil if it
// would be too large or expr asks for what a table cannot do: a word boundary,
// the start or end of a line.
func newTable(expr string) *table {
	parsed, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil
	}
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil || !onlyTextAnchors(prog) {
		return nil
	}
	b := &builder{prog: prog, table: &table{}, states: map[string]uint16{}, seen: make([]int, len(prog.Inst))}
	if !b.classify() || !b.build() {
		return nil
	}
	return b.table
}

func onlyTextAnchors(prog *syntax.Prog) bool {
	for _, in := range prog.Inst {
		if in.Op == syntax.InstEmptyWidth && syntax.EmptyOp(in.Arg)&^(syntax.EmptyBeginText|syntax.EmptyEndText) != 0 {
			return false
		}
	}
	return true
}

// classify sorts all characters into classes that no instruction tells apart.
func (b *builder) classify() bool {
	t := b.table
	t.bounds = b.ranges()
	if b.steps = len(t.bounds) * len(b.prog.Inst); b.steps > maxSteps {
		return false
	}
	byMatches := map[string]uint8{}
	for _, r := range t.bounds {
		key := string(b.matches(r))
		class, ok := byMatches[key]
		if !ok {
			if len(b.chars) == maxClasses {
				return false
			}
			class = uint8(len(b.chars))
			byMatches[key] = class
			b.chars = append(b.chars, r)
		}
		t.class = append(t.class, class)
	}
	for c := range t.ascii {
		t.ascii[c] = t.classOf(rune(c))
	}
	t.stride = uint16(len(b.chars))
	return true
}

// ranges returns where the ranges of characters begin within which every
// instruction matches all or none.
func (b *builder) ranges() []rune {
	bounds := []rune{0}
	add := func(lo, hi rune) { bounds = append(bounds, lo, hi+1) }
	for i := range b.prog.Inst {
		in := &b.prog.Inst[i]
		switch {
		case in.Op == syntax.InstRuneAnyNotNL:
			add('\n', '\n')
		case in.Op != syntax.InstRune && in.Op != syntax.InstRune1:
		case len(in.Rune) == 1:
			r := in.Rune[0]
			add(r, r)
			if syntax.Flags(in.Arg)&syntax.FoldCase != 0 {
				for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
					add(f, f)
				}
			}
		default:
			for j := 0; j < len(in.Rune); j += 2 {
				add(in.Rune[j], in.Rune[j+1])
			}
		}
	}
	slices.Sort(bounds)
	return slices.Compact(bounds)
}

// matches returns one byte for each instruction that reads a character: 1 if
// it matches r.
func (b *builder) matches(r rune) []byte {
	var key []byte
	for i := range b.prog.Inst {
		if in := &b.prog.Inst[i]; readsRune(in) {
			m := byte(0)
			if in.MatchRune(r) {
				m = 1
			}
			key = append(key, m)
		}
	}
	return key
}

func readsRune(in *syntax.Inst) bool {
	switch in.Op {
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		return true
	}
	return false
}

// build makes all states that can be reached from the start.
func (b *builder) build() bool {
	t := b.table
	for range firstRow {
		b.addRow(nil)
	}
	t.final[foundRow] = true

	// The start is a state of its own even where its set is that of another:
	// only there does the start of the text match.
	set, found := b.closure([]uint32{uint32(b.prog.Start)}, syntax.EmptyBeginText)
	row := uint16(foundRow)
	if !found {
		row = b.addRow(set)
		t.final[row] = b.endsIn(set, syntax.EmptyBeginText|syntax.EmptyEndText)
	}
	t.start = row * t.stride

	for row := firstRow; row < len(b.sets); row++ {
		for class, r := range b.chars {
			to := b.step(b.sets[row], r)
			if len(b.sets) > maxStates || b.steps > maxSteps {
				return false
			}
			t.next[row*len(b.chars)+class] = to * t.stride
		}
	}
	return true
}

// addRow adds a state and returns its row.
func (b *builder) addRow(set []uint32) uint16 {
	row := uint16(len(b.sets))
	b.sets = append(b.sets, set)
	b.table.final = append(b.table.final, false)
	b.table.next = append(b.table.next, make([]uint16, len(b.chars))...)
	return row
}

// step returns the row of the state that follows set when r is read.
func (b *builder) step(set []uint32, r rune) uint16 {
	next := []uint32{uint32(b.prog.Start)} // a match may start at any character
	b.steps += len(set)
	for _, pc := range set {
		if in := &b.prog.Inst[pc]; readsRune(in) && in.MatchRune(r) {
			next = append(next, in.Out)
		}
	}
	set, found := b.closure(next, 0)
	switch {
	case found:
		return foundRow
	case len(set) == 0:
		return deadRow
	}
	var key []byte
	for _, pc := range set {
		key = binary.LittleEndian.AppendUint32(key, pc)
	}
	row, ok := b.states[string(key)]
	if !ok {
		row = b.addRow(set)
		b.table.final[row] = b.endsIn(set, syntax.EmptyEndText)
		b.states[string(key)] = row
	}
	return row
}

// endsIn reports whether a match is found when the text ends in set. At says
// where that is.
func (b *builder) endsIn(set []uint32, at syntax.EmptyOp) bool {
	_, found := b.closure(set, at)
	return found
}

// closure returns the instructions, in order, that can be reached from pcs
// without reading a character and that wait for one, or for the end of the
// text. It reports found if a match is among them. At says what the place is.
func (b *builder) closure(pcs []uint32, at syntax.EmptyOp) (set []uint32, found bool) {
	b.made++
	stack := slices.Clone(pcs)
	for len(stack) > 0 {
		pc := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if b.seen[pc] == b.made {
			continue
		}
		b.seen[pc] = b.made
		b.steps++
		switch in := &b.prog.Inst[pc]; in.Op {
		case syntax.InstMatch:
			found = true
		case syntax.InstAlt, syntax.InstAltMatch:
			stack = append(stack, in.Out, in.Arg)
		case syntax.InstCapture, syntax.InstNop:
			stack = append(stack, in.Out)
		case syntax.InstEmptyWidth:
			switch missing := syntax.EmptyOp(in.Arg) &^ at; missing {
			case 0:
				stack = append(stack, in.Out)
			case syntax.EmptyEndText:
				set = append(set, pc)
			}
		case syntax.InstFail:
		default:
			set = append(set, pc)
		}
	}
	slices.Sort(set)
	return set, found
}

// The classes and states of a table fit the types that hold them.
var (
	_ [1<<8 - maxClasses]struct{}
	_ [1<<16 - (maxStates+1)*maxClasses]struct{}
)
