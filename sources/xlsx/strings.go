package xlsx

import (
	"encoding/binary"
	"errors"
	"io"
	"math"
	"sync"
	"sync/atomic"
)

const (
	maxCell  = 1 << 20 // bytes of text in one cell
	loadStep = 4096    // shared strings that are read ahead
)

var (
	errLongCell = errors.New("a text takes more than 1 MiB")
	errManyText = errors.New("its texts take more than 4 GiB")
)

// sharedStrings is the table of texts to which cells refer by number. It is read only
// as far as needed, by whoever needs a string first.
type sharedStrings struct {
	archive *archive
	name    string

	loaded atomic.Int64 // strings that may be read
	mu     sync.Mutex   // of what follows
	stream *stream
	total  int64 // strings appended
	err    error // what ended the table; io.EOF: it is complete
	buf    []byte

	text   *spillBuffer
	starts *spillBuffer // of each string, and the end of the last: four bytes each
}

func newSharedStrings(a *archive, name string, memory int) *sharedStrings {
	if memory <= 0 {
		memory = defaultMemory
	}
	return &sharedStrings{
		archive: a, name: name,
		text: newSpillBuffer(memory / 4 * 3), starts: newSpillBuffer(memory / 4),
	}
}

// stringCache is one goroutine's cache of the table's files.
type stringCache struct {
	text, starts pageCache
	entry        []byte
}

// append appends string i to dst. It reports false if the table has no such string.
func (t *sharedStrings) append(dst []byte, i int64, c *stringCache) ([]byte, bool, error) {
	if i >= t.loaded.Load() {
		if ok, err := t.load(i); !ok {
			return dst, false, err
		}
	}
	var err error
	if c.entry, err = t.starts.read(c.entry[:0], i*4, i*4+8, &c.starts); err != nil {
		return dst, false, err
	}
	from, to := binary.LittleEndian.Uint32(c.entry), binary.LittleEndian.Uint32(c.entry[4:])
	dst, err = t.text.read(dst, int64(from), int64(to), &c.text)
	return dst, err == nil, err
}

// load reads the table beyond string i. It reports false if the table ends before.
func (t *sharedStrings) load(i int64) (bool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i < t.loaded.Load() {
		return true, nil
	}
	t.advance(i + loadStep)
	if i < t.loaded.Load() {
		return true, nil
	}
	if t.err == io.EOF {
		return false, nil
	}
	return false, t.err
}

// checkRest reads the rest of the table.
func (t *sharedStrings) checkRest() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.advance(math.MaxInt64)
	if t.err == io.EOF {
		return nil
	}
	return t.err
}

// advance reads up to string to, or to the end, and publishes the strings it has read.
func (t *sharedStrings) advance(to int64) {
	if t.err == nil && t.stream == nil {
		t.err = t.open()
	}
	for t.err == nil && t.total < to {
		t.err = t.item()
	}
	if t.err == nil || t.err == io.EOF {
		for _, p := range []*spillBuffer{t.text, t.starts} {
			if err := p.flush(); err != nil {
				t.err = err
				return
			}
		}
		t.loaded.Store(t.total)
	}
}

// open opens the table and reads its first tag.
func (t *sharedStrings) open() error {
	p, err := t.archive.open(t.name)
	if err != nil {
		return err
	}
	t.stream = newStream(p)
	for {
		switch token, err := t.stream.next(); {
		case err == io.EOF:
			return damaged(t.name, ErrCutShort)
		case err != nil:
			return err
		case token == tokenOpen && string(t.stream.name) == "sst":
			if t.stream.empty {
				return t.readToEnd()
			}
			return t.starts.append(make([]byte, 4))
		case token == tokenOpen:
			return damaged(t.name, ErrMalformed)
		}
	}
}

// item reads up to the end of the next string. It returns io.EOF if there is
// none.
func (t *sharedStrings) item() error {
	s := t.stream
	for {
		switch token, err := s.next(); {
		case err == io.EOF:
			return damaged(t.name, ErrCutShort)
		case err != nil:
			return err
		case token == tokenOpen && string(s.name) == "si":
			t.buf = t.buf[:0]
			if !s.empty {
				if err := t.runs(); err != nil {
					return err
				}
			}
			return t.add()
		case token == tokenClose && string(s.name) == "sst":
			return t.readToEnd()
		}
	}
}

// runs reads the content of a string: its text, or runs of text, without phonetic
// guides.
func (t *sharedStrings) runs() error {
	s := t.stream
	take, phonetic := false, false
	for {
		token, err := s.next()
		switch {
		case err == io.EOF:
			return damaged(t.name, ErrCutShort)
		case err != nil:
			return err
		case token == tokenOpen && string(s.name) == "t":
			take = !s.empty && !phonetic
		case token == tokenOpen && string(s.name) == "rPh":
			phonetic = !s.empty
		case token == tokenClose && string(s.name) == "t":
			take = false
		case token == tokenClose && string(s.name) == "rPh":
			phonetic = false
		case token == tokenClose && string(s.name) == "si":
			return nil
		case token == tokenText && take:
			whole := true
			if t.buf, whole = appendText(t.buf, s.text); !whole {
				return damaged(t.name, ErrMalformed)
			}
		case token == tokenCDATA && take:
			t.buf = append(t.buf, s.text...)
		}
		if len(t.buf) > maxCell {
			return &Error{Part: t.name, Err: errLongCell, Hint: "shorten it; a cell of Excel holds 32,767 characters"}
		}
	}
}

// add puts the string just read into the table.
func (t *sharedStrings) add() error {
	if err := t.text.append(unescape(t.buf)); err != nil {
		return err
	}
	if t.text.size > math.MaxUint32 {
		return &Error{Part: t.name, Err: errManyText, Hint: "split the workbook, or save the sheet as CSV"}
	}
	t.total++
	var end [4]byte
	binary.LittleEndian.PutUint32(end[:], uint32(t.text.size))
	return t.starts.append(end[:])
}

// readToEnd reads to the end of the part, which compares its checksum.
func (t *sharedStrings) readToEnd() error {
	for {
		switch token, err := t.stream.next(); {
		case err != nil:
			return err
		case token == tokenOpen || token == tokenClose:
			return damaged(t.name, ErrMalformed)
		}
	}
}

// Close releases the temporary files.
func (t *sharedStrings) Close() error { return errors.Join(t.text.Close(), t.starts.Close()) }
