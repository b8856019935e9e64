package sinks

import (
	"archive/zip"
	"io"
	"runtime"
	"time"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/pgzip"
)

// xlsxPackage writes the parts of a workbook to a zip file, one after another.
// While a large part is written, goroutines of its own compress it and write to
// the file; they end with the part, or with discard.
type xlsxPackage struct {
	zip   *zip.Writer
	part  io.Writer        // the part begun last
	large bool             // whether that is to be compressed on every core
	cores *parallelDeflate // what does so; nil: no large part is being written
}

// newXLSXPackage returns a package that is written to w.
func newXLSXPackage(w io.Writer) *xlsxPackage {
	p := &xlsxPackage{zip: zip.NewWriter(w)}
	p.zip.RegisterCompressor(zip.Deflate, p.compressor)
	return p
}

// xlsxLevel is how hard the compression tries. Up to here a higher level costs no
// time that could be measured; beyond, more than the file gets smaller.
const xlsxLevel = 3

// compressor returns what compresses the part that is being begun.
func (p *xlsxPackage) compressor(w io.Writer) (_ io.WriteCloser, err error) {
	if !p.large {
		return flate.NewWriter(w, xlsxLevel)
	}
	p.cores, err = newParallelDeflate(w)
	return p.cores, err
}

// zipEpoch is the time that all parts are from: the first that a zip file knows.
var zipEpoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// begin ends the part before and starts the one called name.
func (p *xlsxPackage) begin(name string) (err error) {
	p.part, err = p.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: zipEpoch})
	return err
}

// beginLarge is begin for a large part. What came before it has gone out when it
// returns.
func (p *xlsxPackage) beginLarge(name string) error {
	p.large = true
	defer func() { p.large = false }()
	if err := p.begin(name); err != nil {
		return err
	}
	return p.zip.Flush()
}

// write appends text to the part begun last. The failure of one write may be
// the next one's error.
func (p *xlsxPackage) write(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	_, err := p.part.Write(text)
	return err
}

// add writes a whole part.
func (p *xlsxPackage) add(part xlsxPart) error {
	if err := p.begin(part.name); err != nil {
		return err
	}
	return p.write([]byte(part.content))
}

// close ends the last part and the package.
func (p *xlsxPackage) close() error { return p.zip.Close() }

// discard gives up the part being written.
func (p *xlsxPackage) discard() {
	if p.cores != nil {
		p.cores.discard()
	}
}

// parallelDeflate is a stream of deflate, compressed on every core. The library
// makes a gzip file, which is such a stream between a header and a trailer.
type parallelDeflate struct{ *gzipped }

func newParallelDeflate(w io.Writer) (*parallelDeflate, error) {
	z, err := pgzip.NewWriterLevel(&gzipContent{to: w, header: gzipHeader}, xlsxLevel)
	if err != nil {
		return nil, err
	}
	return &parallelDeflate{&gzipped{z}}, z.SetConcurrency(gzipBlock, runtime.GOMAXPROCS(0))
}

// Close ends the stream and waits until it is written.
func (d *parallelDeflate) Close() error { return d.finish() }

// Lengths of what stands around the stream in a gzip file without a name
// (RFC 1952, 2.3).
const (
	gzipHeader  = 10
	gzipTrailer = 8
)

// gzipContent passes on the stream that is in the gzip file written to it.
type gzipContent struct {
	to     io.Writer
	header int    // bytes of the header that are still to come
	held   []byte // what may turn out to be the trailer
}

// Write implements io.Writer.
func (g *gzipContent) Write(p []byte) (int, error) {
	n := len(p)
	skip := min(g.header, n)
	g.header -= skip
	g.held = append(g.held, p[skip:]...)
	out := len(g.held) - gzipTrailer
	if out <= 0 {
		return n, nil
	}
	if _, err := g.to.Write(g.held[:out]); err != nil {
		return 0, err
	}
	g.held = g.held[:copy(g.held, g.held[out:])]
	return n, nil
}

// outputWriter is an output for those who write to an io.Writer.
type outputWriter struct{ *output }

// Write implements io.Writer. Its errors name the output.
func (w outputWriter) Write(p []byte) (int, error) {
	if err := w.write(p); err != nil {
		return 0, err
	}
	return len(p), nil
}
