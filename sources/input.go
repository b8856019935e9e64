package sources

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"flytt/internal/osfile"
	"flytt/sources/textscan"
)

const (
	sniffSize  = 4096                        // enough to tell what kind of file it is
	sampleSize = textscan.MaxRecordBytes + 1 // what detection looks at: a record that is too long shows
)

var (
	errDirectory = errors.New("is a directory")
	errEmpty     = errors.New("empty file")
)

const stdinName = "standard input"

const hintEmpty = "export it again: a header line at least is needed"

// input is the decompressed content of an input, with as much read ahead as detection
// needs. It belongs to one goroutine; only End may be called from others.
type input struct {
	name        string // for messages
	path        string
	compression string
	size        int64
	raw         *osfile.Counter // of the input as it is stored
	stream      *streamReader   // interrupts a read that blocks; nil: reads do not block
	watched     *watchedFile    // nil: it is not a file
	inPlace     bool            // the file itself is read, at any position
	closer      io.Closer       // nil: the caller closes it
	release     func()          // releases the decompressor; nil: there is none
	r           io.Reader       // where the rest after head comes from
	head        []byte          // read ahead
	err         error           // the error that r returned, including io.EOF; it comes after head
}

// openInput opens path and decompresses it if necessary.
func openInput(path string, o *Options) (*input, error) {
	r, st, err := openPath(path, o)
	if err != nil {
		return nil, err
	}
	in := &input{name: path, path: path, size: -1}
	if st != nil {
		in.size = st.Size()
	}
	if path == "-" {
		in.name = stdinName
	} else if in.closer = r.(io.Closer); st != nil {
		if err := in.watchFile(r.(*os.File), st, o); err != nil {
			in.Close()
			return nil, err
		}
	}
	if st == nil {
		in.stream = newStreamReader(r)
		r = in.stream
	}
	in.raw = &osfile.Counter{R: r}
	in.r = in.raw
	if err := in.decompress(); err != nil {
		in.Close()
		return nil, err
	}
	return in, nil
}

// detach takes the remaining stream out of in, to be read through something that
// becomes in.r.
func (in *input) detach() io.Reader {
	inner := &input{r: in.r, head: in.head, err: in.err}
	in.r, in.head, in.err = nil, nil, nil
	return inner
}

// peek returns the next n bytes without consuming them; fewer at the end of the input
// or if it cannot be read. They stay valid until the next call on in.
func (in *input) peek(n int) []byte {
	if cap(in.head) < n && in.err == nil {
		in.head = append(make([]byte, 0, n), in.head...)
	}
	for len(in.head) < n && in.err == nil {
		var m int
		m, in.err = in.r.Read(in.head[len(in.head):n])
		in.head = in.head[:len(in.head)+m]
	}
	return in.head[:min(n, len(in.head))]
}

// skip drops n bytes that peek returned.
func (in *input) skip(n int) { in.head = in.head[n:] }

// whole reports whether peek has seen the end of the input.
func (in *input) whole() bool { return in.err != nil }

// Read returns the bytes that peek has left, then reads on.
func (in *input) Read(p []byte) (int, error) {
	if len(in.head) > 0 {
		n := copy(p, in.head)
		if in.head = in.head[n:]; len(in.head) == 0 {
			in.head = nil
		}
		return n, nil
	}
	if in.err != nil {
		return 0, in.err
	}
	var n int
	n, in.err = in.r.Read(p)
	if n > 0 {
		return n, nil
	}
	return 0, in.err
}

// fill reads until data is want bytes long, and returns why it could not.
func (in *input) fill(ctx context.Context, data []byte, want int) ([]byte, error) {
	if want >= cap(data) {
		grown := make([]byte, len(data), want+1) // one for the line end that the last row may lack
		copy(grown, data)
		data = grown
	}
	for len(data) < want {
		if err := ctx.Err(); err != nil {
			return data, err
		}
		n, err := in.Read(data[len(data):want])
		data = data[:len(data)+n]
		if err != nil {
			return data, err
		}
	}
	return data, nil
}

// End returns how many bytes of the stored input have been read.
func (in *input) End() int64 { return in.raw.N() }

// interruptible makes reads return early when ctx ends, until the returned
// function is called.
func (in *input) interruptible(ctx context.Context) func() bool {
	if in.stream == nil {
		return func() bool { return true }
	}
	return context.AfterFunc(ctx, in.stream.interrupt)
}

// Close releases the input.
func (in *input) Close() error {
	if in.stream != nil {
		in.stream.close()
	}
	if in.release != nil {
		in.release()
	}
	if in.closer == nil {
		return nil
	}
	return in.closer.Close()
}

func (in *input) extension() string { return extension(in.path) }

func (in *input) contentError(line int64, err error, hint string) error {
	return &Error{File: in.name, Line: line, Err: err, Hint: hint}
}

// usageError returns an error in what the user asked for.
func (in *input) usageError(err error, hint string) error {
	return &Error{File: in.name, Err: err, Hint: hint, Usage: true}
}

// empty returns the error of an input without content.
func (in *input) empty() error {
	if in.err != nil && in.err != io.EOF {
		return in.readError(in.err)
	}
	return in.contentError(0, errEmpty, hintEmpty)
}

// readError returns the error of an input that cannot be read.
func (in *input) readError(err error) error {
	var own *Error
	switch {
	case errors.As(err, &own):
		own.File = in.name
		return own
	case in.compression != "":
		return in.compressionError(err)
	}
	return in.contentError(0, fmt.Errorf("reading: %w", osfile.Cause(err)), "check the disk or the network share that it is on")
}

// openError returns the error of a file that cannot be opened.
func openError(path string, err error) error {
	e := &Error{File: path, Err: osfile.Cause(err)}
	switch {
	case path == "":
		e.File, e.Err, e.Hint, e.Usage = "input", errors.New("no file name given"), "name a file, or - for standard input", true
	case errors.Is(err, fs.ErrNotExist):
		e.Hint, e.Usage = osfile.NotFoundHint(path, "check the name and the directory; - reads standard input"), true
	case errors.Is(err, errDirectory):
		e.Hint, e.Usage = "name a file in it", true
	case errors.Is(err, fs.ErrPermission):
		e.Hint = "ask for the right to read it, or copy it to where you may"
	default:
		e.Hint = "check that it is a file that can be read"
	}
	return e
}
