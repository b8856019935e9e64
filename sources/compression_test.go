package sources

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
)

// zstandarded compresses content.
func zstandarded(t testing.TB, content []byte, o ...zstd.EOption) []byte {
	t.Helper()
	var b bytes.Buffer
	z, err := zstd.NewWriter(&b, append([]zstd.EOption{zstd.WithEncoderConcurrency(1)}, o...)...)
	if err == nil {
		_, err = z.Write(content)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// packers compress, by the name of the compression.
var packers = map[string]func(t testing.TB, content []byte) []byte{
	"gzip": gzipped,
	"zstd": func(t testing.TB, content []byte) []byte { return zstandarded(t, content) },
}

func TestCompressedInputsAreReadWhateverTheirName(t *testing.T) {
	for compression, pack := range packers {
		for name, content := range map[string]string{"csv": "a,b\n1,2\n", "jsonl": `{"a":1,"b":2}`} {
			packed := pack(t, []byte(content))
			for _, file := range []string{"x." + name, "x." + name + ".gz", "x.zst", "x"} {
				s, info := mustOpen(t, write(t, file, packed), 0)
				rows, err := dumpRows(t, s)
				if len(rows) != 1 || !strings.HasSuffix(rows[0], ": 1|2") || err != nil {
					t.Errorf("%s of %s: %q, %v", compression, file, rows, err)
				}
				if info.Compression != compression || info.Format != name || info.Size != int64(len(packed)) || len(info.Warnings) > 0 {
					t.Errorf("%s of %s: %+v", compression, file, info)
				}
			}
		}
	}
}

func TestSeveralMembersAreOneText(t *testing.T) {
	skipped := []byte("\x5A\x2A\x4D\x18\x03\x00\x00\x00any")
	for compression, pack := range packers {
		parts := [][]byte{pack(t, []byte("a,b\n1,")), pack(t, nil), pack(t, []byte("2\n3,4"))}
		if compression == "zstd" {
			parts = [][]byte{skipped, parts[0], skipped, parts[1], parts[2], skipped}
		}
		rows := rowsOf(t, string(bytes.Join(parts, nil)), Options{})
		if diff := cmp.Diff(lines("2: 1|2", "3: 3|4"), rows); diff != "" {
			t.Errorf("%s (-want +got):\n%s", compression, diff)
		}
	}
}

// long is rows that hardly compress, in more than a block.
func long() []byte {
	content := []byte("a,b\n")
	for i, n := 0, uint32(1); i < 60_000; i++ {
		n = n*1664525 + 1013904223
		content = append(content, byte('a'+n>>28), ',', byte('a'+n>>20&15), byte('a'+n>>12&15), '\n')
	}
	return content
}

func TestCompressedDataThatIsBrokenIsFound(t *testing.T) {
	for compression, pack := range packers {
		packed := pack(t, long())
		half := len(packed) / 2
		flipped := bytes.Clone(packed)
		flipped[half] ^= 0x10
		for name, test := range map[string]struct {
			data []byte
			want string
		}{
			"cut in the middle":   {packed[:half], "the compressed data ends too early"},
			"cut before its end":  {packed[:len(packed)-1], "the compressed data ends too early"},
			"another byte":        {flipped, "reading compressed data: "},
			"something behind it": {append(bytes.Clone(packed), "garbage and more of it"...), "reading compressed data: "},
			"a byte behind it":    {append(bytes.Clone(packed), 'x'), "the compressed data ends too early"},
			"its beginning alone": {packed[:5], "the compressed data ends too early"},
		} {
			s, _, err := Open("-", &Options{Stdin: bytes.NewReader(test.data)})
			if err == nil {
				_, err = dumpRows(t, s)
				s.Close()
			}
			if err == nil || !strings.HasPrefix(err.Error(), "standard input: "+test.want) {
				t.Errorf("%s %s: error %v, want %s", compression, name, err, test.want)
			}
		}
	}
}

func TestCompressedTwiceIsRefused(t *testing.T) {
	for outer, packOuter := range packers {
		for inner, packInner := range packers {
			e := openFault(t, string(packOuter(t, packInner(t, []byte("a\n1\n")))), Options{})
			if !strings.Contains(e.Error(), "within another compression") {
				t.Errorf("%s within %s: %v", inner, outer, e)
			}
		}
	}
}

func TestZstandardTakesBoundedMemory(t *testing.T) {
	content := long()
	for _, window := range []int{1 << 20, maxWindow} {
		packed := zstandarded(t, content, zstd.WithWindowSize(window))
		if rows := rowsOf(t, string(packed), Options{}); len(rows) != 60_000 {
			t.Errorf("window %d: %d rows", window, len(rows))
		}
	}
	// RFC 8878, 3.1.1.1.2: an exponent of 20 in the five high bits is a window of 1 GiB.
	greedy := append([]byte("\x28\xB5\x2F\xFD\x00\xA0"), bytes.Repeat([]byte{0}, 1000)...)
	var e *Error
	allocated := allocatedBy(func() { e = openFault(t, string(greedy), Options{}) })
	if !strings.Contains(e.Error(), "kept 32 MiB back or more") || allocated > 8<<20 {
		t.Errorf("%v, %d bytes allocated", e, allocated)
	}
	// A bomb: 64 MiB without a line end, in a few kilobytes.
	bomb := zstandarded(t, bytes.Repeat([]byte("x"), 64<<20))
	allocated = allocatedBy(func() { e = openFault(t, string(bomb), Options{}) })
	if allocated > 48<<20 {
		t.Errorf("%v, %d bytes allocated", e, allocated)
	}
}
