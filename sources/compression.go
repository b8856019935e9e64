package sources

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// maxWindow bounds how far back a Zstandard stream may refer, and so the memory to
// decompress it. All levels of zstd stay below it, unless --ultra or --long is used.
const maxWindow = 32 << 20

var errCutShort = errors.New("the compressed data ends too early")

// compression is a way to compress a whole input. It is recognised by content, whatever
// the name says.
type compression struct {
	name  string
	magic []string
	undo  func(r io.Reader) (text io.Reader, release func(), err error)
}

var compressions = []compression{
	{"gzip", []string{"\x1F\x8B"}, ungzip},
	{"zstd", zstdMagic(), unzstd},
}

// zstdMagic returns how Zstandard frames start (RFC 8878, sections 3.1.1 and
// 3.1.2): with data, or to be skipped, as parallel compressors write first.
func zstdMagic() []string {
	magic := []string{"\x28\xB5\x2F\xFD"}
	for i := range 16 {
		magic = append(magic, string([]byte{0x50 + byte(i), 0x2A, 0x4D, 0x18}))
	}
	return magic
}

// ungzip reads gzip, with all members as one text.
func ungzip(r io.Reader) (io.Reader, func(), error) {
	z, err := gzip.NewReader(r)
	return z, nil, err
}

// unzstd reads Zstandard, with all frames as one text, on the goroutine of the caller.
func unzstd(r io.Reader) (io.Reader, func(), error) {
	z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
	if err != nil {
		return nil, nil, err
	}
	return z, z.Close, nil
}

// decompress makes in read decompressed data, if it is compressed.
func (in *input) decompress() error {
	head := in.peek(4)
	if len(head) == 0 && in.err != io.EOF {
		return in.readError(in.err)
	}
	for _, c := range compressions {
		for _, magic := range c.magic {
			if bytes.HasPrefix(head, []byte(magic)) {
				return in.undo(c)
			}
		}
	}
	return nil
}

func (in *input) undo(c compression) (err error) {
	in.compression = c.name
	in.r, in.release, err = c.undo(in.detach())
	if err != nil {
		return in.readError(err)
	}
	return nil
}

// compressionError says that compressed data cannot be read on.
func (in *input) compressionError(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return in.contentError(0, fmt.Errorf("%w: %w", errCutShort, err), "copy or compress the file again: the rows read so far are whole")
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		return in.contentError(0, fmt.Errorf("reading compressed data: it has to be kept %d MiB back or more", maxWindow>>20),
			"decompress it first, or compress it again without --ultra and --long")
	}
	return in.contentError(0, fmt.Errorf("reading compressed data: %w", err), "copy or compress the file again")
}
