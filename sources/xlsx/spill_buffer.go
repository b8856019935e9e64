package xlsx

import (
	"fmt"
	"io"
	"os"

	"flytt/internal/osfile"
)

const pageSize = 64 << 10

// spillBuffer holds bytes that one goroutine appends and many read. The first of them
// are in memory, all others in a temporary file. Only flushed bytes may be read.
type spillBuffer struct {
	memory  []*[pageSize]byte // pages in memory; its length is the maximum
	size    int64
	file    *os.File
	pending []byte // appended, not yet in the file
	written int64  // bytes in the file
}

func newSpillBuffer(memory int) *spillBuffer {
	return &spillBuffer{memory: make([]*[pageSize]byte, memory/pageSize)}
}

func (p *spillBuffer) append(b []byte) error {
	for len(b) > 0 {
		i := int(p.size / pageSize)
		if i >= len(p.memory) {
			p.pending = append(p.pending, b...)
			p.size += int64(len(b))
			if len(p.pending) >= 4*pageSize {
				return p.flush()
			}
			return nil
		}
		if p.memory[i] == nil {
			p.memory[i] = new([pageSize]byte)
		}
		n := copy(p.memory[i][p.size%pageSize:], b)
		p.size += int64(n)
		b = b[n:]
	}
	return nil
}

// flush makes everything that was appended readable.
func (p *spillBuffer) flush() error {
	if len(p.pending) == 0 {
		return nil
	}
	if p.file == nil {
		f, err := osfile.Nameless("", "flytt-*")
		if err != nil {
			return spillError(err)
		}
		p.file = f
	}
	n, err := p.file.WriteAt(p.pending, p.written)
	p.written += int64(n)
	p.pending = p.pending[:0]
	if err != nil {
		return spillError(err)
	}
	return nil
}

func spillError(err error) error {
	return &Error{Err: fmt.Errorf("keeping shared strings in a temporary file: %w", osfile.Cause(err)), Hint: "make room in " + os.TempDir()}
}

// read appends the bytes from from to to, which were flushed, to dst.
func (p *spillBuffer) read(dst []byte, from, to int64, c *pageCache) ([]byte, error) {
	for from < to {
		i, start := int(from/pageSize), from%pageSize
		end := min(pageSize, start+to-from)
		if i < len(p.memory) {
			dst = append(dst, p.memory[i][start:end]...)
		} else {
			page, err := c.get(p.file, i-len(p.memory), int(end))
			if err != nil {
				return dst, err
			}
			dst = append(dst, page[start:end]...)
		}
		from += end - start
	}
	return dst, nil
}

// Close releases the file.
func (p *spillBuffer) Close() error {
	if p.file == nil {
		return nil
	}
	return osfile.CloseNameless(p.file)
}

// pageCache caches pages of a file that were read recently, for one goroutine.
type pageCache struct {
	pages [32]cachedPage
}

// cachedPage is a page, as far as it was written when it was read.
type cachedPage struct {
	number int // from 1; 0: none
	n      int
	data   []byte
}

// get returns a page of which at least need bytes were written.
func (c *pageCache) get(f *os.File, i, need int) ([]byte, error) {
	p := &c.pages[i%len(c.pages)]
	if p.number == i+1 && p.n >= need {
		return p.data, nil
	}
	if p.data == nil {
		p.data = make([]byte, pageSize)
	}
	n, err := f.ReadAt(p.data, int64(i)*pageSize)
	if n < need {
		p.number = 0
		if err == nil || err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, spillError(err)
	}
	p.number, p.n = i+1, n
	return p.data, nil
}
