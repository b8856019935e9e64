package sinks

import (
	"archive/zip"
	"io"
	"time"

	"github.com/klauspost/compress/flate"
)

// xlsxPackage writes the parts of a workbook to a zip file, as they come. Each
// is one stream of deflate, which workers have compressed in pieces: a piece
// refers to nothing before it and ends on a byte, so that pieces can be joined.
type xlsxPackage struct {
	zip    *zip.Writer
	part   io.Writer // the part begun last
	packer *xlsxPacker
	buffer []byte
	packed []byte // the compressed form of what is about to be written
}

// newXLSXPackage returns a package that is written to w.
func newXLSXPackage(w io.Writer) *xlsxPackage {
	p := &xlsxPackage{zip: zip.NewWriter(w), packer: newXLSXPacker()}
	p.zip.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return &joinedPieces{pieces: p, to: w}, nil
	})
	return p
}

// zipEpoch is the time that all parts are from: the first that a zip file knows.
var zipEpoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)

// begin ends the part before and starts the one called name.
func (p *xlsxPackage) begin(name string) (err error) {
	p.part, err = p.zip.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: zipEpoch})
	return err
}

// write appends text to the part begun last. packed is the compressed form of
// text, or empty if it is still to be compressed.
func (p *xlsxPackage) write(text, packed []byte) error {
	if len(text) == 0 {
		return nil
	}
	if len(packed) == 0 {
		p.buffer = p.packer.appendPacked(p.buffer[:0], text)
		packed = p.buffer
	}
	p.packed = packed
	_, err := p.part.Write(text)
	return err
}

// add writes a part in one go.
func (p *xlsxPackage) add(name string, content []byte) error {
	if err := p.begin(name); err != nil {
		return err
	}
	return p.write(content, nil)
}

// flush passes on everything that has been written.
func (p *xlsxPackage) flush() error { return p.zip.Flush() }

// close ends the last part and the package.
func (p *xlsxPackage) close() error { return p.zip.Close() }

// joinedPieces is what the zip writer takes for the compressor of a part: it
// gets the text, from which the zip writer has length and checksum, and puts
// the compressed form in its place that the package has for it.
type joinedPieces struct {
	pieces *xlsxPackage
	to     io.Writer
}

// lastPiece ends a stream of deflate: a last block in which there is nothing
// but its end (RFC 1951, 3.2.3 and 3.2.6).
var lastPiece = []byte{0x03, 0x00}

// Write writes the compressed form of text.
func (j *joinedPieces) Write(text []byte) (int, error) {
	if _, err := j.to.Write(j.pieces.packed); err != nil {
		return 0, err
	}
	return len(text), nil
}

// Close ends the stream.
func (j *joinedPieces) Close() error {
	_, err := j.to.Write(lastPiece)
	return err
}

// xlsxLevel is how hard the compression tries. Higher levels take longer for a
// file that is hardly smaller.
const xlsxLevel = 1

// xlsxPacker compresses pieces of a part. It is for one goroutine.
type xlsxPacker struct{ deflate *flate.Writer }

func newXLSXPacker() *xlsxPacker {
	w, err := flate.NewWriter(io.Discard, xlsxLevel)
	if err != nil {
		panic(err) // the level is a constant
	}
	return &xlsxPacker{deflate: w}
}

// appendPacked appends the compressed form of text, which may lie in dst.
func (p *xlsxPacker) appendPacked(dst, text []byte) []byte {
	to := &appender{dst}
	p.deflate.Reset(to)
	if _, err := p.deflate.Write(text); err != nil {
		panic(err) // nothing fails in memory
	}
	if err := p.deflate.Flush(); err != nil {
		panic(err)
	}
	return to.data
}

// appender appends what is written to it.
type appender struct{ data []byte }

// Write appends p.
func (a *appender) Write(p []byte) (int, error) {
	a.data = append(a.data, p...)
	return len(p), nil
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
