package xlsx

import (
	"archive/zip"
	"bufio"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"path"
	"strings"

	"flytt/internal/osfile"

	"github.com/klauspost/compress/flate"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Limits of an archive, far above what spreadsheets write.
const (
	maxDirectory = 4 << 20  // bytes at the end of the file in which the directory lies
	maxParts     = 20_000   // entries of the directory
	maxPart      = 16 << 30 // bytes of a part, unpacked
	maxRatio     = 300      // unpacked to packed, beyond
	ratioFrom    = 16 << 20 // so many bytes
)

// archive is the ZIP file of a workbook. Only parts that are needed are read, each
// through its own reader; any number may be open.
type archive struct {
	size       int64
	parts      map[string]*zip.File // by name as key makes it
	duplicates map[string]bool
}

// directoryReader refuses to read before from, until that is set to 0: the ZIP library
// would read the directory of an archive into memory, however large it is.
type directoryReader struct {
	r    io.ReaderAt
	from int64
}

var errDirectory = errors.New("its directory of parts is larger than a workbook needs")

// ReadAt implements io.ReaderAt.
func (t *directoryReader) ReadAt(p []byte, at int64) (int, error) {
	if at < t.from {
		return 0, errDirectory
	}
	return t.r.ReadAt(p, at)
}

// openArchive reads the directory of the archive.
func openArchive(r io.ReaderAt, size int64) (*archive, error) {
	t := &directoryReader{r: r, from: max(0, size-maxDirectory)}
	z, err := zip.NewReader(t, size)
	switch {
	case errors.Is(err, errDirectory) || err == nil && len(z.File) > maxParts:
		return nil, &Error{Err: errDirectory, Hint: hintDamaged}
	case errors.Is(err, zip.ErrFormat):
		return nil, &Error{Err: errors.New("the archive is damaged or cut short: it has no directory of its parts"), Hint: hintDamaged}
	case err != nil && !errors.Is(err, zip.ErrInsecurePath):
		return nil, &Error{Err: fmt.Errorf("reading the archive: %w", err), Hint: hintDamaged}
	}
	t.from = 0
	a := &archive{size: size, parts: map[string]*zip.File{}, duplicates: map[string]bool{}}
	for _, f := range z.File {
		k := key(f.Name)
		a.duplicates[k] = a.parts[k] != nil
		a.parts[k] = f
	}
	return a, nil
}

// key returns the name by which a part is found: names differ in case and more, and
// some writers use the backslash for a slash.
func key(name string) string {
	name = strings.ReplaceAll(name, `\`, "/")
	return strings.ToLower(strings.TrimPrefix(path.Clean("/"+name), "/"))
}

func (a *archive) has(name string) bool { return a.parts[key(name)] != nil }

// open returns a reader of the part's text, as UTF-8 without a byte order mark. It
// reaches the end only if size and checksum are those of the directory.
func (a *archive) open(name string) (*part, error) {
	f := a.parts[key(name)]
	switch {
	case f == nil:
		return nil, damaged(name, ErrMissing)
	case a.duplicates[key(name)]:
		return nil, damaged(name, ErrDuplicatePart)
	case f.Flags&1 != 0:
		return nil, &Error{Part: name, Err: errors.New("it is encrypted"), Hint: "take the password off the archive"}
	}
	raw, err := f.OpenRaw()
	if err != nil {
		return nil, damaged(name, fmt.Errorf("reading the archive: %w", err))
	}
	p := &part{name: name, packed: int64(min(f.CompressedSize64, uint64(a.size))), size: f.UncompressedSize64, want: f.CRC32, sum: crc32.NewIEEE()}
	p.raw.R = raw
	switch f.Method {
	case zip.Store:
		p.inner = &p.raw
	case zip.Deflate:
		p.inner = flate.NewReader(bufio.NewReaderSize(&p.raw, 64<<10))
	default:
		return nil, &Error{Part: name, Err: fmt.Errorf("it is packed by method %d", f.Method), Hint: hintSaveAs}
	}
	return p, p.decode()
}

// part is a part of an archive that is being read. Read returns io.EOF after the last
// byte of a part that is complete; otherwise an *Error.
type part struct {
	name   string
	raw    osfile.Counter
	inner  io.Reader // unpacked
	text   io.Reader // as UTF-8
	packed int64     // bytes in the archive
	size   uint64    // what the directory says
	read   uint64    // unpacked so far
	sum    hash.Hash32
	want   uint32
	err    error
}

// decode detects the encoding by the first bytes.
func (p *part) decode() error {
	b := bufio.NewReaderSize(verifiedReader{p}, 4<<10)
	head, err := b.Peek(256)
	if err != nil && err != io.EOF {
		return err
	}
	switch {
	case len(head) >= 2 && (head[0] == 0xFF && head[1] == 0xFE || head[0] == 0xFE && head[1] == 0xFF):
		p.text = transform.NewReader(b, unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder())
		return nil
	case len(head) >= 3 && string(head[:3]) == "\xEF\xBB\xBF":
		if _, err := b.Discard(3); err != nil {
			return err
		}
	}
	if e := declared(string(head)); e != "" && e != "utf-8" && e != "utf8" && e != "us-ascii" && e != "ascii" {
		return damaged(p.name, ErrEncoding)
	}
	p.text = b
	return nil
}

// declared returns the encoding that the XML declaration at the start of head
// names, in lower case.
func declared(head string) string {
	decl, _, ok := strings.Cut(head, "?>")
	if !ok || !strings.Contains(decl, "<?xml") {
		return ""
	}
	_, value, ok := strings.Cut(decl, "encoding")
	if !ok {
		return ""
	}
	value = strings.TrimLeft(value, " \t\r\n=")
	if value == "" {
		return ""
	}
	value, _, _ = strings.Cut(value[1:], value[:1])
	return strings.ToLower(value)
}

// Read implements io.Reader.
func (p *part) Read(b []byte) (int, error) { return p.text.Read(b) }

// verifiedReader reads the unpacked bytes of a part and checks size and checksum.
type verifiedReader struct{ *part }

// Read implements io.Reader.
func (c verifiedReader) Read(b []byte) (int, error) {
	p := c.part
	if p.err != nil {
		return 0, p.err
	}
	n, err := p.inner.Read(b)
	p.read += uint64(n)
	p.sum.Write(b[:n])
	p.err = p.readError(err)
	if p.err == io.EOF || n > 0 && p.err == nil {
		return n, p.err
	}
	return 0, p.err // not to be trusted
}

// readError returns the error of the part after a read that returned err.
func (p *part) readError(err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case p.read > maxPart:
		return damaged(p.name, ErrTooLarge)
	case p.read > ratioFrom && p.read > uint64(maxRatio*p.packed):
		return damaged(p.name, ErrBomb)
	case err == nil:
		return nil
	case err == io.ErrUnexpectedEOF, err == io.EOF && p.read < p.size:
		return damaged(p.name, ErrCutShort)
	case errors.As(err, &corrupt), err == io.EOF && (p.read != p.size || p.sum.Sum32() != p.want):
		return damaged(p.name, ErrChecksum)
	case err == io.EOF:
		return io.EOF
	}
	return damaged(p.name, fmt.Errorf("reading: %w", err))
}
