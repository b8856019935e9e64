package sinks

import (
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/klauspost/pgzip"
)

// compression is a way to compress an output. Its extension, at the end of a
// file's name or of a format's, asks for it: out.csv.gz, csv.gz. The zero
// compression, or nil, is none.
type compression struct {
	extension string
	start     func(w io.Writer) (compressor, error)
}

// compressions lists how outputs can be compressed.
var compressions = []compression{
	{".gz", newGzip},
	{".zst", newZstd},
}

// compressor compresses what is written to it on every core. The goroutines
// that do so belong to it: they end with finish or discard, one of which is to
// be called. The bytes that come out depend on those that go in alone: not on
// how they are written, nor on how many cores there are, when, or under what
// name.
type compressor interface {
	io.Writer

	// finish ends the stream and waits until it is written.
	finish() error

	// discard waits for the goroutines to end. What is under way may still be
	// written; the end of the stream is not, and so nobody takes it for whole.
	discard()
}

// cutCompression returns name without the extension of a compression, and which that is:
// nil if name has none.
func cutCompression(name string) (string, *compression) {
	for i := range compressions {
		c := &compressions[i]
		if rest, ok := strings.CutSuffix(name, c.extension); ok {
			return rest, c
		}
	}
	return name, nil
}

// extensionOf returns the extension of path in lower case, the one before that
// of a compression if it ends in one, and which compression.
func extensionOf(path string) (extension string, c *compression) {
	path, c = cutCompression(strings.ToLower(path))
	return filepath.Ext(path), c
}

// compressionExtensions lists the extensions for people.
func compressionExtensions() string {
	var names []string
	for _, c := range compressions {
		names = append(names, c.extension)
	}
	return strings.Join(names, " or ")
}

// gzipBlock is how much text gzip compresses at once.
const gzipBlock = 256 << 10

// gzipped writes gzip (RFC 1952), in a single member.
type gzipped struct{ *pgzip.Writer }

func newGzip(w io.Writer) (compressor, error) {
	z := pgzip.NewWriter(w)
	z.ModTime = time.Unix(0, 0)
	return &gzipped{z}, z.SetConcurrency(gzipBlock, runtime.GOMAXPROCS(0))
}

func (g *gzipped) finish() error {
	err := g.Close()
	g.discard()
	return err
}

func (g *gzipped) discard() { g.Reset(io.Discard) }

// zstdWindow is how far back a Zstandard stream refers. Four times that is
// compressed at once, by each core.
const zstdWindow = 1 << 20

// zstandard writes Zstandard (RFC 8878), in a single frame, for there are
// readers that stop after the first, with a checksum of the text.
type zstandard struct{ *zstd.Encoder }

func newZstd(w io.Writer) (compressor, error) {
	z, err := zstd.NewWriter(w,
		zstd.WithConcurrentBlocks(true),
		zstd.WithEncoderConcurrency(max(2, runtime.GOMAXPROCS(0))), // one alone would cut the text in other places
		zstd.WithWindowSize(zstdWindow),
		zstd.WithEncoderCRC(true),
		zstd.WithZeroFrames(true), // a file without rows is a frame, too, and not empty
	)
	if err != nil {
		return nil, err
	}
	return &zstandard{z}, nil
}

func (z *zstandard) finish() error {
	err := z.Close()
	z.discard()
	return err
}

func (z *zstandard) discard() { z.Reset(nil) }
