package sources

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"flytt/internal/text"
	"flytt/sources/textscan"
)

var (
	errMixed   = errors.New("not UTF-8, though other characters of the file are")
	errNoBOM   = errors.New("looks like UTF-16 without a byte order mark")
	errDOS     = errors.New("looks like text in a DOS code page (å ä ö of cp850)")
	errMac     = errors.New("looks like text of an old Macintosh (å ä ö of macintosh)")
	errBOMOnly = errors.New("empty file: nothing but a byte order mark")
)

// textInput is what is known about an input as text.
type textInput struct {
	sample    []byte // the start of the text, without byte order mark; UTF-16 was converted to UTF-8
	whole     bool   // the sample is the whole text
	encoding  string
	evidence  string
	table     *charTable // nil: UTF-8
	undecided bool       // all of the sample is ASCII
	eol       byte
	lineEnd   string
}

// openText detects the encoding and the line ends of in. After that, in starts behind
// the byte order mark.
func openText(in *input, o *Options) (*textInput, error) {
	asked, err := encodingName(o.Encoding)
	if err != nil {
		return nil, in.usageError(err, text.DidYouMean(o.Encoding, Encodings(), "use "+text.OneOf(Encodings())))
	}
	t := &textInput{encoding: asked, evidence: "as asked"}
	if err := t.mark(in, asked); err != nil {
		return nil, err
	}
	t.sample = in.peek(sampleSize)
	t.whole = in.whole() && len(in.head) == len(t.sample)
	if len(t.sample) == 0 {
		if in.err == io.EOF {
			return nil, in.contentError(0, errBOMOnly, hintEmpty)
		}
		return nil, in.empty()
	}
	t.lines()
	if t.encoding == "" {
		return t, t.detect(in)
	}
	t.table = newTable(t.encoding, true)
	return t, nil
}

// mark looks for a byte order mark, which decides the encoding, and skips it.
func (t *textInput) mark(in *input, asked string) error {
	head := in.peek(sniffSize)
	found := ""
	switch {
	case bytes.HasPrefix(head, []byte(bomUTF8)):
		found = utf8Enc
	case bytes.HasPrefix(head, []byte(bomUTF16LE)):
		found = utf16LE
	case bytes.HasPrefix(head, []byte(bomUTF16BE)):
		found = utf16BE
	}
	if found != "" && asked != "" && asked != found && (asked != utf16 || found == utf8Enc) {
		return in.usageError(fmt.Errorf("begins with the byte order mark of %s, but %s was asked for", found, asked),
			"leave the encoding out: the mark tells it")
	}
	if order := utf16Order(head); found == "" && asked == "" && order != "" {
		return in.contentError(0, errNoBOM, "--encoding "+order)
	}
	if found != "" {
		t.encoding, t.evidence = found, "byte order mark"
	}
	switch t.encoding {
	case utf16:
		t.encoding, t.evidence = utf16LE, "as asked; little-endian without a byte order mark"
		fallthrough
	case utf16LE, utf16BE:
		in.r = newUTF16Reader(in.detach(), t.encoding)
	}
	if bytes.HasPrefix(in.peek(len(bomUTF8)), []byte(bomUTF8)) && t.encoding != "" && newTable(t.encoding, true) == nil {
		in.skip(len(bomUTF8))
	}
	return nil
}

// lines finds out how lines end.
func (t *textInput) lines() {
	lf := bytes.IndexByte(t.sample, '\n')
	t.eol = '\n'
	switch {
	case lf > 0 && t.sample[lf-1] == '\r':
		t.lineEnd = "CRLF"
	case lf >= 0 || bytes.IndexByte(t.sample, '\r') < 0:
		t.lineEnd = "LF"
	default:
		t.lineEnd, t.eol = "CR", '\r'
	}
}

// detect decides between UTF-8 and Windows-1252 by the sample.
func (t *textInput) detect(in *input) error {
	e := examine(t.sample, !t.whole)
	switch {
	case !e.high:
		t.encoding, t.evidence, t.undecided = ascii, "only ASCII so far", true
		return nil
	case e.invalid < 0:
		t.encoding, t.evidence = utf8Enc, "valid UTF-8"
		return nil
	}
	line := 1 + textscan.LineEnds(t.sample[:e.invalid], t.eol)
	if err := in.checkWindows1252(e, line); err != nil {
		return err
	}
	t.encoding, t.evidence = windows, fmt.Sprintf("line %d is not UTF-8", line)
	t.table = newTable(windows, false)
	return nil
}

// evidence is what some bytes show about their encoding.
type evidence struct {
	high    bool // there are bytes that are not ASCII
	multi   bool // there are characters of several bytes in valid UTF-8
	invalid int  // the first byte that is not UTF-8, or -1
	dos     int  // bytes between letters that are å ä ö in DOS code pages and punctuation in Windows-1252
	mac     int  // bytes between letters that are å ä ö on an old Macintosh
	western int  // letters in Windows-1252 and ISO 8859-1
}

// examine collects the evidence in src. cut says that src may end in the middle of a
// character.
func examine(src []byte, cut bool) evidence {
	e := evidence{invalid: -1}
	for i := textscan.ASCIILen(src); i < len(src); i += textscan.ASCIILen(src[i:]) {
		e.high = true
		r, n := utf8.DecodeRune(src[i:])
		switch {
		case r != utf8.RuneError || n > 1:
			e.multi = true
		case cut && !utf8.FullRune(src[i:]):
			return e
		default:
			if e.invalid < 0 {
				e.invalid = i
			}
			e.count(src, i)
		}
		i += n
	}
	return e
}

// count counts the byte at i, which is not UTF-8, by what it would be in other
// encodings.
func (e *evidence) count(src []byte, i int) {
	between := i > 0 && i+1 < len(src) && letter(src[i-1]) && letter(src[i+1])
	switch c := src[i]; {
	case c >= 0xC0:
		e.western++
	case between && (c == 0x84 || c == 0x86 || c == 0x94):
		e.dos++
	case between && (c == 0x8A || c == 0x8C || c == 0x9A):
		e.mac++
	}
}

// letter reports whether c is a letter, or a byte that is one in some encoding.
func letter(c byte) bool {
	c |= 0x20
	return c >= 'a' && c <= 'z' || c >= 0x80
}

// checkWindows1252 returns an error unless e, which has bytes that are not UTF-8, is
// clearly Windows-1252: a wrong character is worse than an error.
func (in *input) checkWindows1252(e evidence, line int64) error {
	const otherwise = ", or --encoding windows-1252 if it is that after all"
	switch {
	case e.multi:
		return in.contentError(line, errMixed,
			"--encoding utf-8 rejects the rows that are not, --encoding windows-1252 takes every byte as it is")
	case e.dos > e.western:
		return in.contentError(line, errDOS, "--encoding cp850"+otherwise)
	case e.mac > 0 && e.western == 0:
		return in.contentError(line, errMac, "--encoding macintosh"+otherwise)
	}
	return nil
}
