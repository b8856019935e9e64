package xlsx

import "io"

// maxToken bounds the length of a single tag or text.
const maxToken = 2 << 20

// stream is a lexer for a part of any size.
type stream struct {
	lexer
	part *part
	buf  []byte
	err  error // why nothing more can be read
}

func newStream(p *part) *stream { return &stream{part: p, buf: make([]byte, 0, 64<<10)} }

// next moves past the next token. It returns io.EOF after the last token of a part that
// is complete.
func (s *stream) next() (token, error) {
	for {
		switch t := s.lexer.next(); t {
		case tokenNone:
		case tokenBad:
			return t, damaged(s.part.name, ErrMalformed)
		default:
			return t, nil
		}
		if s.err != nil {
			return tokenNone, s.end()
		}
		if err := s.fill(); err != nil {
			return tokenNone, err
		}
	}
}

// end returns the error for the end of the tokens.
func (s *stream) end() error {
	if s.err != io.EOF {
		return s.err
	}
	for _, c := range s.data[s.pos:] {
		if !ends[c] || c == '/' || c == '>' {
			return damaged(s.part.name, ErrCutShort)
		}
	}
	return io.EOF
}

// fill reads more after the bytes that are not yet split into tokens.
func (s *stream) fill() error {
	left := len(s.data) - s.pos
	if left > maxToken {
		return damaged(s.part.name, ErrTooLarge)
	}
	if left*2 > cap(s.buf) {
		s.buf = make([]byte, 0, 2*cap(s.buf))
	}
	s.buf = s.buf[:copy(s.buf[:cap(s.buf)], s.data[s.pos:])]
	n, err := s.part.Read(s.buf[left:cap(s.buf)])
	s.buf = s.buf[:left+n]
	s.data, s.pos, s.err = s.buf, 0, err
	return nil
}

// walk calls see for each start tag with the local names of the elements around it and
// its own. It walks the part to its end.
func (s *stream) walk(see func(path []string)) error {
	var path []string
	for {
		t, err := s.next()
		switch {
		case err == io.EOF && len(path) == 0:
			return nil
		case err == io.EOF:
			return damaged(s.part.name, ErrCutShort)
		case err != nil:
			return err
		case t == tokenOpen:
			path = append(path, string(s.name))
			if len(path) > 100 {
				return damaged(s.part.name, ErrMalformed)
			}
			see(path)
			if s.empty {
				path = path[:len(path)-1]
			}
		case t == tokenClose:
			if len(path) == 0 || path[len(path)-1] != string(s.name) {
				return damaged(s.part.name, ErrMalformed)
			}
			path = path[:len(path)-1]
		}
	}
}
