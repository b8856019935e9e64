package sinks

import (
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/klauspost/pgzip"
)

// gzipExtension at the end of a file's name, or of a format's, asks for
// compression: out.csv.gz, csv.gz.
const gzipExtension = ".gz"

// gzipBlock is how much text is compressed at once: what is cut there does not
// depend on how many do it, and so neither do the bytes of the file.
const gzipBlock = 256 << 10

// packed compresses what is written to it on every core. The goroutines that do
// so belong to it: they end with finish or discard, one of which is to be
// called.
type packed struct{ *pgzip.Writer }

// newPacked returns a compressor that writes to w. The stream says nothing of
// when it was made, or of its name.
func newPacked(w io.Writer) (*packed, error) {
	z := pgzip.NewWriter(w)
	z.ModTime = time.Unix(0, 0)
	return &packed{z}, z.SetConcurrency(gzipBlock, runtime.GOMAXPROCS(0))
}

// finish ends the stream and waits until it is written.
func (p *packed) finish() error {
	err := p.Close()
	p.discard()
	return err
}

// discard waits for the goroutines to end. Where the stream is not finished,
// what is under way may still be written; its end is not.
func (p *packed) discard() { p.Reset(io.Discard) }

// extensionOf returns the extension of path in lower case, the one before .gz if
// it ends in that, and whether it does.
func extensionOf(path string) (extension string, gzipped bool) {
	path, gzipped = strings.CutSuffix(strings.ToLower(path), gzipExtension)
	return filepath.Ext(path), gzipped
}
