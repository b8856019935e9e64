package json

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	surrogate "unicode/utf16"
	"unicode/utf8"

	"flytt/internal/jsonscan"
	"flytt/pipeline"
	"flytt/sources/textscan"
)

// maxDepth bounds how deep objects and arrays of a row may be nested.
const maxDepth = 64

// checker reads JSON as strictly as RFC 8259 has it and RFC 7493 (I-JSON)
// tightens it: no name twice in an object, no half of a surrogate pair, nothing
// deeper than maxDepth. That strings are UTF-8 it leaves to textscan.InvalidUTF8, which
// sees a whole block at once.
//
// It does what jsontext.Decoder.ReadValue does, to which FuzzCheck holds it, because
// every row of an import goes through it and jsontext takes half as long again: 561 to
// 366 ns for a contact of 13 members, which made a convert of JSON Lines 10 to 15 %
// slower. Names are what costs (401 ns without a look for one that comes twice): here
// most are told apart by a number. What jsontext lacks besides is a limit of the depth
// that can be set, and a place and words for each flaw that a person can act on.
type checker struct {
	text  []byte
	depth int
	names []objectName // of the objects that are open, innermost last
	nul   bool         // a string has the character U+0000, escaped
	flaw  syntaxFault
}

// syntaxFault is the first thing wrong with a text.
type syntaxFault struct {
	at   int // position in the text
	code pipeline.Code
	what string
}

// describe says what is wrong and where: "at character 17: a colon is expected here",
// counted from the start of the row.
func (f syntaxFault) describe(text []byte, start int) string {
	return fmt.Sprintf("at character %d: %s", 1+utf8.RuneCount(text[start:f.at]), f.what)
}

// objectName is a name in an object that is not closed yet.
type objectName struct {
	key  uint64 // equal for equal names
	text []byte // without escapes
}

// value checks the value at text[i] and returns where it ends; -1 and a fault if it is
// invalid.
func (c *checker) value(text []byte, i int) int {
	c.text, c.depth, c.names, c.nul = text, 0, c.names[:0], false
	return c.any(i)
}

// row checks that text from start on is an object in UTF-8, and nothing else.
func (c *checker) row(text []byte, start int) (syntaxFault, bool) {
	if bad := textscan.InvalidUTF8(text[start:]); bad >= 0 {
		return syntaxFault{start + bad, textscan.InvalidEncoding, "bytes that are not UTF-8"}, false
	}
	end := c.value(text, start)
	switch {
	case end < 0:
		return c.flaw, false
	case c.skip(end) < len(text):
		return syntaxFault{c.skip(end), badJSON, "something follows the end of the value"}, false
	case text[start] != '{':
		return syntaxFault{start, notObject, kindOf(text[start]) + " where an object is expected"}, false
	}
	return syntaxFault{}, true
}

// kindOf names the kind of value that starts with b.
func kindOf(b byte) string {
	switch b {
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "true or false"
	case 'n':
		return "null"
	}
	return "a number"
}

// at returns the byte at i; after the end 0, which JSON never has.
func (c *checker) at(i int) byte {
	if i < len(c.text) {
		return c.text[i]
	}
	return 0
}

func (c *checker) fail(at int, code pipeline.Code, what string) int {
	c.flaw = syntaxFault{at, code, what}
	return -1
}

// skip returns the first position from i on that is not white space.
func (c *checker) skip(i int) int { return SkipSpace(c.text, i) }

// SkipSpace returns the first position from i on that is not white space, as JSON
// defines it; it may be the end of text.
func SkipSpace(text []byte, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\n' || text[i] == '\r' || text[i] == '\t') {
		i++
	}
	return i
}

func (c *checker) any(i int) int {
	switch b := c.at(i); {
	case b == '"':
		return c.str(i)
	case b == '{' || b == '[':
		return c.checkNested(i, b == '{')
	case b == '-' || b >= '0' && b <= '9':
		return c.number(i)
	case b == 't':
		return c.word(i, "true")
	case b == 'f':
		return c.word(i, "false")
	case b == 'n':
		return c.word(i, "null")
	case i >= len(c.text):
		return c.fail(i, badJSON, "it ends too early")
	}
	return c.fail(i, badJSON, "a value is expected here")
}

// checkNested checks the object or array that starts at i.
func (c *checker) checkNested(i int, object bool) int {
	if c.depth++; c.depth > maxDepth {
		return c.fail(i, deepJSON, "objects and arrays lie too deep within each other")
	}
	outer, end := len(c.names), byte(']')
	if object {
		end = '}'
	}
	var many map[string]struct{}
	if i = c.skip(i + 1); c.at(i) == end {
		c.depth--
		return i + 1
	}
	for {
		if object {
			if i = c.name(i, outer, &many); i < 0 {
				return i
			}
		}
		if i = c.any(i); i < 0 {
			return i
		}
		switch i = c.skip(i); c.at(i) {
		case ',':
			i = c.skip(i + 1)
		case end:
			c.names = c.names[:outer]
			c.depth--
			return i + 1
		default:
			return c.separatorFault(i)
		}
	}
}

// separatorFault says what is wrong at i, after a value in an object or array.
func (c *checker) separatorFault(i int) int {
	if i >= len(c.text) {
		return c.fail(i, badJSON, "it ends too early")
	}
	return c.fail(i, badJSON, "a comma or a closing bracket is expected here")
}

// name checks the name at i and the colon behind it, and returns where the
// value starts. The names of its object start at outer, and lie in many where
// they are.
func (c *checker) name(i, outer int, many *map[string]struct{}) int {
	if c.at(i) != '"' {
		if i >= len(c.text) {
			return c.fail(i, badJSON, "it ends too early")
		}
		return c.fail(i, badJSON, "a name in quotes is expected here")
	}
	end := c.str(i)
	if end < 0 {
		return end
	}
	if c.repeated(c.text[i+1:end-1], outer, many) {
		return c.fail(i, duplicateName, "a name that the object has already")
	}
	colon := c.skip(end)
	if c.at(colon) != ':' {
		return c.fail(colon, badJSON, "a colon is expected here")
	}
	return c.skip(colon + 1)
}

// maxLinearNames is how many names of an object are compared one by one.
const maxLinearNames = 48

// repeated reports whether the name occurred before in its object, and remembers it.
func (c *checker) repeated(raw []byte, outer int, many *map[string]struct{}) bool {
	n := objectName{text: jsonscan.Unquote(raw)}
	n.key = nameKey(n.text)
	for i := outer; i < len(c.names); i++ {
		if c.names[i].key == n.key && bytes.Equal(c.names[i].text, n.text) {
			return true
		}
	}
	if len(c.names)-outer < maxLinearNames {
		c.names = append(c.names, n)
		return false
	}
	if *many == nil {
		*many = map[string]struct{}{}
	}
	before := len(*many)
	(*many)[string(n.text)] = struct{}{}
	return len(*many) == before
}

// nameKey returns a number that differs for most different names.
func nameKey(name []byte) uint64 {
	n := len(name)
	switch {
	case n >= 8:
		return binary.LittleEndian.Uint64(name[n-8:]) ^ uint64(n)<<56
	case n >= 4:
		return uint64(binary.LittleEndian.Uint32(name))<<32 ^ uint64(binary.LittleEndian.Uint32(name[n-4:])) ^ uint64(n)<<56
	case n > 0:
		return uint64(name[0]) | uint64(name[n/2])<<8 | uint64(name[n-1])<<16 | uint64(n)<<56
	}
	return 0
}

// str checks the string that starts at i.
func (c *checker) str(i int) int {
	start := i
	for i++; ; {
		i = stringStop(c.text, i)
		switch {
		case i == len(c.text):
			return c.fail(start, badJSON, "a string that is not closed")
		case c.text[i] == '"':
			return i + 1
		case c.text[i] != '\\':
			return c.fail(i, badJSON, "a control character within a string")
		}
		if i = c.escape(i); i < 0 {
			return i
		}
	}
}

// stringStop returns the position of the first quote, backslash or control character in
// text from i on, or the end of text. It examines eight bytes at a time, see plainEnd.
func stringStop(text []byte, i int) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(text); i += 8 {
		x := binary.LittleEndian.Uint64(text[i:])
		quote, backslash := x^'"'*ones, x^'\\'*ones
		if m := ((quote-ones)&^quote | (backslash-ones)&^backslash | (x-' '*ones)&^x) & tops; m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
	}
	for i < len(text) && text[i] != '"' && text[i] != '\\' && text[i] >= ' ' {
		i++
	}
	return i
}

// escape checks the escape at i, both halves of a surrogate pair being one.
func (c *checker) escape(i int) int {
	switch c.at(i + 1) {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
	default:
		return c.fail(i, badJSON, "a backslash before a character that has no escape")
	}
	if !c.hex(i + 2) {
		return c.fail(i, badJSON, `\u without four hexadecimal digits`)
	}
	r := hexRune(c.text[i+2:])
	switch {
	case r == 0:
		c.nul = true
	case !surrogate.IsSurrogate(r):
	case r >= 0xDC00 || c.at(i+6) != '\\' || c.at(i+7) != 'u' || !c.hex(i+8) || hexRune(c.text[i+8:])&^0x3FF != 0xDC00:
		return c.fail(i, textscan.InvalidEncoding, "half of a surrogate pair")
	default:
		i += 6
	}
	return i + 6
}

// hex reports whether four hexadecimal digits stand at i.
func (c *checker) hex(i int) bool {
	for k := range 4 {
		b := c.at(i + k)
		if l := b | 0x20; (b < '0' || b > '9') && (l < 'a' || l > 'f') {
			return false
		}
	}
	return true
}

func (c *checker) number(i int) int {
	if c.at(i) == '-' {
		i++
	}
	end := c.digits(i)
	if end == i || c.at(i) == '0' && end > i+1 {
		return c.fail(i, badJSON, "a number that is not written as JSON has it")
	}
	if c.at(end) == '.' {
		i = end + 1
		if end = c.digits(i); end == i {
			return c.fail(i, badJSON, "a number that is not written as JSON has it")
		}
	}
	if c.at(end)|0x20 == 'e' {
		i = end + 1
		if b := c.at(i); b == '+' || b == '-' {
			i++
		}
		if end = c.digits(i); end == i {
			return c.fail(i, badJSON, "a number that is not written as JSON has it")
		}
	}
	return end
}

// digits returns where the digits from i on end.
func (c *checker) digits(i int) int {
	for i < len(c.text) && c.text[i] >= '0' && c.text[i] <= '9' {
		i++
	}
	return i
}

func (c *checker) word(i int, word string) int {
	if !bytes.HasPrefix(c.text[i:], []byte(word)) {
		return c.fail(i, badJSON, "a value is expected here")
	}
	return i + len(word)
}
