package sandbox

import (
	"math/rand/v2"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode"
)

// patternText draws texts that a pattern matches.
type patternText struct {
	*regexp.Regexp
	tree *syntax.Regexp
}

// newPatternText prepares a pattern, which the descriptor's reader has compiled
// before.
func newPatternText(pattern string) *patternText {
	tree, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		panic(err) // an invariant: patterns of descriptors are RE2
	}
	return &patternText{regexp.MustCompile(pattern), tree.Simplify()}
}

// moreTimes bounds how often a draw repeats what may be repeated for ever.
const moreTimes = 4

// draw returns a text that the pattern matches, unless that depends on what
// stands around a word boundary.
func (p *patternText) draw(rng *rand.Rand) string {
	var b strings.Builder
	drawNode(&b, rng, p.tree)
	return b.String()
}

func drawNode(b *strings.Builder, rng *rand.Rand, n *syntax.Regexp) {
	switch n.Op {
	case syntax.OpLiteral:
		b.WriteString(string(n.Rune))
	case syntax.OpCharClass:
		b.WriteRune(drawRune(rng, n.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte(byte('a' + rng.IntN(26)))
	case syntax.OpAlternate:
		drawNode(b, rng, n.Sub[rng.IntN(len(n.Sub))])
	case syntax.OpStar:
		repeat(b, rng, n, rng.IntN(moreTimes+1))
	case syntax.OpPlus:
		repeat(b, rng, n, 1+rng.IntN(moreTimes))
	case syntax.OpQuest:
		repeat(b, rng, n, rng.IntN(2))
	default: // groups and sequences; anchors have no text
		for _, sub := range n.Sub {
			drawNode(b, rng, sub)
		}
	}
}

// repeat draws the inside of n some times.
func repeat(b *strings.Builder, rng *rand.Rand, n *syntax.Regexp, times int) {
	for range times {
		drawNode(b, rng, n.Sub[0])
	}
}

// drawRune draws from ranges of characters, one that can be seen if the first
// few draws find one.
func drawRune(rng *rand.Rand, ranges []rune) (r rune) {
	for range 20 {
		i := 2 * rng.IntN(len(ranges)/2)
		low, high := ranges[i], ranges[i+1]
		r = low + rng.Int32N(min(high-low, 127)+1)
		if unicode.IsPrint(r) {
			return r
		}
	}
	return r
}
