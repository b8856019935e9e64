package parquet

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"
)

// maxExpansion is how many bytes a compressed byte can become, by codec. The other
// codecs have no bound that is worth checking.
var maxExpansion = map[format.CompressionCodec]int{
	format.Uncompressed: 1,
	format.Snappy:       24,
	format.Gzip:         1040,
	format.Lz4Raw:       260,
}

// newZstd returns a decoder that never writes more than the room it is given.
func newZstd() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecodeAllCapLimit(true))
}

// checkCodec returns an error for a codec that cannot be read.
func checkCodec(codec format.CompressionCodec) error {
	switch codec {
	case format.Uncompressed, format.Snappy, format.Gzip, format.Brotli, format.Zstd, format.Lz4Raw:
		return nil
	}
	return &Error{Err: fmt.Errorf("compressed with %s, which is not read", codec), Hint: "write the file again with zstd or snappy"}
}

// checkRatio returns an error if from compressed bytes cannot become to bytes.
func checkRatio(codec format.CompressionCodec, from, to int) error {
	if most, ok := maxExpansion[codec]; ok && to > from*most+64 {
		return corrupt("a page of %d bytes claims to hold %d", from, to)
	}
	return nil
}

var errSize = errors.New("its size is not what its header says")

// decompress fills dst from src. It does not use the codecs of parquet-go, which
// allocate as much as comes out.
func (f *File) decompress(codec format.CompressionCodec, dst, src []byte) error {
	if len(dst) == 0 {
		return nil // some writers compress nothing to nothing, others to something
	}
	var n int
	var err error
	switch codec {
	case format.Uncompressed:
		if n = len(src); n == len(dst) {
			copy(dst, src)
		}
	case format.Snappy:
		if n, err = snappy.DecodedLen(src); err == nil && n == len(dst) {
			_, err = snappy.Decode(dst, src)
		}
	case format.Lz4Raw:
		n, err = lz4.UncompressBlock(src, dst)
	case format.Zstd:
		var out []byte
		out, err = f.zstd.DecodeAll(src, dst[:0:len(dst)])
		n = len(out)
	case format.Gzip:
		var z *gzip.Reader
		if z, err = gzip.NewReader(bytes.NewReader(src)); err == nil {
			n, err = readWhole(z, dst)
		}
	case format.Brotli:
		n, err = readWhole(brotli.NewReader(bytes.NewReader(src)), dst)
	}
	if err == nil && n != len(dst) {
		err = errSize
	}
	if err != nil {
		return corrupt("decompressing %s: %w", codec, err)
	}
	return nil
}

// readWhole fills dst from r, which must end there.
func readWhole(r io.Reader, dst []byte) (int, error) {
	n, err := io.ReadFull(r, dst)
	if err != nil {
		return n, err
	}
	var more [1]byte
	switch _, err := io.ReadFull(r, more[:]); err {
	case io.EOF:
		return n, nil
	case nil:
		return n, errSize
	default:
		return n, err
	}
}
