package xlsx

import "bytes"

// token is what a lexer finds.
type token uint8

const (
	tokenNone  token = iota // the rest has no whole token
	tokenOpen               // a start tag
	tokenClose              // an end tag
	tokenText               // characters, with references
	tokenCDATA              // characters as they stand
	tokenBad                // not XML, or a document type
)

// lexer splits XML in memory into tokens, without checking whether elements nest. It
// skips comments and processing instructions.
type lexer struct {
	data  []byte
	pos   int
	full  []byte // name of the tag, with its prefix
	name  []byte // and without
	attrs []byte // of a start tag
	empty bool   // the start tag is the end tag too
	text  []byte // of characters
}

// ends marks the bytes that end the name of a tag.
var ends = [256]bool{' ': true, '\t': true, '\n': true, '\r': true, '/': true, '>': true}

// next moves past the next token. If it returns tokenNone, it has not moved.
func (l *lexer) next() token {
	for l.pos < len(l.data) {
		if l.data[l.pos] != '<' {
			i := bytes.IndexByte(l.data[l.pos:], '<')
			if i < 0 {
				return tokenNone
			}
			l.text = l.data[l.pos : l.pos+i]
			l.pos += i
			return tokenText
		}
		if l.pos+1 == len(l.data) {
			return tokenNone
		}
		switch l.data[l.pos+1] {
		case '/':
			return l.close()
		case '?':
			if !l.pass("?>") {
				return tokenNone
			}
		case '!':
			if t, done := l.declaration(); done {
				return t
			}
		default:
			return l.open()
		}
	}
	return tokenNone
}

// pass moves past the next occurrence of end.
func (l *lexer) pass(end string) bool {
	i := bytes.Index(l.data[l.pos+2:], []byte(end))
	if i >= 0 {
		l.pos += 2 + i + len(end)
	}
	return i >= 0
}

// declaration handles what starts with <!; done is false for a comment that was
// skipped.
func (l *lexer) declaration() (t token, done bool) {
	const cdata = "<![CDATA["
	rest := l.data[l.pos:]
	switch {
	case len(rest) < len(cdata):
		if n := min(len(rest), 4); string(rest[:n]) != "<!--"[:n] && string(rest) != cdata[:len(rest)] {
			return tokenBad, true
		}
		if len(rest) < 4 || rest[2] == '[' || !l.comment() {
			return tokenNone, true
		}
		return 0, false
	case string(rest[:4]) == "<!--":
		return tokenNone, !l.comment()
	case string(rest[:len(cdata)]) == cdata:
		start := l.pos + len(cdata)
		l.pos += len(cdata) - 2
		if !l.pass("]]>") {
			l.pos = start - len(cdata)
			return tokenNone, true
		}
		l.text = l.data[start : l.pos-3]
		return tokenCDATA, true
	}
	return tokenBad, true
}

// comment moves past the comment at the current position.
func (l *lexer) comment() bool {
	l.pos += 2
	if l.pass("-->") {
		return true
	}
	l.pos -= 2
	return false
}

// close reads an end tag.
func (l *lexer) close() token {
	start := l.pos + 2
	i := bytes.IndexByte(l.data[start:], '>')
	if i < 0 {
		return tokenNone
	}
	l.full = bytes.TrimRight(l.data[start:start+i], " \t\r\n")
	l.name = localName(l.full)
	l.pos = start + i + 1
	return tokenClose
}

// open reads a start tag.
func (l *lexer) open() token {
	data := l.data
	start := l.pos + 1
	p := start
	for p < len(data) && !ends[data[p]] {
		p++
	}
	nameEnd := p
	for p < len(data) {
		switch c := data[p]; c {
		case '>':
			l.full = data[start:nameEnd]
			l.name = localName(l.full)
			l.empty = data[p-1] == '/'
			l.attrs = data[nameEnd:p]
			l.pos = p + 1
			return tokenOpen
		case '"', '\'':
			for p++; p < len(data) && data[p] != c; p++ {
			}
		case '<':
			return tokenBad
		}
		p++
	}
	return tokenNone
}

// localName returns name without its prefix.
func localName(name []byte) []byte {
	for i, c := range name {
		if c == ':' {
			return name[i+1:]
		}
	}
	return name
}

// attribute splits off the first attribute of attrs; its name is empty if there is
// none.
func attribute(attrs []byte) (name, value, rest []byte) {
	i := 0
	for i < len(attrs) && ends[attrs[i]] {
		i++
	}
	start := i
	for i < len(attrs) && attrs[i] != '=' && !ends[attrs[i]] {
		i++
	}
	name = attrs[start:i]
	for i < len(attrs) && attrs[i] != '"' && attrs[i] != '\'' {
		i++
	}
	if i == len(attrs) {
		return nil, nil, nil
	}
	q := attrs[i]
	i++
	start = i
	for i < len(attrs) && attrs[i] != q {
		i++
	}
	return name, attrs[start:i], attrs[min(i+1, len(attrs)):]
}

// attr returns the attribute called name of the last start tag, with its references
// resolved.
func (l *lexer) attr(name string) string {
	for rest := l.attrs; ; {
		var n, v []byte
		n, v, rest = attribute(rest)
		switch {
		case len(n) == 0:
			return ""
		case string(n) == name:
			text, _ := appendText(nil, v)
			return string(text)
		}
	}
}
