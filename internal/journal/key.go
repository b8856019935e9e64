package journal

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"flytt/internal/osfile"
)

const (
	keyFile = "journal.key"
	keySize = 32
)

// Key is the secret with which digests in journals are made. Whoever has it can find
// out by trial which personnummer a digest stands for; whoever has only a journal
// cannot.
type Key struct {
	secret []byte
	digest *macs
	sum    *macs
}

// LoadKey reads the key in the directory dir. If there is none, it creates directory
// and key. If several processes do so at once, all get the same key. A key file that
// others can read is refused: they may know the key.
func LoadKey(dir string) (*Key, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("directory of the journal's key %s: %w", dir, osfile.Cause(err))
	}
	path := filepath.Join(dir, keyFile)
	secret, err := readKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = makeKey(dir, path); err == nil {
			secret, err = readKey(path)
		}
	}
	if err != nil {
		return nil, err
	}
	return newKey(secret), nil
}

// newKey derives from secret what digests and sums are made with.
func newKey(secret []byte) *Key {
	return &Key{
		secret: secret,
		digest: newMACs(derive(secret, nil, "digest")),
		sum:    newMACs(derive(secret, nil, "sum")),
	}
}

// derive returns the key for one purpose. Keys of different purposes or salts say
// nothing about each other.
func derive(secret, salt []byte, purpose string) []byte {
	key, err := hkdf.Key(sha256.New, secret, salt, "flytt journal "+purpose, keySize)
	if err != nil {
		panic(err) // only for a length that no hash can give
	}
	return key
}

// readKey reads the key file at path.
func readKey(path string) ([]byte, error) {
	named, err := os.Lstat(path)
	if err != nil {
		return nil, keyError(path, osfile.Cause(err), "")
	}
	if advice, err := checkKeyFile(named); err != nil {
		return nil, keyError(path, err, advice)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, keyError(path, osfile.Cause(err), "")
	}
	defer f.Close()
	opened, err := f.Stat()
	if err != nil {
		return nil, keyError(path, osfile.Cause(err), "")
	}
	if !os.SameFile(named, opened) {
		return nil, keyError(path, errors.New("it was replaced while it was read"), "try again")
	}
	secret := make([]byte, keySize)
	if _, err := io.ReadFull(f, secret); err != nil {
		return nil, keyError(path, osfile.Cause(err), "")
	}
	return secret, nil
}

// checkKeyFile returns an error for a file that cannot be a key, and what to do about it.
func checkKeyFile(info fs.FileInfo) (advice string, err error) {
	const lost = "without it, journals made with it cannot be read: put the right file back, or move it away and begin new runs"
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		return "put the key itself there, or name its directory with FLYTT_KEY_DIR", errors.New("it is a symbolic link")
	case !info.Mode().IsRegular():
		return lost, errors.New("it is not a file")
	case runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return "if nobody has read it, chmod 600 makes it fit; otherwise move it away: a new one is made",
			fmt.Errorf("others can read it (mode %04o)", info.Mode().Perm())
	case info.Size() != keySize:
		return lost, fmt.Errorf("it has %d bytes, not %d", info.Size(), keySize)
	}
	return "", nil
}

// makeKey makes the key file at path, in dir, whole or not at all. If another
// process was faster, its key stands.
func makeKey(dir, path string) (err error) {
	secret := make([]byte, keySize)
	rand.Read(secret) // never fails
	f, err := os.CreateTemp(dir, keyFile+".*")
	if err != nil {
		return keyError(path, osfile.Cause(err), "")
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.Write(secret)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return keyError(path, osfile.Cause(err), "")
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return keyError(path, osfile.Cause(err), "")
	}
	if err := syncDir(dir); err != nil {
		return keyError(path, osfile.Cause(err), "")
	}
	return nil
}

func keyError(path string, cause error, advice string) error {
	return &Error{Place: "journal key " + path, Err: cause, Advice: advice}
}

// Digest returns 32 bytes that stand for data: HMAC-SHA256 over its parts, each
// with its length. The same parts give the same digest in all journals of the key.
func (k *Key) Digest(data ...[]byte) []byte {
	m := k.digest.take()
	for _, part := range data {
		m.uint64(uint64(len(part)))
		m.Write(part)
	}
	sum := m.Sum(nil)
	k.digest.put(m)
	return sum
}

// Sum returns a short keyed digest of data, never 0. Different sums mean different
// data; equal sums mean equal data, but for a chance of 2⁻⁶⁴.
func (k *Key) Sum(data []byte) uint64 {
	m := k.sum.take()
	m.Write(data)
	sum := binary.BigEndian.Uint64(m.Sum(m.buffer[:0]))
	k.sum.put(m)
	return max(sum, 1)
}

// macs makes HMAC-SHA256 digests with one key. It is safe for concurrent use.
type macs struct{ pool sync.Pool }

// mac is a digest in progress.
type mac struct {
	hash.Hash
	buffer [sha256.Size]byte
}

func newMACs(key []byte) *macs {
	return &macs{sync.Pool{New: func() any { return &mac{Hash: hmac.New(sha256.New, key)} }}}
}

func (s *macs) take() *mac { return s.pool.Get().(*mac) }

func (s *macs) put(m *mac) {
	m.Reset()
	s.pool.Put(m)
}

// uint64 writes n to the digest.
func (m *mac) uint64(n uint64) {
	binary.BigEndian.PutUint64(m.buffer[:8], n)
	m.Write(m.buffer[:8])
}

// of returns the checksum of a record: of its kind, its number, and its content.
func (s *macs) of(kind byte, seq int64, content ...[]byte) digest {
	m := s.take()
	m.buffer[0] = kind
	m.Write(m.buffer[:1])
	m.uint64(uint64(seq))
	for _, part := range content {
		m.uint64(uint64(len(part)))
		m.Write(part)
	}
	var sum digest
	m.Sum(sum[:0])
	s.put(m)
	return sum
}

// digest is the checksum of a record, or the XOR of several.
type digest [sha256.Size]byte

// toggle adds o to the XOR d, or removes it again.
func (d *digest) toggle(o digest) {
	for i := range d {
		d[i] ^= o[i]
	}
}
