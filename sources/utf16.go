package sources

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"
)

var errHalfCharacter = errors.New("ends in the middle of a UTF-16 character")

// hasUTF16BOM reports whether head starts with a byte order mark of UTF-16.
func hasUTF16BOM(head []byte) bool {
	return bytes.HasPrefix(head, []byte(bomUTF16LE)) || bytes.HasPrefix(head, []byte(bomUTF16BE))
}

// utf16Order returns utf16LE or utf16BE if head looks like UTF-16 without a byte order
// mark: nearly every second byte is zero, and only every second.
func utf16Order(head []byte) string {
	var zeros [2]int
	head = head[:min(len(head), sniffSize)&^1]
	for i, c := range head {
		if c == 0 {
			zeros[i&1]++
		}
	}
	half := len(head) / 2
	switch {
	case half == 0:
		return ""
	case zeros[1]*10 >= half*6 && zeros[0]*20 <= half:
		return utf16LE
	case zeros[0]*10 >= half*6 && zeros[1]*20 <= half:
		return utf16BE
	}
	return ""
}

// utf16Reader converts UTF-16 to UTF-8. Half of a surrogate pair becomes three bytes
// that are not valid UTF-8, so that its row is rejected like any other that cannot be
// read as text. A text with an odd number of bytes is an error.
type utf16Reader struct {
	r       io.Reader
	high    int    // index of the high byte of a unit: 1 in little-endian
	in      []byte // read, not yet converted
	out     []byte // converted, not yet returned
	err     error
	inBuf   [32 << 10]byte
	outBuf  []byte
	pending rune // the first half of a pair, 0: none
}

func newUTF16Reader(r io.Reader, order string) *utf16Reader {
	u := &utf16Reader{r: r}
	if order == utf16LE {
		u.high = 1
	}
	return u
}

// Read implements io.Reader.
func (u *utf16Reader) Read(p []byte) (int, error) {
	for len(u.out) == 0 {
		if u.err != nil {
			return 0, u.err
		}
		u.fill()
	}
	n := copy(p, u.out)
	u.out = u.out[n:]
	return n, nil
}

// fill reads once and converts all whole units.
func (u *utf16Reader) fill() {
	n := copy(u.inBuf[:], u.in)
	m, err := u.r.Read(u.inBuf[n:])
	u.in = u.inBuf[:n+m]
	u.outBuf = u.outBuf[:0]
	for ; len(u.in) >= 2; u.in = u.in[2:] {
		u.unit(rune(u.in[u.high])<<8 | rune(u.in[1-u.high]))
	}
	if u.err = err; err == io.EOF {
		u.finish()
	}
	u.out = u.outBuf
}

// finish handles what is left over at the end of the input.
func (u *utf16Reader) finish() {
	u.half()
	if len(u.in) > 0 {
		u.err = &Error{Err: errHalfCharacter, Hint: "copy or export the file again: the rows read so far are whole"}
	}
}

// unit converts the next 16 bits.
func (u *utf16Reader) unit(c rune) {
	switch {
	case c >= 0xDC00 && c < 0xE000 && u.pending != 0:
		u.outBuf = utf8.AppendRune(u.outBuf, 0x10000+(u.pending-0xD800)<<10+(c-0xDC00))
		u.pending = 0
	case c >= 0xD800 && c < 0xDC00:
		u.half()
		u.pending = c
	case c >= 0xDC00 && c < 0xE000:
		u.half()
		u.pending = c
		u.half()
	case c < utf8.RuneSelf && u.pending == 0:
		u.outBuf = append(u.outBuf, byte(c))
	default:
		u.half()
		u.outBuf = utf8.AppendRune(u.outBuf, c)
	}
}

// half writes half of a pair whose other half did not come.
func (u *utf16Reader) half() {
	if c := u.pending; c != 0 {
		u.outBuf = append(u.outBuf, 0xE0|byte(c>>12), 0x80|byte(c>>6)&0x3F|0x80, 0x80|byte(c)&0x3F)
		u.pending = 0
	}
}
