package mappings

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"unicode"
	"unicode/utf8"

	"flytt/mappings/identity"
)

func buildTrim(c Conversion, _ *conversionOptions) (converter, error) {
	if err := c.plain(0, 1); err != nil {
		return nil, err
	}
	if len(c.Args) == 0 {
		return func(_ *call, v []byte) []byte { return bytes.TrimSpace(v) }, nil
	}
	cutset := c.Args[0]
	if cutset == "" {
		return nil, errors.New("there are no characters to trim")
	}
	return func(_ *call, v []byte) []byte { return bytes.Trim(v, cutset) }, nil
}

func collapse(c *call, v []byte) []byte {
	v = bytes.TrimSpace(v)
	if !spaced(v) {
		return v
	}
	c.buf = c.buf[:0]
	for len(v) > 0 {
		n := bytes.IndexFunc(v, unicode.IsSpace)
		if n < 0 {
			n = len(v)
		}
		c.buf = append(c.buf, v[:n]...)
		if v = bytes.TrimLeftFunc(v[n:], unicode.IsSpace); len(v) > 0 {
			c.buf = append(c.buf, ' ')
		}
	}
	return c.buf
}

// spaced reports whether v may hold white space other than single spaces.
func spaced(v []byte) bool {
	for i, b := range v {
		if b < ' ' || b >= utf8.RuneSelf || b == ' ' && v[i-1] == ' ' {
			return true
		}
	}
	return false
}

// eachRune is the converter that changes each character.
func eachRune(change func(rune) rune) converter {
	return func(c *call, v []byte) []byte {
		c.buf = appendRunes(c.buf[:0], v, change)
		return c.buf
	}
}

// appendRunes appends v to dst with each character changed. Bytes that are not UTF-8
// stay.
func appendRunes(dst, v []byte, change func(rune) rune) []byte {
	for i := 0; i < len(v); {
		r, n := utf8.DecodeRune(v[i:])
		if r == utf8.RuneError && n == 1 {
			dst = append(dst, v[i])
		} else {
			dst = utf8.AppendRune(dst, change(r))
		}
		i += n
	}
	return dst
}

func digits(c *call, v []byte) []byte {
	c.buf = c.buf[:0]
	for _, b := range v {
		if b-'0' <= 9 {
			c.buf = append(c.buf, b)
		}
	}
	return c.buf
}

func buildReplace(c Conversion, _ *conversionOptions) (converter, error) {
	if len(c.Args) > 0 || len(c.Table) == 0 {
		return nil, errors.New("it needs a table of values")
	}
	table := make(map[string][]byte, len(c.Table))
	for _, r := range c.Table {
		if _, twice := table[r.From]; twice {
			return nil, fmt.Errorf("value %q appears twice", r.From)
		}
		table[r.From] = nil
		if r.To != nil {
			table[r.From] = []byte(*r.To)
		}
	}
	strict := c.Strict
	return func(c *call, v []byte) []byte {
		to, ok := table[string(v)]
		if ok {
			return to
		}
		if strict {
			c.fail(codeValueTable, shape(v))
		}
		return v
	}, nil
}

func buildRegex(c Conversion, _ *conversionOptions) (converter, error) {
	if c.Table != nil || len(c.Args) < 1 || len(c.Args) > 2 {
		return nil, errArguments
	}
	pattern, err := regexp.Compile(c.Args[0])
	if err != nil {
		return nil, err
	}
	convert := capture(pattern)
	if len(c.Args) == 2 {
		convert = substitute(pattern, []byte(c.Args[1]))
	}
	strict := c.Strict
	return func(c *call, v []byte) []byte {
		if out, ok := convert(c, v); ok {
			return out
		}
		if strict {
			c.fail(codeNoMatch, shape(v))
		}
		return v
	}, nil
}

// capture returns the first group of the first match; the match itself if the pattern
// has no group.
func capture(pattern *regexp.Regexp) func(*call, []byte) ([]byte, bool) {
	group := min(1, pattern.NumSubexp())
	return func(_ *call, v []byte) ([]byte, bool) {
		found := pattern.FindSubmatchIndex(v)
		if found == nil {
			return nil, false
		}
		if found[2*group] < 0 {
			return nil, true
		}
		return v[found[2*group]:found[2*group+1]], true
	}
}

// substitute replaces every match.
func substitute(pattern *regexp.Regexp, template []byte) func(*call, []byte) ([]byte, bool) {
	return func(c *call, v []byte) ([]byte, bool) {
		matches := pattern.FindAllSubmatchIndex(v, -1)
		if matches == nil {
			return nil, false
		}
		c.buf = c.buf[:0]
		last := 0
		for _, m := range matches {
			c.buf = append(c.buf, v[last:m[0]]...)
			c.buf = pattern.Expand(c.buf, template, v, m)
			last = m[1]
		}
		c.buf = append(c.buf, v[last:]...)
		return c.buf, true
	}
}

func buildSplit(c Conversion, _ *conversionOptions) (converter, error) {
	if err := c.plain(2, 2); err != nil {
		return nil, err
	}
	separator := []byte(c.Args[0])
	index, err := strconv.Atoi(c.Args[1])
	switch {
	case len(separator) == 0:
		return nil, errors.New("the separator is empty")
	case err != nil:
		return nil, errors.New("the index is not a whole number")
	}
	return func(_ *call, v []byte) []byte { return bytes.TrimSpace(part(v, separator, index)) }, nil
}

// part returns the part of v at index between separators, or nil.
func part(v, separator []byte, index int) []byte {
	for ; index < 0; index++ {
		i := bytes.LastIndex(v, separator)
		switch {
		case index == -1 && i < 0:
			return v
		case index == -1:
			return v[i+len(separator):]
		case i < 0:
			return nil
		}
		v = v[:i]
	}
	for ; index > 0; index-- {
		i := bytes.Index(v, separator)
		if i < 0 {
			return nil
		}
		v = v[i+len(separator):]
	}
	if i := bytes.Index(v, separator); i >= 0 {
		return v[:i]
	}
	return v
}

// buildJoin only checks the arguments: the map step joins the columns, because a
// converter sees one value only.
func buildJoin(c Conversion, _ *conversionOptions) (converter, error) {
	return func(_ *call, v []byte) []byte { return v }, c.plain(0, 1)
}

// shape describes v without showing it.
func shape(v []byte) string { return identity.Describe(v) }
