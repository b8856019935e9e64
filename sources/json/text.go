package json

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math/bits"
	surrogate "unicode/utf16"
	"unicode/utf8"

	"flytt/internal/jsonscan"
)

// stringAt finds the characters of the string that starts at text[i], and where it
// ends. It resolves escapes in place, since that takes no more room.
func stringAt(text []byte, i int) (valueSpan, int) {
	start := i + 1
	end := plainEnd(text, start)
	if text[end] == '"' {
		return valueSpan{start, end, true}, end + 1
	}
	to, end := resolve(text, end)
	return valueSpan{start, to, true}, end
}

// literalAt finds the number, true or false within the string that starts at
// text[i], or the string itself with its quotes if it holds none.
func literalAt(text []byte, i int) (valueSpan, int) {
	end := jsonscan.ValueEnd(text, i)
	if isLiteral(text[i+1 : end-1]) {
		return valueSpan{i + 1, end - 1, true}, end
	}
	return valueSpan{i, end, true}, end
}

// rawAt finds the value that starts at text[i] as JSON without white space, and
// where it ends.
func rawAt(text []byte, i int) (valueSpan, int) {
	end := jsonscan.ValueEnd(text, i)
	to := end
	if text[i] == '{' || text[i] == '[' {
		to = i + len(appendCompact(text[i:i:end], text[i:end]))
	}
	return valueSpan{i, to, true}, end
}

// isLiteral reports whether v is a number, true or false as JSON has them.
func isLiteral(v []byte) bool {
	if len(v) == 0 || v[0] != '-' && (v[0] < '0' || v[0] > '9') {
		return string(v) == "true" || string(v) == "false"
	}
	return v[len(v)-1] > ' ' && json.Valid(v)
}

// appendCompact appends the JSON value v to dst without its white space. dst may end
// where v starts, in the same text.
func appendCompact(dst, v []byte) []byte {
	start := 0
	for i := 0; i < len(v); {
		switch c := v[i]; {
		case c == '"':
			i = jsonscan.ValueEnd(v, i)
		case c <= ' ':
			dst = append(dst, v[start:i]...)
			i++
			start = i
		default:
			i++
		}
	}
	return append(dst, v[start:]...)
}

// plainEnd returns the position of the first quote or backslash in text from i on;
// there has to be one. It examines eight bytes at a time: subtracting one from each
// sets the top bit of those that were zero, and possibly of some above them, but of
// none below.
func plainEnd(text []byte, i int) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(text); i += 8 {
		x := binary.LittleEndian.Uint64(text[i:])
		quote, backslash := x^'"'*ones, x^'\\'*ones
		if m := ((quote-ones)&^quote | (backslash-ones)&^backslash) & tops; m != 0 {
			return i + bits.TrailingZeros64(m)/8
		}
	}
	for text[i] != '"' && text[i] != '\\' {
		i++
	}
	return i
}

// resolve replaces the escapes of a string, of which the first is at text[i], and moves
// the characters after each up. It returns where the characters end and where the
// string does.
func resolve(text []byte, i int) (to, end int) {
	to = i
	for text[i] != '"' {
		if text[i] == '\\' {
			var c rune
			c, i = escapeAt(text, i)
			to += utf8.EncodeRune(text[to:], c)
			continue
		}
		end = plainEnd(text, i)
		to += copy(text[to:], text[i:end])
		i = end
	}
	return to, i + 1
}

// escapeAt returns the character of the escape at text[i], and where the escape ends.
// Both halves of a surrogate pair are one character; half a pair is U+FFFD.
func escapeAt(text []byte, i int) (rune, int) {
	if text[i+1] != 'u' {
		return escapedRunes[text[i+1]], i + 2
	}
	c := hexRune(text[i+2:])
	i += 6
	if !surrogate.IsSurrogate(c) {
		return c, i
	}
	if bytes.HasPrefix(text[i:], []byte(`\u`)) {
		if pair := surrogate.DecodeRune(c, hexRune(text[i+2:])); pair != utf8.RuneError {
			return pair, i + 6
		}
	}
	return utf8.RuneError, i
}

// escapedRunes is what a letter after a backslash stands for.
var escapedRunes = [256]rune{
	'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t',
}

// hexRune returns the number that four hexadecimal digits are.
func hexRune(digits []byte) (n rune) {
	for _, c := range digits[:4] {
		switch {
		case c <= '9':
			n = n<<4 | rune(c-'0')
		default:
			n = n<<4 | rune(c|0x20-'a'+10)
		}
	}
	return n
}
